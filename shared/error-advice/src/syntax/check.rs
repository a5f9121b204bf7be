//! What all checks share.

use super::{
    case::{Case, Fault},
    token::Token,
};

/// Looks for one kind of cause in a statement.
pub(super) type Check = fn(&Case<'_>, &[Token<'_>]) -> Option<Fault>;

/// How many of something in a statement are looked at where each look reads the whole statement.
pub(super) const MANY: usize = 100;
/// How many where each is tried by the parser.
pub(super) const FEW: usize = 8;
/// The most characters of a quoted piece of the program.
const SHOWN_CHARS: usize = 40;

/// A piece of the program, cut if it is long.
pub(super) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= SHOWN_CHARS && line.len() == text.len() {
        return line.to_owned();
    }
    let start: String = line.chars().take(SHOWN_CHARS).collect();
    format!("{start}…")
}
