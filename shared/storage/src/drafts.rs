//! Answers that wait for a program to be run.

use chrono::{DateTime, Utc};
use domain::agent::Author;
use ids::{ExecutionId, QueryId, UserId};
use serde_json::Value;
use sqlx::PgConnection;

/// Keeps a draft under the run that it waits for. A student without an account is not noted.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    run: ExecutionId,
    (query, student): (QueryId, UserId),
    agent: Author,
    body: &Value,
    (now, deadline_at): (DateTime<Utc>, DateTime<Utc>),
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO drafts (id, query_id, student_id, agent, body, created_at, deadline_at)
         VALUES ($1, $2, (SELECT id FROM users WHERE id = $3), $4, $5, $6, $7)",
        run.as_uuid(),
        query.as_uuid(),
        student.as_uuid(),
        agent.as_str(),
        body,
        now,
        deadline_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes an agent's draft that waits for a run, if there is one: whoever takes it finishes it.
///
/// # Errors
/// The database's own.
pub async fn take(
    conn: &mut PgConnection,
    run: ExecutionId,
    agent: Author,
) -> sqlx::Result<Option<Value>> {
    sqlx::query_scalar!(
        "DELETE FROM drafts WHERE id = $1 AND agent = $2 RETURNING body",
        run.as_uuid(),
        agent.as_str(),
    )
    .fetch_optional(conn)
    .await
}
