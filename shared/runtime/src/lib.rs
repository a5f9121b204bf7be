//! Everything around a handler: where its events come from, what is committed when, who retries, how
//! its events reach Kafka, and how the process starts, is watched and stops.
//!
//! Belongs here: triggers, inbox and outbox, the HTTP server, configuration, telemetry, tokens. Never
//! here: a product noun or a function's name.

pub mod auth;
pub mod clock;
pub mod compute;
pub mod config;
mod consumer;
mod database_error;
mod dead_letter;
pub mod fault;
mod function;
mod group_commit;
pub mod handler;
mod host;
pub mod http;
mod ingress;
mod jwks;
pub mod kafka;
pub mod lambda;
mod lanes;
mod live;
pub mod message;
mod metrics;
mod outbox;
mod periodic;
mod process;
mod refusal;
pub mod replay;
pub mod replies;
mod retry;
mod schema;
mod services;
mod spec;
mod store;
mod sweep;
pub mod telemetry;
mod writer;

pub use clock::Clock;
pub use function::{Endpoint, Function};
pub use group_commit::{UnitOfWork, WorkOrigin};
pub use handler::{Act, Decide, HandlerError, Outgoing, Received};
pub use host::{Host, HostError, main, shutdown_signal};
pub use live::Live;
pub use periodic::{Periodic, Round, Schedule};
pub use services::{Services, StartError};
pub use spec::{Http, Spec};
pub use store::{Store, Transaction};
pub use sweep::Sweep;

/// An HTTP client with the limits that every call out has.
///
/// # Errors
/// The machine's TLS set-up cannot be used.
#[expect(clippy::disallowed_methods, reason = "the one place that may build a client")]
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    /// The longest for a whole call: what is slower is treated as down.
    const CALL_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);
    reqwest::Client::builder().timeout(CALL_LIMIT).build()
}
