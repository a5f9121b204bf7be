//! What happened to one request, hop by hop: from our own tables, for operators.
//!
//! Belongs here: loading what is stored of a request's events, and laying it out. Never here: who may see it (the
//! gateway), or how it looks at a terminal (the `learnflow` command).

mod lay_out;
mod load;
mod shape;

pub use self::{
    load::{Payloads, TraceError, load},
    shape::{Hop, HopOutcome, PayloadState, Trace, TracePayload, TraceSums},
};
