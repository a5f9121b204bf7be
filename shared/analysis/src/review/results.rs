//! What functions give back, and what is done with it.

use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{area::Area, effects::Functions, finding::Findings};
use crate::tree::{self, All};

/// Built-ins that are called for their value.
const VALUES: [&str; 8] = ["max", "min", "sum", "sorted", "len", "abs", "round", "reversed"];
/// Built-ins that make another value of their argument.
const MAKING: [&str; 6] = ["int", "float", "str", "sorted", "reversed", "round"];
/// Beginnings of names that ask for yes or no.
const ASKING: [&str; 3] = ["is_", "has_", "can_"];
/// Beginnings of names of functions that are there to show something.
const SHOWING: [&str; 8] = ["print", "show", "display", "main", "draw", "say", "log", "report"];
/// Beginnings of names that promise a value.
const PROMISING: [&str; 8] =
    ["get_", "calculate_", "compute_", "find_", "count_", "calc_", "is_", "has_"];

pub(super) fn check(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
) {
    let last = findings.program.body().last().map(std::ptr::from_ref);
    for area in areas {
        for stmt in &area.own.statements {
            let Stmt::Expr(line) = stmt else { continue };
            // The last line of a notebook's cell shows its value.
            if last != Some(std::ptr::from_ref(*stmt)) && !area.is_attempted(*stmt) {
                dropped(findings, functions, &line.value);
            }
        }
        of_print(findings, area);
        if area.function.is_some() {
            given(findings, functions, area);
            promised(findings, area);
        }
    }
}

/// A function that is called for nothing.
fn dropped(findings: &mut Findings<'_, '_>, functions: &Functions<'_, '_>, call: &Expr) {
    if let Some(name) = functions.gives_value(call)
        && functions.is_pure(name)
    {
        let is_told = findings.found.iter().any(|finding| {
            finding.rule.name == "result_not_stored"
                && finding.message.contains(&format!("`{name}(...)`"))
        });
        if is_told {
            return;
        }
        let what = format!("`{name}` gives a value back, and this line does nothing with it.");
        findings.add("result_dropped", call, what);
    } else if let Some((name, of)) = tree::call_of_one(call)
        && MAKING.contains(&name)
        && functions.get(name).is_none()
        && matches!(of, Expr::Name(_) | Expr::Subscript(_) | Expr::Attribute(_))
    {
        let of = findings.program.text(of);
        let what = format!("`{name}({of})` leaves `{of}` as it is, and its result is not used.");
        findings.add("result_dropped", call, what);
    }
}

/// A call on a line of its own whose value nobody stores.
pub(super) struct Forgotten<'a> {
    pub(super) name: &'a str,
    /// Where it ends, and the area that it belongs to.
    end: TextSize,
    area: TextRange,
}

/// The last of the calls before a place, in the same area.
pub(super) fn last_before<'r, 'a>(
    calls: &'r [Forgotten<'a>],
    areas: &[Area<'_>],
    place: TextRange,
) -> Option<&'r Forgotten<'a>> {
    if calls.is_empty() {
        return None;
    }
    let around = areas.iter().map(Area::range).filter(|area| area.contains_range(place));
    let area = around.min_by_key(|area| area.len())?;
    calls.iter().rfind(|call| call.area == area && call.end <= place.start())
}

/// All calls on lines of their own that give a value back.
pub(super) fn forgotten<'a>(
    areas: &[Area<'a>],
    functions: &Functions<'_, 'a>,
) -> Vec<Forgotten<'a>> {
    let of_area = |area: &Area<'a>| {
        let range = area.range();
        let lines = area.own.statements.iter().filter_map(|stmt| stmt.as_expr_stmt());
        let calls = lines.filter_map(|line| {
            let built_in = || {
                tree::called(&line.value)
                    .filter(|name| VALUES.contains(name) && functions.get(name).is_none())
            };
            let name = functions.gives_value(&line.value).or_else(built_in)?;
            Some(Forgotten { name, end: line.end(), area: range })
        });
        calls.collect::<Vec<_>>()
    };
    areas.iter().flat_map(of_area).collect()
}

/// The statements with which a function ends.
fn tails(body: &[Stmt]) -> Vec<&Stmt> {
    match body.last() {
        Some(Stmt::If(branch)) => {
            let clauses = branch.elif_else_clauses.iter();
            let inner = clauses.flat_map(|clause| tails(&clause.body));
            tails(&branch.body).into_iter().chain(inner).collect()
        }
        Some(last) => vec![last],
        None => Vec::new(),
    }
}

/// Functions that give nothing back, though they have something to give.
fn given(findings: &mut Findings<'_, '_>, functions: &Functions<'_, '_>, area: &Area<'_>) {
    if area.returned().next().is_some() || area.is_generator() {
        return;
    }
    let is_value = |expr: &Expr| {
        matches!(
            expr,
            Expr::Name(_)
                | Expr::BinOp(_)
                | Expr::Compare(_)
                | Expr::Subscript(_)
                | Expr::FString(_)
                | Expr::NumberLiteral(_)
                | Expr::List(_)
                | Expr::Tuple(_)
        )
    };
    let shown = tails(area.body).into_iter().filter_map(|stmt| stmt.as_expr_stmt());
    if let Some(line) = shown.into_iter().find(|line| is_value(&line.value)) {
        let what = format!("Only `return` gives a value back: `{}` returns None.", area.name());
        findings.add("value_not_returned", line, what);
        return;
    }
    let stored = area.own.expressions.iter().filter_map(|expr| expr.as_name_expr());
    let stored = stored.rev().find(|name| name.ctx.is_store());
    let Some(function) = area.function else { return };
    if let Some(stored) = stored
        && functions.is_pure(area.name())
        && function.decorator_list.is_empty()
        && !is_told(findings, area)
    {
        let (name, stored) = (area.name(), &stored.id);
        let what = format!(
            "`{name}` stores its result in `{stored}` and returns nothing, so nobody gets it."
        );
        findings.add("nothing_returned", &function.name, what);
    } else if functions.is_used(area.name()) {
        let shows = area.own.calls(&["print"]) && !area.own.calls(&["input"]);
        if shows && !function.is_async {
            let what =
                format!("`{}` prints its result and returns None to its caller.", area.name());
            findings.add("prints_instead_of_returns", &function.name, what);
        }
    } else if let Some(shown) = only_shown(area).filter(|_| !area.is_method) {
        let (name, shown) = (area.name(), findings.program.text(shown));
        let what = format!(
            "`{name}` prints `{shown}` and does not return it, so no other line can use it."
        );
        findings.add("only_prints", &function.name, what);
    }
}

/// Whether it is already known why a function has nothing to give.
fn is_told(findings: &Findings<'_, '_>, area: &Area<'_>) -> bool {
    let range = area.range();
    let end = findings.program.line(TextRange::empty(range.end()));
    let lines = findings.program.line(range)..=end;
    findings.found.iter().any(|finding| {
        matches!(finding.rule.name, "local_before_value" | "not_global" | "undefined_name")
            && lines.contains(&finding.line)
    })
}

/// What a function prints that it has worked out, if that is all that it shows.
fn only_shown<'a>(area: &Area<'a>) -> Option<&'a Expr> {
    let prints: Vec<&'a Expr> = area
        .own
        .expressions
        .iter()
        .copied()
        .filter(|expr| tree::called(expr) == Some("print"))
        .collect();
    let function = area.function?;
    let name = area.name();
    let has_task = !function.parameters.is_empty() && !area.own.calls(&["input"]);
    let shows = SHOWING.iter().any(|word| name.starts_with(word));
    if !has_task || shows {
        return None;
    }
    let promises = PROMISING.iter().any(|start| name.starts_with(start));
    let mut first = None;
    for print in prints {
        let (_, shown) = tree::call_of_one(print)?;
        let is_worked_out = match shown {
            Expr::BooleanLiteral(_) => true,
            _ if area.is_in_loop(print) && !promises => false,
            Expr::Name(name) => area.is_local(&name.id) && !area.is_parameter(&name.id),
            Expr::BinOp(sum) => {
                !sum.left.is_string_literal_expr() && !sum.right.is_string_literal_expr()
            }
            Expr::Call(_) => !matches!(
                tree::called(shown),
                Some("join" | "format" | "str" | "ljust" | "rjust" | "center")
            ),
            Expr::Compare(_) | Expr::Subscript(_) | Expr::ListComp(_) => true,
            _ => promises,
        };
        if !is_worked_out {
            return None;
        }
        first = first.or(Some(shown));
    }
    first
}

/// `print(...)` where a value is expected.
fn of_print(findings: &mut Findings<'_, '_>, area: &Area<'_>) {
    let is_print = |expr: &Expr| {
        expr.as_call_expr().is_some_and(|call| tree::name(&call.func) == Some("print"))
    };
    let mut places: Vec<&Expr> = Vec::new();
    for stmt in &area.own.statements {
        let value = match stmt {
            Stmt::Assign(assignment) => Some(&*assignment.value),
            Stmt::Return(returned) => returned.value.as_deref(),
            _ => None,
        };
        places.extend(value.filter(|value| is_print(value)));
    }
    for expr in &area.own.expressions {
        match expr {
            Expr::Call(call) => {
                places.extend(call.arguments.args.iter().filter(|value| is_print(value)));
            }
            Expr::BinOp(operation) => {
                places.extend(
                    [&*operation.left, &*operation.right]
                        .into_iter()
                        .filter(|value| is_print(value)),
                );
            }
            _ => {}
        }
    }
    for place in places {
        findings.add(
            "print_gives_none",
            place,
            "`print` only shows a value: what it gives back is None.",
        );
    }
}

/// Names that promise another kind of value than the function gives.
fn promised(findings: &mut Findings<'_, '_>, area: &Area<'_>) {
    let Some(function) = area.function else { return };
    let name = area.name();
    if !ASKING.iter().any(|start| name.starts_with(start)) {
        return;
    }
    let is_other = |value: &&Expr| match value {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::FString(_) | Expr::List(_) => true,
        Expr::BinOp(sum) => {
            !matches!(
                sum.op,
                ruff_python_ast::Operator::BitAnd
                    | ruff_python_ast::Operator::BitOr
                    | ruff_python_ast::Operator::BitXor
            ) && !All::of_expr(value).calls(&["bool"])
        }
        Expr::Call(_) => matches!(tree::called(value), Some("len" | "sum" | "str" | "int")),
        _ => false,
    };
    if let Some(value) = area.returned().find(is_other) {
        let what = format!(
            "`{name}` sounds like a question with True or False as its answer, and here it returns `{}`.",
            findings.program.text(value)
        );
        findings.add("name_promises_bool", &function.name, what);
    }
}
