//! Quality checks: whether a course is correct, and how the tutor does on labelled cases.
//!
//! Belongs here: running the functions' own logic and the sandbox on known cases, and counting. Never here: the cases,
//! which are kept with the functions; terminal output; the database.

mod bug;
pub mod course;
pub mod errors;
pub mod mistakes;
pub mod nudges;
mod one_line;
pub mod programs;
pub mod quality;
pub mod questions;
pub mod sets;
pub mod syntax_errors;
