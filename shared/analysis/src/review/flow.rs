//! Functions and control flow.

use ruff_python_ast::{Expr, Stmt, StmtFunctionDef, StmtIf};

use super::{finding::Findings, loops, names::parameters};
use crate::tree::{self, All};

/// Most parameters, lines and levels that a reader can still follow.
const MAX_PARAMETERS: usize = 5;
const MAX_LINES: u32 = 30;
const MAX_DEPTH: usize = 3;
/// Hard-coded answers that are no coincidence.
const ANSWERS: usize = 3;

pub(super) fn check(findings: &mut Findings<'_, '_>) {
    let program = findings.program;
    let all = tree::all(program.body());
    for function in all.functions() {
        check_function(findings, function);
    }
    let left_early: Vec<&[Stmt]> =
        all.statements.iter().filter_map(|stmt| left_in_first_iteration(stmt)).collect();
    let mut has_told_else = false;
    for block in tree::blocks(program.body()) {
        unreachable(findings, block);
        for pair in block.windows(2) {
            set_before_loop(findings, &pair[0], &pair[1]);
        }
        for (at, stmt) in block.iter().enumerate() {
            let Some(branch) = stmt.as_if_stmt() else { continue };
            // There the condition is not the result, but the reason to leave the loop too early.
            let leaves_loop = left_early.iter().any(|body| std::ptr::eq(*body, block));
            if !leaves_loop {
                returns_bool(findings, branch, block.get(at + 1));
                if !has_told_else && else_after_return(findings, branch) {
                    has_told_else = true;
                }
            }
            mergeable(findings, branch);
        }
    }
    too_deep(findings, program.body(), 0);
    for expr in &all.expressions {
        if let Expr::If(choice) = expr
            && let (Some(yes), Some(no)) =
                (choice.body.as_boolean_literal_expr(), choice.orelse.as_boolean_literal_expr())
            && yes.value != no.value
        {
            findings.add(
                "returns_bool",
                *expr,
                "The condition already is True or False: the choice is not needed.",
            );
        }
        needless_conversion(findings, expr);
    }
}

/// `int(len(x))`, `str("a")`.
fn needless_conversion(findings: &mut Findings<'_, '_>, expr: &Expr) {
    let Some((name, of)) = tree::call_of_one(expr) else { return };
    let made =
        tree::called(of).filter(|_| of.as_call_expr().is_some_and(|call| call.func.is_name_expr()));
    let is_needless = match name {
        "int" => matches!(made, Some("int" | "len" | "ord")) || tree::int(of).is_some(),
        "str" => {
            of.is_string_literal_expr()
                || of.is_f_string_expr()
                || matches!(made, Some("str" | "input" | "chr"))
        }
        "list" => {
            of.is_list_expr() || of.is_list_comp_expr() || matches!(made, Some("list" | "sorted"))
        }
        "float" => matches!(made, Some("float")),
        "bool" => of.is_compare_expr() || of.is_boolean_literal_expr(),
        "print" => {
            if let Some(("str", inner)) = tree::call_of_one(of) {
                let what = format!(
                    "`print` turns `{}` into text by itself.",
                    findings.program.text(inner)
                );
                findings.add("needless_conversion", expr, what);
            }
            return;
        }
        _ => false,
    };
    if is_needless {
        let text = findings.program.text(of);
        findings.add(
            "needless_conversion",
            expr,
            format!("`{text}` is what `{name}` would make of it already."),
        );
    }
}

fn check_function(findings: &mut Findings<'_, '_>, function: &StmtFunctionDef) {
    let own = tree::own(&function.body);
    let is_generator =
        own.expressions.iter().any(|expr| expr.is_yield_expr() || expr.is_yield_from_expr());
    let returns = own.statements.iter().filter_map(|stmt| stmt.as_return_stmt());
    let values: Vec<_> = returns.filter_map(|stmt| stmt.value.as_deref()).collect();
    let returns_a_value = values.iter().any(|value| !value.is_none_literal_expr());
    let name = function.name.as_str();
    // Fixing a return in the first iteration fixes the rest, too.
    let is_left_early = own.statements.iter().any(|stmt| left_in_first_iteration(stmt).is_some());
    if returns_a_value && !is_generator && !is_left_early && !tree::ends(&function.body) {
        findings.add(
            "missing_return",
            &function.name,
            format!("`{name}` returns a value on some paths, and nothing on others."),
        );
    }
    parameter_overwritten(findings, function);
    answers_written_down(findings, &own, &function.name);
    for parameter in function.parameters.iter() {
        let default = parameter.default();
        if default.is_some_and(|d| d.is_list_expr() || d.is_dict_expr() || d.is_set_expr()) {
            let parameter = parameter.name();
            findings.add(
                "mutable_default",
                parameter,
                format!("The default of `{parameter}` is shared by all calls."),
            );
        }
    }
    let lines = function.body.last().map_or(0, |last| {
        let end = ruff_text_size::TextRange::empty(ruff_text_size::Ranged::end(last));
        findings.program.line(end) - findings.program.line(&function.name)
    });
    let count = function.parameters.len();
    if lines > MAX_LINES {
        findings.add("too_long", &function.name, format!("`{name}` has {lines} lines."));
    } else if count > MAX_PARAMETERS {
        findings.add("too_long", &function.name, format!("`{name}` has {count} parameters."));
    }
}

/// The body of a loop that returns in its first iteration.
fn left_in_first_iteration(stmt: &Stmt) -> Option<&[Stmt]> {
    let body: &[Stmt] = match stmt {
        Stmt::For(repeat) => &repeat.body,
        Stmt::While(repeat) => &repeat.body,
        _ => return None,
    };
    loops::first_round_return(body).map(|_| body)
}

/// A parameter is reassigned before it is used.
fn parameter_overwritten(findings: &mut Findings<'_, '_>, function: &StmtFunctionDef) {
    let mut untouched: Vec<&str> = parameters(&function.parameters).collect();
    for stmt in &function.body {
        if let Stmt::Assign(assignment) = stmt
            && let [target] = assignment.targets.as_slice()
            && let Some(name) = tree::name(target)
            && untouched.contains(&name)
            && !All::of_expr(&assignment.value).read().contains(name)
        {
            findings.add(
                "parameter_overwritten",
                target,
                format!("The parameter `{name}` is overwritten before it is used."),
            );
        }
        let touched = tree::all(std::slice::from_ref(stmt));
        let (read, stored) = (touched.read(), touched.stored());
        untouched.retain(|name| !read.contains(name) && !stored.contains(name));
    }
}

fn answers_written_down(
    findings: &mut Findings<'_, '_>,
    own: &All<'_>,
    place: &ruff_python_ast::Identifier,
) {
    let is_literal = |expr: &ruff_python_ast::Expr| expr.is_literal_expr();
    let returns_literal = |body: &[Stmt]| matches!(body, [Stmt::Return(returned)] if returned.value.as_deref().is_some_and(|v| is_literal(v) && !v.is_boolean_literal_expr()));
    let asks_for_literal = |test: &ruff_python_ast::Expr| {
        test.as_compare_expr().is_some_and(|c| {
            matches!(&*c.ops, [ruff_python_ast::CmpOp::Eq])
                && c.left.is_name_expr()
                && c.comparators.iter().all(is_literal)
        })
    };
    let branches = own.statements.iter().filter_map(|stmt| stmt.as_if_stmt()).flat_map(|branch| {
        let others =
            branch.elif_else_clauses.iter().filter_map(|c| Some((c.test.as_ref()?, &*c.body)));
        std::iter::once((&*branch.test, &*branch.body)).chain(others)
    });
    let count =
        branches.filter(|(test, body)| asks_for_literal(test) && returns_literal(body)).count();
    if count >= ANSWERS {
        findings.add(
            "answers_written_down",
            place,
            format!(
                "`{place}` has {count} answers written into it. Will it work for other inputs?"
            ),
        );
    }
}

fn unreachable(findings: &mut Findings<'_, '_>, block: &[Stmt]) {
    let leaves = |stmt: &Stmt| {
        matches!(stmt, Stmt::Return(_) | Stmt::Break(_) | Stmt::Continue(_) | Stmt::Raise(_))
    };
    if let Some(at) = block.iter().position(leaves)
        && let Some(next) = block.get(at + 1)
    {
        let is_harmless = matches!(next, Stmt::Pass(_) | Stmt::Break(_) | Stmt::Continue(_))
            || next.as_expr_stmt().is_some_and(|text| text.value.is_string_literal_expr());
        if is_harmless {
            findings.add(
                "needless_line",
                next,
                "This line never runs, and nothing is lost by that.",
            );
        } else {
            findings.add("unreachable", next, "This line never runs.");
        }
    }
}

/// `i = 0`, and then `for i in ...`.
fn set_before_loop(findings: &mut Findings<'_, '_>, first: &Stmt, second: &Stmt) {
    let (Stmt::Assign(assignment), Stmt::For(repeat)) = (first, second) else { return };
    let [target] = assignment.targets.as_slice() else { return };
    if let Some(name) = tree::name(target)
        && tree::name(&repeat.target) == Some(name)
        && assignment.value.is_literal_expr()
        && !All::of_expr(&repeat.iter).read().contains(name)
    {
        let what = format!("The loop gives `{name}` its values by itself.");
        findings.add("needless_line", first, what);
    }
}

fn only_bool(body: &[Stmt]) -> Option<bool> {
    let [Stmt::Return(returned)] = body else { return None };
    Some(returned.value.as_deref()?.as_boolean_literal_expr()?.value)
}

fn returns_bool(findings: &mut Findings<'_, '_>, branch: &StmtIf, next: Option<&Stmt>) {
    let other = match branch.elif_else_clauses.as_slice() {
        [] => next.and_then(|next| only_bool(std::slice::from_ref(next))),
        [clause] if clause.test.is_none() => only_bool(&clause.body),
        _ => None,
    };
    if let (Some(one), Some(other)) = (only_bool(&branch.body), other)
        && one != other
    {
        findings.add(
            "returns_bool",
            branch,
            "The `if` only turns a condition into True and False: return the condition.",
        );
    }
}

fn else_after_return(findings: &mut Findings<'_, '_>, branch: &StmtIf) -> bool {
    let is_left = matches!(branch.body.last(), Some(Stmt::Return(_)));
    match branch.elif_else_clauses.as_slice() {
        [clause] if is_left && clause.test.is_none() && only_bool(&branch.body).is_none() => {
            findings.add(
                "else_after_return",
                clause,
                "After the return above, this `else` is not needed.",
            );
            true
        }
        _ => false,
    }
}

fn mergeable(findings: &mut Findings<'_, '_>, branch: &StmtIf) {
    if let [Stmt::If(inner)] = &*branch.body
        && branch.elif_else_clauses.is_empty()
        && inner.elif_else_clauses.is_empty()
    {
        findings.add("mergeable_if", inner, "These two conditions can be joined with `and`.");
    }
}

fn too_deep(findings: &mut Findings<'_, '_>, body: &[Stmt], depth: usize) {
    for stmt in body {
        let inner: Vec<&[Stmt]> = match stmt {
            Stmt::FunctionDef(function) => {
                too_deep(findings, &function.body, 0);
                continue;
            }
            Stmt::ClassDef(class) => {
                too_deep(findings, &class.body, 0);
                continue;
            }
            Stmt::For(inner) => vec![&inner.body],
            Stmt::While(inner) => vec![&inner.body],
            Stmt::If(inner) => std::iter::once(&*inner.body)
                .chain(inner.elif_else_clauses.iter().map(|clause| &*clause.body))
                .collect(),
            _ => continue,
        };
        if depth == MAX_DEPTH {
            findings.add("too_deep", stmt, "This is the fourth block inside another.");
            return;
        }
        for body in inner {
            too_deep(findings, body, depth + 1);
        }
    }
}
