//! What is kept from one iteration of a loop to the next, and which items it gets to.

use ruff_python_ast::{CmpOp, Expr, Operator, Stmt, StmtFor};
use ruff_text_size::{Ranged, TextRange};

use super::{
    area::Area,
    finding::Findings,
    loops,
    tree::{self, All},
};

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    for area in areas {
        for stmt in &area.own.statements {
            let body: &[Stmt] = match stmt {
                Stmt::For(repeat) => {
                    if let Some(target) = tree::name(&repeat.target) {
                        first_item(findings, area, repeat, target);
                        last_item(findings, area, repeat, target);
                        beyond(findings, area, repeat, target);
                        zero_first(findings, repeat, target);
                        item_as_index(findings, area, repeat, target);
                        changed_for_nothing(findings, area, repeat, target);
                        extremes(findings, area, repeat, target);
                    }
                    counted_by_hand(findings, area, repeat);
                    only_last(findings, area, repeat);
                    last_flag(findings, area, repeat);
                    second_first(findings, area, repeat);
                    &repeat.body
                }
                Stmt::While(repeat) => {
                    to_the_length(findings, area, repeat);
                    &repeat.body
                }
                _ => continue,
            };
            reset(findings, area, stmt, body);
        }
    }
}

/// The arguments of `range(...)`.
fn range_of(iter: &Expr) -> Option<&[Expr]> {
    let call = iter.as_call_expr()?;
    (tree::name(&call.func) == Some("range")).then_some(&*call.arguments.args)
}

/// `for i in range(1, len(items))` where nothing else looks at the first item.
fn first_item(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor, target: &str) {
    let Some([start, end, ..]) = range_of(&repeat.iter) else { return };
    let Some(("len", list)) = tree::call_of_one(end) else { return };
    let Some(list) = tree::name(list).filter(|_| tree::int(start) == Some(1)) else { return };
    let used = area.own.expressions.iter().filter(|expr| tree::name(expr) == Some(list)).count();
    let lengths = area.own.expressions.iter().filter(
        |expr| matches!(tree::call_of_one(expr), Some(("len", of)) if tree::name(of) == Some(list)),
    );
    let is_item = |expr: &&&Expr| {
        expr.as_subscript_expr().is_some_and(|item| {
            tree::name(&item.value) == Some(list) && tree::name(&item.slice) == Some(target)
        })
    };
    let items = area.own.expressions.iter().filter(is_item).count();
    let stored = area.stores_of(list);
    if items > 0 && used == lengths.count() + items + stored && list != "argv" {
        let what = format!(
            "This loop begins at position 1, so it never gets to `{list}[0]`, the first item."
        );
        findings.add("first_item_skipped", repeat, what);
    }
}

/// `for i in range(len(items) - 1)` where nothing looks at the next item.
fn last_item(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor, target: &str) {
    let Some([end]) = range_of(&repeat.iter) else { return };
    let Some(list) = end.as_bin_op_expr().and_then(|less| {
        let is_less = matches!(less.op, Operator::Sub) && tree::int(&less.right) == Some(1);
        match tree::call_of_one(&less.left) {
            Some(("len", list)) if is_less => tree::name(list),
            _ => None,
        }
    }) else {
        return;
    };
    let body = tree::all(&repeat.body);
    let items = body.expressions.iter().filter(|expr| is_item_at(expr, list, target)).count();
    let uses = area.reads_in(target, repeat.range());
    let others = area.own.expressions.iter().any(|expr| {
        expr.as_subscript_expr().is_some_and(|item| {
            tree::name(&item.value) == Some(list)
                && !is_item_at(expr, list, target)
                && tree::int(&item.slice) != Some(0)
        })
    });
    if items > 0 && uses == items && !others {
        let what = format!(
            "This loop ends before the last position, so it never gets to the last item of `{list}`."
        );
        findings.add("last_item_skipped", repeat, what);
    }
}

/// `for i in range(1, n + 1)` with `items[i]`, where `n` is the length.
fn beyond(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor, target: &str) {
    let end = match range_of(&repeat.iter) {
        Some([end] | [_, end]) => end,
        _ => return,
    };
    let Some(more) = end.as_bin_op_expr() else { return };
    let length = tree::name(&more.left).and_then(|name| area.only_value(name));
    let Some(("len", list)) = length.and_then(tree::call_of_one) else { return };
    let Some(list) = tree::name(list) else { return };
    let is_more = matches!(more.op, Operator::Add) && tree::int(&more.right) == Some(1);
    let body = tree::all(&repeat.body);
    let is_asked = body.expressions.iter().filter_map(|expr| expr.as_compare_expr()).any(|test| {
        let mut sides = std::iter::once(&*test.left).chain(&*test.comparators);
        sides.any(|side| tree::name(side) == Some(target))
    });
    let is_changed = body
        .expressions
        .iter()
        .any(|expr| matches!(tree::method_call(expr), Some((object, ..)) if object == list));
    let item = body.expressions.iter().find(|expr| is_item_at(expr, list, target));
    if let Some(item) = item.filter(|_| is_more && !is_asked && !is_changed) {
        let what = format!(
            "In the last iteration `{target}` is the length of `{list}`, where there is no item."
        );
        findings.add(loops::too_far(&repeat.body, item.range()), *item, what);
    }
}

fn is_item_at(expr: &Expr, list: &str, target: &str) -> bool {
    expr.as_subscript_expr().is_some_and(|item| {
        tree::name(&item.value) == Some(list) && tree::name(&item.slice) == Some(target)
    })
}

/// `while i <= len(items)` with `items[i]` in it.
fn to_the_length(
    findings: &mut Findings<'_, '_>,
    area: &Area<'_>,
    repeat: &ruff_python_ast::StmtWhile,
) {
    let Some(test) = repeat.test.as_compare_expr() else { return };
    let ([CmpOp::LtE], [end], Some(place)) =
        (&*test.ops, &*test.comparators, tree::name(&test.left))
    else {
        return;
    };
    let length = tree::name(end).and_then(|name| area.only_value(name)).unwrap_or(end);
    let Some(("len", list)) = tree::call_of_one(length) else { return };
    let Some(list) = tree::name(list) else { return };
    let body = tree::all(&repeat.body);
    let item = body.expressions.iter().find(|expr| is_item_at(expr, list, place));
    let is_asked = body.expressions.iter().any(|expr| {
        expr.as_compare_expr().is_some_and(|test| tree::name(&test.left) == Some(place))
    });
    let is_changed = body
        .expressions
        .iter()
        .any(|expr| matches!(tree::method_call(expr), Some((object, ..)) if object == list));
    if let Some(item) = item.filter(|_| !is_asked && !is_changed) {
        let what = format!(
            "When `{place}` is the length of `{list}`, there is no `{}` any more: with `<` the loop stops in time.",
            findings.program.text(*item)
        );
        findings.add(loops::too_far(&repeat.body, item.range()), *item, what);
    }
}

/// `largest = items[1]`, and then a loop through all items.
fn second_first(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor) {
    let list = match (&*repeat.iter, range_of(&repeat.iter)) {
        (Expr::Name(list), _) => list.id.as_str(),
        (_, Some([end])) => match tree::call_of_one(end) {
            Some(("len", list)) => tree::name(list).unwrap_or_default(),
            _ => return,
        },
        _ => return,
    };
    let is_second = |expr: &Expr, at: i64| {
        expr.as_subscript_expr().is_some_and(|item| {
            tree::name(&item.value) == Some(list) && tree::int(&item.slice) == Some(at)
        })
    };
    let has_first = area.own.expressions.iter().any(|expr| is_second(expr, 0));
    let begins = area.own.statements.iter().find(|stmt| {
        stmt.end() <= repeat.start()
            && stmt.as_assign_stmt().is_some_and(|first| {
                let value = tree::call_of_one(&first.value).map_or(&*first.value, |(_, of)| of);
                is_second(value, 1)
                    && first
                        .targets
                        .first()
                        .and_then(tree::name)
                        .is_some_and(|best| area.stores_in(best, repeat.range()) > 0)
            })
    });
    if let Some(begins) = begins.filter(|_| !has_first) {
        let what = format!(
            "`{list}[1]` is the second item: the first one is `{list}[0]`, and a list of one item has no other."
        );
        findings.add("second_item_first", *begins, what);
    }
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

/// `1 / i` in `for i in range(n)`.
fn zero_first(findings: &mut Findings<'_, '_>, repeat: &StmtFor, target: &str) {
    let begins_at_zero = match range_of(&repeat.iter) {
        Some([end]) => tree::int(end) != Some(0),
        Some([start, ..]) => tree::int(start) == Some(0),
        _ => false,
    };
    if !begins_at_zero {
        return;
    }
    for stmt in &repeat.body {
        let value = match stmt {
            Stmt::Assign(assignment) => &assignment.value,
            Stmt::AugAssign(change) => &change.value,
            Stmt::Expr(line) => &line.value,
            Stmt::If(branch) => &branch.test,
            _ => return,
        };
        let value = All::of_expr(value);
        if value
            .expressions
            .iter()
            .any(|part| matches!(part, Expr::BoolOp(_) | Expr::If(_) | Expr::Lambda(_)))
        {
            return;
        }
        let by_target = value.expressions.iter().find(|part| {
            part.as_bin_op_expr().is_some_and(|sum| {
                matches!(sum.op, Operator::Div | Operator::FloorDiv | Operator::Mod)
                    && !sum.left.is_string_literal_expr()
                    && tree::name(&sum.right) == Some(target)
            })
        });
        if let Some(part) = by_target {
            let what = format!(
                "range begins with 0, so in the first iteration `{target}` is 0, and nothing can be divided by 0."
            );
            findings.add("zero_first", *part, what);
            return;
        }
        if !stmt.is_expr_stmt() && tree::all(std::slice::from_ref(stmt)).stored().contains(target)
            || stmt.is_if_stmt()
        {
            return;
        }
    }
}

/// `for x in items: ... items[x]`, where `items` is a list of other things than positions.
fn item_as_index(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor, target: &str) {
    let Some(list) = tree::name(&repeat.iter) else { return };
    let is_list = area.only_value(list).is_some_and(|value| match value {
        Expr::List(items) => {
            !items.elts.is_empty()
                && items
                    .elts
                    .iter()
                    .all(|item| item.is_string_literal_expr() || item.is_list_expr())
        }
        Expr::Call(_) => tree::called(value) == Some("split"),
        _ => false,
    });
    let body = tree::all(&repeat.body);
    // Its neighbour is only asked for by position.
    let has_neighbour = body.expressions.iter().any(|expr| {
        expr.as_subscript_expr().is_some_and(|item| {
            tree::name(&item.value) == Some(list)
                && item.slice.as_bin_op_expr().is_some_and(|sum| {
                    tree::name(&sum.left) == Some(target) && tree::int(&sum.right) == Some(1)
                })
        })
    });
    let used = body.expressions.iter().find(|expr| {
        expr.as_subscript_expr().is_some_and(|item| {
            tree::name(&item.value) == Some(list) && tree::name(&item.slice) == Some(target)
        })
    });
    if let Some(used) = used.filter(|_| is_list || has_neighbour)
        && !body.stored().contains(target)
    {
        let what = format!(
            "`{target}` is an item of `{list}`, not its position: `for` gives the items themselves."
        );
        findings.add("item_as_index", *used, what);
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
    let begins = area.own.statements.iter().find(|stmt| {
        stmt.as_assign_stmt().is_some_and(|first| {
            first.targets.first().and_then(tree::name) == Some(best)
                && tree::int(&first.value) == Some(0)
        })
    });
    if let Some(begins) = begins.filter(|_| {
        is_smallest
            && from == target
            && area.stores_of(best) == 2
            && branch.elif_else_clauses.is_empty()
    }) {
        let what = format!(
            "`{best}` begins with 0, so a list of positive numbers never gives it another value."
        );
        findings.add("smallest_begins_at_zero", *begins, what);
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
        let begins = area.own.statements.iter().any(|first| {
            first.end() < repeat.start()
                && first.as_assign_stmt().is_some_and(|first| {
                    first.targets.first().and_then(tree::name) == Some(name)
                        && (tree::int(&first.value) == Some(0)
                            || first.value.as_list_expr().is_some_and(|list| list.elts.is_empty())
                            || first
                                .value
                                .as_string_literal_expr()
                                .is_some_and(|text| text.value.is_empty()))
                })
        });
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
        let is_empty = tree::int(&assignment.value) == Some(0)
            || assignment.value.as_list_expr().is_some_and(|list| list.elts.is_empty())
            || assignment.value.as_string_literal_expr().is_some_and(|text| text.value.is_empty());
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
