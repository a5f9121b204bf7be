//! Misspelled words of Python, its words used as names, and its statements in the middle of others.

use super::{
    case::{Case, Edit, Fault},
    headers::HEADS,
    token::{Kind, Token},
};

/// Checks that come first: a misspelled word makes the rest of its line look wrong.
pub(super) const FIRST: [super::Check; 2] = [typo, stuck];
/// Checks that come last.
pub(super) const LAST: [super::Check; 3] = [inside, keyword_as_name, one_too_many];

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
    near.into_iter().take(3).find_map(|(_, word)| {
        let is_capital = lower == word;
        let fault = Fault::new(
            "syntax.keyword_typo",
            at(first),
            format!("`{}` on {} is not a word of Python; there is a `{word}`.", first.text, case.on(first.start)),
            if is_capital {
                "Python's words are written in small letters, except True, False and None."
            } else {
                "Python reads an unknown word as a name of yours, and then the rest of the line makes no sense."
            },
            "Compare the spelling, letter by letter.",
        );
        fault.if_helps(case, vec![Edit::replace(first, word)])
    })
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
        let is_used = words
            .get(index + 1)
            .is_none_or(|next| next.assigns() || next.is_one_of(&["+", "-", ".", "==", "["]));
        word.kind == Kind::Keyword
            && !word.is_one_of(&["lambda", "not"])
            && (is_named || is_there)
            && (*index > 0 || is_used)
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
        let is_whole = word.is_one_of(&["pass", "break", "continue"]) && next.is_none();
        let goes_on = next.is_some_and(|next| next.starts_with_value() || next.is("not"));
        word.is_one_of(&STATEMENTS)
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
