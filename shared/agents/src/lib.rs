//! What the agents that look into a program do alike: find the program in the question, have it run, and
//! go on when the result is there.
//!
//! Belongs here: the way of a question through an agent. Never here: what an agent says.

mod direct;
mod draft;

pub use direct::{Direct, ask};
pub use draft::{code, request_run, take};
