//! Loops that do not end, end too early, count wrong, or could be simpler.

use std::collections::BTreeSet;

use ruff_python_ast::{CmpOp, Expr, Operator, Stmt, StmtFor, StmtWhile};
use ruff_text_size::{Ranged, TextRange};

use super::{area::Area, finding::Findings};
use crate::tree::{self, All};

/// Methods that change a collection before the loop's position.
const SHIFTING: [&str; 5] = ["remove", "pop", "insert", "clear", "append"];
/// Functions that do not change their arguments.
const LOOKING: [&str; 12] =
    ["print", "len", "str", "int", "float", "abs", "round", "min", "max", "sum", "repr", "type"];
/// Functions that end the program or wait for something outside of it.
const LEAVING: [&str; 5] = ["exit", "quit", "_exit", "abort", "sleep"];

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    let all = tree::all(findings.program.body());
    let until: Vec<&StmtWhile> =
        all.statements.iter().filter_map(|stmt| stmt.as_while_stmt()).collect();
    for stmt in &all.statements {
        match stmt {
            Stmt::For(repeat) => check_for(findings, repeat, &until),
            Stmt::While(repeat) => {
                // An error may be meant to end it.
                if !areas.iter().any(|area| area.is_attempted(*stmt)) {
                    endless(findings, repeat);
                }
                else_without_break(findings, &repeat.body, &repeat.orelse);
                first_iteration(findings, &repeat.body);
            }
            _ => {}
        }
    }
    for expr in &all.expressions {
        if let Expr::Subscript(subscript) = expr
            && subscript.ctx.is_load()
            && let Some(("len", counted)) = tree::call_of_one(&subscript.slice)
            && findings.program.text(counted) == findings.program.text(&*subscript.value)
        {
            let list = findings.program.text(counted);
            findings.add(
                "off_by_one",
                *expr,
                format!("`{list}` has no item at position len({list})."),
            );
        }
    }
}

fn check_for(findings: &mut Findings<'_, '_>, repeat: &StmtFor, until: &[&StmtWhile]) {
    let body = tree::all(&repeat.body);
    first_iteration(findings, &repeat.body);
    if let Some(list) = tree::name(&repeat.iter) {
        // A loop around it that asks for the list comes back to what was skipped.
        let comes_back = until.iter().any(|outer| {
            outer.range().contains_range(repeat.range())
                && All::of_expr(&outer.test).read().contains(list)
        });
        changed_while_looping(findings, list, &repeat.body, comes_back);
    }
    if let Some(target) = tree::name(&repeat.target) {
        if let Some((list, goes_further)) = positions(&repeat.iter) {
            let positions = Positions { target, list, goes_further };
            check_positions(findings, repeat, &body, positions);
        }
        reassigned(findings, target, &repeat.body);
    }
    string_concatenation(findings, &repeat.body);
    else_without_break(findings, &repeat.body, &repeat.orelse);
}

/// `else` after a loop that no `break` leaves.
fn else_without_break(findings: &mut Findings<'_, '_>, body: &[Stmt], orelse: &[Stmt]) {
    if let Some(first) = orelse.first().filter(|_| !tree::breaks(body)) {
        let what = "No `break` leaves this loop, so the lines after its `else` run as if there were no `else`.";
        findings.add("else_without_break", first, what);
    }
}

/// The loop variable is assigned a value that is unrelated to the item, or never read.
fn reassigned(findings: &mut Findings<'_, '_>, target: &str, body: &[Stmt]) {
    for (at, stmt) in body.iter().enumerate() {
        if let Stmt::Assign(assignment) = stmt
            && assignment.targets.first().and_then(tree::name) == Some(target)
        {
            let is_made_of_item = All::of_expr(&assignment.value).read().contains(target);
            let is_read_later = tree::all(&body[at + 1..]).read().contains(target);
            if !(is_made_of_item && is_read_later) {
                findings.add(
                    "loop_name_reassigned",
                    stmt,
                    format!("`{target}` gets its next item in the next iteration."),
                );
            }
        }
    }
}

/// A loop over the indices of a list.
#[derive(Clone, Copy)]
struct Positions<'a> {
    target: &'a str,
    list: &'a str,
    /// Whether it goes one further than there are items.
    goes_further: bool,
}

/// The list of `range(len(list))`, and whether the range goes one further.
fn positions(iter: &Expr) -> Option<(&str, bool)> {
    let call = iter.as_call_expr()?;
    if tree::name(&call.func) != Some("range") {
        return None;
    }
    let end = match &*call.arguments.args {
        [end] => end,
        [start, end] if tree::int(start) == Some(0) => end,
        [_, end] => return further(end).map(|list| (list, true)),
        _ => return None,
    };
    match tree::call_of_one(end) {
        Some(("len", list)) => tree::name(list).map(|list| (list, false)),
        _ => further(end).map(|list| (list, true)),
    }
}

/// The list of `len(list) + 1`.
fn further(end: &Expr) -> Option<&str> {
    let sum = end.as_bin_op_expr()?;
    let is_one = matches!(sum.op, Operator::Add) && tree::int(&sum.right) == Some(1);
    match tree::call_of_one(&sum.left) {
        Some(("len", list)) if is_one => tree::name(list),
        _ => None,
    }
}

fn check_positions(
    findings: &mut Findings<'_, '_>,
    repeat: &StmtFor,
    body: &All<'_>,
    positions: Positions<'_>,
) {
    let Positions { target, list, goes_further } = positions;
    let items: Vec<_> = body
        .expressions
        .iter()
        .filter_map(|expr| expr.as_subscript_expr())
        .filter(|item| {
            tree::name(&item.value) == Some(list) && tree::name(&item.slice) == Some(target)
        })
        .collect();
    if goes_further {
        if let Some(item) = items.first() {
            let what = format!(
                "In the last iteration `{target}` is the length of `{list}`, where there is no item."
            );
            findings.add(too_far(&repeat.body, item.range()), *item, what);
        }
        return;
    }
    next_item(findings, repeat, body, positions);
    let uses = body.expressions.iter().filter(|expr| tree::name(expr) == Some(target)).count();
    let only_reads = items.iter().all(|item| item.ctx.is_load());
    if !items.is_empty() && items.len() == uses && only_reads && !body.stored().contains(list) {
        findings.add(
            "index_loop",
            repeat,
            format!(
                "`{target}` is only used to get the items of `{list}`: loop over `{list}` itself."
            ),
        );
    }
}

/// `items[i + 1]` in a loop over all indices, without a check of `i`.
fn next_item(
    findings: &mut Findings<'_, '_>,
    repeat: &StmtFor,
    body: &All<'_>,
    positions: Positions<'_>,
) {
    let Positions { target, list, .. } = positions;
    let is_asked = body.expressions.iter().filter_map(|expr| expr.as_compare_expr()).any(|test| {
        let mut sides = std::iter::once(&*test.left).chain(&*test.comparators);
        sides.any(|side| !side.is_subscript_expr() && All::of_expr(side).read().contains(target))
    });
    if is_asked || body.statements.iter().any(|stmt| stmt.is_try_stmt()) {
        return;
    }
    let next = body.expressions.iter().find(|expr| {
        let Some(item) = expr.as_subscript_expr() else { return false };
        let Some(sum) = item.slice.as_bin_op_expr() else { return false };
        tree::name(&item.value) == Some(list)
            && matches!(sum.op, Operator::Add)
            && tree::name(&sum.left) == Some(target)
            && tree::int(&sum.right).is_some_and(|step| step > 0)
    });
    if let Some(next) = next {
        let place =
            format!("In the last iteration there is no `{}`.", findings.program.text(*next));
        findings.add(too_far(&repeat.body, next.range()), *next, place);
    }
}

/// The rule for a position that does not exist in the last iteration: an error if every iteration comes to it.
pub(super) fn too_far(body: &[Stmt], place: TextRange) -> &'static str {
    let own = tree::own(body);
    let leaves = tree::breaks(body)
        || own.statements.iter().any(|stmt| stmt.is_return_stmt() || stmt.is_continue_stmt());
    let first: Option<&Expr> = match body.first() {
        Some(Stmt::If(branch)) => Some(&branch.test),
        Some(Stmt::Assign(assignment)) => Some(&assignment.value),
        Some(Stmt::AugAssign(assignment)) => Some(&assignment.value),
        Some(Stmt::Expr(line)) => Some(&line.value),
        _ => None,
    };
    let is_reached = first.is_some_and(|first| {
        first.range().contains_range(place)
            && !All::of_expr(first).expressions.iter().any(|part| match part {
                Expr::BoolOp(test) => {
                    test.values.iter().skip(1).any(|value| value.range().contains_range(place))
                }
                Expr::If(choice) => !choice.test.range().contains_range(place),
                _ => false,
            })
    });
    if is_reached && !leaves { "off_by_one" } else { "may_go_too_far" }
}

fn changed_while_looping(
    findings: &mut Findings<'_, '_>,
    list: &str,
    body: &[Stmt],
    comes_back: bool,
) {
    if tree::own(body).stored().contains(list) {
        return;
    }
    for block in tree::blocks(body) {
        for (at, stmt) in block.iter().enumerate() {
            let changes = match stmt {
                Stmt::Expr(expr) => {
                    tree::method_call(&expr.value).is_some_and(|(object, method, _)| {
                        // What is added at the end under a condition comes up later in the same loop.
                        let is_queue = method == "append" && !std::ptr::eq(block, body);
                        object == list && SHIFTING.contains(&method) && !is_queue
                    })
                }
                Stmt::Delete(delete) => delete.targets.iter().any(|target| {
                    target
                        .as_subscript_expr()
                        .is_some_and(|item| tree::name(&item.value) == Some(list))
                }),
                _ => false,
            };
            // A loop that is left at once is not affected.
            if changes && !tree::ends(&block[at + 1..]) {
                // A condition on the list itself may make up for the items that are skipped.
                let is_checked = comes_back
                    || tree::all(body).statements.iter().any(|stmt| match stmt {
                        Stmt::If(branch) => All::of_expr(&branch.test).read().contains(list),
                        Stmt::While(repeat) => All::of_expr(&repeat.test).read().contains(list),
                        _ => false,
                    });
                findings.add(
                    if is_checked { "may_skip_items" } else { "changed_while_looping" },
                    stmt,
                    format!("`{list}` is changed while the loop goes through it."),
                );
                return;
            }
        }
    }
}

/// The return that leaves a loop with this body in its first iteration.
pub(super) fn first_round_return(body: &[Stmt]) -> Option<&Stmt> {
    let is_skipped = || tree::own(body).statements.iter().any(|stmt| stmt.is_continue_stmt());
    last_return(body).filter(|_| !is_skipped())
}

/// The last of the returns with which every path through a block ends.
fn last_return(block: &[Stmt]) -> Option<&Stmt> {
    match block.last()? {
        last @ Stmt::Return(_) => Some(last),
        Stmt::If(branch) => {
            let clauses = &branch.elif_else_clauses;
            let has_else = clauses.last().is_some_and(|clause| clause.test.is_none());
            last_return(&branch.body).filter(|_| has_else)?;
            clauses
                .iter()
                .map(|clause| last_return(&clause.body))
                .last()?
                .filter(|_| clauses.iter().all(|clause| last_return(&clause.body).is_some()))
        }
        _ => None,
    }
}

fn first_iteration(findings: &mut Findings<'_, '_>, body: &[Stmt]) {
    if let Some(last @ Stmt::Break(_)) = body.last()
        && !tree::own(body).statements.iter().any(|stmt| stmt.is_continue_stmt())
    {
        findings.add("loop_runs_once", last, "This break ends the loop in its first iteration.");
    }
    if let Some(last) = first_round_return(body) {
        // What an inner loop has gone through may be all that is needed.
        let own = tree::own(body).statements;
        let has_loop = own.iter().any(|stmt| stmt.is_for_stmt() || stmt.is_while_stmt());
        // Without a question or a sum, the first item may be all that is wanted.
        let is_work = |stmt: &&Stmt| {
            stmt.is_if_stmt()
                || stmt.is_aug_assign_stmt()
                || stmt.as_assign_stmt().is_some_and(|own| {
                    let name = own.targets.first().and_then(tree::name);
                    name.is_some_and(|name| All::of_expr(&own.value).read().contains(name))
                })
                || stmt.as_expr_stmt().is_some_and(|line| line.value.is_call_expr())
        };
        let has_loop = has_loop || !own.iter().any(is_work);
        findings.add(
            if has_loop { "loop_runs_once" } else { "first_round_return" },
            last,
            "This return ends the function in the first iteration of the loop.",
        );
    }
}

fn endless(findings: &mut Findings<'_, '_>, repeat: &StmtWhile) {
    let body = tree::own(&repeat.body);
    let leaves = tree::breaks(&repeat.body)
        || body.statements.iter().any(|stmt| stmt.is_return_stmt() || stmt.is_raise_stmt())
        || body.calls(&LEAVING)
        || body.expressions.iter().any(|expr| expr.is_yield_expr() || expr.is_await_expr());
    if leaves {
        return;
    }
    if tree::is_true(&repeat.test) {
        // A program that asks for input ends with its input.
        if !body.calls(&["input"]) {
            findings.add("endless_loop", repeat, "Nothing leaves this loop.");
        }
        return;
    }
    if let Some(name) = moves_away_from_end(repeat, &body) {
        findings.add(
            "endless_loop",
            repeat,
            format!("Every iteration moves `{name}` further away from ending the loop."),
        );
        return;
    }
    if let Some(names) = never_changed(repeat, &body) {
        findings.add(
            "endless_loop",
            repeat,
            format!(
                "Nothing in the loop changes `{}`, so the condition stays as it is.",
                names.join("` or `")
            ),
        );
    }
}

/// The names in the condition, if nothing in the loop can change their values.
fn never_changed<'a>(repeat: &'a StmtWhile, body: &All<'_>) -> Option<Vec<&'a str>> {
    let test = All::of_expr(&repeat.test);
    let asks_length = test.calls(&["len"]);
    // Calls and lookups may change by themselves; a length only changes with its list.
    let is_plain = test.expressions.iter().all(|expr| {
        let is_length =
            matches!(tree::call_of_one(expr), Some(("len", list)) if list.is_name_expr());
        (!expr.is_call_expr() || is_length)
            && !expr.is_attribute_expr()
            && !expr.is_subscript_expr()
            && !expr.is_named_expr()
    });
    let asked: BTreeSet<&'a str> = test.read().into_iter().filter(|name| *name != "len").collect();
    let changed = body.stored();
    let touched = body
        .expressions
        .iter()
        .filter_map(|expr| tree::method_call(expr))
        .map(|(object, ..)| object);
    let handed: BTreeSet<&str> = body
        .expressions
        .iter()
        .filter_map(|expr| expr.as_call_expr())
        .filter(|call| !tree::name(&call.func).is_some_and(|name| LOOKING.contains(&name)))
        .flat_map(|call| call.arguments.args.iter().filter_map(tree::name))
        .collect();
    let touched: BTreeSet<&str> = touched.chain(handed).collect();
    let deletes = body.statements.iter().any(|stmt| stmt.is_delete_stmt());
    let calls_own = body.expressions.iter().any(|expr| {
        expr.as_call_expr()
            .is_some_and(|call| tree::name(&call.func).is_some_and(|name| !LOOKING.contains(&name)))
    });
    // The list may have another name.
    let may_shift = asks_length && body.calls(&SHIFTING);
    let is_certain = is_plain
        && !asked.is_empty()
        && asked.is_disjoint(&changed)
        && asked.is_disjoint(&touched)
        && !deletes
        && !calls_own
        && !may_shift;
    is_certain.then(|| asked.into_iter().collect())
}

/// The name that has to shrink, and only grows, or the other way round.
fn moves_away_from_end<'a>(repeat: &'a StmtWhile, body: &All<'_>) -> Option<&'a str> {
    let test = repeat.test.as_compare_expr()?;
    let name = tree::name(&test.left)?;
    let ([op], [limit]) = (&*test.ops, &*test.comparators) else { return None };
    let away = match op {
        CmpOp::Gt | CmpOp::GtE => Operator::Add,
        CmpOp::Lt | CmpOp::LtE => Operator::Sub,
        _ => return None,
    };
    let is_step =
        |op: Operator, step: &Expr| op == away && tree::int(step).is_some_and(|step| step > 0);
    let mut steps = 0;
    for stmt in &body.statements {
        steps += match stmt {
            Stmt::AugAssign(change) if tree::name(&change.target) == Some(name) => {
                usize::from(is_step(change.op, &change.value))
            }
            Stmt::Assign(change) if change.targets.first().and_then(tree::name) == Some(name) => {
                let sum = change.value.as_bin_op_expr()?;
                usize::from(tree::name(&sum.left) == Some(name) && is_step(sum.op, &sum.right))
            }
            _ => 0,
        };
    }
    let stores = body.expressions.iter().filter_map(|expr| expr.as_name_expr());
    let stores = stores.filter(|other| other.ctx.is_store() && other.id.as_str() == name).count();
    (tree::int(limit).is_some() && steps > 0 && steps == stores).then_some(name)
}

/// `text = text + ...` or `text += "..."` in a loop, where the text began empty.
fn string_concatenation(findings: &mut Findings<'_, '_>, body: &[Stmt]) {
    for stmt in body {
        let Stmt::AugAssign(assignment) = stmt else { continue };
        let is_text =
            assignment.value.is_string_literal_expr() || assignment.value.is_f_string_expr();
        if matches!(assignment.op, Operator::Add) && is_text {
            findings.add("text_built_in_loop", stmt, "A string grows with + in every iteration.");
        }
    }
}
