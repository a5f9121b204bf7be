//! The events between functions: the envelope, the topics, and one file for each event type.
//!
//! Belongs here: wire shapes and their reading and writing. Never here: behaviour, database rows, or
//! a changed meaning under an old type name (a new meaning is a new type: `.v2`).
//!
//! Versions run side by side during every upgrade, so readers accept what a later version may add: an unknown event
//! type is skipped, an unknown field is ignored, and an unknown name in a closed set becomes what `lenient.rs` says for
//! that set. Writers may add an optional field or a name, and remove nothing: `tests/evolution` reads last version's
//! events with this version's types, and the other way round.

pub mod account_erased;
pub mod activity_recorded;
pub mod cloud_event;
pub mod connection_due;
pub mod dead_letter;
pub mod debug_requested;
pub mod delivery_due;
pub mod envelope;
pub mod event_types;
pub mod execution_finished;
pub mod execution_requested;
pub mod exercise_generated;
pub mod exercise_requested;
mod json;
mod lenient;
pub mod model_call;
pub mod notification_made;
pub mod progress_requested;
pub mod progress_updated;
pub mod question_answered;
pub mod question_asked;
pub mod question_routed;
pub mod review_requested;
pub mod struggle_detected;
pub mod submission_graded;
pub mod submission_made;
pub mod topic;

pub use cloud_event::{CloudEvent, Data, DecodeError, HeaderStyle};
pub use envelope::{Envelope, Event};
pub use json::Json;
pub use topic::Topic;
