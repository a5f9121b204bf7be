//! Misspelled words of Python, its words used as names, and its statements in the middle of others.

use super::{
    case::{Case, Edit, Fault},
    foreign::is_foreign,
    headers::HEADS,
    token::{Kind, Token},
};
use crate::failure::one;

/// Checks that come first: a misspelled word makes the rest of its line look wrong.
pub(super) const FIRST: [super::check::Check; 2] = [typo, stuck];
/// Checks that come last.
pub(super) const LAST: [super::check::Check; 4] =
    [nothing_follows, inside, keyword_as_name, one_too_many];

/// Words that begin a statement.
const BEGINNERS: [&str; 22] = [
    "if", "elif", "else", "while", "for", "def", "class", "try", "except", "finally", "with",
    "return", "import", "from", "raise", "global", "nonlocal", "del", "assert", "lambda", "print",
    "pass",
];
/// The least similarity of a misspelled word.
const NEAR: f64 = 0.6;

/// What a name follows.
const NAMING: [&str; 9] = [".", ",", "import", "as", "for", "def", "class", "global", "nonlocal"];

fn at(token: &Token<'_>) -> std::ops::Range<usize> {
    token.start..token.end()
}

/// `whlie x:`, `If x:`, `retrun x`
fn typo(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first().filter(|first| first.kind == Kind::Name)?;
    let next = words.get(1)?;
    if is_foreign(first.text) {
        return None;
    }
    let is_bare = next.is(":")
        || next.kind == Kind::Name
        || next.starts_value()
        || next.is_word()
        || (next.is_one_of(&["[", "{"]) && first.end() < next.start);
    if !is_bare && !words.last()?.is(":") {
        return None;
    }
    let lower = first.text.to_lowercase();
    let mut near: Vec<(f64, &str)> = BEGINNERS
        .iter()
        .map(|word| (strsim::normalized_damerau_levenshtein(&lower, word), *word))
        .filter(|(likeness, word)| *likeness >= NEAR && *word != first.text)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    let line_end = words.iter().take_while(|word| word.line == first.line).last()?.end();
    let repair = |word: &str| {
        // Without its parentheses print would be the next mistake.
        if word == "print" && !next.is("(") {
            let begin = Edit { at: first.start..next.start, with: "print(".to_owned() };
            return vec![begin, Edit::insert(line_end, ")")];
        }
        vec![Edit::replace(first, word)]
    };
    // The word that makes most sense of the rest; of two such, the most similar one.
    let tried =
        near.into_iter().take(4).filter_map(|(_, word)| Some((case.reach(&repair(word))?, word)));
    let (_, word) = tried.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let fault = Fault::new(
        "syntax.keyword_typo",
        at(first),
        format!(
            "`{}` on {} is not a word of Python; there is {}.",
            first.text,
            case.on(first.start),
            one(word)
        ),
        if lower == word {
            "Python's words are written in small letters, except True, False and None."
        } else {
            "Python reads an unknown word as a name of yours, and then the rest of the line makes no sense."
        },
        "Compare the spelling, letter by letter.",
    );
    Some(fault.repaired(repair(word)))
}

/// `forx in xs:`, `defmain():`
fn stuck(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first().filter(|first| first.kind == Kind::Name)?;
    let word = HEADS.iter().chain(&["return", "import", "from"]).find(|word| {
        first
            .text
            .strip_prefix(**word)
            .is_some_and(|rest| rest.len() < first.text.len() && !rest.is_empty())
    })?;
    let fault = Fault::new(
        "syntax.keyword_stuck",
        at(first),
        format!("There is no space after `{word}` at the beginning of {}.", case.on(first.start)),
        format!("Python reads `{}` as a single name.", first.text),
        "Where does the first word end?",
    );
    fault.if_helps(case, vec![Edit::insert(first.start + word.len(), " ")])
}

/// A word of Python where only a name can be.
fn keyword_as_name(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let error = case.error?;
    let near = words.iter().enumerate().filter(|(index, word)| {
        let before = index.checked_sub(1).and_then(|at| words.get(at));
        let is_named = before.is_some_and(|before| NAMING.contains(&before.text));
        let is_there = word.start <= error && error <= word.end() + 1;
        let next = words.get(index + 1);
        let like_name = |next: &Token<'_>| {
            next.assigns()
                || next.closes()
                || next.is_binary()
                || next.is_one_of(&[".", ",", "[", ":"])
        };
        let is_used =
            next.is_some_and(like_name) && !word.is_one_of(&["pass", "break", "continue"]);
        word.kind == Kind::Keyword
            && !word.is_one_of(&["lambda", "not"])
            && (is_named || (is_there && is_used))
    });
    near.take(3).find_map(|(_, word)| {
        let fault = Fault::new(
            "syntax.keyword_name",
            at(word),
            format!("`{}` on {} cannot be a name.", word.text, case.on(word.start)),
            "It is a word of Python itself, with a meaning of its own.",
            "What else could you call it?",
        );
        fault.if_helps(case, vec![Edit::replace(word, "x")])
    })
}

/// `x = return 3`, `print(for x in xs)`
fn inside(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    const STATEMENTS: [&str; 16] = [
        "return", "raise", "pass", "break", "continue", "while", "def", "class", "try", "del",
        "global", "nonlocal", "assert", "with", "elif", "except",
    ];
    let (_, word) = words.iter().enumerate().skip(1).find(|(index, word)| {
        let before = &words[index - 1];
        let next = words.get(index + 1);
        let is_whole = word.is_one_of(&["pass", "break", "continue", "return"]) && next.is_none();
        let goes_on = next.is_some_and(|next| next.starts_with_value() || next.is("not"));
        // A value cannot begin with these two.
        let is_block = word.is_one_of(&["if", "for"])
            && (before.assigns()
                || before.is("return")
                || (before.is_binary() && !before.is("in")));
        (word.is_one_of(&STATEMENTS) || is_block)
            && (is_whole || goes_on)
            && word.line == before.line
            && !before.is_one_of(&[":", ";", "async", "."])
            && !NAMING.contains(&before.text)
    })?;
    Some(Fault::new(
        "syntax.statement_inside",
        at(word),
        format!("`{}` stands in the middle of {}.", word.text, case.on(word.start)),
        format!(
            "`{}` begins a statement of its own, which has no value and cannot be part of another one.",
            word.text
        ),
        "Which part of that line is a step of its own?",
    ))
}

/// `break 2`
fn nothing_follows(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first().filter(|first| first.is_one_of(&["pass", "break", "continue"]))?;
    let next = words.get(1).filter(|next| !next.is(";") && next.line == first.line)?;
    Some(Fault::new(
        "syntax.nothing_follows",
        at(next),
        format!("Something follows `{}` on {}.", first.text, case.on(first.start)),
        format!("`{}` stands alone: nothing belongs to it.", first.text),
        "What should the rest of that line do?",
    ))
}

/// A sign without which the parser comes further.
fn one_too_many(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let error = case.error?;
    let index = words.iter().position(|word| error <= word.start)?;
    let near =
        [Some(index), index.checked_sub(1)].into_iter().flatten().filter_map(|at| words.get(at));
    let is_sign = |word: &&Token<'_>| word.kind == Kind::Sign && !word.opens() && !word.closes();
    near.filter(is_sign).find_map(|word| {
        let fault = Fault::new(
            "syntax.extra_sign",
            at(word),
            format!(
                "The `{}` on {} is where Python expects something else.",
                word.text,
                case.on(word.start)
            ),
            "Without it, Python could read the line.",
            "What should that sign do there?",
        );
        // What follows may only look wrong because the author meant something else: no second cause.
        fault.if_helps(case, vec![Edit::replace(word, "")]).map(|fault| fault.repaired(Vec::new()))
    })
}
