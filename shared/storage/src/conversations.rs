//! Conversations: questions that belong together.

use chrono::{DateTime, Utc};
use domain::versioned::{self, Unreadable};
use ids::{ConversationId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    erasure,
    queries::{Query, QueryRow, QuestionBody},
};

/// A conversation in a list.
#[derive(Debug)]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub updated_at: DateTime<Utc>,
    /// Its first question.
    pub first: Option<Result<QuestionBody, Unreadable>>,
    /// How many questions it has.
    pub questions: i64,
}

/// A conversation, with its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// Its student.
    pub student_id: UserId,
}

/// A question with its answer, if there is one. An unreadable one must not hide the others.
#[derive(Debug)]
pub struct Exchange {
    /// The question.
    pub question: Result<QuestionBody, Unreadable>,
    /// What became of it.
    pub query: Query,
}

/// How much of a conversation is read.
#[derive(Debug, Clone, Copy)]
pub struct ExchangeLimits {
    /// So many questions.
    pub questions: i64,
    /// So many bytes of questions and answers as they are stored.
    pub bytes: usize,
}

/// A conversation, with its owner.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: ConversationId) -> sqlx::Result<Option<Owned>> {
    let student =
        sqlx::query_scalar!("SELECT student_id FROM conversations WHERE id = $1", id.as_uuid())
            .fetch_optional(conn)
            .await?;
    Ok(student.map(|student| Owned { student_id: UserId::from_uuid(student) }))
}

/// A student's conversations, the latest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn list(
    conn: &mut PgConnection,
    student: UserId,
    limit: i64,
) -> sqlx::Result<Vec<Listed>> {
    let rows = sqlx::query!(
        r#"SELECT id, created_at, last.asked_at AS updated_at,
                  (SELECT question::text FROM queries WHERE conversation_id = conversations.id
                   ORDER BY asked_at, queries.id LIMIT 1) AS first,
                  (SELECT count(*) FROM queries WHERE conversation_id = conversations.id) AS "questions!"
           FROM conversations
           CROSS JOIN LATERAL (SELECT asked_at FROM queries WHERE conversation_id = conversations.id
                               ORDER BY asked_at DESC LIMIT 1) AS last
           WHERE student_id = $1 ORDER BY last.asked_at DESC LIMIT $2"#,
        student.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    let listed = rows.into_iter().map(|row| Listed {
        id: row.id,
        created_at: row.created_at,
        updated_at: row.updated_at,
        first: row.first.as_deref().map(versioned::read),
        questions: row.questions,
    });
    Ok(listed.collect())
}

/// The questions of a conversation with their answers, oldest first, the last ones within the limits.
///
/// # Errors
/// The database's own.
pub async fn exchanges(
    conn: &mut PgConnection,
    id: ConversationId,
    limits: ExchangeLimits,
) -> sqlx::Result<Vec<Exchange>> {
    // A scalar subquery, which is never planned as a list of all dead letters, and only of what has no answer.
    let rows = sqlx::query!(
        r#"SELECT id, student_id, conversation_id, question::text AS "question!", asked_at, agent, answered_by,
                  answer::text, answered_at, helpful,
                  (SELECT true FROM events WHERE queries.answered_at IS NULL AND topic = 'dead.letters'
                                             AND correlation_id = queries.id LIMIT 1) IS NOT NULL AS "failed!"
           FROM queries WHERE conversation_id = $1 ORDER BY asked_at DESC, id DESC LIMIT $2"#,
        id.as_uuid(),
        limits.questions,
    )
    .fetch_all(conn)
    .await?;
    let mut bytes = 0;
    let within = rows.into_iter().take_while(|row| {
        bytes += row.question.len() + row.answer.as_ref().map_or(0, String::len);
        bytes <= limits.bytes
    });
    let exchanges = within.map(|row| Exchange {
        question: versioned::read(&row.question),
        query: Query::from(QueryRow {
            id: row.id,
            student_id: row.student_id,
            conversation_id: row.conversation_id,
            asked_at: row.asked_at,
            agent: row.agent,
            answered_by: row.answered_by,
            answer: row.answer,
            answered_at: row.answered_at,
            helpful: row.helpful,
            failed: row.failed,
        }),
    });
    let mut exchanges: Vec<Exchange> = exchanges.collect();
    exchanges.reverse();
    Ok(exchanges)
}

/// Deletes a conversation with its questions and answers, and their text in the audit trail, including requests still
/// in progress ([`crate::erasure`]).
///
/// # Errors
/// The database's own.
pub async fn delete(
    conn: &mut PgConnection,
    id: ConversationId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let requests =
        sqlx::query_scalar!("SELECT id FROM queries WHERE conversation_id = $1", id.as_uuid())
            .fetch_all(&mut *conn)
            .await?;
    erasure::erase(&mut *conn, &requests, now).await?;
    sqlx::query!("DELETE FROM conversations WHERE id = $1", id.as_uuid()).execute(conn).await?;
    Ok(())
}
