//! Answers that wait for something: a program to be run, a model to answer.

use chrono::{DateTime, Utc};
use domain::agent::Author;
use ids::{QueryId, UserId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// An answer that waits.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// What it waits for, or an id of its own.
    pub id: Uuid,
    /// The question.
    pub query: QueryId,
    /// Who asked it; a student without an account is not noted.
    pub student: UserId,
    /// Who goes on with it.
    pub agent: Author,
    /// Whatever that agent needs to go on.
    pub body: &'a Value,
    /// The answer to another question that it waits for.
    pub waits_for: Option<&'a [u8]>,
    /// When it counts as forgotten.
    pub deadline_at: DateTime<Utc>,
}

/// Keeps a draft.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    draft: Draft<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO drafts (id, query_id, student_id, agent, body, waits_for, created_at, deadline_at)
         VALUES ($1, $2, (SELECT id FROM users WHERE id = $3), $4, $5::text::json, $6, $7, $8)",
        draft.id,
        draft.query.as_uuid(),
        draft.student.as_uuid(),
        draft.agent.as_str(),
        // As text: sqlx would send jsonb, which cannot hold every character that a program prints.
        draft.body.to_string(),
        draft.waits_for,
        now,
        draft.deadline_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes an agent's draft, if there is one: whoever takes it finishes it.
///
/// # Errors
/// The database's own.
pub async fn take(conn: &mut PgConnection, id: Uuid, agent: Author) -> sqlx::Result<Option<Value>> {
    sqlx::query_scalar!(
        "DELETE FROM drafts WHERE id = $1 AND agent = $2 RETURNING body",
        id,
        agent.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// How many drafts wait for an answer.
///
/// # Errors
/// The database's own.
pub async fn count_waiting(conn: &mut PgConnection, waits_for: &[u8]) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM drafts WHERE waits_for = $1"#,
        waits_for,
    )
    .fetch_one(conn)
    .await
}

/// Takes the drafts that wait for an answer, oldest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn take_waiting(
    conn: &mut PgConnection,
    waits_for: &[u8],
    limit: i64,
) -> sqlx::Result<Vec<Value>> {
    sqlx::query_scalar!(
        "DELETE FROM drafts WHERE id IN
             (SELECT id FROM drafts WHERE waits_for = $1 ORDER BY created_at LIMIT $2)
         RETURNING body",
        waits_for,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Takes drafts that are past their deadline, at most `limit`: notes that the solutions among them are lost, and gives
/// the questions that nobody has answered.
///
/// # Errors
/// The database's own.
pub async fn take_forgotten(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<(QueryId, UserId)>> {
    let rows = sqlx::query!(
        r#"WITH forgotten AS (
               DELETE FROM drafts WHERE id IN (
                   SELECT id FROM drafts WHERE deadline_at < $1 ORDER BY deadline_at LIMIT $2
                   FOR UPDATE SKIP LOCKED)
               RETURNING query_id),
           lost AS (
               UPDATE submissions SET lost_at = $1 FROM forgotten
               WHERE submissions.id = query_id AND graded_at IS NULL)
           SELECT DISTINCT queries.id, student_id FROM forgotten
           JOIN queries ON queries.id = query_id WHERE answered_at IS NULL"#,
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (QueryId::from_uuid(row.id), UserId::from_uuid(row.student_id)))
        .collect())
}
