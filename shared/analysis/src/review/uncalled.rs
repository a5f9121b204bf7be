//! Functions and methods that are named where they should be called.

use std::collections::BTreeSet;

use ruff_python_ast::{Expr, Stmt, StmtAssign};

use super::{
    area::Area,
    effects::{self, Functions},
    finding::Findings,
};
use crate::tree;

/// Methods of texts and dictionaries that are called to get a value.
const METHODS: &str = "split items keys values upper lower strip title capitalize copy splitlines isdigit isalpha \
isspace isupper islower append";
/// Those that hardly any other kind of object has as an attribute.
const TELLING: &str = "split splitlines isdigit isalpha isspace isupper islower append";
/// Built-ins that are always called.
const BUILT_IN: &str = "len max min sum sorted range input abs round";
/// Functions that take a value, and not a function.
const TAKING: &str = "len max min sum sorted list set int float range tuple enumerate";

fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

pub(super) fn check(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
) {
    let bound: BTreeSet<&str> = areas.iter().flat_map(Area::bound).collect();
    for area in areas {
        let of = Uncalled { area, functions, bound: &bound };
        let called: BTreeSet<&str> = area
            .own
            .expressions
            .iter()
            .filter_map(|expr| tree::name(&expr.as_call_expr()?.func))
            .collect();
        for expr in of.values() {
            let is_uncalled = match expr {
                Expr::Name(name) => of.is_function(&name.id, &called),
                Expr::Attribute(method) => of.is_method(&method.value, &method.attr),
                _ => false,
            };
            if is_uncalled {
                let text = findings.program.text(expr);
                let what =
                    format!("`{text}` is named but not called: the parentheses are missing.");
                findings.add("named_not_called", expr, what);
            }
        }
    }
}

struct Uncalled<'r, 'a> {
    area: &'r Area<'a>,
    functions: &'r Functions<'r, 'a>,
    /// The names that are assigned anywhere.
    bound: &'r BTreeSet<&'a str>,
}

impl<'a> Uncalled<'_, 'a> {
    /// The expressions whose values are calculated or compared with, taken apart, or asked.
    fn values(&self) -> Vec<&'a Expr> {
        let mut used: Vec<&'a Expr> = Vec::new();
        for expr in &self.area.own.expressions {
            match expr {
                Expr::BinOp(sum) => used.extend([&*sum.left, &*sum.right]),
                Expr::Compare(test) => {
                    let sides = || std::iter::once(&*test.left).chain(&*test.comparators);
                    let is_value = |side: &Expr| {
                        side.is_number_literal_expr() || side.is_string_literal_expr()
                    };
                    if sides().any(is_value) {
                        used.extend(sides());
                    }
                }
                Expr::Subscript(item) if item.ctx.is_load() => used.push(&item.value),
                Expr::Call(call)
                    if tree::name(&call.func).is_some_and(|name| has(TAKING, name)) =>
                {
                    used.extend(call.arguments.args.first());
                }
                Expr::ListComp(comp) => used.extend(comp.generators.iter().map(|part| &part.iter)),
                _ => {}
            }
        }
        for stmt in &self.area.own.statements {
            match stmt {
                Stmt::For(repeat) => used.push(&repeat.iter),
                Stmt::If(branch) => used.extend(asked(&branch.test)),
                Stmt::While(repeat) => used.extend(asked(&repeat.test)),
                Stmt::AugAssign(change) => used.push(&change.value),
                Stmt::Assign(assignment) if self.is_kept(assignment) => {
                    used.push(&assignment.value);
                }
                _ => {}
            }
        }
        used
    }

    /// Whether a name stands for a function that is never called by it.
    fn is_function(&self, name: &str, called: &BTreeSet<&str>) -> bool {
        if self.area.is_parameter(name) {
            return false;
        }
        match self.area.only_value(name).and_then(tree::name) {
            Some(other) => !called.contains(name) && self.is_own_or_built_in(other),
            None => self.is_own_or_built_in(name),
        }
    }

    fn is_own_or_built_in(&self, name: &str) -> bool {
        let is_own = self.functions.get(name).and_then(|area| area.function);
        let is_built_in = has(BUILT_IN, name) && !self.functions.defines(name);
        !self.bound.contains(name)
            && (is_built_in || is_own.is_some_and(|own| own.decorator_list.is_empty()))
    }

    fn is_method(&self, object: &Expr, method: &str) -> bool {
        let Some(object) = tree::name(object) else { return false };
        let is_known = self.area.only_value(object).is_some_and(|value| {
            value.is_string_literal_expr()
                || effects::is_new(value)
                || tree::called(value) == Some("input")
        });
        let is_plain = self.area.is_local(object) || self.area.is_parameter(object);
        has(METHODS, method)
            && !self.functions.defines(method)
            && (is_known || is_plain && has(TELLING, method))
    }

    /// Whether a name gets a method instead of its result, and is neither called nor handed on.
    fn is_kept(&self, assignment: &StmtAssign) -> bool {
        let Some(target) = assignment.targets.first().and_then(tree::name) else { return false };
        let is_function = |expr: &&Expr| {
            expr.as_call_expr().is_some_and(|call| {
                let is_handed =
                    call.arguments.args.iter().any(|given| tree::name(given) == Some(target));
                let takes = tree::called(expr).is_some_and(|name| has(TAKING, name));
                tree::name(&call.func) == Some(target) || (is_handed && !takes)
            })
        };
        assignment.value.is_attribute_expr()
            && self.area.is_read(target)
            && !self.area.own.expressions.iter().any(is_function)
    }
}

/// What a condition asks, without `not`.
fn asked(test: &Expr) -> Vec<&Expr> {
    match test {
        Expr::UnaryOp(not) if not.op.is_not() => asked(&not.operand),
        // `or` and `and` also choose between functions that may be there or not.
        Expr::BoolOp(both) => {
            both.values.iter().filter(|value| value.is_attribute_expr()).collect()
        }
        _ => vec![test],
    }
}
