//! Reading Python without running it: what a student pasted, taken apart.
//!
//! Belongs here: error reports, what they mean, and the shape of pasted text. Never here: how to teach
//! (that is an agent's), or anything that runs code.

pub mod advice;
mod clean;
mod paste;
mod report;

pub use clean::{clean_code, foreign_language};
pub use paste::{Paste, split};
pub use report::{ErrorReport, read_report};
