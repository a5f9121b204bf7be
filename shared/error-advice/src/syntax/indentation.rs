//! Lines that are indented too much, too little, or in two ways.

use super::{
    case::{Case, Fault},
    headers::HEADS,
    token::{Kind, Token},
};
use crate::failure::capital;

/// What is wrong with the indentation of a line, as Python says; the lines around it are looked at to say why.
pub(super) fn check(case: &Case<'_>, kind: &str, line: u32) -> Option<Fault> {
    if kind == "TabError" || case.message.contains("inconsistent use of tabs") {
        return Some(mixed(case, line));
    }
    let starts = || case.statements.iter().filter_map(|range| case.tokens.get(range.start));
    let here = starts().find(|token| token.line >= line);
    let before = starts()
        .take_while(|token| token.line < line && here.is_none_or(|here| token.start < here.start))
        .last();
    if case.message.contains("expected an indented block") {
        return missing_block(case, before?, here);
    }
    let here = here?;
    let margin = case.indent(here.line);
    let at = here.start - margin.len()..here.start;
    if case.message.contains("unexpected indent") {
        return Some(unexpected(case, before, here));
    }
    if !case.message.contains("unindent does not match") {
        return None;
    }
    let mut widths: Vec<usize> = Vec::new();
    for token in starts().take_while(|token| token.start < here.start) {
        let width = case.indent(token.line).len();
        widths.retain(|open| *open < width);
        widths.push(width);
    }
    let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
    Some(Fault::new(
        "indentation.mismatch",
        at,
        format!(
            "{} does not line up with any block above it: it has {} before its first word.",
            capital(&case.on(here.start)),
            spaces(margin)
        ),
        format!(
            "All lines of a block are indented by the same amount. The blocks above it are indented by {}.",
            listed(&widths)
        ),
        "Which block does the line belong to?",
    ))
}

/// A line that is indented although nothing before it begins a block.
fn unexpected(case: &Case<'_>, before: Option<&Token<'_>>, here: &Token<'_>) -> Fault {
    let at = here.start - case.indent(here.line).len()..here.start;
    let continued = here.line.checked_sub(2).map(|line| case.line_text(line));
    let is_continued = continued.is_some_and(|line| line.trim_end().ends_with('\\'));
    if is_continued && here.kind == Kind::Text {
        return Fault::new(
            "indentation.continuation",
            at,
            format!(
                "{} looks like the rest of the statement above it, which has already ended.",
                capital(&case.on(here.start))
            ),
            "A backslash continues a line only onto the next one; each line but the last needs one.",
            "What is missing at the end of the line before?",
        );
    }
    let why = match before {
        None => "The first line of a program begins at the left edge.".to_owned(),
        Some(before) => format!(
            "Only the lines of a block are indented, and {} does not begin one: a block begins after a line that ends with a colon.",
            case.on(before.start)
        ),
    };
    Fault::new(
        "indentation.unexpected",
        at,
        format!(
            "{} begins further to the right than the line before it.",
            capital(&case.on(here.start))
        ),
        why,
        "Which line above does it belong to?",
    )
}

fn spaces(margin: &str) -> String {
    let (tabs, spaces) = (margin.matches('\t').count(), margin.matches(' ').count());
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    match (tabs, spaces) {
        (0, _) => count(spaces, "space"),
        (_, 0) => count(tabs, "tab"),
        _ => format!("{} and {}", count(tabs, "tab"), count(spaces, "space")),
    }
}

fn listed(widths: &[String]) -> String {
    match widths {
        [] => "0".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn mixed(case: &Case<'_>, line: u32) -> Fault {
    let margin = case.indent(line);
    let start = case.tokens.iter().find(|token| token.line >= line).map_or(0, |token| token.start);
    Fault::new(
        "indentation.tabs",
        start.saturating_sub(margin.len())..start,
        format!(
            "On line {line} tabs and spaces are mixed: it is indented by {}, and other lines in another way.",
            spaces(margin)
        ),
        "Tabs and spaces look alike, and Python cannot know how wide a tab is.",
        "Let your editor turn all tabs into spaces.",
    )
}

fn missing_block(case: &Case<'_>, header: &Token<'_>, here: Option<&Token<'_>>) -> Option<Fault> {
    let words = case.statements.iter().find(|range| {
        case.tokens.get(range.start).is_some_and(|token| token.start == header.start)
    });
    let word = words.and_then(|range| {
        case.tokens
            .get(range.clone())?
            .iter()
            .find(|token| token.is_one_of(&HEADS) || token.is_one_of(&["match", "case"]))
    });
    let word = word?;
    let after = match here {
        Some(here) => format!("{} is not indented further than it", case.on(here.start)),
        None => "nothing but comments and empty lines follows".to_owned(),
    };
    Some(Fault::new(
        "indentation.missing_block",
        word.start..word.end(),
        format!("The block of `{}` on {} is missing: {after}.", word.text, case.on(word.start)),
        format!("What belongs to `{}` is indented below it, at least one line.", word.text),
        "Which lines should be inside it?",
    ))
}
