//! What is kept from one iteration of a loop to the next.

use ruff_python_ast::{CmpOp, Expr, Operator, Stmt, StmtFor};
use ruff_text_size::{Ranged, TextRange};

use super::{area::Area, finding::Findings};
use crate::tree::{self, All};

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    for area in areas {
        for stmt in &area.own.statements {
            let body: &[Stmt] = match stmt {
                Stmt::For(repeat) => {
                    if let Some(target) = tree::name(&repeat.target) {
                        changed_for_nothing(findings, area, repeat, target);
                        extremes(findings, area, repeat, target);
                        taken(findings, area, repeat, target);
                    }
                    counted_by_hand(findings, area, repeat);
                    only_last(findings, area, repeat);
                    last_flag(findings, area, repeat);
                    &repeat.body
                }
                Stmt::While(repeat) => &repeat.body,
                _ => continue,
            };
            reset(findings, area, stmt, body);
        }
    }
}

/// Whether a value is one to add to.
fn is_empty(value: &Expr) -> bool {
    tree::int(value) == Some(0)
        || value.as_list_expr().is_some_and(|list| list.elts.is_empty())
        || value.as_string_literal_expr().is_some_and(|text| text.value.is_empty())
}

/// `if x == y: found = True` with `else: found = False` in a loop.
fn last_flag(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor) {
    let [Stmt::If(branch)] = &*repeat.body else { return };
    let [other] = branch.elif_else_clauses.as_slice() else { return };
    let flag = |body: &[Stmt]| match body {
        [Stmt::Assign(assignment)] => {
            let name = assignment.targets.first().and_then(tree::name)?.to_owned();
            Some((name, assignment.value.as_boolean_literal_expr()?.value))
        }
        _ => None,
    };
    if let (Some((name, yes)), Some((other_name, no))) = (flag(&branch.body), flag(&other.body))
        && other.test.is_none()
        && name == other_name
        && yes != no
        && area.reads_in(&name, repeat.range()) == 0
    {
        let what = format!("Each iteration sets `{name}` anew, so only the last item decides.");
        findings.add("only_last_kept", repeat, what);
    }
}

/// `i += 1` in `for i in ...`, where nothing reads it any more in this iteration.
fn changed_for_nothing(
    findings: &mut Findings<'_, '_>,
    area: &Area<'_>,
    repeat: &StmtFor,
    target: &str,
) {
    let all = tree::own(&repeat.body);
    for stmt in &all.statements {
        let is_change = match stmt {
            Stmt::AugAssign(change) => tree::name(&change.target) == Some(target),
            // At the top of the body another check has told it.
            Stmt::Assign(assignment) => {
                assignment.targets.first().and_then(tree::name) == Some(target)
                    && !repeat.body.iter().any(|own| own.range() == stmt.range())
            }
            _ => false,
        };
        let rest = TextRange::new(stmt.end(), repeat.end());
        let is_repeated = all.statements.iter().any(|inner| {
            (inner.is_while_stmt() || inner.is_for_stmt())
                && inner.range().contains_range(stmt.range())
        });
        if is_change
            && !is_repeated
            && area.reads_in(target, rest) == 0
            && !tree::breaks(&repeat.body)
            && !area.is_read_after(target, repeat.end())
        {
            let what = format!(
                "`{target}` gets its next item in the next iteration, whatever this line does to it."
            );
            findings.add("loop_name_reassigned", *stmt, what);
            return;
        }
    }
}

/// A loop that goes through its items by a name that already had a value, which is used again after it.
fn taken(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor, target: &str) {
    let had_value = area.is_parameter(target)
        || area.first_value(target).is_some_and(|(first, value)| {
            first.end() <= repeat.start() && !value.is_none_literal_expr()
        });
    let is_alone = area.stores_of(target) == if area.is_parameter(target) { 1 } else { 2 };
    // Where a `break` ends the loop, the item that it stopped at is what is wanted.
    let stops = tree::breaks(&repeat.body);
    if had_value && is_alone && !stops && area.is_read_after(target, repeat.end()) {
        let what = format!(
            "The loop gives `{target}` its items, so the value that `{target}` had before is gone after it."
        );
        findings.add("loop_name_taken", repeat, what);
    }
}

/// `largest = 0` before a loop that looks for the largest item.
fn extremes(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor, target: &str) {
    let [Stmt::If(branch)] = &*repeat.body else { return };
    let [Stmt::Assign(assignment)] = &*branch.body else { return };
    let (Some(best), Some(from)) =
        (assignment.targets.first().and_then(tree::name), tree::name(&assignment.value))
    else {
        return;
    };
    let Some(test) = branch.test.as_compare_expr() else { return };
    let ([op], [right]) = (&*test.ops, &*test.comparators) else { return };
    let is_smallest = match (tree::name(&test.left), op, tree::name(right)) {
        (Some(left), CmpOp::Lt | CmpOp::LtE, Some(right)) if left == target && right == best => {
            true
        }
        (Some(left), CmpOp::Gt | CmpOp::GtE, Some(right)) if left == best && right == target => {
            true
        }
        _ => return,
    };
    let begins = area.first_value(best).filter(|(_, value)| tree::int(value) == Some(0));
    if let Some((begins, _)) = begins.filter(|_| {
        is_smallest
            && from == target
            && area.stores_of(best) == 2
            && branch.elif_else_clauses.is_empty()
    }) {
        let what = format!(
            "`{best}` begins with 0, so a list of positive numbers never gives it another value."
        );
        findings.add("smallest_begins_at_zero", begins, what);
    }
}

/// `i = 0` before, and `i += 1` at the end of a `for`.
fn counted_by_hand(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor) {
    let Some(Stmt::AugAssign(change)) = repeat.body.last() else { return };
    let Some(name) = tree::name(&change.target) else { return };
    let is_count = matches!(change.op, Operator::Add) && tree::int(&change.value) == Some(1);
    let body = TextRange::new(repeat.body[0].start(), change.start());
    let is_position = tree::all(&repeat.body).expressions.iter().any(|expr| {
        expr.as_subscript_expr().is_some_and(|item| tree::name(&item.slice) == Some(name))
    });
    let leaves = tree::own(&repeat.body).statements.iter().any(|stmt| stmt.is_continue_stmt());
    if is_count
        && is_position
        && !leaves
        && area.reads_in(name, body) > 0
        && area.stores_of(name) == 2
        && area.is_stored_before(name, repeat.start())
    {
        let what =
            format!("`{name}` is counted by hand: `enumerate` gives position and item together.");
        findings.add("counted_by_hand", repeat, what);
    }
}

/// A name that is set in each iteration, and only used after the loop, though it began as 0 or empty.
fn only_last(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor) {
    if tree::own(&repeat.body)
        .statements
        .iter()
        .any(|stmt| matches!(stmt, Stmt::Break(_) | Stmt::Return(_) | Stmt::Continue(_)))
    {
        return;
    }
    for stmt in &repeat.body {
        let Stmt::Assign(assignment) = stmt else { continue };
        let Some(name) = assignment.targets.first().and_then(tree::name) else { continue };
        let begins = area
            .first_value(name)
            .is_some_and(|(first, value)| first.end() < repeat.start() && is_empty(value));
        let is_used_inside = area.reads_in(name, repeat.range()) > 0;
        let depends = area
            .reads_in(tree::name(&repeat.target).unwrap_or_default(), assignment.value.range())
            > 0;
        if begins
            && depends
            && !is_used_inside
            && area.stores_of(name) == 2
            && area.is_read_after(name, repeat.end())
        {
            let what = format!(
                "Each iteration replaces `{name}`, so after the loop only the last value is left."
            );
            findings.add("only_last_kept", stmt, what);
        }
    }
}

/// `total = 0` inside the loop that adds to `total`.
fn reset(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &Stmt, body: &[Stmt]) {
    for (at, stmt) in body.iter().enumerate() {
        let Stmt::Assign(assignment) = stmt else { continue };
        let Some(name) = assignment.targets.first().and_then(tree::name) else { continue };
        let is_empty = is_empty(&assignment.value);
        let grows = body[at + 1..].iter().any(|stmt| grows(stmt, name));
        let stores = area.stores_in(name, repeat.range());
        // A nested loop that fills it is no reset.
        let has_loop = body[at + 1..].iter().any(|stmt| {
            (stmt.is_for_stmt() || stmt.is_while_stmt())
                && area.reads_in(name, stmt.range()) + area.stores_in(name, stmt.range()) > 0
        });
        let reads = area.reads_in(name, repeat.range());
        let own_reads: usize = body[at + 1..]
            .iter()
            .filter(|stmt| grows_at(stmt, name))
            .map(|stmt| area.reads_in(name, stmt.range()))
            .sum();
        if is_empty
            && grows
            && !has_loop
            && stores <= 2
            && reads == own_reads
            && area.is_read_after(name, repeat.end())
            && !tree::breaks(body)
        {
            let what = format!(
                "Every iteration sets `{name}` back, so what was collected before is lost."
            );
            findings.add("reset_in_loop", stmt, what);
        }
    }
}

fn grows(stmt: &Stmt, name: &str) -> bool {
    match stmt {
        Stmt::If(branch) => branch.body.iter().any(|stmt| grows_at(stmt, name)),
        _ => grows_at(stmt, name),
    }
}

/// `total += x`, `total = total + x`, `items.append(x)`.
fn grows_at(stmt: &Stmt, name: &str) -> bool {
    match stmt {
        Stmt::AugAssign(change) => tree::name(&change.target) == Some(name),
        Stmt::Assign(assignment) => {
            assignment.targets.first().and_then(tree::name) == Some(name)
                && All::of_expr(&assignment.value).read().contains(name)
        }
        Stmt::Expr(line) => {
            matches!(tree::method_call(&line.value), Some((object, "append", _)) if object == name)
        }
        Stmt::If(branch) => {
            branch.elif_else_clauses.is_empty()
                && branch.body.iter().any(|stmt| grows_at(stmt, name))
        }
        _ => false,
    }
}
