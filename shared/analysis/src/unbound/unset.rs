//! What is found.

use ruff_text_size::TextRange;

/// Why a name may have no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// Nothing before that line gives it one, on any path.
    Later,
    /// It gets one only in the loop that begins on this line, which may not run.
    Loop(u32),
    /// It gets one only in a branch of the statement that begins on this line.
    Branch(u32),
    /// It gets one only in the `try` that begins on this line, which may fail before.
    Attempt(u32),
    /// The `del` on this line takes it away.
    Deleted(u32),
}

/// A name that is read where it may have no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbound<'a> {
    /// The name.
    pub name: &'a str,
    /// The line that reads it, from 1.
    pub line: u32,
    /// Why it may have none.
    pub why: Unset,
    /// The function, `None` for the program itself.
    pub function: Option<&'a str>,
    pub(crate) range: TextRange,
}
