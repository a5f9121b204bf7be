//! Reading Python without running it: what a student pasted, taken apart.
//!
//! Belongs here: error reports and the shape of pasted text. Never here: advice (that is an agent's),
//! or anything that runs code.

mod paste;
mod report;

pub use paste::{Paste, split};
pub use report::{ErrorReport, read_report};
