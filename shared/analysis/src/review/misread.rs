//! What makes a text unreadable, where its words show it.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions};
use ruff_text_size::{Ranged, TextRange};

/// Built-ins that beginners write without parentheses.
const CALLED: &str =
    "len str int float range sum max min abs input sorted list round type print set tuple";
/// Words of Python that can stand in expressions.
const VALUES: &str = "None True False lambda not yield await";

/// A rule, the place, and what to say.
type Cause = (&'static str, TextRange, String);

/// A word or sign, and its place.
type Word = (TokenKind, TextRange);

/// The first line that shows what is wrong.
pub(super) fn cause(source: &str) -> Option<Cause> {
    let parsed = ruff_python_parser::parse_unchecked(source, ParseOptions::from(Mode::Module));
    let mut line: Vec<Word> = Vec::new();
    for token in parsed.tokens() {
        match token.kind() {
            TokenKind::Newline => {
                if let Some(found) = in_line(source, &line) {
                    return Some(found);
                }
                line.clear();
            }
            TokenKind::Indent
            | TokenKind::Dedent
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            kind => line.push((kind, token.range())),
        }
    }
    in_line(source, &line)
}

fn in_line(source: &str, line: &[Word]) -> Option<Cause> {
    keyword_as_name(source, line)
        .or_else(|| missing_parentheses(source, line))
        .or_else(|| missing_def(source, line))
        .or_else(|| condition(line))
}

fn is_one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// `class = 5`, `def f(for):`.
fn keyword_as_name(source: &str, line: &[Word]) -> Option<Cause> {
    let (at, place) = line.iter().enumerate().find_map(|(at, (kind, place))| {
        // Words such as `match` are names, too.
        if !kind.is_non_soft_keyword() {
            return None;
        }
        let before = at.checked_sub(1).and_then(|at| line.get(at)).map(|word| word.0);
        let after = line.get(at + 1)?.0;
        let is_parameter = matches!(before, Some(TokenKind::Lpar | TokenKind::Comma))
            && matches!(after, TokenKind::Comma | TokenKind::Rpar)
            && !is_one_of(VALUES, &source[*place]);
        (after == TokenKind::Equal || is_parameter).then_some((at, *place))
    })?;
    // A `lambda` may have defaults.
    if line[..at].iter().any(|(kind, _)| *kind == TokenKind::Lambda) {
        return None;
    }
    let word = &source[place];
    let what =
        format!("`{word}` is one of Python's own words and cannot be the name of a variable.");
    Some(("keyword_as_name", place, what))
}

/// `len items`.
fn missing_parentheses(source: &str, line: &[Word]) -> Option<Cause> {
    let at = line.windows(2).position(|pair| {
        let [(kind, place), (next, _)] = pair else { return false };
        *kind == TokenKind::Name && is_value(*next) && is_one_of(CALLED, &source[*place])
    })?;
    if at > 0 && line[at - 1].0 == TokenKind::Dot {
        return None;
    }
    let place = line[at].1;
    let word = &source[place];
    let what = format!(
        "`{word}` is a function: to call it, what it gets goes in parentheses, as in `{word}(...)`."
    );
    Some(("missing_parentheses", place, what))
}

fn is_value(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Name | TokenKind::Int | TokenKind::Float | TokenKind::String)
}

/// `double(n):`.
fn missing_def(source: &str, line: &[Word]) -> Option<Cause> {
    let [
        (TokenKind::Name, name),
        (TokenKind::Lpar, _),
        ..,
        (TokenKind::Rpar, _),
        (TokenKind::Colon, _),
    ] = line
    else {
        return None;
    };
    let what = format!("A function begins with `def`: `def {}(...):`.", &source[*name]);
    Some(("missing_def", *name, what))
}

/// `if x = 5:`, `else x > 5:`.
fn condition(line: &[Word]) -> Option<Cause> {
    let (first, place) = line.first()?;
    if *first == TokenKind::Else && is_value(line.get(1)?.0) {
        let what = "`else` takes no condition: it is for all that is left. `elif` takes one.";
        return Some(("condition_after_else", *place, what.to_owned()));
    }
    if !matches!(first, TokenKind::If | TokenKind::Elif | TokenKind::While) {
        return None;
    }
    let mut open = 0_i32;
    for (kind, place) in line {
        match kind {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => open += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => open -= 1,
            // What follows on the same line is no condition any more.
            TokenKind::Colon if open == 0 => return None,
            TokenKind::Equal if open == 0 => {
                let what = "`=` assigns a value; a condition compares with `==`.";
                return Some(("equals_in_condition", *place, what.to_owned()));
            }
            _ => {}
        }
    }
    None
}
