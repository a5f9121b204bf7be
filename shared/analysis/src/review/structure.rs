//! How a program is built: what it trusts, what it shares, and what it repeats.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{Expr, Number, Operator, Stmt};
use ruff_text_size::Ranged;

use super::{area::Area, finding::Findings};
use crate::tree::{self, All};

/// From so many functions on, global names are a habit.
const GLOBAL_FUNCTIONS: usize = 3;
/// From so many times on, a number deserves a name.
const TIMES: usize = 3;
/// From so many times on, a line deserves a function or a loop.
const COPIES: usize = 5;
/// Shorter lines are repeated for good reasons.
const LONG_LINE: usize = 16;

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    let all = tree::all(findings.program.body());
    for area in areas {
        for expr in &area.own.expressions {
            from_text(findings, area, expr);
        }
    }
    globals(findings, areas);
    constants(findings, &all);
    copies(findings, areas);
}

/// Whether a text is put together from parts that are not written in the program.
fn is_built(area: &Area<'_>, value: &Expr) -> bool {
    match value {
        Expr::FString(text) => text.value.iter().any(|part| match part {
            ruff_python_ast::FStringPart::FString(part) => {
                part.elements.iter().any(|element| element.is_interpolation())
            }
            ruff_python_ast::FStringPart::Literal(_) => false,
        }),
        Expr::BinOp(sum) => match sum.op {
            Operator::Mod => sum.left.is_string_literal_expr(),
            Operator::Add => {
                let sides = [&*sum.left, &*sum.right];
                let has_text =
                    sides.iter().any(|side| side.is_string_literal_expr() || is_built(area, side));
                has_text && sides.iter().any(|side| !side.is_literal_expr())
            }
            _ => false,
        },
        Expr::Call(call) => call.func.as_attribute_expr().is_some_and(|method| {
            method.attr.as_str() == "format" && method.value.is_string_literal_expr()
        }),
        Expr::Name(name) => area
            .only_value(&name.id)
            .is_some_and(|value| !value.is_name_expr() && is_built(area, value)),
        _ => false,
    }
}

/// SQL and commands of the shell that are put together from parts.
fn from_text(findings: &mut Findings<'_, '_>, area: &Area<'_>, expr: &Expr) {
    let Expr::Call(call) = expr else { return };
    let Expr::Attribute(method) = &*call.func else { return };
    let Some(text) = call.arguments.args.first().filter(|text| is_built(area, text)) else {
        return;
    };
    let object = tree::name(&method.value);
    let in_shell = || {
        call.arguments.keywords.iter().any(|keyword| {
            keyword.arg.as_ref().is_some_and(|name| name.as_str() == "shell")
                && tree::is_true(&keyword.value)
        })
    };
    match (object, method.attr.as_str()) {
        (_, "execute" | "executemany" | "executescript") => {
            let what = "The values are written into the SQL, so a quote in one of them changes the query: hand them over separately, with placeholders.";
            findings.add("sql_from_text", text, what);
        }
        (Some("os"), "system" | "popen") => {
            findings.add("shell_from_text", text, "The values are written into a command, so a `;` in one of them starts another command.");
        }
        (Some("subprocess"), "run" | "call" | "Popen" | "check_output" | "check_call")
            if in_shell() =>
        {
            findings.add("shell_from_text", text, "The values are written into a command, so a `;` in one of them starts another command.");
        }
        _ => {}
    }
}

/// Functions that talk to each other by global names.
fn globals(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    let mut lines = Vec::new();
    let mut names = BTreeSet::new();
    for area in areas {
        let declared: Vec<_> =
            area.own.statements.iter().filter_map(|stmt| stmt.as_global_stmt()).collect();
        lines.extend(declared.first().copied());
        names.extend(declared.iter().flat_map(|line| &line.names).map(|name| name.as_str()));
    }
    if let Some(first) = lines.first().filter(|_| lines.len() >= GLOBAL_FUNCTIONS) {
        let some: Vec<String> =
            names.iter().take(GLOBAL_FUNCTIONS).map(|name| format!("`{name}`")).collect();
        let what = format!(
            "{} functions change global names ({}): hand values in as arguments and back with `return`.",
            lines.len(),
            some.join(", ")
        );
        findings.add("globals_everywhere", *first, what);
    }
}

/// Numbers that are written again and again.
fn constants(findings: &mut Findings<'_, '_>, all: &All<'_>) {
    // In tables, numbers are the content.
    let mut in_tables = BTreeSet::new();
    for expr in &all.expressions {
        let is_table =
            matches!(expr, Expr::List(_) | Expr::Dict(_) | Expr::Tuple(_) | Expr::Set(_));
        let is_test = matches!(tree::called(expr), Some(name) if name.starts_with("assert") || name == "print");
        if (is_table || is_test) && !in_tables.contains(&std::ptr::from_ref(*expr)) {
            in_tables.extend(All::of_expr(expr).expressions.into_iter().map(std::ptr::from_ref));
        }
    }
    for stmt in &all.statements {
        if let Stmt::Assert(test) = stmt {
            in_tables
                .extend(All::of_expr(&test.test).expressions.into_iter().map(std::ptr::from_ref));
        }
    }
    let mut counts: BTreeMap<&str, Vec<&Expr>> = BTreeMap::new();
    for expr in &all.expressions {
        let Expr::NumberLiteral(number) = expr else { continue };
        let text = findings.program.text(*expr);
        let is_telling = match &number.value {
            Number::Int(_) => text.len() >= 3 && text.trim_end_matches('0') != "1",
            Number::Float(value) => !matches!(*value, 0.0 | 0.5 | 1.0 | 2.0 | 10.0 | 100.0),
            Number::Complex { .. } => false,
        };
        if is_telling && !in_tables.contains(&std::ptr::from_ref(*expr)) {
            counts.entry(text).or_default().push(expr);
        }
    }
    for (text, places) in counts.into_iter().filter(|(_, places)| places.len() >= TIMES) {
        let what = format!(
            "`{text}` is written {} times: a name would say what it means, and be changed in one place.",
            places.len()
        );
        findings.add("repeated_number", places[0], what);
    }
}

/// Lines that are written again and again.
fn copies(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    for area in areas {
        let mut counts: BTreeMap<&str, Vec<&Stmt>> = BTreeMap::new();
        for stmt in &area.own.statements {
            let is_work = match stmt {
                Stmt::Assign(assignment) => !assignment.value.is_literal_expr(),
                Stmt::AugAssign(_) => true,
                Stmt::Expr(line) => line.value.is_call_expr(),
                _ => false,
            };
            let text = findings.program.text(*stmt);
            if is_work && text.len() >= LONG_LINE {
                counts.entry(text).or_default().push(stmt);
            }
        }
        for (_, places) in counts.into_iter().filter(|(_, places)| places.len() >= COPIES) {
            let what = format!(
                "This line is written {} times: a loop or a function needs it once.",
                places.len()
            );
            findings.add("repeated_line", places[0], what);
        }
    }
    for block in tree::blocks(findings.program.body()) {
        numbered(findings, block);
    }
}

/// Lines in a row that differ only in their numbers.
fn numbered(findings: &mut Findings<'_, '_>, block: &[Stmt]) {
    let shape = |stmt: &Stmt| {
        let is_work = matches!(stmt, Stmt::Assign(_) | Stmt::AugAssign(_));
        let text = findings.program.text(stmt);
        let has_number = text.contains(|c: char| c.is_ascii_digit());
        let is_value = stmt.as_assign_stmt().is_some_and(|assignment| {
            assignment.value.is_literal_expr() || assignment.value.is_list_expr()
        });
        (is_work && has_number && !is_value && text.len() < 200)
            .then(|| text.replace(|c: char| c.is_ascii_digit(), ""))
    };
    let shapes: Vec<Option<String>> = block.iter().map(shape).collect();
    let mut from = 0;
    while from < shapes.len() {
        let count = shapes[from..]
            .iter()
            .take_while(|shape| shape.is_some() && **shape == shapes[from])
            .count();
        let texts: BTreeSet<&str> = block[from..from + count]
            .iter()
            .map(|stmt| findings.program.text(stmt.range()))
            .collect();
        if count >= COPIES && texts.len() == count {
            let what =
                format!("These {count} lines differ only in their numbers: a loop does it in two.");
            findings.add("numbered_lines", &block[from], what);
        }
        from += count.max(1);
    }
}
