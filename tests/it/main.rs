//! Every test that needs more than one crate, in one binary, so that all share one PostgreSQL.

mod accounts;
mod bad_input;
mod catalogue;
mod conformance;
mod credentials;
mod debugging;
mod delivery;
mod doors;
mod flow;
mod grading;
mod hostile_words;
mod memory;
mod model;
mod network;
mod new_function;
mod outages;
mod practising;
mod rebalance;
mod relay;
mod retention;
mod reviewing;
mod sandbox;
mod telemetry;
mod tidy;
mod transcripts;
mod triggers;
