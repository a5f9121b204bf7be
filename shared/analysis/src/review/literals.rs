//! Signs and texts that mean something else than they seem to.

use ruff_python_ast::{Expr, Operator, Stmt, UnaryOp};
use ruff_text_size::{Ranged, TextRange};

use super::{area::Area, finding::Findings};
use crate::tree::{self, All};

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    let all = tree::all(findings.program.body());
    let in_classes: Vec<&Stmt> = all
        .statements
        .iter()
        .filter_map(|stmt| stmt.as_class_def_stmt())
        .flat_map(|class| &class.body)
        .collect();
    for area in areas {
        for stmt in &area.own.statements {
            match stmt {
                Stmt::AnnAssign(note)
                    if !in_classes.iter().any(|own| std::ptr::eq(*own, *stmt)) =>
                {
                    colon(findings, area, note);
                }
                Stmt::Assign(assignment) => sign_after_equals(findings, assignment),
                Stmt::Expr(line) => doubled_sign(findings, &line.value),
                Stmt::Return(returned) => {
                    if let Some(value) = returned.value.as_deref() {
                        quoted(findings, area, value);
                        parentheses(findings, stmt, value);
                    }
                }
                _ => {}
            }
        }
        for expr in &area.own.expressions {
            in_expression(findings, area, expr);
        }
    }
    powers(findings, &all);
    forgotten_f(findings, areas);
}

/// `total: 0`.
fn colon(findings: &mut Findings<'_, '_>, area: &Area<'_>, note: &ruff_python_ast::StmtAnnAssign) {
    let Some(name) = tree::name(&note.target).filter(|_| note.value.is_none()) else { return };
    let is_value = match &*note.annotation {
        Expr::Call(_)
        | Expr::NumberLiteral(_)
        | Expr::List(_)
        | Expr::Dict(_)
        | Expr::Compare(_) => true,
        Expr::FString(_)
        | Expr::BooleanLiteral(_)
        | Expr::UnaryOp(_)
        | Expr::Tuple(_)
        | Expr::ListComp(_)
        | Expr::BoolOp(_) => true,
        Expr::BinOp(operation) => !matches!(operation.op, Operator::BitOr),
        _ => false,
    };
    // The note itself is one of the places that name it.
    let has_value =
        area.stores_of(name) > 1 || area.is_parameter(name) || area.declared.contains(name);
    if is_value || (!has_value && area.is_read(name)) {
        let what = format!("A colon gives `{name}` no value: only `=` does.");
        findings.add("colon_for_equals", note, what);
    }
}

/// `x =+ 1`.
fn sign_after_equals(findings: &mut Findings<'_, '_>, assignment: &ruff_python_ast::StmtAssign) {
    let (Some(target), Expr::UnaryOp(value)) = (assignment.targets.first(), &*assignment.value)
    else {
        return;
    };
    let between = findings.program.text(TextRange::new(target.end(), value.operand.start()));
    let sign = match between.trim_start() {
        "=+" | "=+ " => "+",
        "=- " => "-",
        _ => return,
    };
    if let Some(name) = tree::name(target) {
        let what =
            format!("`={sign}` sets `{name}` to a number with a sign; `{sign}=` would change it.");
        findings.add("sign_after_equals", assignment, what);
    }
}

/// `++i`.
fn doubled_sign(findings: &mut Findings<'_, '_>, value: &Expr) {
    if let Expr::UnaryOp(outer) = value
        && let Expr::UnaryOp(inner) = &*outer.operand
        && outer.op == inner.op
        && matches!(outer.op, UnaryOp::UAdd | UnaryOp::USub)
        && let Some(name) = tree::name(&inner.operand)
    {
        let text = findings.program.text(value);
        let sign = &text[..1];
        let what =
            format!("Python has no `{text}`: this line changes nothing; `{name} {sign}= 1` does.");
        findings.add("doubled_sign", value, what);
    }
}

/// `return(x)`.
fn parentheses(findings: &mut Findings<'_, '_>, stmt: &Stmt, value: &Expr) {
    let text = findings.program.text(stmt);
    let is_tuple = value.is_tuple_expr() || value.is_generator_expr();
    if text.starts_with("return(")
        && text.ends_with(')')
        && value.end() < stmt.end()
        && !is_tuple
        && !text.contains('\n')
    {
        findings.add(
            "return_with_parentheses",
            stmt,
            "`return` is no function: it needs no parentheses.",
        );
    }
}

fn in_expression(findings: &mut Findings<'_, '_>, area: &Area<'_>, expr: &Expr) {
    match expr {
        Expr::Compare(test) => {
            for side in std::iter::once(&*test.left).chain(&*test.comparators) {
                let side = side.as_subscript_expr().map_or(side, |item| &*item.value);
                // A kind of thing is often called like the name that holds one.
                if side
                    .as_string_literal_expr()
                    .is_some_and(|text| !area.is_read(text.value.to_str()))
                {
                    quoted(findings, area, side);
                }
            }
        }
        Expr::Call(call) => {
            let is_taken = matches!(
                tree::called(expr),
                Some("len" | "int" | "float" | "sum" | "max" | "min" | "sorted" | "range" | "abs")
            );
            let is_sorted =
                call.arguments.keywords.iter().any(|keyword| keyword.value.is_lambda_expr());
            for value in &call.arguments.args {
                let Some(name) = value.as_string_literal_expr().map(|text| text.value.to_str())
                else {
                    continue;
                };
                let is_item = area.goes_through(name) && tree::called(expr) == Some("append");
                let is_unused = area.is_parameter(name) && is_forgotten(area, value, name);
                if is_item || is_unused {
                    let what = format!(
                        "{} in quotes is only text: Python does not look up `{name}` in it.",
                        findings.program.text(value)
                    );
                    findings.add("quoted_name", value, what);
                } else if is_taken && !is_sorted {
                    quoted(findings, area, value);
                }
            }
        }
        Expr::BinOp(operation) => {
            let is_number = |expr: &Expr| expr.is_number_literal_expr();
            if matches!(
                operation.op,
                Operator::Sub | Operator::Div | Operator::FloorDiv | Operator::Pow
            ) || is_number(&operation.left)
                || is_number(&operation.right) && matches!(operation.op, Operator::Add)
            {
                quoted(findings, area, &operation.left);
                quoted(findings, area, &operation.right);
            }
            binds_first(findings, operation);
        }
        Expr::Subscript(item) => {
            quoted(findings, area, &item.value);
            if let Some(key) = item.slice.as_string_literal_expr()
                && is_forgotten(area, &item.slice, key.value.to_str())
            {
                quoted(findings, area, &item.slice);
            }
        }
        _ => {}
    }
}

/// `"total"` where `total` is meant.
fn quoted(findings: &mut Findings<'_, '_>, area: &Area<'_>, value: &Expr) {
    let Some(text) = value.as_string_literal_expr() else { return };
    let name = text.value.to_str();
    if matches!(name, "True" | "False") {
        let what = format!(
            "{} in quotes is only text, and any text that is not empty counts as true.",
            findings.program.text(value)
        );
        findings.add("quoted_name", value, what);
        return;
    }
    let is_own = |name: &str| area.is_local(name) || area.is_parameter(name);
    // A single letter is often just a letter; a name that is not read anywhere was meant here.
    let is_meant = is_own(name) && (name.chars().count() > 1 || is_forgotten(area, value, name));
    if area.function.is_some() && (is_meant || is_calculation(name, is_own)) {
        let what = format!(
            "{} in quotes is only text: Python does not look up `{name}` in it.",
            findings.program.text(value)
        );
        findings.add("quoted_name", value, what);
    }
}

/// Whether a name has a value here that only a text in quotes could have been meant to use.
fn is_forgotten(area: &Area<'_>, value: &Expr, name: &str) -> bool {
    !area.is_read(name)
        && !area.own.statements.iter().any(|stmt| {
            // `name = row["name"]` is no such place.
            stmt.range().contains_range(value.range())
                && stmt
                    .as_assign_stmt()
                    .is_some_and(|own| own.targets.first().and_then(tree::name) == Some(name))
        })
}

/// Whether a text is a calculation or an item with names of this area alone.
fn is_calculation(text: &str, is_own: impl Fn(&str) -> bool) -> bool {
    /// A calculation in quotes is short.
    const LONGEST: usize = 40;
    if text.len() > LONGEST || !text.contains(['[', '*', '+', '/', '%', '>', '<']) {
        return false;
    }
    let Ok(parsed) = ruff_python_parser::parse_expression(text) else { return false };
    let all = All::of_expr(parsed.expr());
    let is_work = parsed.expr().is_bin_op_expr()
        || parsed.expr().is_subscript_expr()
        || parsed.expr().is_compare_expr();
    let mut names = all.read().into_iter().peekable();
    is_work
        && names.peek().is_some()
        && names.all(is_own)
        && !all.expressions.iter().any(|part| part.is_call_expr() || part.is_attribute_expr())
}

/// `n + 1 * 2`, `a+b / 2`.
fn binds_first(findings: &mut Findings<'_, '_>, sum: &ruff_python_ast::ExprBinOp) {
    let is_sum = matches!(sum.op, Operator::Add | Operator::Sub);
    let Expr::BinOp(product) = &*sum.right else { return };
    let is_first = matches!(product.op, Operator::Mult | Operator::Div | Operator::FloorDiv);
    let whole = findings.program.text(sum);
    let part = findings.program.text(product);
    // With parentheses it is what somebody wanted.
    if !is_sum || !is_first || !whole.ends_with(part) {
        return;
    }
    let is_constant =
        product.left.is_number_literal_expr() && product.right.is_number_literal_expr();
    let is_tight = |left: &Expr, right: &Expr| {
        !findings.program.text(TextRange::new(left.end(), right.start())).contains(' ')
    };
    let is_misleading =
        is_tight(&sum.left, &product.left) && !is_tight(&product.left, &product.right);
    if is_constant && tree::int(&product.left) == Some(1) || is_misleading {
        let what = format!(
            "`{part}` is calculated first, and `{}` is added or subtracted afterwards.",
            findings.program.text(&*sum.left)
        );
        findings.add("product_first", sum, what);
    }
}

/// `x ^ 2` in a program without any other work on bits.
fn powers(findings: &mut Findings<'_, '_>, all: &All<'_>) {
    let operations = || all.expressions.iter().filter_map(|expr| expr.as_bin_op_expr());
    let has_bits = operations().any(|operation| {
        matches!(
            operation.op,
            Operator::BitAnd | Operator::BitOr | Operator::LShift | Operator::RShift
        )
    });
    let power = operations().find(|operation| {
        matches!(operation.op, Operator::BitXor)
            && matches!(tree::int(&operation.right), Some(2 | 3))
    });
    if let Some(power) = power.filter(|_| !has_bits) {
        let what = format!(
            "`{}` is no power: `^` compares bits, and `**` raises to a power.",
            findings.program.text(power)
        );
        findings.add("caret_as_power", power, what);
    }
}

/// `"Hello {name}"` without `f` in front of it.
fn forgotten_f(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    let mentions = |word: &str| findings.program.mentions(word);
    if mentions("format") || mentions("format_map") || mentions("Template") || mentions("re") {
        return;
    }
    let mut found: Vec<(&Expr, String)> = Vec::new();
    for area in areas {
        for expr in &area.own.expressions {
            let Expr::Call(call) = expr else { continue };
            if tree::name(&call.func) != Some("print") {
                continue;
            }
            for text in call
                .arguments
                .args
                .iter()
                .filter_map(|text| Some((text, text.as_string_literal_expr()?)))
            {
                let words = text
                    .1
                    .value
                    .to_str()
                    .split('{')
                    .skip(1)
                    .filter_map(|rest| rest.split_once('}'));
                let named = words
                    .map(|(word, _)| word)
                    .find(|word| area.is_local(word) || area.is_parameter(word));
                found.extend(named.map(|name| (text.0, name.to_owned())));
            }
        }
    }
    for (place, name) in found {
        let what =
            format!("Without an `f` before the quotes, `{{{name}}}` is printed as it stands here.");
        findings.add("forgotten_f", place, what);
    }
}
