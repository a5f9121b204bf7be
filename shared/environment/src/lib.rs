//! What every process needs: settings, time and fresh ids, threads for long computations, logs, traces and metrics, HTTP
//! clients, and request deadlines.
//!
//! Belongs here: what connects a process with its surroundings, each with its limits. Never here: what the process
//! does; HTTP endpoints, events, the database.

pub mod access_key;
pub mod clock;
pub mod compute;
pub mod config;
pub mod deadline;
mod error_chain;
mod http_client;
pub mod kafka_config;
pub mod metrics;
pub mod outbound;
pub mod telemetry;

pub use clock::Clock;
pub use error_chain::chain;
pub use http_client::http_client;
