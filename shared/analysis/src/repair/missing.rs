//! Lines that are missing in a block: an item that is not kept, or not counted.

use ruff_python_ast::{
    Expr, Stmt,
    visitor::{Visitor, walk_stmt},
};
use ruff_text_size::{Ranged as _, TextRange};

use super::{
    change::{Changes, Kind, Part},
    text,
};

/// Most blocks of a function, and most names in it, for which lines are tried.
const MAX_BLOCKS: usize = 12;
const MAX_NAMES: usize = 4;

pub(super) fn collect(changes: &mut Changes<'_, '_>, part: Part) {
    let program = changes.program.body();
    for function in program.iter().filter_map(Stmt::as_function_def_stmt) {
        of_body(changes, &function.body);
    }
    if part == Part::Program {
        of_body(changes, program);
    }
}

fn of_body(changes: &mut Changes<'_, '_>, body: &[Stmt]) {
    let mut seen = Seen::default();
    seen.visit_body(body);
    let mut lines: Vec<String> = Vec::new();
    for item in seen.items.iter().take(MAX_NAMES) {
        lines
            .extend(seen.lists.iter().take(MAX_NAMES).map(|list| format!("{list}.append({item})")));
    }
    lines.extend(seen.counts.iter().take(MAX_NAMES).map(|count| format!("{count} += 1")));
    for block in seen.blocks.iter().take(MAX_BLOCKS) {
        let (Some(first), Some(last)) = (block.first(), block.last()) else { continue };
        let Some(inside) = text::indent(changes.program, last) else { continue };
        for line in &lines {
            let before = vec![(TextRange::empty(first.start()), format!("{line}\n{inside}"))];
            let after = vec![(TextRange::empty(last.end()), format!("\n{inside}{line}"))];
            changes.edit(Kind::MissingLine, first, before);
            if !matches!(last, Stmt::Return(_) | Stmt::Break(_) | Stmt::Continue(_)) {
                changes.edit(Kind::MissingLine, TextRange::empty(last.end()), after);
            }
        }
    }
}

/// What a function has that collects something.
#[derive(Default)]
struct Seen<'a> {
    /// Lists that are empty at first.
    lists: Vec<&'a str>,
    /// Names that are numbers at first.
    counts: Vec<&'a str>,
    /// Names of the items of loops.
    items: Vec<&'a str>,
    /// The bodies of loops and conditions.
    blocks: Vec<&'a [Stmt]>,
}

impl<'a> Visitor<'a> for Seen<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
            Stmt::Assign(assignment) => {
                if let [Expr::Name(name)] = &assignment.targets[..] {
                    match &*assignment.value {
                        Expr::List(list) if list.elts.is_empty() => self.lists.push(&name.id),
                        Expr::NumberLiteral(_) => self.counts.push(&name.id),
                        _ => {}
                    }
                }
            }
            Stmt::For(repeat) => {
                self.items.extend(repeat.target.as_name_expr().map(|name| name.id.as_str()));
                self.blocks.push(&repeat.body);
            }
            Stmt::While(repeat) => self.blocks.push(&repeat.body),
            Stmt::If(branch) => {
                self.blocks.push(&branch.body);
                let clauses = branch.elif_else_clauses.iter();
                self.blocks.extend(clauses.map(|clause| &*clause.body));
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }
}
