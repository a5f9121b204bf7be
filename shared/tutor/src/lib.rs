//! The tutor's model: its prompts, calls to it, and the checks of its answers.
//!
//! Belongs here: prompts (one versioned file each), the call with its limits, and the checks that an answer passes.
//! Never here: what an agent does with an answer, or says without one.

mod breaker;
mod call;
mod chunk;
mod config;
mod dialect;
pub mod guard;
pub mod privacy;
mod prompt;
pub mod reply;
mod stream;

pub use breaker::Breaker;
pub use call::{Answered, ModelError, Tutor};
pub use config::{Budget, Spent, TutorConfig, VARIABLES};
pub use dialect::{AnswerFormat, Dialect, LimitField};
pub use prompt::{Prompt, prompt};
