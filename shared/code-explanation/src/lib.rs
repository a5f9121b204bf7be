//! Explains a student's program, or a part of it: from its tree, and from the trace of a real run.
//!
//! What is said is in the tree or has been seen in the run; what is not known is shown by its source text only. A
//! question is recognised by [`subject`], [`plan`] says what to run, and [`explain`] answers.
//!
//! Belongs here: what Python text means, and what a trace shows about it, in words for beginners. Never here: running
//! code, lessons, what is wrong with a program.

mod explain;
mod facts;
mod gist;
mod inside;
mod items;
mod known;
mod lines;
mod message;
mod names;
mod notes;
mod observed;
mod outcome;
mod part;
mod phrases;
mod plan;
mod question;
mod statements;
mod topics;
mod value;
mod whole;
mod words;

#[cfg(test)]
mod tests;

pub use explain::{Question, explain};
pub use known::Explanation;
pub use message::explain_message;
pub use plan::{ANSWERS, Example, Plan, plan};
pub use question::{Subject, refers_to_code, subject};
