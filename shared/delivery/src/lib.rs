//! Events: from a trigger to a handler, and from the handler's decision to the broker.
//!
//! Belongs here: handlers and what is committed when, who retries, inbox and outbox, Kafka, dead letters, waiting for
//! answers, and periodic work. Never here: HTTP endpoints, a product noun or a function's name.

mod access;
mod admissions;
mod arrival;
pub mod changed_data;
mod closing;
mod cloud_event;
pub mod cluster;
pub mod consumer;
mod counters;
pub mod database;
mod dead_letter;
mod failure;
pub mod fault;
pub mod follower;
mod group_commit;
pub mod handler;
mod incoming;
pub mod kafka;
mod keyed_queue;
mod keys;
pub mod lanes;
mod listeners;
mod live;
pub mod message;
mod msk_token;
pub mod outbox;
mod pending;
pub mod periodic;
pub mod process;
mod refusal;
mod remembered;
pub mod replay;
pub mod replies;
mod retry;
pub mod schema;
pub mod scope;
mod sealing;
pub mod store;
mod sweep;
mod transaction;
mod writer;

pub use admissions::Admissions;
pub use arrival::Arrival;
pub use group_commit::{UnitOfWork, WorkOrigin};
pub use handler::{Act, Decide, HandlerError, Outgoing, Received};
pub use keys::{Keys, OpenError};
pub use listeners::{Heard, Listener};
pub use live::Live;
pub use periodic::{Periodic, Round, Schedule};
pub use rdkafka::error::KafkaError;
pub use sealing::Damaged;
pub use store::Store;
pub use sweep::Sweep;
pub use transaction::Transaction;
