//! Students' questions and their answers.

use chrono::{DateTime, Utc};
use domain::agent::{AnsweredBy, Author};
use ids::{ConversationId, QueryId, UserId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// A question, with its answer once there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Its id, and the correlation id of all that it causes.
    pub id: QueryId,
    /// Who asked it.
    pub student_id: UserId,
    /// The conversation that it belongs to.
    pub conversation_id: Option<Uuid>,
    /// When it was accepted.
    pub asked_at: DateTime<Utc>,
    /// The answer.
    pub answer: Option<StoredAnswer>,
    /// Whether some function has given up on it.
    pub failed: bool,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// Who gave it: the name of an [`Author`].
    pub agent: String,
    /// What it was made with: the name of an [`AnsweredBy`].
    pub answered_by: String,
    /// `{answer, routing}` as the event brought them.
    pub body: Value,
    /// When it was stored.
    pub answered_at: DateTime<Utc>,
}

/// Keeps a new question.
///
/// # Errors
/// The database's own; a student without an account breaks `queries_student_id_fkey`.
pub async fn insert(
    conn: &mut PgConnection,
    id: QueryId,
    (student_id, conversation_id): (UserId, ConversationId),
    question: &Value,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO queries (id, student_id, question, asked_at, conversation_id)
         VALUES ($1, $2, $3::text::json, $4, $5)",
        id.as_uuid(),
        student_id.as_uuid(),
        // As text: sqlx would send jsonb.
        question.to_string(),
        now,
        conversation_id.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A question.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: QueryId) -> sqlx::Result<Option<Query>> {
    let row = sqlx::query!(
        r#"SELECT student_id, asked_at, conversation_id, agent, answered_by, answer, answered_at,
                  EXISTS (SELECT 1 FROM events
                          WHERE topic = 'dead.letters' AND correlation_id = queries.id) AS "failed!"
           FROM queries WHERE id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Query {
        id,
        student_id: UserId::from_uuid(row.student_id),
        conversation_id: row.conversation_id,
        asked_at: row.asked_at,
        failed: row.failed,
        answer: match (row.agent, row.answered_by, row.answer, row.answered_at) {
            (Some(agent), Some(answered_by), Some(body), Some(answered_at)) => {
                Some(StoredAnswer { agent, answered_by, body, answered_at })
            }
            _ => None,
        },
    }))
}

/// Stores the answer to a question of which there is none yet; the first one stays. Gives the conversation that
/// the question belongs to.
///
/// # Errors
/// The database's own.
pub async fn record_answer(
    conn: &mut PgConnection,
    id: QueryId,
    student_id: UserId,
    agent: Author,
    answered_by: AnsweredBy,
    body: &Value,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    let conversation = sqlx::query_scalar!(
        "WITH recorded AS (
             UPDATE queries SET agent = $3, answered_by = $4, answer = $5::text::json, answered_at = $6
             WHERE id = $1 AND student_id = $2 AND answered_at IS NULL)
         SELECT conversation_id FROM queries WHERE id = $1 AND student_id = $2",
        id.as_uuid(),
        student_id.as_uuid(),
        agent.as_str(),
        answered_by.as_str(),
        // As text: sqlx would send jsonb, which cannot hold every character that a program prints.
        body.to_string(),
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(conversation.flatten())
}

/// Keeps what a student thinks of an answer. `false`: there is no such answer.
///
/// # Errors
/// The database's own.
pub async fn rate(conn: &mut PgConnection, id: QueryId, helpful: bool) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE queries SET helpful = $2 WHERE id = $1 AND answered_at IS NOT NULL",
        id.as_uuid(),
        helpful,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}
