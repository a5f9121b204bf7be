//! Every SQL statement, one file for each entity, as plain functions on a connection.
//!
//! Belongs here: SQL, and the conversion between rows and domain types. Never here: pools and
//! transactions (the runtime opens and commits them), or a business rule.

pub mod conversations;
pub mod curriculum;
pub mod dead_letters;
pub mod delivery_attempts;
pub mod drafts;
pub mod erasure;
pub mod events;
pub mod executions;
pub mod exercises;
pub mod hint_ladders;
pub mod idempotency;
pub mod inbox;
pub mod migrations;
pub mod model_answers;
pub mod model_usage;
pub mod outbox;
pub mod periodic_runs;
pub mod progress;
pub mod queries;
pub mod rate_limits;
pub mod refresh_tokens;
pub mod retention;
pub mod submissions;
pub mod users;

/// Asks the database for nothing, to see whether it answers.
///
/// # Errors
/// It does not.
pub async fn probe(conn: &mut sqlx::PgConnection) -> sqlx::Result<()> {
    sqlx::Connection::ping(conn).await
}

/// A text as a column can hold it: without the character NUL, which PostgreSQL does not take. For texts that no edge
/// has checked, such as a model's.
fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}
