//! Accepting what students ask for, at whichever door it comes in: counted, stored, done once however often it is sent.
//!
//! Belongs here: what the doors have in common, so that none of them has rules of its own. Never here: an endpoint, a
//! frame, or how answers get back to the student.

mod accept;
mod counters;
mod limits;
mod once;
mod question;

pub use accept::{
    Acceptance, Door, KEY_LIMIT, StudentRequest, accept, failed, is_key, reused_key,
    without_account,
};
pub use counters::Counters;
pub use limits::{Count, Standing, hit, per_address, per_user, window};
pub use once::{Creation, idempotency_key};
pub use question::QueryRequest;
