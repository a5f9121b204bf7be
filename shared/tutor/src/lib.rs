//! The tutor's model: what it is asked, how it is asked, and what of its answers is believed.
//!
//! Belongs here: prompts (one versioned file each), the call with its limits, and the checks that an answer
//! passes. Never here: what an agent does with an answer, or what it says where there is none.

mod breaker;
mod call;
mod config;
pub mod guard;
pub mod privacy;
mod prompt;
pub mod reply;
mod stream;

pub use breaker::Breaker;
pub use call::{Answered, ModelError, Tutor};
pub use config::{Budget, Spent, TutorConfig, VARIABLES};
pub use prompt::{Prompt, prompt};
