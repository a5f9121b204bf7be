//! Every SQL statement, one file for each entity, as plain functions on a connection.
//!
//! Belongs here: SQL, and the conversion between rows and domain types. Never here: pools and
//! transactions (the runtime opens and commits them), or a business rule.

pub mod accounts;
pub mod activities;
pub mod administration;
pub mod admission;
pub mod alerts;
pub mod answer_reports;
pub mod assignments;
pub mod class_alerts;
pub mod class_reports;
pub mod class_teachers;
pub mod classes;
pub mod connections;
pub mod conversations;
pub mod curriculum;
pub mod data_keys;
mod database_error;
pub mod dead_letters;
pub mod deliveries;
pub mod delivery_attempts;
pub mod drafts;
pub mod editor_drafts;
pub mod enrollments;
pub mod erasure;
pub mod event_log;
pub mod events;
pub mod executions;
pub mod exercises;
pub mod exports;
pub mod feature_health;
pub mod health;
pub mod hint_ladders;
pub mod idempotency;
pub mod inbox;
pub mod migrations;
pub mod model_answers;
pub mod model_usage;
pub mod notifications;
pub mod outbox;
pub mod paused_lanes;
pub mod periodic_runs;
pub mod personal_data;
pub mod preferences;
pub mod progress;
pub mod queries;
pub mod quizzes;
pub mod rate_limits;
pub mod refresh_tokens;
pub mod retention;
pub mod socket_messages;
pub mod socket_tickets;
pub mod student_context;
pub mod submissions;
pub mod subscriptions;
pub mod traces;
pub mod users;

pub use database_error::DatabaseFault;
use domain::versioned::{self, Versioned};
use sqlx::PgConnection;

/// An empty query, to see whether the database answers.
///
/// # Errors
/// It does not.
pub async fn probe(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::Connection::ping(conn).await
}

/// JSON as text: sqlx would send jsonb, which cannot represent every character that a program prints or a model writes.
fn to_json<T: Versioned>(value: &T) -> sqlx::Result<String> {
    versioned::write(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Reads stored JSON that is required.
fn from_json<T: Versioned>(json: &str) -> sqlx::Result<T> {
    versioned::read(json).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A stored name of a closed set.
fn named<T: serde::de::DeserializeOwned>(name: &str) -> sqlx::Result<T> {
    let name = serde_json::Value::String(name.to_owned());
    serde_json::from_value(name).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A text without NUL, which PostgreSQL does not accept. For texts that were not checked on input, such as a model's.
fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

/// Has each statement of a connection be planned once, independent of the tables' contents at the time.
///
/// Every statement finds its few rows by an index. A plan with a sequential scan of a small table would still be used
/// when the table has grown.
///
/// It is a statement, since RDS Proxy and `PgBouncer` refuse settings in the first message of a connection.
///
/// # Errors
/// The database's own.
pub async fn plan_once(conn: &mut PgConnection) -> sqlx::Result<()> {
    let settings = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";
    sqlx::raw_sql(settings).execute(conn).await.map(drop)
}
