//! Changes of whole statements: removed, moved, added.

use ruff_python_ast::{Expr, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{
    change::{Changes, Edits, Kind, MAX_PARAMETERS, Part},
    scope,
    text::{indent, indented},
};

/// Expected results that are tried as the answer for an empty argument.
const MAX_RESULTS: usize = 4;

pub(super) fn collect(changes: &mut Changes<'_, '_>, results: &[String], part: Part) {
    let body = changes.program.body();
    let mut results: Vec<&str> = results.iter().map(String::as_str).collect();
    results.sort_by_key(|result| result.len());
    results.dedup();
    results.truncate(MAX_RESULTS);
    let around = match part {
        Part::Functions => None,
        Part::Program => Some(Around { owner: None, repeat: None, function: None }),
    };
    block(changes, body, around, &results);
}

/// The statement around a block, and the function that both are in.
#[derive(Clone, Copy)]
struct Around<'s> {
    /// What is moved out of the block comes after it.
    owner: Option<&'s Stmt>,
    /// The loop around the owner.
    repeat: Option<&'s Stmt>,
    function: Option<&'s StmtFunctionDef>,
}

impl<'s> Around<'s> {
    fn parameters(self) -> impl Iterator<Item = &'s str> {
        let parameters = self.function.into_iter().flat_map(|function| function.parameters.iter());
        parameters.map(|parameter| parameter.name().as_str()).take(MAX_PARAMETERS)
    }

    /// Whether the block is a loop's, or stands in a loop's.
    fn is_in_loop(self) -> bool {
        let mut around = [self.owner, self.repeat].into_iter().flatten();
        around.any(|stmt| matches!(stmt, Stmt::For(_) | Stmt::While(_)))
    }
}

fn block(
    changes: &mut Changes<'_, '_>,
    body: &[Stmt],
    around: Option<Around<'_>>,
    results: &[&str],
) {
    for (at, stmt) in body.iter().enumerate() {
        if let Stmt::FunctionDef(function) = stmt {
            whole_function(changes, function, results);
            block(
                changes,
                &function.body,
                Some(Around { owner: None, repeat: None, function: Some(function) }),
                results,
            );
            continue;
        }
        if let Some(around) = around {
            simple(changes, stmt, around);
            neighbours(changes, body, at);
            if at + 1 == body.len() {
                for owner in [around.owner, around.repeat].into_iter().flatten() {
                    move_out(changes, stmt, owner, at == 0);
                }
            }
            if let Some(Stmt::If(before)) = at.checked_sub(1).and_then(|before| body.get(before))
                && let Stmt::If(_) = stmt
                && before.elif_else_clauses.iter().all(|clause| clause.test.is_some())
            {
                changes.edit(
                    Kind::ElseIf,
                    stmt,
                    vec![(TextRange::at(stmt.start(), TextSize::new(2)), "elif".to_owned())],
                );
            }
        }
        let inner = around.map(|around| Around {
            owner: Some(stmt),
            repeat: around.owner.filter(|owner| owner.is_for_stmt() || owner.is_while_stmt()),
            ..around
        });
        for body in blocks(stmt) {
            block(changes, body, inner, results);
        }
        if let Stmt::If(branch) = stmt {
            for clause in &branch.elif_else_clauses {
                changes.replace(Kind::ExtraLine, clause, "");
                if clause.test.is_some() && is_last(branch, clause) {
                    let word = TextRange::at(clause.start(), TextSize::new(4));
                    changes.edit(Kind::ElseIf, word, vec![(word, "if".to_owned())]);
                }
            }
        }
    }
}

fn is_last(branch: &ruff_python_ast::StmtIf, clause: &ruff_python_ast::ElifElseClause) -> bool {
    branch.elif_else_clauses.last().is_some_and(|last| last.range() == clause.range())
}

fn blocks(stmt: &Stmt) -> Vec<&[Stmt]> {
    match stmt {
        Stmt::If(branch) => std::iter::once(&*branch.body)
            .chain(branch.elif_else_clauses.iter().map(|clause| &*clause.body))
            .collect(),
        Stmt::For(repeat) => vec![&repeat.body, &repeat.orelse],
        Stmt::While(repeat) => vec![&repeat.body, &repeat.orelse],
        Stmt::With(with) => vec![&with.body],
        Stmt::Try(tried) => vec![&tried.body],
        Stmt::ClassDef(class) => vec![&class.body],
        _ => Vec::new(),
    }
}

/// Changes of one simple statement.
fn simple(changes: &mut Changes<'_, '_>, stmt: &Stmt, around: Around<'_>) {
    let program = changes.program;
    if !matches!(
        stmt,
        Stmt::If(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::With(_)
            | Stmt::Try(_)
            | Stmt::ClassDef(_)
    ) {
        changes.replace(Kind::ExtraLine, stmt, "pass");
    } else if let Some(inner) = only_body(stmt)
        && let (Some(old), Some(new)) = (
            inner.first().and_then(|first| indent(changes.program, first)),
            indent(changes.program, stmt),
        )
        && let (Some(first), Some(last)) = (inner.first(), inner.last())
    {
        // Without the condition around it.
        let lines = program.text(TextRange::new(first.start(), last.end()));
        changes.replace(Kind::ExtraLine, stmt, indented(lines, old, new).trim_start());
    }
    if let Some(inside) = indent(changes.program, stmt)
        && around.owner.is_some()
        && !matches!(stmt, Stmt::Break(_) | Stmt::Return(_) | Stmt::Continue(_))
    {
        let text = format!("\n{inside}break");
        changes.edit(Kind::LeavesLoop, stmt, vec![(TextRange::empty(stmt.end()), text)]);
    }
    match stmt {
        Stmt::Return(returned) => {
            let names = around.function.map(scope::names).unwrap_or_default();
            for name in &names {
                changes.replace(Kind::ReturnValue, returned, format!("return {name}"));
            }
            if let Some(value) = returned.value.as_deref() {
                taken_from_list(changes, value);
                with_more(changes, value, &names);
                if value.is_boolean_literal_expr() {
                    // Whether nothing is left: `return not stack`.
                    for name in &names {
                        changes.replace(Kind::ReturnValue, value, format!("not {name}"));
                    }
                }
            }
        }
        Stmt::Expr(line) => expression(changes, &line.value),
        Stmt::Assign(assignment) => {
            if let [target] = assignment.targets.as_slice() {
                assigned(changes, stmt, target, &assignment.value, around);
            }
        }
        Stmt::AugAssign(assignment) => {
            added(changes, stmt, &assignment.target, &assignment.value);
        }
        Stmt::For(repeat) => loop_over(changes, &repeat.iter, around),
        _ => {}
    }
}

/// What is added to a name, and how.
fn added(changes: &mut Changes<'_, '_>, stmt: &Stmt, target: &Expr, value: &Expr) {
    let program = changes.program;
    let (name, text) = (program.text(target), program.text(value));
    for new in [
        format!("{name} += [{text}]"),
        format!("{name}.append({text})"),
        format!("{name} = {text}"),
        format!("{name} += 1"),
        format!("{name} -= {text}"),
        format!("{name} += {text}"),
        format!("{name} *= {text}"),
    ] {
        changes.replace(Kind::Operator, stmt, new);
    }
}

/// What a loop goes through.
fn loop_over(changes: &mut Changes<'_, '_>, iter: &Expr, around: Around<'_>) {
    let items = changes.program.text(iter);
    if iter.is_name_expr() {
        changes.replace(Kind::Alias, iter, format!("list({items})"));
        for new in [
            format!("range(len({items}))"),
            format!("range({items})"),
            format!("{items}[1:]"),
            format!("reversed({items})"),
        ] {
            changes.replace(Kind::LoopOver, iter, new);
        }
        // A loop that begins later.
        for parameter in around.parameters().filter(|parameter| *parameter != items) {
            changes.replace(Kind::LoopOver, iter, format!("{items}[{parameter}:]"));
        }
    } else if let Some(list) = items.strip_prefix("range(len(") {
        changes.replace(Kind::LoopOver, iter, list.trim_end_matches(')'));
    } else if !items.starts_with("range(") {
        changes.replace(Kind::LoopOver, iter, format!("range({items})"));
    }
}

/// The body of an `if` without other branches.
fn only_body(stmt: &Stmt) -> Option<&[Stmt]> {
    let branch = stmt.as_if_stmt()?;
    branch.elif_else_clauses.is_empty().then_some(&branch.body)
}

/// `return items.sort()` and the like give None.
fn taken_from_list(changes: &mut Changes<'_, '_>, value: &Expr) {
    let text = changes.program.text(value);
    if let Some(call) = value.as_call_expr()
        && let Some(method) = call.func.as_attribute_expr()
    {
        let object = changes.program.text(&*method.value);
        match method.attr.as_str() {
            "sort" => changes.replace(Kind::Result, value, format!("sorted({object})")),
            "reverse" => changes.replace(Kind::Result, value, format!("{object}[::-1]")),
            "append" => {
                let arguments = changes.program.text(&call.arguments);
                let argument = arguments.trim_start_matches('(').trim_end_matches(')');
                changes.replace(Kind::Result, value, format!("{object} + [{argument}]"));
            }
            _ => {}
        }
    }
    for conversion in ["list", "tuple", "str", "int", "sorted"] {
        changes.replace(Kind::ReturnValue, value, format!("{conversion}({text})"));
    }
}

/// A part of the result is forgotten: what a calculation gives is added to another value.
fn with_more(changes: &mut Changes<'_, '_>, value: &Expr, names: &[&str]) {
    if !matches!(value, Expr::ListComp(_) | Expr::Call(_) | Expr::BinOp(_)) {
        return;
    }
    let text = changes.program.text(value);
    for name in names {
        changes.replace(Kind::ReturnValue, value, format!("{name} + ({text})"));
        changes.replace(Kind::ReturnValue, value, format!("({text}) + {name}"));
    }
}

/// A statement that is only an expression.
fn expression(changes: &mut Changes<'_, '_>, value: &Expr) {
    let program = changes.program;
    let text = program.text(value);
    match value {
        Expr::Call(call) => {
            if call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "print")
                && let [shown] = &*call.arguments.args
            {
                let shown = program.text(shown);
                changes.replace(Kind::PrintForReturn, value, format!("return {shown}"));
            } else if let Some(method) = call.func.as_attribute_expr() {
                let object = program.text(&*method.value);
                changes.replace(Kind::Result, value, format!("{object} = {text}"));
                changes.replace(Kind::Result, value, format!("return {text}"));
            } else {
                changes.replace(Kind::Result, value, format!("return {text}"));
            }
        }
        Expr::Compare(test) if matches!(&*test.ops, [ruff_python_ast::CmpOp::Eq]) => {
            let (left, right) = (program.text(&*test.left), program.text(&test.comparators[0]));
            changes.replace(Kind::Result, value, format!("{left} = {right}"));
        }
        Expr::Name(_) | Expr::Attribute(_) => {
            changes.replace(Kind::MissingCall, value, format!("{text}()"));
            changes.replace(Kind::MissingReturn, value, format!("return {text}"));
        }
        Expr::StringLiteral(_) => {}
        _ => changes.replace(Kind::MissingReturn, value, format!("return {text}")),
    }
}

fn assigned(
    changes: &mut Changes<'_, '_>,
    stmt: &Stmt,
    target: &Expr,
    value: &Expr,
    around: Around<'_>,
) {
    let program = changes.program;
    let (name, text) = (program.text(target), program.text(value));
    match value {
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::List(_)
        | Expr::Tuple(_)
        | Expr::NoneLiteral(_)
        | Expr::Dict(_) => {
            for first in ["0", "1", "''", "[]", "()", "{}"].iter().filter(|first| **first != text) {
                changes.replace(Kind::FirstValue, value, *first);
            }
            for parameter in around.parameters() {
                changes.replace(Kind::FirstValue, value, format!("{parameter}[0]"));
                changes.replace(Kind::FirstValue, value, format!("len({parameter})"));
            }
        }
        Expr::Name(_) => {
            changes.replace(Kind::Alias, value, format!("list({text})"));
            changes.replace(Kind::Alias, value, format!("{text}[:]"));
        }
        Expr::Call(call) if call.func.is_attribute_expr() => {
            // The name has become None.
            changes.replace(Kind::Result, stmt, text);
        }
        // A sum that must not get below zero.
        Expr::BinOp(_) => changes.replace(Kind::Operator, value, format!("max(0, {text})")),
        _ => {}
    }
    // A value that should be added.
    changes.replace(Kind::Operator, stmt, format!("{name} += {text}"));
    let may_be_number = matches!(
        value,
        Expr::Attribute(_) | Expr::BinOp(_) | Expr::Call(_) | Expr::Name(_) | Expr::Subscript(_)
    );
    if around.is_in_loop() && target.is_name_expr() && may_be_number {
        // The largest or the smallest so far, not the last.
        for function in ["max", "min"] {
            changes.replace(Kind::Operator, value, format!("{function}({name}, {text})"));
        }
    }
}

/// A statement and the next one.
fn neighbours(changes: &mut Changes<'_, '_>, body: &[Stmt], at: usize) {
    let (Some(stmt), Some(next)) = (body.get(at), body.get(at + 1)) else { return };
    let (Some(outer), Some(_)) = (indent(changes.program, stmt), indent(changes.program, next))
    else {
        return;
    };
    let program = changes.program;
    let edits: Edits = vec![
        (stmt.range(), program.text(next).to_owned()),
        (next.range(), program.text(stmt).to_owned()),
    ];
    changes.edit(Kind::Order, stmt, edits);
    // The next statement belongs into this one's block.
    for inner in blocks(stmt) {
        let Some(last) = inner.last() else { continue };
        let Some(deeper) = indent(changes.program, last) else { continue };
        let moved = indented(program.text(next), outer, deeper);
        let line_start = next.start() - TextSize::try_from(outer.len()).unwrap_or_default();
        let edits = vec![
            (TextRange::empty(last.end()), format!("\n{moved}")),
            (TextRange::new(line_start, next.end()), format!("{outer}pass")),
        ];
        changes.edit(Kind::Indentation, next, edits);
    }
}

/// The last statement of a block belongs after the block.
fn move_out(changes: &mut Changes<'_, '_>, stmt: &Stmt, owner: &Stmt, is_only: bool) {
    let (Some(deeper), Some(outer)) =
        (indent(changes.program, stmt), indent(changes.program, owner))
    else {
        return;
    };
    let moved = indented(changes.program.text(stmt), deeper, outer);
    if owner.end() == stmt.end() && is_only {
        let text = format!("pass\n{moved}");
        changes.edit(Kind::Indentation, stmt, vec![(stmt.range(), text)]);
    } else if owner.end() == stmt.end() {
        let line_start = stmt.start() - TextSize::try_from(deeper.len()).unwrap_or_default();
        changes.edit(
            Kind::Indentation,
            stmt,
            vec![(TextRange::new(line_start, stmt.end()), moved)],
        );
    } else {
        let edits = vec![
            (stmt.range(), "pass".to_owned()),
            (TextRange::empty(owner.end()), format!("\n{moved}")),
        ];
        changes.edit(Kind::Indentation, stmt, edits);
    }
}

/// A name without a value, everywhere replaced by one that has a value.
fn misspelt(changes: &mut Changes<'_, '_>, function: &StmtFunctionDef) {
    let names = scope::names(function);
    let uses = scope::uses(function);
    let known = |name: &str| names.contains(&name);
    for (at, (name, _)) in uses.iter().enumerate() {
        let is_first = !uses[..at].iter().any(|(before, _)| before == name);
        if known(name) || !is_first {
            continue;
        }
        for other in names.iter().filter(|other| likely(name, other)) {
            let places = uses.iter().filter(|(used, _)| used == name);
            let edits: Edits = places.map(|(_, place)| (*place, (*other).to_owned())).collect();
            changes.edit(Kind::Misspelt, uses[at].1, edits);
        }
    }
}

/// Whether a name may be meant by another: most of their letters are the same.
fn likely(name: &str, meant: &str) -> bool {
    let common = name.chars().filter(|letter| meant.contains(*letter)).count();
    2 * common > name.chars().count().max(meant.chars().count())
}

/// What may be missing at the beginning and at the end of a function.
fn whole_function(changes: &mut Changes<'_, '_>, function: &StmtFunctionDef, results: &[&str]) {
    let (Some(first), Some(last)) = (function.body.first(), function.body.last()) else { return };
    let Some(inside) = indent(changes.program, first) else { return };
    let end = TextRange::empty(last.end());
    misspelt(changes, function);
    let names = scope::names(function);
    let values = names.iter().copied().map(str::to_owned);
    let literals = ["True", "False", "0", "[]", "''"].map(str::to_owned);
    let lengths = function.parameters.iter().map(|parameter| format!("len({})", parameter.name()));
    for value in values.chain(literals).chain(lengths) {
        let text = format!("\n{inside}return {value}");
        changes.edit(Kind::MissingReturn, end, vec![(end, text)]);
    }
    for parameter in function.parameters.iter() {
        let parameter = parameter.name();
        for result in results {
            let text = format!("if not {parameter}:\n{inside}    return {result}\n{inside}");
            changes.edit(Kind::EmptyCase, first, vec![(TextRange::empty(first.start()), text)]);
        }
        let copy = format!("{parameter} = list({parameter})\n{inside}");
        changes.edit(Kind::Alias, first, vec![(TextRange::empty(first.start()), copy)]);
    }
}
