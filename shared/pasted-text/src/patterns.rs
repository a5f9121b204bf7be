//! Patterns are literals.

use regex::Regex;

/// Compiles a pattern.
pub(crate) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a literal that the tests compile")
}
