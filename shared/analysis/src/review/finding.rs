//! The findings of a review.

use ruff_text_size::Ranged;

use super::rules::{self, Rule};
use crate::Program;

/// A finding at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind of finding.
    pub rule: &'static Rule,
    /// From 1.
    pub line: u32,
    /// In the program's own names.
    pub message: String,
}

/// The findings so far.
pub(super) struct Findings<'p, 'a> {
    pub(super) program: &'p Program<'a>,
    pub(super) found: Vec<Finding>,
}

impl Findings<'_, '_> {
    pub(super) fn add(&mut self, rule: &str, place: impl Ranged, message: impl Into<String>) {
        let line = self.program.line(place);
        self.found.push(Finding { rule: rules::rule(rule), line, message: message.into() });
    }
}
