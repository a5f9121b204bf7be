//! Static analysis of Python programs: mistakes and habits, a quality score, mutants, and the similarity of two
//! programs.
//!
//! Belongs here: everything that needs Python's grammar. Never here: running code, texts for a certain student, or the
//! parser's types in the public interface; only `code-explanation` walks the tree of a [`Program`] itself.

mod classes;
mod likeness;
pub mod mutants;
mod names;
mod program;
pub mod repair;
pub mod review;
mod scopes;
mod tree;
mod unbound;
mod values;

pub use classes::Lacking;
pub use likeness::Tokens;
pub use program::{Program, Unreadable, first_error};
pub use unbound::{Unbound, Unset};
pub use values::{call_at, value_at};
