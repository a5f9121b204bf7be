//! What can be said of a Python program from its text alone: its mistakes and habits, how good it is,
//! what a small change of it would be, and how alike two programs are.
//!
//! Belongs here: everything that needs Python's grammar. Never here: running code, words for a certain
//! student, or other crates' errors: the parser stays behind this crate's door.

mod likeness;
pub mod mutants;
mod names;
mod program;
pub mod review;

pub use likeness::Tokens;
pub use program::{Program, Unreadable};
