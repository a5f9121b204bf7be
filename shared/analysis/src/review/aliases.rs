//! Two names for one thing.

use ruff_python_ast::{Expr, Operator, Stmt};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{area::Area, effects, finding::Findings};
use crate::tree;

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    for area in areas {
        let changes = changes(area);
        same_row(findings, area, &changes);
        for stmt in &area.own.statements {
            let Stmt::Assign(assignment) = stmt else { continue };
            if let [Expr::Name(one), Expr::Name(other)] = assignment.targets.as_slice()
                && effects::is_new(&assignment.value)
                && [one, other]
                    .iter()
                    .all(|both| changes.iter().any(|(name, _)| *name == both.id.as_str()))
            {
                let what = format!(
                    "`{}` and `{}` are two names for one and the same thing here.",
                    one.id, other.id
                );
                findings.add("alias_changed", *stmt, what);
            }
            let [target] = assignment.targets.as_slice() else { continue };
            let Some(name) = tree::name(target) else { continue };
            if let Some(other) = tree::name(&assignment.value) {
                alias(findings, area, stmt, (name, other), &changes);
            } else if has_shared_rows(&assignment.value) && changes_rows(area, name) {
                let what = format!(
                    "All rows of `{name}` are one and the same list: to change one is to change them all."
                );
                findings.add("shared_rows", *stmt, what);
            }
        }
    }
    for block in tree::blocks(findings.program.body()) {
        for pair in block.windows(2) {
            lost_in_swap(findings, &pair[0], &pair[1]);
        }
    }
}

/// The names that are changed in place, and where.
fn changes<'a>(area: &Area<'a>) -> Vec<(&'a str, TextSize)> {
    let by_expression = area.own.expressions.iter().filter_map(|expr| match expr {
        Expr::Call(_) => {
            let (object, method, _) = tree::method_call(expr)?;
            effects::is_changing(method).then_some((object, expr.start()))
        }
        Expr::Subscript(item) if !item.ctx.is_load() => {
            tree::name(&item.value).map(|name| (name, item.start()))
        }
        _ => None,
    });
    by_expression.collect()
}

/// `copy = items`, and then `copy` is changed.
fn alias(
    findings: &mut Findings<'_, '_>,
    area: &Area<'_>,
    stmt: &Stmt,
    (name, other): (&str, &str),
    changes: &[(&str, TextSize)],
) {
    let is_once = area.stores_of(name) == 1 && area.stores_of(other) <= 1;
    if name == other || !is_once || !(area.is_parameter(other) || effects::is_fresh(area, other)) {
        return;
    }
    let after = |of: &str| {
        changes
            .iter()
            .find(|(changed, place)| *changed == of && *place > stmt.end())
            .map(|(_, place)| *place)
    };
    let keeps = ["copy", "original", "backup", "saved", "old", "before"]
        .iter()
        .any(|word| name.contains(word));
    let (changed, kept, place) = match (after(name), after(other)) {
        (Some(place), _) if area.is_parameter(other) || area.is_read_after(other, stmt.end()) => {
            (name, other, place)
        }
        (None, Some(place)) if keeps => (other, name, place),
        _ => return,
    };
    let line = findings.program.line(TextRange::empty(place));
    let what = format!(
        "This makes no copy: `{name}` and `{other}` are one and the same, so what line {line} does to `{changed}` happens to `{kept}`, too."
    );
    findings.add("alias_changed", stmt, what);
}

/// A row that is made once, and put into a list again and again.
fn same_row(findings: &mut Findings<'_, '_>, area: &Area<'_>, changes: &[(&str, TextSize)]) {
    for stmt in &area.own.statements {
        let Stmt::For(repeat) = stmt else { continue };
        for line in repeat.body.iter().filter_map(|stmt| stmt.as_expr_stmt()) {
            let Some((table, "append", 1)) = tree::method_call(&line.value) else { continue };
            let row =
                line.value.as_call_expr().and_then(|call| tree::name(&call.arguments.args[0]));
            let Some(row) = row.filter(|row| effects::is_fresh(area, row)) else { continue };
            let is_outside = area.stores_in(row, repeat.range()) == 0;
            let is_changed = changes_rows(area, table)
                || changes
                    .iter()
                    .any(|(name, place)| *name == row && repeat.range().contains(*place));
            if is_outside && is_changed && table != row {
                let what = format!(
                    "`{row}` is made once, so all rows of `{table}` are one and the same list: to change one is to change them all."
                );
                findings.add("shared_rows", line, what);
            }
        }
    }
}

/// `[[0] * 3] * 3`.
fn has_shared_rows(value: &Expr) -> bool {
    let Expr::BinOp(operation) = value else { return false };
    let is_row = |expr: &Expr| match expr {
        Expr::List(_) | Expr::Dict(_) | Expr::ListComp(_) => true,
        Expr::BinOp(inner) => matches!(inner.op, Operator::Mult) && inner.left.is_list_expr(),
        _ => false,
    };
    let is_many = tree::int(&operation.right).is_none_or(|times| times > 1);
    matches!(operation.op, Operator::Mult)
        && is_many
        && operation.left.as_list_expr().is_some_and(|rows| rows.elts.iter().any(is_row))
}

/// Whether a row of a list of lists is changed in place.
fn changes_rows(area: &Area<'_>, name: &str) -> bool {
    let is_row = |expr: &Expr| {
        expr.as_subscript_expr().is_some_and(|row| tree::name(&row.value) == Some(name))
    };
    area.own.expressions.iter().any(|expr| match expr {
        Expr::Subscript(item) => item.ctx.is_store() && is_row(&item.value),
        Expr::Call(call) => call
            .func
            .as_attribute_expr()
            .is_some_and(|method| effects::is_changing(&method.attr) && is_row(&method.value)),
        _ => false,
    })
}

/// `a = b`, and then `b = a`.
fn lost_in_swap(findings: &mut Findings<'_, '_>, first: &Stmt, second: &Stmt) {
    let sides = |stmt: &Stmt| {
        let assignment = stmt.as_assign_stmt()?;
        let [target] = assignment.targets.as_slice() else { return None };
        let is_place = |expr: &Expr| matches!(expr, Expr::Name(_) | Expr::Subscript(_));
        (is_place(target) && is_place(&assignment.value))
            .then(|| (target.range(), assignment.value.range()))
    };
    if let (Some((a, b)), Some((c, d))) = (sides(first), sides(second)) {
        let text = |range: TextRange| findings.program.text(range);
        if text(a) == text(d) && text(b) == text(c) && text(a) != text(b) {
            let what = format!(
                "After the line above, `{}` already has the value of `{}`: its old value is lost, and nothing is swapped.",
                text(a),
                text(b)
            );
            findings.add("lost_in_swap", second, what);
        }
    }
}
