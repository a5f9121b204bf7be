//! Conditions that do not ask what they seem to ask.

use std::collections::BTreeMap;

use ruff_python_ast::{CmpOp, Expr, ExprBoolOp, Number, Stmt, StmtIf};
use ruff_text_size::Ranged;

use super::{area::Area, finding::Findings};
use crate::tree::{self, All};

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    for area in areas {
        for expr in &area.own.expressions {
            if let Expr::BoolOp(test) = expr {
                foregone(findings, test);
                may_not_run(findings, areas, area, test);
            }
        }
        for stmt in &area.own.statements {
            match stmt {
                Stmt::If(branch) => {
                    value_as_condition(findings, &branch.test);
                    used_as_loop(findings, area, branch);
                    skips_nothing(findings, area, branch);
                }
                Stmt::While(repeat) => value_as_condition(findings, &repeat.test),
                Stmt::Try(attempt) => never_caught(findings, attempt),
                _ => {}
            }
        }
    }
    for block in tree::blocks(findings.program.body()) {
        for pair in block.windows(2) {
            overwritten(findings, &pair[0], &pair[1]);
        }
        separate(findings, block);
        last_decides(findings, block);
    }
}

/// `x op literal`, with the literal's value if it is a number.
fn asked<'p>(
    findings: &Findings<'p, '_>,
    expr: &'p Expr,
) -> Option<(&'p str, CmpOp, &'p str, Option<f64>)> {
    let test = expr.as_compare_expr()?;
    let ([op], [value]) = (&*test.ops, &*test.comparators) else { return None };
    let has_call = All::of_expr(&test.left).expressions.iter().any(|part| part.is_call_expr());
    if has_call || !value.is_literal_expr() {
        return None;
    }
    let text = |expr: &'p Expr| findings.program.text(expr);
    Some((text(&test.left), *op, text(value), number(value)))
}

fn number(expr: &Expr) -> Option<f64> {
    match &expr.as_number_literal_expr()?.value {
        Number::Int(value) => {
            value.as_i64().and_then(|value| i32::try_from(value).ok()).map(f64::from)
        }
        Number::Float(value) => Some(*value),
        Number::Complex { .. } => None,
    }
}

/// `x == 1 and x == 2`, `x != 1 or x != 2`, `x < 1 and x > 2`, `x > 1 or x < 2`.
fn foregone(findings: &mut Findings<'_, '_>, test: &ExprBoolOp) {
    let asks: Vec<_> = test.values.iter().filter_map(|value| asked(findings, value)).collect();
    let is_and = test.op.is_and();
    let equal = if is_and { CmpOp::Eq } else { CmpOp::NotEq };
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    let mut lowest: BTreeMap<&str, f64> = BTreeMap::new();
    let mut highest: BTreeMap<&str, f64> = BTreeMap::new();
    let mut found = None;
    for (left, op, text, value) in asks {
        if op == equal {
            let before = *values.entry(left).or_insert(text);
            if before != text
                && !(before.starts_with(['\'', '"'])
                    && before.trim_matches(['\'', '"']) == text.trim_matches(['\'', '"']))
            {
                found = Some(left);
            }
        } else if let Some(value) = value {
            match op {
                CmpOp::Gt | CmpOp::GtE => {
                    lowest.insert(left, value);
                }
                CmpOp::Lt | CmpOp::LtE => {
                    highest.insert(left, value);
                }
                _ => {}
            }
        }
        if let (Some(low), Some(high)) = (lowest.get(left), highest.get(left)) {
            let is_foregone = if is_and { low > high } else { low < high };
            if is_foregone {
                found = Some(left);
            }
        }
    }
    if let Some(left) = found {
        let (rule, what) = if is_and {
            (
                "never_true",
                format!(
                    "`{left}` cannot be both at once, so this is never true. Did you mean `or`?"
                ),
            )
        } else {
            (
                "always_true",
                format!(
                    "Whatever `{left}` is, one of the two holds, so this is always true. Did you mean `and`?"
                ),
            )
        };
        findings.add(rule, test, what);
    }
}

/// `if x == 'a' and 'b'`, `if 'a' or 'b' in x`.
fn value_as_condition(findings: &mut Findings<'_, '_>, test: &Expr) {
    let all = All::of_expr(test);
    for operation in all.expressions.iter().filter_map(|expr| expr.as_bool_op_expr()) {
        let (last, first) = operation.values.split_last().expect("an operation has operands");
        let is_value =
            |expr: &Expr| expr.as_string_literal_expr().is_some_and(|text| !text.value.is_empty());
        let value = first.iter().find(|value| is_value(value));
        let value = value.or_else(|| (operation.op.is_and() && is_value(last)).then_some(last));
        // `x == 'a' or 'b'` is another check's.
        let is_told = operation.op.is_or() && operation.values[0].is_compare_expr();
        if let Some(value) = value.filter(|_| !is_told) {
            let text = findings.program.text(value);
            let what =
                format!("`{text}` by itself always counts as true: it is compared with nothing.");
            findings.add("value_as_condition", operation, what);
        }
    }
}

/// `x or f()`, where `f` does something that should always be done.
fn may_not_run(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    area: &Area<'_>,
    test: &ExprBoolOp,
) {
    for call in &test.values[1..] {
        let Some(call) = call.as_call_expr() else { continue };
        let Some(name) = tree::name(&call.func) else { continue };
        let own = areas.iter().find(|area| area.function.is_some() && area.name() == name);
        let is_changing = own.is_some_and(|own| {
            own.own.expressions.iter().any(|expr| match expr {
                Expr::Name(name) => name.ctx.is_store() && own.declared.contains(name.id.as_str()),
                Expr::Subscript(item) => {
                    item.ctx.is_store()
                        && tree::name(&item.value)
                            .is_some_and(|name| !own.is_local(name) && !own.is_parameter(name))
                }
                Expr::Call(_) => tree::method_call(expr).is_some_and(|(object, method, _)| {
                    method == "append"
                        && area.is_local(object)
                        && !own.is_local(object)
                        && !own.is_parameter(object)
                }),
                _ => false,
            })
        });
        if is_changing {
            let (word, when) = if test.op.is_or() { ("or", "false") } else { ("and", "true") };
            let what = format!(
                "`{word}` only goes on to `{name}(...)` when what stands before it is {when}."
            );
            findings.add("may_not_run", call, what);
            return;
        }
    }
}

/// `if i < n:` with `i += 1` at its end, and nothing that uses it.
fn used_as_loop(findings: &mut Findings<'_, '_>, area: &Area<'_>, branch: &StmtIf) {
    let Some(name) = counted(branch) else { return };
    let asks = All::of_expr(&branch.test).read().contains(name);
    let is_alone = branch.elif_else_clauses.is_empty() && !area.is_in_loop(branch);
    if asks
        && is_alone
        && !area.is_read_after(name, branch.end())
        && !area.declared.contains(name)
        && branch.body.len() > 1
        && area.function.is_some()
    {
        let what =
            format!("This block runs at most once, so the new value of `{name}` is never used.");
        findings.add("if_used_as_loop", branch, what);
    }
}

/// The name that the last line of a block counts up or down.
fn counted(branch: &StmtIf) -> Option<&str> {
    match branch.body.last()? {
        Stmt::AugAssign(change) => {
            tree::name(&change.target).filter(|_| change.value.is_number_literal_expr())
        }
        Stmt::Assign(assignment) => {
            let name = assignment.targets.first().and_then(tree::name)?;
            let sum = assignment.value.as_bin_op_expr()?;
            (tree::name(&sum.left) == Some(name) && sum.right.is_number_literal_expr())
                .then_some(name)
        }
        _ => None,
    }
}

/// `if x: pass`.
fn skips_nothing(findings: &mut Findings<'_, '_>, area: &Area<'_>, branch: &StmtIf) {
    let calls = All::of_expr(&branch.test).expressions.iter().any(|part| part.is_call_expr());
    if matches!(&*branch.body, [Stmt::Pass(_)]) && branch.elif_else_clauses.is_empty() && !calls {
        let what = if area.is_in_loop(branch) {
            "`pass` does nothing: the loop goes on with the next line, and only `continue` would skip the rest."
        } else {
            "`pass` does nothing, so this `if` changes nothing."
        };
        findings.add("pass_skips_nothing", branch, what);
    }
}

/// `except Exception` before `except ValueError`.
fn never_caught(findings: &mut Findings<'_, '_>, attempt: &ruff_python_ast::StmtTry) {
    let mut is_caught = false;
    for handler in attempt.handlers.iter().filter_map(|handler| handler.as_except_handler()) {
        let kind = handler.type_.as_deref().and_then(tree::name);
        if is_caught {
            findings.add(
                "never_caught",
                handler,
                "The handler above catches this error first, so this one never runs.",
            );
            return;
        }
        is_caught = matches!(kind, Some("Exception" | "BaseException"));
    }
}

/// Two conditions in a row of which the first implies the second, and both set the same name.
fn overwritten(findings: &mut Findings<'_, '_>, first: &Stmt, second: &Stmt) {
    let parts = |stmt: &'_ Stmt| {
        let branch = stmt.as_if_stmt()?;
        let [Stmt::Assign(assignment)] = &*branch.body else { return None };
        let name = assignment.targets.first().and_then(tree::name)?;
        let is_plain = branch.elif_else_clauses.is_empty() && assignment.value.is_literal_expr();
        let (left, op, _, value) = asked(findings, &branch.test)?;
        (is_plain && !All::of_expr(&branch.test).read().contains(name)).then_some((
            left.to_owned(),
            op,
            value?,
            name.to_owned(),
        ))
    };
    let (Some((left, op, value, name)), Some((other_left, other_op, other, other_name))) =
        (parts(first), parts(second))
    else {
        return;
    };
    let is_implied = match (op, other_op) {
        (CmpOp::Gt | CmpOp::GtE, CmpOp::Gt | CmpOp::GtE) => value > other,
        (CmpOp::Lt | CmpOp::LtE, CmpOp::Lt | CmpOp::LtE) => value < other,
        _ => false,
    };
    if is_implied && left == other_left && name == other_name {
        let what = format!(
            "Whenever the condition above holds, this one holds, too, and `{name}` is overwritten. With `elif` the first that holds would decide."
        );
        findings.add("overwritten_by_next_if", second, what);
    }
}

/// Two or more ifs in a row of which only one can hold.
fn separate(findings: &mut Findings<'_, '_>, block: &[Stmt]) {
    for pair in block.windows(2) {
        let [Stmt::If(first), Stmt::If(second)] = pair else { continue };
        let (Some(one), Some(other)) =
            (first.test.as_compare_expr(), second.test.as_compare_expr())
        else {
            continue;
        };
        let ([op], [right], [other_op], [other_right]) =
            (&*one.ops, &*one.comparators, &*other.ops, &*other.comparators)
        else {
            continue;
        };
        let text = |expr: &Expr| findings.program.text(expr.range());
        let is_same = text(right) == text(other_right);
        let exclude = match (op, other_op) {
            (CmpOp::Eq, CmpOp::Eq) => {
                !is_same && right.is_literal_expr() && other_right.is_literal_expr()
            }
            (CmpOp::Lt, CmpOp::GtE | CmpOp::Gt | CmpOp::Eq)
            | (CmpOp::Gt, CmpOp::LtE | CmpOp::Lt | CmpOp::Eq)
            | (CmpOp::LtE, CmpOp::Gt)
            | (CmpOp::GtE, CmpOp::Lt)
            | (CmpOp::Eq, CmpOp::NotEq | CmpOp::Lt | CmpOp::Gt)
            | (CmpOp::NotEq, CmpOp::Eq) => is_same,
            _ => false,
        };
        let asks = All::of_expr(&first.test);
        let calls = asks.expressions.iter().any(|part| {
            part.is_call_expr() && !matches!(tree::call_of_one(part), Some(("len", _)))
        });
        let changed = tree::all(&first.body);
        let is_changed = !changed.stored().is_disjoint(&asks.read())
            || changed.expressions.iter().any(|part| part.is_call_expr());
        let is_open = first.elif_else_clauses.is_empty() && !tree::ends(&first.body);
        if exclude && is_open && !calls && !is_changed && text(&one.left) == text(&other.left) {
            let what = "This condition and the one above never hold together: `elif` says so, and the second is only asked if the first is false.";
            findings.add("separate_ifs", second, what);
            return;
        }
    }
}

/// From so many ifs in a row on, they are one choice.
const CHOICES: usize = 3;

/// Ifs in a row that all set the same name.
fn last_decides(findings: &mut Findings<'_, '_>, block: &[Stmt]) {
    let sets = |stmt: &'_ Stmt| {
        let branch = stmt.as_if_stmt().filter(|branch| branch.elif_else_clauses.is_empty())?;
        let [Stmt::Assign(assignment)] = &*branch.body else { return None };
        let name = assignment.targets.first().and_then(tree::name)?;
        let reads = All::of_expr(&branch.test).read().contains(name);
        (!reads && assignment.value.is_literal_expr()).then(|| name.to_owned())
    };
    let names: Vec<Option<String>> = block.iter().map(sets).collect();
    let mut from = 0;
    while from < names.len() {
        let same = names[from..].iter().take_while(|name| name.is_some() && **name == names[from]);
        let count = same.count();
        if count >= CHOICES
            && let Some(name) = &names[from]
        {
            let what = format!(
                "Each of these {count} ifs sets `{name}`, so the last that holds decides. With `elif` it would be the first."
            );
            findings.add("separate_ifs", &block[from], what);
        }
        from += count.max(1);
    }
}
