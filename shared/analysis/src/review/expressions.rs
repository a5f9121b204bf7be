//! Single lines that do not do what they seem to.

use ruff_python_ast::{CmpOp, Expr, ExprCompare, Stmt};

use super::{area::Area, finding::Findings};
use crate::tree::{self, All};

/// Methods of lists that return None.
const IN_PLACE: [&str; 5] = ["append", "extend", "insert", "reverse", "sort"];
/// Methods that are hardly ever attributes, so that only the parentheses can be missing.
const ACTING: [&str; 11] = [
    "close", "clear", "reverse", "sort", "pop", "append", "upper", "lower", "strip", "extend",
    "insert",
];
/// Methods of strings that return a new string.
const OF_TEXT: [&str; 10] = [
    "upper",
    "lower",
    "strip",
    "lstrip",
    "rstrip",
    "replace",
    "title",
    "capitalize",
    "swapcase",
    "split",
];

pub(super) fn check(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    let all = tree::all(findings.program.body());
    // With a decorator, a name may be a value by itself.
    let own_names: Vec<&str> = all
        .functions()
        .filter(|function| function.decorator_list.is_empty())
        .map(|function| function.name.as_str())
        .collect();
    let last = findings.program.body().last().map(std::ptr::from_ref);
    for stmt in &all.statements {
        match stmt {
            Stmt::Expr(expression) => {
                // The last line of a notebook's cell shows its value.
                let is_shown = last == Some(std::ptr::from_ref(*stmt));
                // What may not exist is asked for on purpose.
                let is_tried = expression.value.is_subscript_expr()
                    && areas.iter().any(|area| area.is_attempted(*stmt));
                let is_shown = is_shown || is_tried;
                without_effect(findings, &expression.value, &own_names, is_shown);
            }
            Stmt::Assign(assignment) => assigned(findings, stmt, assignment),
            Stmt::Try(attempt) => excepts(findings, attempt),
            _ => {}
        }
    }
    in_place(findings, &all, &own_names);
    for expr in &all.expressions {
        match expr {
            Expr::Compare(comparison) => compare(findings, comparison),
            Expr::BoolOp(operation)
                if operation.op.is_or() && operation.values[0].is_compare_expr() =>
            {
                let value = operation.values[1..].iter().find(|value| is_true_literal(value));
                if let Some(value) = value {
                    let text = findings.program.text(value);
                    findings.add(
                        "or_with_value",
                        *expr,
                        format!("`or {text}` is always true: compare again, or use `in`."),
                    );
                }
            }
            Expr::Call(call) => {
                if let Some(name @ ("eval" | "exec")) = tree::name(&call.func)
                    && !call.arguments.args.first().is_some_and(Expr::is_literal_expr)
                {
                    findings.add(
                        "runs_text_as_code",
                        *expr,
                        format!("`{name}` runs whatever the text says."),
                    );
                }
            }
            _ => {}
        }
    }
    input_as_number(findings, &all);
}

/// `a.sort()` where a value is expected.
fn in_place(findings: &mut Findings<'_, '_>, all: &All<'_>, own: &[&str]) {
    let mut used: Vec<&Expr> = Vec::new();
    for stmt in &all.statements {
        match stmt {
            // Another kind of object may have methods of these names.
            Stmt::Assign(assignment) if tree::method_call(&assignment.value).is_some() => {
                used.push(&assignment.value);
            }
            Stmt::For(repeat) => used.push(&repeat.iter),
            _ => {}
        }
    }
    let is_list_method = |expr: &&Expr| {
        expr.as_call_expr().and_then(|call| call.func.as_attribute_expr()).is_some_and(|method| {
            IN_PLACE.contains(&method.attr.as_str()) && !own.contains(&method.attr.as_str())
        })
    };
    let is_sorting = |expr: &Expr| matches!(tree::called(expr), Some("sort" | "reverse"));
    let mut sorted: Vec<&Expr> = Vec::new();
    for stmt in &all.statements {
        match stmt {
            Stmt::Return(returned) => sorted.extend(returned.value.as_deref()),
            Stmt::Assign(assignment) if tree::method_call(&assignment.value).is_none() => {
                sorted.push(&assignment.value);
            }
            _ => {}
        }
    }
    for expr in &all.expressions {
        match expr {
            Expr::Compare(test) => {
                sorted.push(&test.left);
                sorted.extend(&test.comparators);
            }
            Expr::Call(call) => {
                sorted.extend(&call.arguments.args);
                sorted.extend(call.func.as_attribute_expr().map(|method| &*method.value));
            }
            Expr::Subscript(item) => sorted.push(&item.value),
            Expr::BinOp(sum) => sorted.extend([&*sum.left, &*sum.right]),
            _ => {}
        }
    }
    used.extend(sorted.into_iter().filter(|expr| is_sorting(expr)));
    for expr in used.into_iter().filter(is_list_method) {
        let Some(method) = expr.as_call_expr().and_then(|call| call.func.as_attribute_expr())
        else {
            continue;
        };
        let (object, name) = (findings.program.text(&*method.value), &method.attr);
        findings.add(
            "in_place_result",
            expr,
            format!("`{object}.{name}(...)` changes the list and returns None."),
        );
    }
}

fn assigned(
    findings: &mut Findings<'_, '_>,
    stmt: &Stmt,
    assignment: &ruff_python_ast::StmtAssign,
) {
    if let ([target], Some(value)) = (assignment.targets.as_slice(), tree::name(&assignment.value))
        && tree::name(target) == Some(value)
    {
        findings.add("self_assignment", stmt, format!("`{value}` is set to itself."));
    }
    if tree::called(&assignment.value) == Some("open")
        && assignment.value.as_call_expr().is_some_and(|c| c.func.is_name_expr())
    {
        findings.add(
            "file_left_open",
            stmt,
            "Nothing makes sure that this file is closed; open it with `with`.",
        );
    }
}

fn without_effect(findings: &mut Findings<'_, '_>, value: &Expr, own: &[&str], is_shown: bool) {
    match value {
        Expr::Name(name) if own.contains(&name.id.as_str()) => {
            findings.add(
                "named_not_called",
                value,
                format!("`{}` is named but not called: the parentheses are missing.", &name.id),
            );
        }
        Expr::Name(name) if matches!(name.id.as_str(), "exit" | "quit" | "print" | "input") => {
            let name = &name.id;
            let what = format!("`{name}` is named but not called: the parentheses are missing.");
            findings.add("named_not_called", value, what);
        }
        Expr::Attribute(attribute)
            if own.contains(&attribute.attr.as_str())
                || ACTING.contains(&attribute.attr.as_str()) =>
        {
            findings.add(
                "named_not_called",
                value,
                format!(
                    "`{}` is named but not called: the parentheses are missing.",
                    findings.program.text(value)
                ),
            );
        }
        Expr::Compare(_)
        | Expr::BinOp(_)
        | Expr::Name(_)
        | Expr::Subscript(_)
        | Expr::BoolOp(_)
            if !is_shown =>
        {
            // What is called may do something, and a name alone calculates nothing.
            let calculates = !value.is_name_expr()
                && !All::of_expr(value).expressions.iter().any(|part| part.is_call_expr());
            if calculates {
                let assigns = value.as_compare_expr().filter(|test| {
                    matches!(&*test.ops, [CmpOp::Eq]) && !test.left.is_literal_expr()
                });
                let what = match assigns {
                    Some(test) => format!(
                        "`==` only compares, and nothing is done with the answer: `{} = ...` would assign.",
                        findings.program.text(&*test.left)
                    ),
                    None => "This line calculates something and does nothing with the result."
                        .to_owned(),
                };
                findings.add("no_effect", value, what);
            } else {
                findings.add("unused_value", value, "Nothing is done with the value of this line.");
            }
        }
        _ => {
            if let Some(method) =
                value.as_call_expr().and_then(|call| call.func.as_attribute_expr())
                && let (object, method) =
                    (findings.program.text(&*method.value), method.attr.as_str())
                && OF_TEXT.contains(&method)
                && is_text_call(method, value)
                && !findings.program.mentions("tkinter")
                && !own.contains(&method)
                && !is_shown
            {
                findings.add("text_result_dropped", value, format!("`{object}.{method}(...)` leaves `{object}` as it is, and its result is not used."));
            }
        }
    }
}

/// Whether a call has as many arguments as this method of texts takes.
fn is_text_call(method: &str, call: &Expr) -> bool {
    let count = call.as_call_expr().map_or(0, |call| call.arguments.len());
    match method {
        "replace" => count >= 2,
        "strip" | "lstrip" | "rstrip" | "split" => count <= 1,
        _ => count == 0,
    }
}

fn is_true_literal(expr: &Expr) -> bool {
    match expr {
        Expr::StringLiteral(text) => !text.value.is_empty(),
        Expr::NumberLiteral(_) => tree::int(expr) != Some(0),
        _ => false,
    }
}

fn compare(findings: &mut Findings<'_, '_>, comparison: &ExprCompare) {
    let mut left = comparison.left.as_ref();
    for (op, right) in comparison.ops.iter().zip(&comparison.comparators) {
        let has = |test: fn(&Expr) -> bool| test(left) || test(right);
        match op {
            CmpOp::Is | CmpOp::IsNot
                if has(Expr::is_string_literal_expr)
                    || has(Expr::is_number_literal_expr)
                    || has(Expr::is_list_expr)
                    || has(Expr::is_dict_expr) =>
            {
                findings.add(
                    "is_with_value",
                    comparison,
                    "`is` with a value compares the wrong thing.",
                );
            }
            CmpOp::Eq | CmpOp::NotEq if has(Expr::is_none_literal_expr) => {
                findings.add("compares_to_none", comparison, "Use `is` to compare with None.");
            }
            CmpOp::Eq | CmpOp::NotEq if has(Expr::is_boolean_literal_expr) => {
                findings.add(
                    "compares_to_bool",
                    comparison,
                    "The comparison with True or False is not needed.",
                );
            }
            _ => {}
        }
        left = right;
    }
}

fn excepts(findings: &mut Findings<'_, '_>, attempt: &ruff_python_ast::StmtTry) {
    for handler in attempt.handlers.iter().filter_map(|handler| handler.as_except_handler()) {
        let is_empty = matches!(&*handler.body, [Stmt::Pass(_)]);
        let kind = handler.type_.as_deref();
        if kind.is_some_and(Expr::is_bool_op_expr) {
            let what = "`or` chooses one of the two, so the other is not caught: put both into parentheses, with a comma.";
            findings.add("except_or", handler, what);
        }
        let is_broad =
            kind.is_none_or(|kind| matches!(tree::name(kind), Some("Exception" | "BaseException")));
        if is_empty && is_broad {
            findings.add(
                "silent_except",
                handler,
                "Every error is caught here, and nothing is done about it.",
            );
        } else if kind.is_none() {
            findings.add(
                "broad_except",
                handler,
                "This catches every error: name the one that you expect.",
            );
        }
    }
}

/// `n = input()` and then `n > 3`, if `n` is assigned nothing else.
fn input_as_number(findings: &mut Findings<'_, '_>, all: &All<'_>) {
    let typed =
        all.statements.iter().filter_map(|stmt| stmt.as_assign_stmt()).filter_map(|assignment| {
            let is_input = tree::called(&assignment.value) == Some("input");
            assignment.targets.first().and_then(tree::name).filter(|_| is_input)
        });
    for name in typed {
        let times = all.expressions.iter().filter(|expr| {
            expr.as_name_expr()
                .is_some_and(|other| other.ctx.is_store() && other.id.as_str() == name)
        });
        if times.count() != 1 {
            continue;
        }
        let is_number = |expr: &Expr| expr.is_number_literal_expr();
        let is_typed = |expr: &Expr| tree::name(expr) == Some(name);
        let used = all.expressions.iter().find(|expr| match expr {
            Expr::BinOp(operation) => {
                let is_repeated = matches!(operation.op, ruff_python_ast::Operator::Mult);
                !is_repeated
                    && ((is_typed(&operation.left) && is_number(&operation.right))
                        || (is_number(&operation.left) && is_typed(&operation.right)))
            }
            Expr::Compare(comparison) => {
                let mut sides = std::iter::once(&*comparison.left).chain(&*comparison.comparators);
                let has_typed = sides.any(is_typed);
                has_typed && comparison.comparators.iter().any(is_number)
            }
            _ => false,
        });
        if let Some(used) = used {
            findings.add(
                "input_as_number",
                *used,
                format!("`{name}` is text, since input() gives text."),
            );
        }
    }
}
