//! What a few lines do together: loops of well-known forms, recognised by their whole structure.

use ruff_python_ast::{Expr, Operator, Stmt, StmtAugAssign, StmtFor, StmtIf};

use crate::{
    lines::{Lines, in_words},
    value::code,
    words::{Words, whole},
};

/// Most sentences of this kind in an answer.
const MOST: usize = 3;

/// What the loops of a program do as a whole, in sentences.
pub(crate) fn gists(words: Words<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut blocks: Vec<&[Stmt]> = vec![words.program.body()];
    while let Some(block) = blocks.pop() {
        for (at, stmt) in block.iter().enumerate() {
            if let Stmt::For(repeat) = stmt
                && repeat.orelse.is_empty()
            {
                let lines = (words.program.line(stmt), words.program.last_line(stmt));
                let (before, after) = (&block[..at], &block[at + 1..]);
                found.extend(of_loop(words, repeat, before, after).map(|text| (lines, text)));
            }
            blocks.extend(inside(stmt));
        }
    }
    found.sort_by_key(|(lines, _)| *lines);
    let sentence = |(at, (lines, text)): (usize, (Lines, String))| {
        let begin = if at == 0 { "In short, the" } else { "The" };
        format!("{begin} loop on {} {text}.", in_words(lines))
    };
    found.into_iter().take(MOST).enumerate().map(sentence).collect()
}

fn inside(stmt: &Stmt) -> Vec<&[Stmt]> {
    match stmt {
        Stmt::FunctionDef(function) => vec![&function.body],
        Stmt::ClassDef(class) => vec![&class.body],
        Stmt::For(repeat) => vec![&repeat.body],
        Stmt::While(repeat) => vec![&repeat.body],
        Stmt::If(branch) => {
            let clauses = branch.elif_else_clauses.iter().map(|clause| &*clause.body);
            std::iter::once(&*branch.body).chain(clauses).collect()
        }
        _ => Vec::new(),
    }
}

fn of_loop(words: Words<'_>, repeat: &StmtFor, before: &[Stmt], after: &[Stmt]) -> Option<String> {
    let [only] = &*repeat.body else { return None };
    let (test, step) = match only {
        Stmt::If(branch) => (Some(&*branch.test), alone(branch)?),
        step => (None, step),
    };
    let each =
        format!("for each {} in {}", words.quote(&*repeat.target), words.operand(&repeat.iter));
    let each = match test {
        Some(test) => format!("{each}, if {}", words.condition(test)),
        None => each,
    };
    match step {
        Stmt::AugAssign(assign) => accumulated(words, assign, before, &each),
        Stmt::Expr(expr) => {
            let call = expr.value.as_call_expr()?;
            let method =
                call.func.as_attribute_expr().filter(|method| method.attr.as_str() == "append")?;
            let [added] = &*call.arguments.args else { return None };
            let name = name(&method.value)?;
            let is_empty =
                first_value(name, before)?.as_list_expr().is_some_and(|list| list.elts.is_empty());
            is_empty.then(|| {
                format!("collects {} in the list {}, {each}", words.quote(added), code(name))
            })
        }
        Stmt::Assign(assign) => {
            let [target] = &*assign.targets else { return None };
            extreme(words, repeat, (name(target)?, &assign.value), test?)
        }
        Stmt::Return(end) => {
            let found = truth(end.value.as_deref()?)?;
            let otherwise = match after {
                [Stmt::Return(end), ..] => truth(end.value.as_deref()?)?,
                _ => return None,
            };
            (found != otherwise).then_some(())?;
            let [found, otherwise] =
                [found, otherwise].map(|truth| if truth { "`True`" } else { "`False`" });
            Some(format!(
                "looks for the first {} in {} with this property: {}. If there is one, {found} is given back, and otherwise {otherwise}",
                words.quote(&*repeat.target),
                words.operand(&repeat.iter),
                words.condition(test?)
            ))
        }
        _ => None,
    }
}

/// `total += x`: counts, adds up, puts together, or multiplies.
fn accumulated(
    words: Words<'_>,
    assign: &StmtAugAssign,
    before: &[Stmt],
    each: &str,
) -> Option<String> {
    let target = name(&assign.target)?;
    let (named, value) = (code(target), words.quote(&*assign.value));
    let first = first_value(target, before)?;
    let is_empty_text = first.as_string_literal_expr().is_some_and(|text| text.value.is_empty());
    match (assign.op, whole(first)) {
        (Operator::Add, Some(0)) if whole(&assign.value) == Some(1) => {
            Some(format!("counts with {named}: one more {each}"))
        }
        (Operator::Add, Some(0)) => Some(format!("adds up {value} in {named}, {each}")),
        (Operator::Add, None) if is_empty_text => {
            Some(format!("puts together the text {named}: it adds {value} at its end, {each}"))
        }
        (Operator::Mult, Some(1)) => {
            Some(format!("multiplies all of {value} together in {named}, {each}"))
        }
        _ => None,
    }
}

/// The only statement of an `if` without `else`.
fn alone(branch: &StmtIf) -> Option<&Stmt> {
    match &*branch.body {
        [only] if branch.elif_else_clauses.is_empty() => Some(only),
        _ => None,
    }
}

/// `if x > best: best = x`, where `x` is the item.
fn extreme(
    words: Words<'_>,
    repeat: &StmtFor,
    (best, value): (&str, &Expr),
    test: &Expr,
) -> Option<String> {
    let item = name(&repeat.target)?;
    let compare = test.as_compare_expr()?;
    let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return None };
    (name(value)? == item && item != best).then_some(())?;
    let is_greater = match (name(&compare.left)?, name(right)?) {
        (left, right) if left == item && right == best => op.is_gt() || op.is_gt_e(),
        (left, right) if left == best && right == item => op.is_lt() || op.is_lt_e(),
        _ => return None,
    };
    let is_smaller = match (name(&compare.left)?, name(right)?) {
        (left, _) if left == item => op.is_lt() || op.is_lt_e(),
        _ => op.is_gt() || op.is_gt_e(),
    };
    let of = words.operand(&repeat.iter);
    let kept = match (is_greater, is_smaller) {
        (true, _) => "the largest",
        (_, true) => "the smallest",
        _ => return None,
    };
    Some(format!(
        "goes through {of} and keeps {kept} value seen so far in {}, its first value included",
        code(best)
    ))
}

/// The last value that a name gets before a loop, in the same block.
fn first_value<'a>(wanted: &str, before: &'a [Stmt]) -> Option<&'a Expr> {
    before.iter().rev().find_map(|stmt| match stmt {
        Stmt::Assign(assign)
            if assign.targets.iter().any(|target| name(target) == Some(wanted)) =>
        {
            Some(&*assign.value)
        }
        _ => None,
    })
}

fn name(expr: &Expr) -> Option<&str> {
    expr.as_name_expr().map(|name| name.id.as_str())
}

fn truth(expr: &Expr) -> Option<bool> {
    expr.as_boolean_literal_expr().map(|literal| literal.value)
}

#[cfg(test)]
mod tests {
    use analysis::Program;

    use super::gists;
    use crate::{names::Names, words::Words};

    #[test]
    fn loops_of_well_known_forms_are_told_in_a_sentence() {
        for (code, gist) in [
            (
                "n = 0\nfor x in xs:\n    n += 1\n",
                Some("counts with `n`: one more for each `x` in `xs`"),
            ),
            (
                "n = 0\nfor x in xs:\n    if x > 2:\n        n += x\n",
                Some("adds up `x` in `n`, for each `x` in `xs`, if `x` is greater than `2`"),
            ),
            (
                "ys = []\nfor x in xs:\n    ys.append(x * x)\n",
                Some("collects `x * x` in the list `ys`, for each `x` in `xs`"),
            ),
            (
                "def f(xs):\n    for x in xs:\n        if x < 0:\n            return True\n    return False\n",
                Some(
                    "with this property: `x` is less than `0`. If there is one, `True` is given back",
                ),
            ),
            (
                "best = xs[0]\nfor x in xs:\n    if x > best:\n        best = x\n",
                Some("keeps the largest value seen so far in `best`"),
            ),
            (
                "best = xs[0]\nfor x in xs:\n    if best > x:\n        best = x\n",
                Some("keeps the smallest value"),
            ),
            ("n = 5\nfor x in xs:\n    n += 1\n", None),
            ("n = 0\nfor x in xs:\n    n += x\n    n = 0\n", None),
        ] {
            let program = Program::read(code).expect("it is Python");
            let names = Names::of(&program);
            let found = gists(Words::new(&program, &names));
            match gist {
                Some(gist) => assert!(found.len() == 1 && found[0].contains(gist), "{found:?}"),
                None => assert!(found.is_empty(), "{found:?}"),
            }
        }
    }
}
