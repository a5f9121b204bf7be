//! Comprehensions, and choices between two values.

use super::{
    case::{Case, Edit, Fault, is_open},
    token::Token,
};

/// A bracket that begins with a word of Python.
pub(super) const FIRST: [super::check::Check; 1] = [comprehension];
pub(super) const CHECKS: [super::check::Check; 2] = [comprehension_parts, if_without_else];

fn at(token: &Token<'_>) -> std::ops::Range<usize> {
    token.start..token.end()
}

/// `[for x in xs: x]`
fn comprehension(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let pair = words
        .windows(2)
        .find(|pair| pair[0].opens() && pair[1].is_one_of(&["for", "if", "while"]))?;
    // The bracket is not closed, and the next line is a loop of its own.
    if pair[0].line < pair[1].line && is_open(words) {
        return None;
    }
    Some(Fault::new(
        "syntax.comprehension_order",
        at(&pair[1]),
        format!("On {} a bracket begins with `{}`.", case.on(pair[1].start), pair[1].text),
        "In brackets there can be a comprehension, which begins with the value: value for name in items. A loop with a block cannot be there.",
        "Which value should each item become? That comes first.",
    ))
}

/// `x = 1 if y`
fn if_without_else(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let index = words.windows(2).position(|pair| pair[0].ends_value() && pair[1].is("if"))? + 1;
    let mut depth = 0_usize;
    let mut end = None;
    for word in words.get(index + 1..)? {
        let ends =
            word.closes() || word.is_one_of(&["for", ",", ":"]) || word.line > words[index].line;
        if depth == 0 && ends {
            end = words.iter().rfind(|other| other.end() <= word.start);
            break;
        }
        if depth == 0 && word.is("else") {
            return None;
        }
        depth = word.depth_after(depth);
    }
    let end = end.or_else(|| words.last())?.end();
    let fault = Fault::new(
        "syntax.if_without_else",
        at(&words[index]),
        format!("The `if` inside the expression on {} has no `else`.", case.on(words[index].start)),
        "An expression always has a value, so Python must know which one if the condition is false. In a comprehension a condition that only picks items comes last.",
        "What should the value be if the condition is false?",
    );
    fault.if_helps(case, vec![Edit::insert(end, " else 0")])
}

/// `[x for x in xs if x else 0]`, `[x for x xs]`
fn comprehension_parts(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let start = words.iter().skip(1).position(|word| word.is("for"))? + 1;
    let mut depth = 0_usize;
    let inside: Vec<&Token<'_>> = words[start..]
        .iter()
        .take_while(|word| {
            let ends = depth == 0 && word.closes();
            depth = word.depth_after(depth);
            !ends
        })
        .collect();
    let on = case.on(words[start].start);
    let condition = inside.iter().position(|word| word.is("if"));
    let otherwise = condition.and_then(|at| inside[at..].iter().find(|word| word.is("else")));
    if let Some(otherwise) = otherwise {
        return Some(Fault::new(
            "syntax.comprehension_else",
            at(otherwise),
            format!("The condition at the end of the comprehension on {on} has an `else`."),
            "At the end a condition picks the items that are used, so there is no other value. Choosing between two values stands at the beginning, before the word for.",
            "Do you want to leave items out, or to choose a value for each?",
        ));
    }
    if inside.iter().any(|word| word.is("in")) {
        return None;
    }
    let pairs = inside.windows(2).filter(|pair| pair[0].ends_value() && pair[1].starts_value());
    pairs.take(super::check::FEW).find_map(|pair| {
        let fault = Fault::new(
            "syntax.for_in",
            at(pair[1]),
            format!("The `for` inside the brackets on {on} has no `in`."),
            "A comprehension reads: value, for, a name, in, and the items that it goes through.",
            "Which word joins the name and the items?",
        );
        fault.if_helps(case, vec![Edit::insert(pair[1].start, "in ")])
    })
}
