//! A program with a known mistake.

use std::collections::BTreeSet;

/// A program with a mistake, and what is asked about it.
#[derive(Debug, Clone)]
pub(crate) struct Bug {
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) question: String,
    /// Where it is: any of them is right.
    pub(crate) lines: BTreeSet<u32>,
}
