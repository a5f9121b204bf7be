//! Which items a loop gets to, and by what it gets them.

use ruff_python_ast::{CmpOp, Expr, Operator, Stmt, StmtFor, StmtWhile};
use ruff_text_size::Ranged;

use super::{area::Area, finding::Findings, loops};
use crate::tree::{self, All};

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    for area in areas {
        for stmt in &area.own.statements {
            match stmt {
                Stmt::For(repeat) => {
                    if let Some(target) = tree::name(&repeat.target) {
                        first_item(findings, area, repeat, target);
                        last_item(findings, area, repeat, target);
                        beyond(findings, area, repeat, target);
                        zero_first(findings, repeat, target);
                        item_as_index(findings, area, repeat, target);
                        popped(findings, area, repeat, target);
                    }
                    second_first(findings, area, repeat);
                }
                Stmt::While(repeat) => to_the_length(findings, area, repeat),
                _ => {}
            }
        }
    }
}

/// The arguments of `range(...)`.
fn range_of(iter: &Expr) -> Option<&[Expr]> {
    let call = iter.as_call_expr()?;
    (tree::name(&call.func) == Some("range")).then_some(&*call.arguments.args)
}

/// The list of `len(list)`, or of a name for it.
fn length_of<'a>(area: &Area<'a>, expr: &'a Expr) -> Option<&'a str> {
    let length = tree::name(expr).and_then(|name| area.only_value(name)).unwrap_or(expr);
    match tree::call_of_one(length) {
        Some(("len", list)) => tree::name(list),
        _ => None,
    }
}

/// `for i in range(1, len(items))` where nothing else looks at the first item.
fn first_item<'a>(
    findings: &mut Findings<'_, '_>,
    area: &Area<'a>,
    repeat: &'a StmtFor,
    target: &str,
) {
    let Some([start, end, ..]) = range_of(&repeat.iter) else { return };
    let Some(list) = length_of(area, end).filter(|_| tree::int(start) == Some(1)) else { return };
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
fn last_item<'a>(
    findings: &mut Findings<'_, '_>,
    area: &Area<'a>,
    repeat: &'a StmtFor,
    target: &str,
) {
    let Some([end]) = range_of(&repeat.iter) else { return };
    let Some(list) = end.as_bin_op_expr().and_then(|less| {
        let is_less = matches!(less.op, Operator::Sub) && tree::int(&less.right) == Some(1);
        length_of(area, &less.left).filter(|_| is_less)
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
fn beyond<'a>(findings: &mut Findings<'_, '_>, area: &Area<'a>, repeat: &'a StmtFor, target: &str) {
    let end = match range_of(&repeat.iter) {
        Some([end] | [_, end]) => end,
        _ => return,
    };
    let Some(more) = end.as_bin_op_expr() else { return };
    // The length itself, without a name, is another check's.
    let Some(list) = length_of(area, &more.left).filter(|_| more.left.is_name_expr()) else {
        return;
    };
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
fn to_the_length<'a>(findings: &mut Findings<'_, '_>, area: &Area<'a>, repeat: &'a StmtWhile) {
    let Some(test) = repeat.test.as_compare_expr() else { return };
    let ([CmpOp::LtE], [end], Some(place)) =
        (&*test.ops, &*test.comparators, tree::name(&test.left))
    else {
        return;
    };
    let Some(list) = length_of(area, end) else { return };
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
    // The names that the loop changes, and that began with the second item.
    let changed = tree::all(&repeat.body).stored();
    let begins = changed.iter().filter_map(|name| area.first_value(name)).find(|(stmt, value)| {
        let value = tree::call_of_one(value).map_or(*value, |(_, of)| of);
        stmt.end() <= repeat.start() && is_second(value, 1)
    });
    let has_first = || area.own.expressions.iter().any(|expr| is_second(expr, 0));
    if let Some((begins, _)) = begins.filter(|_| !has_first()) {
        let what = format!(
            "`{list}[1]` is the second item: the first one is `{list}[0]`, and a list of one item has no other."
        );
        findings.add("second_item_first", begins, what);
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

/// `items.pop(x)` in `for x in items`.
fn popped(findings: &mut Findings<'_, '_>, area: &Area<'_>, repeat: &StmtFor, target: &str) {
    let Some(list) = tree::name(&repeat.iter) else { return };
    // A dictionary's pop takes a key.
    if !area.only_value(list).is_some_and(|value| value.is_list_expr() || value.is_list_comp_expr())
    {
        return;
    }
    for expr in &tree::all(&repeat.body).expressions {
        if let Some((object, "pop", 1)) = tree::method_call(expr)
            && object == list
            && expr
                .as_call_expr()
                .is_some_and(|call| tree::name(&call.arguments.args[0]) == Some(target))
        {
            let what = format!(
                "`{list}.pop` takes a position, and `{target}` is an item: `{list}.remove` takes a value."
            );
            findings.add("pop_of_value", *expr, what);
        }
    }
}
