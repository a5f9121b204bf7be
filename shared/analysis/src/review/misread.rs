//! What makes a text unreadable, where its words show it.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions};
use ruff_text_size::{Ranged, TextRange};

/// Built-ins that beginners write without parentheses.
const CALLED: &str =
    "len str int float range sum max min abs input sorted list round type print set tuple";
/// Words of Python that can stand in expressions.
const VALUES: &str = "None True False lambda not yield await";

/// A rule and what to say, for the first line that shows what is wrong.
pub(super) fn cause(source: &str) -> Option<(&'static str, TextRange, String)> {
    let parsed = ruff_python_parser::parse_unchecked(source, ParseOptions::from(Mode::Module));
    let mut before: [(TokenKind, TextRange); 2] = [(TokenKind::Newline, TextRange::default()); 2];
    // The word at the beginning of the line, and how many brackets are open.
    let (mut begins, mut open) = (TokenKind::Newline, 0_i32);
    for token in parsed.tokens() {
        let (kind, range) = (token.kind(), token.range());
        let [(first, _), (middle, place)] = before;
        let word = &source[place];
        // Words such as `match` are names, too.
        let is_keyword = middle.is_non_soft_keyword();
        let is_parameter = matches!(first, TokenKind::Lpar | TokenKind::Comma)
            && matches!(kind, TokenKind::Comma | TokenKind::Rpar)
            && !VALUES.split(' ').any(|value| value == word);
        if is_keyword && (kind == TokenKind::Equal && first != TokenKind::Lambda || is_parameter) {
            let what = format!(
                "`{word}` is one of Python's own words and cannot be the name of a variable."
            );
            return Some(("keyword_as_name", place, what));
        }
        let is_argument =
            matches!(kind, TokenKind::Name | TokenKind::Int | TokenKind::Float | TokenKind::String);
        if middle == TokenKind::Name
            && is_argument
            && CALLED.split(' ').any(|name| name == word)
            && first != TokenKind::Dot
        {
            let what = format!(
                "`{word}` is a function: to call it, what it gets goes in parentheses, as in `{word}(...)`."
            );
            return Some(("missing_parentheses", place, what));
        }
        if matches!(middle, TokenKind::Newline | TokenKind::Indent | TokenKind::Dedent) {
            (begins, open) = (kind, 0);
        }
        match kind {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => open += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => open -= 1,
            _ => {}
        }
        let is_condition = matches!(begins, TokenKind::If | TokenKind::Elif | TokenKind::While);
        if kind == TokenKind::Equal && is_condition && open == 0 {
            let what = "`=` assigns a value; a condition compares with `==`.".to_owned();
            return Some(("equals_in_condition", range, what));
        }
        if middle == TokenKind::Else && begins == TokenKind::Else && is_argument {
            let what = "`else` takes no condition: it is for all that is left. `elif` takes one."
                .to_owned();
            return Some(("condition_after_else", place, what));
        }
        before = [before[1], (kind, range)];
    }
    None
}
