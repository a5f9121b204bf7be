//! Brackets without a partner, or of the wrong kind.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

pub(super) const CHECKS: [super::check::Check; 2] = [square_call, pairs];

/// How deep CPython lets brackets be nested.
const MAX_NESTING: usize = 200;

fn partner(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

fn pairs(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let mut open: Vec<&Token<'_>> = Vec::new();
    for word in words {
        if word.opens() {
            open.push(word);
            if open.len() > MAX_NESTING {
                return Some(Fault::new(
                    "syntax.nesting",
                    word.start..word.end(),
                    format!("Brackets are nested too deeply on {}.", case.on(word.start)),
                    "Python has a limit of about 200 for that, and the limit for human readers is even lower.",
                    "Can part of it become a function?",
                ));
            }
        } else if word.closes() {
            let Some(before) = open.pop() else { return Some(unmatched(case, word)) };
            if partner(before.text) != word.text {
                return Some(mismatched(case, words, before, word));
            }
        }
    }
    open.last().map(|bracket| unclosed(case, words, bracket))
}

fn unmatched(case: &Case<'_>, close: &Token<'_>) -> Fault {
    let open = match close.text {
        ")" => "(",
        "]" => "[",
        _ => "{",
    };
    Fault::new(
        "syntax.unmatched",
        close.start..close.end(),
        format!(
            "No `{open}` opens the bracket that `{}` closes on {}.",
            close.text,
            case.on(close.start)
        ),
        "Brackets come in pairs, and each closing one needs its opening one before it.",
        "Count the brackets on that line. Is one too many, or is one missing further left?",
    )
    .repaired(vec![Edit::replace(close, "")])
}

/// A closing bracket of the wrong kind, unless one is missing or too many: then the numbers differ.
fn mismatched(case: &Case<'_>, words: &[Token<'_>], open: &Token<'_>, close: &Token<'_>) -> Fault {
    let opened = words.iter().filter(|word| word.opens()).count();
    let closed = words.iter().filter(|word| word.closes()).count();
    if opened > closed {
        return unclosed(case, words, open);
    }
    if closed > opened {
        return unmatched(case, close);
    }
    let (from, to) = (case.on(open.start), case.on(close.start));
    let place = if from == to { String::new() } else { format!(" on {to}") };
    Fault::new(
        "syntax.bracket_mismatch",
        close.start..close.end(),
        format!("The bracket `{}` on {from} is closed by `{}`{place}.", open.text, close.text),
        "A bracket is closed by one of its own kind, and the inner ones are closed first.",
        "Which of the two brackets is the wrong one, or is one missing between them?",
    )
    .repaired(vec![Edit::replace(close, partner(open.text))])
}

fn unclosed(case: &Case<'_>, words: &[Token<'_>], bracket: &Token<'_>) -> Fault {
    let close = partner(bracket.text);
    let line = words.iter().take_while(|word| word.line <= bracket.line);
    let ends = [line.last(), words.last()].into_iter().flatten();
    let places = ends.flat_map(|last| [last.end(), last.start]).filter(|at| *at > bracket.start);
    let repairs = places.map(|at| vec![Edit::insert(at, close)]);
    let repair = repairs.take(4).find(|repair| case.helps(repair)).unwrap_or_default();
    Fault::new(
        "syntax.unclosed",
        bracket.start..bracket.end(),
        format!("The bracket `{}` that opens on {} is never closed.", bracket.text, case.on(bracket.start)),
        "Python reads on, looking for the closing bracket, so it often complains only further down.",
        "Where should the closing bracket be?",
    )
    .repaired(repair)
}

/// Square or curly brackets where a call has round ones.
fn square_call(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    words.windows(2).enumerate().take(super::check::MANY).find_map(|(index, pair)| {
        let is_call = pair[0].kind == Kind::Name
            && pair[1].is_one_of(&["[", "{"])
            && pair[0].end() == pair[1].start;
        if !is_call {
            return None;
        }
        let mut depth = 0_usize;
        let close = words[index + 1..].iter().find(|word| {
            depth = word.depth_after(depth);
            depth == 0
        })?;
        if close.text != partner(pair[1].text) {
            return None;
        }
        let fault = Fault::new(
            "syntax.square_call",
            pair[1].start..pair[1].end(),
            format!("`{}` on {} is followed by `{}`.", pair[0].text, case.on(pair[1].start), pair[1].text),
            "A function is called with round brackets; square ones pick an item, and curly ones make a dictionary or a set.",
            format!("Which kind of brackets does a call of `{}` need?", pair[0].text),
        );
        fault.if_helps(case, vec![Edit::replace(&pair[1], "("), Edit::replace(close, ")")])
    })
}
