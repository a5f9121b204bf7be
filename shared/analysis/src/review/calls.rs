//! Functions that call themselves.

use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::Ranged;

use super::{
    area::Area,
    effects::{self, Functions},
    finding::Findings,
};
use crate::tree;

pub(super) fn check(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
) {
    for area in areas {
        if area.function.is_some() {
            recursion(findings, functions, area);
        }
    }
}

fn recursion(findings: &mut Findings<'_, '_>, functions: &Functions<'_, '_>, area: &Area<'_>) {
    let name = area.name();
    let Some(function) = area.function else { return };
    // A method's own name is another function's, and an import may replace it.
    let is_imported = area.own.statements.iter().any(|stmt| stmt.is_import_from_stmt());
    if is_imported || !functions.get(name).is_some_and(|own| std::ptr::eq(own, area)) {
        return;
    }
    let is_call =
        |expr: &Expr| expr.as_call_expr().is_some_and(|call| tree::name(&call.func) == Some(name));
    let calls: Vec<&Expr> = area.own.expressions.iter().copied().filter(|e| is_call(e)).collect();
    // What else is called may end the program, or change what happens the next time.
    let is_alone = functions.is_pure(name)
        || area.own.expressions.iter().all(|expr| match expr {
            Expr::Call(call) => tree::name(&call.func).is_some_and(|called| {
                called == name || called == "print" || effects::is_looking(called)
            }),
            _ => true,
        });
    if is_alone
        && area.declared.is_empty()
        && let Some(call) = always(area.body, &is_call)
    {
        let what = format!("Every call of `{name}` calls `{name}` again, so it never ends.");
        findings.add("endless_recursion", call, what);
        return;
    }
    let parameters: Vec<&str> = super::names::parameters(&function.parameters).collect();
    for call in calls {
        let Some(arguments) = call.as_call_expr().map(|call| &call.arguments) else { continue };
        let given: Vec<Option<&str>> = arguments.args.iter().map(tree::name).collect();
        let is_same = !parameters.is_empty()
            && arguments.keywords.is_empty()
            && given.len() == parameters.len()
            && given
                .iter()
                .zip(&parameters)
                .all(|(given, own)| *given == Some(own) && area.stores_of(own) == 0);
        if is_same && stays(area, functions, &parameters) {
            let what = format!(
                "`{name}` calls itself with the same {}, so the same happens again and again.",
                if parameters.len() == 1 { "argument" } else { "arguments" }
            );
            findings.add("same_arguments", call, what);
        } else if parameters.is_empty() && arguments.is_empty() && is_restart(area, call) {
            let what = format!("`{name}` calls itself to start again.");
            findings.add("recursion_as_loop", call, what);
        }
    }
}

/// Whether nothing in a function changes what it was given.
fn stays(area: &Area<'_>, functions: &Functions<'_, '_>, parameters: &[&str]) -> bool {
    let is_own = |expr: &Expr| {
        effects::root(expr).is_some_and(|name| area.is_local(name) && !parameters.contains(&name))
    };
    area.declared.is_empty()
        && area.own.expressions.iter().all(|expr| match expr {
            Expr::Subscript(item) => item.ctx.is_load() || is_own(expr),
            Expr::Attribute(attribute) => attribute.ctx.is_load(),
            Expr::Call(call) => match &*call.func {
                Expr::Name(called) => {
                    let name = called.id.as_str();
                    name == area.name()
                        || matches!(name, "print" | "exit" | "quit")
                        || effects::is_looking(name)
                        || functions.is_pure(name)
                }
                Expr::Attribute(method) => {
                    effects::is_asking(&method.attr)
                        || (effects::is_changing(&method.attr) && is_own(&method.value))
                }
                _ => false,
            },
            Expr::Yield(_) | Expr::YieldFrom(_) | Expr::Await(_) => false,
            _ => true,
        })
}

/// Whether a call is a line of its own, or all that is returned.
fn is_restart(area: &Area<'_>, call: &Expr) -> bool {
    area.own.statements.iter().any(|stmt| match stmt {
        Stmt::Expr(line) => line.value.range() == call.range(),
        Stmt::Return(returned) => {
            returned.value.as_ref().is_some_and(|v| v.range() == call.range())
        }
        _ => false,
    })
}

/// The call to which every path through these statements comes.
fn always<'a>(body: &'a [Stmt], is_call: &impl Fn(&Expr) -> bool) -> Option<&'a Expr> {
    for stmt in body {
        let value = match stmt {
            Stmt::Expr(line) => Some(&*line.value),
            Stmt::Assign(assignment) => Some(&*assignment.value),
            Stmt::AugAssign(change) => Some(&*change.value),
            Stmt::Return(returned) => returned.value.as_deref(),
            Stmt::If(branch) => Some(&*branch.test),
            Stmt::FunctionDef(_) => continue,
            _ => None,
        };
        if let Some(call) = value.and_then(|value| certain(value, is_call)) {
            return Some(call);
        }
        let inside = tree::own(std::slice::from_ref(stmt));
        let may_leave = inside.statements.iter().any(|stmt| {
            matches!(
                stmt,
                Stmt::Return(_)
                    | Stmt::Raise(_)
                    | Stmt::Break(_)
                    | Stmt::Continue(_)
                    | Stmt::Assert(_)
            )
        });
        if may_leave || stmt.is_try_stmt() {
            return None;
        }
    }
    None
}

/// The call in an expression that is made whenever the expression is calculated.
fn certain<'a>(expr: &'a Expr, is_call: &impl Fn(&Expr) -> bool) -> Option<&'a Expr> {
    if is_call(expr) {
        return Some(expr);
    }
    match expr {
        Expr::Call(call) => call.arguments.args.iter().find_map(|part| certain(part, is_call)),
        Expr::BinOp(sum) => certain(&sum.left, is_call).or_else(|| certain(&sum.right, is_call)),
        Expr::UnaryOp(sign) => certain(&sign.operand, is_call),
        Expr::Compare(test) => certain(&test.left, is_call),
        Expr::BoolOp(test) => certain(&test.values[0], is_call),
        _ => None,
    }
}
