//! Lines that begin a block.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};
use crate::failure::capital;

/// Two words where Python has one.
pub(super) const ELSE_IF: [super::check::Check; 1] = [else_if];
pub(super) const CHECKS: [super::check::Check; 8] =
    [empty, else_condition, decorator, alone, for_in, with_as, misplaced_colon, one_line];
/// A colon that is missing.
pub(super) const COLON: [super::check::Check; 1] = [colon];

/// Words that begin a line with a block.
pub(super) const HEADS: [&str; 11] =
    ["if", "elif", "else", "while", "for", "def", "class", "try", "except", "finally", "with"];

fn head<'t, 'a>(words: &'t [Token<'a>]) -> Option<&'t Token<'a>> {
    let first = words.first()?;
    let head = if first.is("async") { words.get(1)? } else { first };
    (head.is_one_of(&HEADS) || head.is_one_of(&["match", "case"])).then_some(head)
}

fn at(token: &Token<'_>) -> std::ops::Range<usize> {
    token.start..token.end()
}

/// `else if`, `elseif`, `elsif`
fn else_if(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let (first, next) = (words.first()?, words.get(1)?);
    let apart = first.is("else") && next.is("if");
    let together = first.is_one_of(&["elseif", "elsif", "elif_", "elseIf", "Elif", "ELIF"])
        && next.starts_with_value();
    let written = if apart { "else if" } else { first.text };
    (apart || together).then(|| {
        Fault::new(
            "syntax.else_if",
            first.start..if apart { next.end() } else { first.end() },
            format!("`{written}` on {} is written differently in Python.", case.on(first.start)),
            "Python has one word for it: elif.",
            "How should the line begin?",
        )
        .repaired(vec![Edit {
            at: first.start..if apart { next.end() } else { first.end() },
            with: "elif".to_owned(),
        }])
    })
}

/// `while:`, `class:`, `def ():`
fn empty(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let head = head(words)?;
    let next = words.iter().find(|word| word.start > head.start);
    let ends = next.is_none_or(|next| next.is(":") || next.line > head.line);
    let (on, name) = (case.on(head.start), head.text);
    let (what, why, hint) = match name {
        "if" | "elif" | "while" if ends => (
            format!("`{name}` on {on} has no condition."),
            format!(
                "`{name}` needs something that is true or false, between the word and the colon."
            ),
            "What should be true there?",
        ),
        "for" | "with" if ends => (
            format!("Nothing follows `{name}` on {on}."),
            format!("`{name}` needs a name, and what the name should stand for."),
            "What should the block work with?",
        ),
        "class" if ends || next.is_some_and(|next| next.is("(")) => (
            format!("The class on {on} has no name."),
            "Its name stands after the word class; objects are made by that name.".to_owned(),
            "What kind of thing does the class describe?",
        ),
        "def" if ends || next.is_some_and(|next| next.is("(")) => (
            format!("The function on {on} has no name."),
            "Its name stands after the word def; the function is called by that name.".to_owned(),
            "What does the function do, in a word or two?",
        ),
        _ => return None,
    };
    let is_name = matches!(name, "def" | "class");
    Some(Fault::new(
        if is_name { "syntax.missing_name" } else { "syntax.missing_condition" },
        at(head),
        what,
        why,
        hint,
    ))
}

/// `else x > 3:`
fn else_condition(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let (first, next) = (words.first().filter(|first| first.is("else"))?, words.get(1)?);
    let colon = words.iter().rfind(|word| word.is(":") && word.line == first.line)?;
    let fault = Fault::new(
        "syntax.else_condition",
        next.start..colon.start,
        format!("The `else` on {} is followed by a condition.", case.on(first.start)),
        "`else` is for everything that is left, so it has none; only `if` and `elif` have a condition.",
        "Is the condition needed at all, and if so, which word belongs before it?",
    );
    (!next.is(":"))
        .then(|| fault.if_helps(case, vec![Edit::delete(first.end()..colon.start)]))
        .flatten()
}

/// The words that may come before this one in its block's chain.
fn openers(word: &str) -> &'static [&'static str] {
    match word {
        "elif" => &["if", "elif"],
        "else" => &["if", "elif", "for", "while", "except", "async"],
        "except" => &["try", "except"],
        "finally" => &["try", "except", "else"],
        _ => &[],
    }
}

/// `else` without `if`, `try` without `except`.
fn alone(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first()?;
    if words.get(1).is_some_and(Token::assigns) {
        return None;
    }
    let own = case.indent(first.line);
    let index = case.statements.iter().position(|range| {
        case.tokens.get(range.start).is_some_and(|token| token.start == first.start)
    })?;
    let before =
        case.statements[..index].iter().rev().filter_map(|range| case.tokens.get(range.start));
    let before =
        before.take(super::check::MANY).find(|token| case.indent(token.line).len() <= own.len());
    let before = before.filter(|token| case.indent(token.line).len() == own.len());
    let (on, word) = (case.on(first.start), first.text);
    let after_else = before.is_some_and(|token| token.is("else"));
    if word == "elif" && after_else {
        return Some(Fault::new(
            "syntax.elif_after_else",
            at(first),
            format!("The `elif` on {on} comes after the `else`."),
            "`else` is for everything that is left, so it comes last.",
            "In which order should Python check the conditions?",
        ));
    }
    let needed = openers(word);
    if !needed.is_empty() && !before.is_some_and(|token| token.is_one_of(needed)) {
        return Some(Fault::new(
            "syntax.alone",
            at(first),
            format!("The `{word}` on {on} belongs to no `{}`.", needed[0]),
            format!(
                "`{word}` continues a block, so it stands exactly below the word that begins the block, with nothing in between that is indented as little."
            ),
            format!("Which `{}` does it belong to, and how far is that line indented?", needed[0]),
        ));
    }
    let begun = before.filter(|token| token.is("try"))?;
    (!first.is_one_of(&["except", "finally"])).then(|| {
        Fault::new(
            "syntax.try_alone",
            at(begun),
            format!("The `try` on {} has neither an `except` nor a `finally`.", case.on(begun.start)),
            format!("After the block of `try` Python must be told what to do if something fails, and on {on} something else begins."),
            "Which exception do you expect there, and what should happen then?",
        )
    })
}

/// `for i range(4):`, `for x of xs:`, `for each x in xs:`
fn for_in(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let head = head(words).filter(|head| head.is("for"))?;
    let after: Vec<&Token<'_>> = words.iter().filter(|word| word.start > head.start).collect();
    let has_in = after.iter().any(|word| word.is("in"));
    let (first, second) = (after.first()?, after.get(1)?);
    let fault = |token: &Token<'_>, what: String| {
        Fault::new(
            "syntax.for_in",
            at(token),
            what,
            "A for loop reads: for, a name, in, and the items that it goes through.",
            "Which word joins the name and the items?",
        )
    };
    if has_in {
        let each = fault(
            first,
            format!("`{}` on {} is a word too many.", first.text, case.on(first.start)),
        );
        let is_extra = first.is_one_of(&["each", "every", "all"]) && second.kind == Kind::Name;
        return is_extra.then(|| each.if_helps(case, vec![Edit::replace(first, "")])).flatten();
    }
    let what = format!("The `for` on {} has no `in`.", case.on(head.start));
    let pairs = after.windows(2).filter(|pair| pair[0].ends_value() && pair[1].starts_value());
    let inserted = pairs.map(|pair| (pair[1], vec![Edit::insert(pair[1].start, "in ")]));
    let replaced = (*second, vec![Edit::replace(second, "in")]);
    let tries = inserted.take(super::check::FEW).chain([replaced]);
    tries.into_iter().find_map(|(place, repair)| fault(place, what.clone()).if_helps(case, repair))
}

/// A colon or semicolon where another sign belongs.
fn misplaced_colon(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let last = words.last()?;
    let twice = words.windows(2).find(|pair| pair[0].is(":") && pair[1].is(":"));
    if let Some(pair) = twice.filter(|_| head(words).is_some()) {
        let fault = Fault::new(
            "syntax.extra_colon",
            at(&pair[1]),
            format!("There are two colons on {}.", case.on(pair[1].start)),
            "One colon ends the header of a block.",
            "Which sign is too much?",
        );
        return fault.if_helps(case, vec![Edit::replace(&pair[1], "")]);
    }
    if let Some(semicolon) = words.windows(2).find(|pair| pair[0].is(":") && pair[1].is(";")) {
        let fault = Fault::new(
            "syntax.extra_semicolon",
            at(&semicolon[1]),
            format!("There is a semicolon after the colon on {}.", case.on(semicolon[1].start)),
            "A colon ends the line; a semicolon would separate two statements.",
            "Which of the two signs is too much?",
        );
        return fault.if_helps(case, vec![Edit::replace(&semicolon[1], "")]);
    }
    let Some(head) = head(words) else {
        // A block needs its word; a plain line has no colon at its end.
        let fault = Fault::new(
            "syntax.extra_colon",
            at(last),
            format!("{} ends with a colon, but it begins no block.", capital(&case.on(last.start))),
            "Only lines with words like if, for, while, def and class end with a colon.",
            "Should the line begin a block? If so, with which word?",
        );
        return last.is(":").then(|| fault.if_helps(case, vec![Edit::replace(last, "")])).flatten();
    };
    let line = words.iter().take_while(|word| word.line == head.line);
    let wrong = line.last().filter(|word| word.is_one_of(&[";", ",", ".", "=", "-", "->"]))?;
    let fault = Fault::new(
        "syntax.wrong_colon",
        at(wrong),
        format!(
            "On {} there is a `{}` where a colon is expected.",
            case.on(wrong.start),
            wrong.text
        ),
        format!(
            "A line that begins with `{}` ends with a colon, and an indented block follows.",
            head.text
        ),
        "Compare the last sign of that line with a line that works.",
    );
    fault.if_helps(case, vec![Edit::replace(wrong, ":")])
}

/// `if x: a() else: b()`
fn one_line(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first()?;
    let colon = words.iter().position(|word| word.is(":"))?;
    let later = words[colon + 1..].iter().find(|word| {
        word.line == first.line
            && word.is_one_of(&["else", "elif", "except", "finally", "if", "for", "while"])
    })?;
    head(words)?;
    let indent = case.indent(first.line);
    let own =
        if openers(later.text).is_empty() { format!("\n{indent} ") } else { format!("\n{indent}") };
    let fault = Fault::new(
        "syntax.one_line_block",
        at(later),
        format!(
            "`{}` on {} stands behind another block, on the same line.",
            later.text,
            case.on(later.start)
        ),
        "Only simple statements may follow a colon on the same line. A new block begins a new line.",
        "How does it look with one line for each part?",
    );
    let after = words.iter().find(|word| word.start > later.start)?;
    let is_block_of_its_own = after.is(":") || openers(later.text).is_empty() || later.is("elif");
    is_block_of_its_own
        .then(|| fault.if_helps(case, vec![Edit::insert(later.start, &own)]))
        .flatten()
}

/// `with open(name) f:`
fn with_as(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    words.first().filter(|first| first.is("with"))?;
    let pair = words.windows(2).find(|pair| pair[0].closes() && pair[1].kind == Kind::Name)?;
    let fault = Fault::new(
        "syntax.with_as",
        at(&pair[1]),
        format!(
            "Nothing joins `{}` to what is before it on {}.",
            pair[1].text,
            case.on(pair[1].start)
        ),
        "A with line reads: with, what is opened, as, and a name for it.",
        "Which word is missing before the name?",
    );
    fault.if_helps(case, vec![Edit::insert(pair[1].start, "as ")])
}

/// `@decorator` above something else than a function or a class.
fn decorator(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first()?;
    let index = case.statements.iter().position(|range| {
        case.tokens.get(range.start).is_some_and(|token| token.start == first.start)
    })?;
    let before = case.statements.get(index.checked_sub(1)?)?;
    let sign = case.tokens.get(before.start).filter(|token| token.is("@"))?;
    (!first.is_one_of(&["def", "class", "async", "@"])).then(|| {
        Fault::new(
            "syntax.decorator",
            at(sign),
            format!("Below the decorator on {} no function or class begins.", case.on(sign.start)),
            "A line that begins with @ changes the function or class on the next line.",
            "Which function does it belong to?",
        )
    })
}

/// A header without its colon.
fn colon(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let head = head(words)?;
    let line: Vec<&Token<'_>> = words.iter().take_while(|word| word.line == head.line).collect();
    let line_end = line.last()?;
    let on = case.on(head.start);
    let fault = |at: usize, what: String| {
        Fault::new(
            "syntax.colon",
            at..at,
            what,
            "A line with if, elif, else, for, while, def or class ends with a colon, and an indented block follows.",
            "Where does the header of the block end, and what belongs there?",
        )
    };
    let ends = [Some(*line_end), words.last()];
    for end in ends.into_iter().flatten().filter(|end| !end.is(":")) {
        let what = format!("A colon is missing at the end of {}.", case.on(end.start));
        let found = fault(end.end(), what).if_helps(case, vec![Edit::insert(end.end(), ":")]);
        if found.is_some() {
            return found;
        }
    }
    if line_end.is(":") {
        return None;
    }
    let is_end = |pair: &&[&Token<'_>]| {
        pair[0].ends_value() && (pair[1].is_word() || pair[1].starts_value())
    };
    let places = line.windows(2).filter(is_end).map(|pair| pair[0].end());
    let what = format!("A colon is missing on {on}.");
    let bare = head.is_one_of(&["else", "try", "finally"]).then(|| head.end());
    bare.into_iter()
        .chain(places)
        .take(6)
        .find_map(|place| fault(place, what.clone()).if_helps(case, vec![Edit::insert(place, ":")]))
}
