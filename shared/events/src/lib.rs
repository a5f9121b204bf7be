//! What functions say to each other: the envelope, the topics, and one file for each event type.
//!
//! Belongs here: wire shapes and their reading and writing. Never here: behaviour, database rows, or
//! a changed meaning under an old type name (a new meaning is a new type: `.v2`).
//!
//! Versions run beside each other during every upgrade, so whoever reads an event takes what a later version may add:
//! a type of event that it does not know is skipped, a field is passed over, and a name in a closed set becomes what
//! `lenient.rs` says for that set. Whoever writes one may add an optional field or a name, and takes nothing away:
//! `tests/evolution` holds last version's events against this version's types, and the other way round.

pub mod activity_recorded;
pub mod cloud_event;
pub mod dead_letter;
pub mod debug_requested;
pub mod envelope;
pub mod execution_finished;
pub mod execution_requested;
pub mod exercise_generated;
pub mod exercise_requested;
mod json;
mod lenient;
pub mod model_call;
pub mod question_answered;
pub mod question_asked;
pub mod question_routed;
pub mod review_requested;
pub mod submission_graded;
pub mod submission_made;
pub mod topic;

pub use cloud_event::{CloudEvent, Data, DecodeError, HeaderStyle};
pub use envelope::{Envelope, Event};
pub use json::Json;
pub use topic::Topic;
