//! Splits what a student pasted into prose, code and error reports.
//!
//! Belongs here: the form of pasted text, and what an error report says. Never here: what an error means, or anything
//! that runs code.

mod clean;
mod damage;
mod foreign;
mod grow;
mod inline;
mod marks;
mod messages;
mod paste;
mod patterns;
mod pieces;
mod report;
mod settle;
mod shape;
mod strings;
#[cfg(test)]
mod tests;
mod token;

pub use clean::clean_code;
pub use damage::{Damage, damage};
pub use foreign::{foreign_language, foreign_program};
pub use paste::{Paste, split};
pub use pieces::{Part, Piece, pieces};
pub use report::{ErrorReport, read_report};
