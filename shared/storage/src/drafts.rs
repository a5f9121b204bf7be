//! Agents' work that waits for a run or a model.

use chrono::{DateTime, Utc};
use domain::agent::Author;
use ids::{QueryId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A draft to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewDraft<'a> {
    /// What it waits for, or an id of its own.
    pub id: Uuid,
    /// The question, or the solution that is graded.
    pub query: QueryId,
    /// Who asked it; a student without an account is not stored.
    pub student: UserId,
    /// The agent that continues it.
    pub agent: Author,
    /// Whatever that agent needs to continue, JSON.
    pub body: &'a str,
    /// The answer to another question that it waits for.
    pub waits_for: Option<&'a [u8]>,
    /// When it counts as lost.
    pub deadline_at: DateTime<Utc>,
}

/// Stores a draft.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    draft: NewDraft<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO drafts (id, query_id, student_id, agent, body, waits_for, created_at, deadline_at)
         VALUES ($1, $2, (SELECT id FROM users WHERE id = $3), $4, $5::text::json, $6, $7, $8)",
        draft.id,
        draft.query.as_uuid(),
        draft.student.as_uuid(),
        draft.agent.as_str(),
        draft.body,
        draft.waits_for,
        now,
        draft.deadline_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the body of an agent's draft, if there is one: the taker finishes the work.
///
/// # Errors
/// The database's own.
pub async fn take(
    conn: &mut PgConnection,
    id: Uuid,
    agent: Author,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"DELETE FROM drafts WHERE id = $1 AND agent = $2 RETURNING body::text AS "body!""#,
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

/// Takes the bodies of the drafts that wait for an answer, oldest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn take_waiting(
    conn: &mut PgConnection,
    waits_for: &[u8],
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"DELETE FROM drafts WHERE id IN
               (SELECT id FROM drafts WHERE waits_for = $1 ORDER BY created_at LIMIT $2)
           RETURNING body::text AS "body!""#,
        waits_for,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// A draft that was past its deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostDraft {
    /// The question that it belongs to, and who asked it, if nobody has answered it.
    pub unanswered: Option<(QueryId, UserId)>,
    /// Its body, JSON.
    pub body: String,
}

/// Takes drafts that are past their deadline, at most `limit`, and marks the solutions among them as lost.
///
/// # Errors
/// The database's own.
pub async fn take_lost(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<LostDraft>> {
    let rows = sqlx::query!(
        r#"WITH lost AS (
               DELETE FROM drafts WHERE id IN (
                   SELECT id FROM drafts WHERE deadline_at < $1 ORDER BY deadline_at LIMIT $2
                   FOR UPDATE SKIP LOCKED)
               RETURNING query_id, body),
           ungraded AS (
               UPDATE submissions SET lost_at = $1 FROM lost
               WHERE submissions.id = query_id AND graded_at IS NULL)
           SELECT queries.id AS "query?", queries.student_id AS "student?", body::text AS "body!" FROM lost
           LEFT JOIN queries ON queries.id = query_id AND answered_at IS NULL"#,
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let lost = rows.into_iter().map(|row| LostDraft {
        unanswered: row
            .query
            .zip(row.student)
            .map(|(query, student)| (QueryId::from_uuid(query), UserId::from_uuid(student))),
        body: row.body,
    });
    Ok(lost.collect())
}
