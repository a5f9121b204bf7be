//! Functions that call themselves, and functions that are named where they should be called.

use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::Ranged;

use super::{
    area::Area,
    effects::{self, Functions},
    finding::Findings,
    tree,
};

/// Methods that only make sense with parentheses, and are hardly ever attributes.
const METHODS: [&str; 16] = [
    "split",
    "items",
    "keys",
    "upper",
    "lower",
    "strip",
    "isdigit",
    "isalpha",
    "isupper",
    "islower",
    "title",
    "splitlines",
    "append",
    "capitalize",
    "copy",
    "isspace",
];
/// Functions whose arguments are values.
const TAKING: [&str; 12] = [
    "len",
    "max",
    "min",
    "sum",
    "sorted",
    "list",
    "set",
    "int",
    "float",
    "range",
    "tuple",
    "enumerate",
];

pub(super) fn check(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
) {
    for area in areas {
        if area.function.is_some() {
            recursion(findings, functions, area);
        }
        named(findings, areas, functions, area);
    }
}

fn recursion(findings: &mut Findings<'_, '_>, functions: &Functions<'_, '_>, area: &Area<'_>) {
    let name = area.name();
    let (Some(function), Some(_)) = (area.function, functions.get(name)) else { return };
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
    let is_given = |expr: &Expr| effects::root(expr).is_none_or(|name| parameters.contains(&name));
    area.declared.is_empty()
        && area.own.expressions.iter().all(|expr| match expr {
            Expr::Subscript(item) => item.ctx.is_load() || !is_given(expr),
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
                        || (effects::is_changing(&method.attr) && !is_given(&method.value))
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

/// A function or a method without parentheses where its value is needed.
fn named(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
    area: &Area<'_>,
) {
    let mut used: Vec<&Expr> = Vec::new();
    for expr in &area.own.expressions {
        match expr {
            Expr::BinOp(sum) => used.extend([&*sum.left, &*sum.right]),
            Expr::Compare(test) if test.ops.iter().all(|op| !op.is_is() && !op.is_is_not()) => {
                let is_number =
                    |expr: &&Expr| expr.is_number_literal_expr() || expr.is_string_literal_expr();
                let sides = || std::iter::once(&*test.left).chain(&*test.comparators);
                if sides().any(|side| is_number(&side)) {
                    used.extend(sides());
                }
            }
            Expr::Subscript(item) if item.ctx.is_load() => used.push(&item.value),
            Expr::Call(call)
                if tree::name(&call.func).is_some_and(|name| TAKING.contains(&name)) =>
            {
                used.extend(call.arguments.args.first());
            }
            Expr::BoolOp(test) => used.extend(&test.values),
            Expr::UnaryOp(test) if test.op.is_not() => used.push(&test.operand),
            Expr::ListComp(comp) => used.extend(comp.generators.iter().map(|part| &part.iter)),
            _ => {}
        }
    }
    for stmt in &area.own.statements {
        match stmt {
            Stmt::For(repeat) => used.push(&repeat.iter),
            Stmt::If(branch) => used.push(&branch.test),
            Stmt::While(repeat) => used.push(&repeat.test),
            Stmt::Assign(assignment) if assigned_method(area, assignment) => {
                used.push(&assignment.value)
            }
            Stmt::AugAssign(change) => used.push(&change.value),
            _ => {}
        }
    }
    for expr in used {
        let is_named = match expr {
            Expr::Name(name) if area.stores_of(&name.id) == 1 => {
                // Another name of a function, which is not called either.
                let value = area.only_value(&name.id).and_then(tree::name);
                let is_called = || {
                    area.own.expressions.iter().any(|expr| {
                        expr.as_call_expr()
                            .is_some_and(|call| tree::name(&call.func) == Some(name.id.as_str()))
                    })
                };
                value.is_some_and(|value| functions.get(value).is_some() || is_built_in(value))
                    && !is_called()
            }
            Expr::Name(name) if is_built_in(&name.id) => {
                functions.get(&name.id).is_none()
                    && !area.is_parameter(&name.id)
                    && !areas[0].is_bound(&name.id)
            }
            Expr::Name(name) => {
                functions
                    .get(&name.id)
                    .is_some_and(|own| own.function.is_some_and(|f| f.decorator_list.is_empty()))
                    && !area.is_parameter(&name.id)
                    && area.stores_of(&name.id) == 0
            }
            Expr::Attribute(method) => {
                METHODS.contains(&method.attr.as_str())
                    && functions.get(&method.attr).is_none()
                    && tree::name(&method.value)
                        .is_some_and(|name| area.is_local(name) || area.is_parameter(name))
            }
            _ => false,
        };
        if is_named {
            let text = findings.program.text(expr);
            let what = format!("`{text}` is named but not called: the parentheses are missing.");
            findings.add("named_not_called", expr, what);
        }
    }
}

/// Whether it is a function that is always called, and never a value.
fn is_built_in(name: &str) -> bool {
    matches!(name, "len" | "max" | "min" | "sum" | "sorted" | "range" | "input" | "abs" | "round")
}

/// Whether a name gets a method instead of its result, and is never called itself.
fn assigned_method(area: &Area<'_>, assignment: &ruff_python_ast::StmtAssign) -> bool {
    let target = assignment.targets.first().and_then(tree::name);
    target.is_some_and(|target| {
        area.is_read(target)
            && !area.own.expressions.iter().any(|expr| {
                expr.as_call_expr().is_some_and(|call| {
                    let is_handed =
                        call.arguments.args.iter().any(|given| tree::name(given) == Some(target));
                    tree::name(&call.func) == Some(target)
                        || is_handed
                            && !tree::called(expr).is_some_and(|name| TAKING.contains(&name))
                })
            })
            && assignment.value.is_attribute_expr()
    })
}
