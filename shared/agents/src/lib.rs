//! What agents do alike: find the program in the question, have it run, ask a model, and go on when the
//! result is there.
//!
//! Belongs here: the way of a question through an agent. Never here: what an agent says.

mod direct;
mod draft;
mod exercise;
mod model;
mod shared_answer;

pub use direct::{Direct, ask};
pub use draft::{Origin, code, plain_program, request_run, take};
pub use exercise::exercise;
pub use model::{note_cached, origin, request_model, take_answer, tutor, with_model};
pub use shared_answer::{Shared, share, shared_key};
