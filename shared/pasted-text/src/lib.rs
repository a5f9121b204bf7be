//! Splits what a student pasted into prose, code and error reports.
//!
//! Belongs here: the form of pasted text, and what an error report says. Never here: what an error means, or anything
//! that runs code.

mod clean;
mod paste;
mod report;

pub use clean::{clean_code, foreign_language};
pub use paste::{Paste, split};
pub use report::{ErrorReport, read_report};
