//! Changes for the classic mistakes that are more than one word: a slice, a range, a condition that is missing, what is
//! forgotten after a loop.

use std::collections::BTreeSet;

use ruff_python_ast::{
    Expr, Stmt, StmtFunctionDef, StmtIf, StmtWhile,
    visitor::{Visitor, walk_expr, walk_stmt},
};
use ruff_text_size::{Ranged, TextRange};

use super::{
    change::{Changes, Edits, Kind, MAX_PARAMETERS, Part},
    scope, text,
};

/// Most conditions of a function that are tried together with another one.
const MAX_CONDITIONS: usize = 8;
/// Methods of text that leave it as it is and give another one back.
const GIVE_ANOTHER: [&str; 10] = [
    "replace",
    "upper",
    "lower",
    "strip",
    "lstrip",
    "rstrip",
    "swapcase",
    "title",
    "capitalize",
    "removeprefix",
];
/// Methods that take something out of a collection, and fail if it is empty.
const TAKE_OUT: [&str; 3] = ["pop", "popitem", "popleft"];
/// Most different attributes of a function that are taken for each other.
const MAX_ATTRIBUTES: usize = 6;
/// Functions that are often given a collection that should have every item once.
const TAKE_COLLECTIONS: [&str; 4] = ["sorted", "list", "len", "sum"];

pub(super) fn collect(changes: &mut Changes<'_, '_>, part: Part) {
    let program = changes.program.body();
    let functions = program.iter().filter_map(Stmt::as_function_def_stmt);
    for function in functions {
        collect_of(changes, Some(function), scope::names(function), &function.body);
    }
    if part == Part::Program {
        collect_of(changes, None, scope::names_of_program(program), program);
    }
}

fn collect_of<'s>(
    changes: &mut Changes<'_, '_>,
    function: Option<&'s StmtFunctionDef>,
    names: Vec<&'s str>,
    body: &'s [Stmt],
) {
    let mut seen = Seen::default();
    seen.visit_body(body);
    let mut walk = Walk { changes, function, names, conditions: &seen.conditions };
    walk.visit_body(body);
    together(changes, &seen);
    other_attributes(changes, &seen);
}

/// What a function has several of.
#[derive(Default)]
struct Seen<'a> {
    /// Comparisons.
    conditions: Vec<&'a Expr>,
    /// Calls whose result is dropped, of methods that do nothing else.
    dropped: Vec<&'a Expr>,
    /// Names that are compared.
    compared: Vec<(&'a str, TextRange)>,
    /// Names that get a value.
    given: Vec<&'a str>,
    /// Attributes that are read, without methods that are called.
    attributes: Vec<(&'a str, TextRange)>,
    /// What the last call calls.
    callee: Option<TextRange>,
}

impl<'a> Visitor<'a> for Seen<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Expr(line) if gives_another(&line.value).is_some() => {
                self.dropped.push(&line.value);
            }
            Stmt::Assign(assignment) => {
                let names = assignment.targets.iter().filter_map(Expr::as_name_expr);
                self.given.extend(names.map(|name| name.id.as_str()));
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Compare(comparison) = expr {
            self.conditions.push(expr);
            let sides = std::iter::once(&*comparison.left).chain(&comparison.comparators);
            let names = sides.filter_map(Expr::as_name_expr);
            self.compared.extend(names.map(|name| (name.id.as_str(), name.range())));
        }
        match expr {
            Expr::Call(call) => self.callee = Some(call.func.range()),
            Expr::Attribute(attribute)
                if attribute.ctx.is_load() && self.callee != Some(attribute.range()) =>
            {
                self.attributes.push((attribute.attr.as_str(), attribute.attr.range()));
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// The name whose method is called.
fn gives_another(expr: &Expr) -> Option<&str> {
    let method = expr.as_call_expr()?.func.as_attribute_expr()?;
    let is_such = GIVE_ANOTHER.contains(&method.attr.as_str());
    method.value.as_name_expr().filter(|_| is_such).map(|name| name.id.as_str())
}

/// Changes that only help together.
fn together(changes: &mut Changes<'_, '_>, seen: &Seen<'_>) {
    if let [first, _, ..] = seen.dropped[..] {
        let kept = |call: &&Expr| {
            Some((TextRange::empty(call.start()), format!("{} = ", gives_another(call)?)))
        };
        let edits: Edits = seen.dropped.iter().filter_map(kept).collect();
        changes.edit(Kind::Result, first, edits);
    }
    let mut tried = Vec::new();
    for (name, place) in &seen.compared {
        for other in seen.given.iter().filter(|other| *other != name) {
            let places = seen.compared.iter().filter(|(compared, _)| compared == name);
            let edits: Edits = places.map(|(_, place)| (*place, (*other).to_owned())).collect();
            if edits.len() > 1 && !tried.contains(&(name, other)) {
                tried.push((name, other));
                changes.edit(Kind::Name, *place, edits);
            }
        }
    }
}

/// Each attribute that is read, with the others of the same function in its place.
fn other_attributes(changes: &mut Changes<'_, '_>, seen: &Seen<'_>) {
    let names: BTreeSet<&str> = seen.attributes.iter().map(|(name, _)| *name).collect();
    for (name, place) in &seen.attributes {
        for other in names.iter().take(MAX_ATTRIBUTES).filter(|other| *other != name) {
            changes.replace(Kind::Name, *place, *other);
        }
    }
}

struct Walk<'c, 'p, 'a, 's> {
    changes: &'c mut Changes<'p, 'a>,
    function: Option<&'s StmtFunctionDef>,
    names: Vec<&'s str>,
    conditions: &'s [&'s Expr],
}

impl Walk<'_, '_, '_, '_> {
    fn range(&mut self, call: &ruff_python_ast::ExprCall) {
        let program = self.changes.program;
        let new: Vec<String> = match &*call.arguments.args {
            [end] => {
                let end = program.text(end);
                vec![format!("(1, {end})"), format!("(1, {end} + 1)")]
            }
            [start, end] => {
                let (start, end) = (program.text(start), program.text(end));
                vec![format!("({start}, {end}, -1)"), format!("({end})")]
            }
            _ => return,
        };
        for arguments in new {
            self.changes.replace(Kind::OffByOne, &call.arguments, arguments);
        }
    }

    fn call(&mut self, call: &ruff_python_ast::ExprCall) {
        let program = self.changes.program;
        let Some(name) = call.func.as_name_expr().map(|name| name.id.as_str()) else { return };
        if name == "range" {
            self.range(call);
        }
        if name == "len" {
            let own = program.text(call);
            self.changes.replace(Kind::OffByOne, call, format!("(len{} - 1)", &own[3..]));
        }
        for argument in &*call.arguments.args {
            let own = program.text(argument);
            if name == "set" {
                // A set forgets the order.
                self.changes.replace(Kind::Conversion, call, format!("dict.fromkeys({own})"));
            }
            if TAKE_COLLECTIONS.contains(&name) {
                self.changes.replace(Kind::Conversion, argument, format!("set({own})"));
            }
            // What a function gives to itself.
            if self.function.is_some_and(|function| function.name.as_str() == name) {
                let whole = argument.as_subscript_expr().map(|part| program.text(&*part.value));
                let others =
                    argument.as_name_expr().map(|_| [format!("{own}[1:]"), format!("{own}[:-1]")]);
                for new in others.into_iter().flatten().chain(whole.map(str::to_owned)) {
                    self.changes.replace(Kind::OffByOne, argument, new);
                }
            }
        }
    }

    /// A condition together with another one of the same function.
    fn condition(&mut self, test: &Expr) {
        let program = self.changes.program;
        let own = program.text(test);
        for other in self.conditions.iter().take(MAX_CONDITIONS) {
            let other = program.text(*other);
            if !own.contains(other) {
                for word in ["and", "or"] {
                    self.changes.replace(Kind::Logic, test, format!("({other}) {word} ({own})"));
                }
            }
        }
    }

    /// What a function is given may be empty, which its condition forgets.
    fn condition_of_empty(&mut self, test: &Expr) {
        let own = self.changes.program.text(test);
        let parameters = self.function.into_iter().flat_map(|function| function.parameters.iter());
        let names = parameters.map(|parameter| parameter.name().as_str());
        for parameter in names.take(MAX_PARAMETERS) {
            self.changes.replace(Kind::EmptyCase, test, format!("{own} or not {parameter}"));
        }
    }

    /// A loop without end takes things out of a collection: until it is empty.
    fn until_empty(&mut self, repeat: &StmtWhile) {
        if !repeat.test.as_boolean_literal_expr().is_some_and(|literal| literal.value) {
            return;
        }
        let mut taken = TakenOut(BTreeSet::new());
        taken.visit_body(&repeat.body);
        for name in taken.0 {
            self.changes.replace(Kind::Logic, &*repeat.test, name);
        }
    }

    fn returned(&mut self, value: &Expr) {
        let parameters = self.function.into_iter().flat_map(|function| function.parameters.iter());
        let parameters = parameters.map(|parameter| parameter.name().as_str());
        match value {
            Expr::List(list) if list.elts.is_empty() => {
                self.changes.replace(Kind::ReturnValue, value, "[[]]");
                for parameter in parameters {
                    self.changes.replace(Kind::ReturnValue, value, format!("[{parameter}]"));
                }
            }
            Expr::BooleanLiteral(_) => {
                for name in &self.names {
                    self.changes.replace(Kind::ReturnValue, value, format!("not {name}"));
                    self.changes.replace(Kind::ReturnValue, value, format!("{name} == 0"));
                }
            }
            _ => {}
        }
    }

    /// What a loop does with an item must be done once more with the last one.
    fn after_loop(&mut self, repeat: &Stmt, body: &[Stmt]) {
        let Some(outer) = text::indent(self.changes.program, repeat) else { return };
        let mut inner = Inner(Vec::new());
        inner.visit_body(body);
        for stmt in inner.0 {
            let Some(deeper) = text::indent(self.changes.program, stmt) else { continue };
            let copy = text::indented(self.changes.program.text(stmt), deeper, outer);
            let edits = vec![(TextRange::empty(repeat.end()), format!("\n{copy}"))];
            self.changes.edit(Kind::LastItem, repeat, edits);
        }
    }
}

/// The names of the collections that something is taken out of.
struct TakenOut<'a>(BTreeSet<&'a str>);

impl<'a> Visitor<'a> for TakenOut<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && let Expr::Attribute(method) = &*call.func
            && TAKE_OUT.contains(&method.attr.as_str())
            && let Expr::Name(name) = &*method.value
        {
            self.0.insert(name.id.as_str());
        }
        walk_expr(self, expr);
    }
}

/// The conditions and calls of a loop, as statements.
struct Inner<'a>(Vec<&'a Stmt>);

impl<'a> Visitor<'a> for Inner<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let is_copied = match stmt {
            Stmt::If(StmtIf { elif_else_clauses, .. }) => elif_else_clauses.is_empty(),
            Stmt::Expr(line) => line.value.is_call_expr(),
            Stmt::AugAssign(_) => true,
            _ => false,
        };
        if is_copied {
            self.0.push(stmt);
        }
        walk_stmt(self, stmt);
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, '_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
            Stmt::If(branch) => {
                self.condition(&branch.test);
                self.condition_of_empty(&branch.test);
                let clauses = branch.elif_else_clauses.iter();
                for test in clauses.filter_map(|clause| clause.test.as_ref()) {
                    self.condition(test);
                }
            }
            Stmt::While(repeat) => {
                self.condition(&repeat.test);
                self.until_empty(repeat);
                self.after_loop(stmt, &repeat.body);
            }
            Stmt::For(repeat) => self.after_loop(stmt, &repeat.body),
            Stmt::Return(returned) => {
                if let Some(value) = returned.value.as_deref() {
                    self.returned(value);
                }
            }
            Stmt::Assign(assignment) => {
                if let [Expr::Name(name)] = &assignment.targets[..]
                    && let Some(inside) = text::indent(self.changes.program, stmt)
                    && matches!(*assignment.value, Expr::BinOp(_) | Expr::Call(_))
                {
                    let line = format!("\n{inside}{name} = round({name})", name = name.id);
                    let edits = vec![(TextRange::empty(stmt.end()), line)];
                    self.changes.edit(Kind::Conversion, stmt, edits);
                }
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) => self.call(call),
            Expr::Slice(_) => {
                for new in ["::-1", ":", "1:", ":-1"] {
                    self.changes.replace(Kind::Slice, expr, new);
                }
            }
            Expr::List(list) if list.elts.len() > 1 && list.ctx.is_load() => {
                let items: Vec<&str> =
                    list.elts.iter().rev().map(|item| self.changes.program.text(item)).collect();
                let reversed = format!("[{}]", items.join(", "));
                self.changes.replace(Kind::Order, list, reversed);
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}
