//! Every test that needs more than one crate, in one binary, so that all share one PostgreSQL.

mod accounts;
mod bad_input;
mod conformance;
mod debugging;
mod delivery;
mod flow;
mod grading;
mod memory;
mod model;
mod outages;
mod practising;
mod reviewing;
mod sandbox;
mod telemetry;
mod tidy;
mod transcripts;
mod triggers;
