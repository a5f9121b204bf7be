//! Students' questions and their answers.

use chrono::{DateTime, Utc};
use domain::{
    agent::{Agent, AnsweredBy, Author},
    text::{Code, ErrorText, Question, TopicName},
    versioned::{self, Unreadable, Versioned},
};
use events::{question_answered::Answer, question_routed::Routing};
use ids::{ConversationId, QueryId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::to_json;

/// A question as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionBody {
    /// The question in the student's words.
    pub question: Question,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The result of running it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorText>,
    /// The topic of the page that the student was on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicName>,
    /// The exercise that the student was working on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exercise_id: Option<Uuid>,
    /// The agent that the student has chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
}

impl Versioned for QuestionBody {
    const NAME: &'static str = "question";
    const VERSION: u32 = 1;
}

/// An answer's content as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerBody {
    /// The answer.
    pub answer: Answer,
    /// How the question got to the agent.
    pub routing: Routing,
}

impl Versioned for AnswerBody {
    const NAME: &'static str = "answer";
    const VERSION: u32 = 1;
}

/// A question, with its answer once there is one.
#[derive(Debug)]
pub struct Query {
    /// Its id, and the correlation id of all its events.
    pub id: QueryId,
    /// Who asked it.
    pub student_id: UserId,
    /// The conversation that it belongs to.
    pub conversation_id: Uuid,
    /// When it was accepted.
    pub asked_at: DateTime<Utc>,
    /// The answer.
    pub answer: Option<StoredAnswer>,
    /// Whether a function has given up on it.
    pub failed: bool,
}

/// An answer as stored.
#[derive(Debug)]
pub struct StoredAnswer {
    /// Who gave it: the name of an [`Author`].
    pub agent: String,
    /// What it was made with: the name of an [`AnsweredBy`].
    pub answered_by: String,
    /// The answer itself. An unreadable one must not hide others.
    pub body: Result<AnswerBody, Unreadable>,
    /// When it was stored.
    pub answered_at: DateTime<Utc>,
    /// Whether it helped, if its student has said so.
    pub helpful: Option<bool>,
}

/// The columns of a question that say what became of it.
pub(crate) struct QueryRow {
    pub(crate) id: Uuid,
    pub(crate) student_id: Uuid,
    pub(crate) conversation_id: Uuid,
    pub(crate) asked_at: DateTime<Utc>,
    pub(crate) agent: Option<String>,
    pub(crate) answered_by: Option<String>,
    pub(crate) answer: Option<String>,
    pub(crate) answered_at: Option<DateTime<Utc>>,
    pub(crate) helpful: Option<bool>,
    pub(crate) failed: bool,
}

impl From<QueryRow> for Query {
    fn from(row: QueryRow) -> Self {
        let helpful = row.helpful;
        let answer = match (row.agent, row.answered_by, row.answer, row.answered_at) {
            (Some(agent), Some(answered_by), Some(body), Some(answered_at)) => {
                let body = versioned::read(&body);
                Some(StoredAnswer { agent, answered_by, body, answered_at, helpful })
            }
            _ => None,
        };
        Self {
            id: QueryId::from_uuid(row.id),
            student_id: UserId::from_uuid(row.student_id),
            conversation_id: row.conversation_id,
            asked_at: row.asked_at,
            answer,
            failed: row.failed,
        }
    }
}

/// The conversation that a question gets into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The student's one that they named; a new one if there is none.
    Named(ConversationId),
    /// The student's last one, if it was used since then; else a new one.
    Last {
        /// Conversations not used since then are over.
        idle_since: DateTime<Utc>,
    },
    /// A new one.
    New,
}

/// A new question.
#[derive(Debug, Clone, Copy)]
pub struct NewQuestion<'a> {
    /// Its id.
    pub id: QueryId,
    /// Who asks.
    pub student: UserId,
    /// The conversation that it gets into.
    pub place: Place,
    /// The question itself.
    pub body: &'a QuestionBody,
}

/// Stores a question in its conversation; a new one gets the question's id. Returns the conversation.
///
/// # Errors
/// The database's own; a student without an account breaks `conversations_student_id_fkey`.
pub async fn insert(
    conn: &mut PgConnection,
    question: NewQuestion<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<ConversationId> {
    let (named, idle_since) = match question.place {
        Place::Named(conversation) => (Some(conversation.as_uuid()), now),
        Place::Last { idle_since } => (None, idle_since),
        // No conversation has the question's id yet, so none is found, and this one is made.
        Place::New => (Some(question.id.as_uuid()), now),
    };
    let conversation = sqlx::query_scalar!(
        r#"WITH found AS (
               SELECT id FROM conversations WHERE id = $4 AND student_id = $2
               UNION ALL
               (SELECT conversation_id FROM queries
                WHERE $4::uuid IS NULL AND student_id = $2 AND asked_at > $5 ORDER BY asked_at DESC LIMIT 1)
           ), made AS (
               INSERT INTO conversations (id, student_id, created_at)
               SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM found)
               RETURNING id
           )
           INSERT INTO queries (id, student_id, question, asked_at, conversation_id)
           SELECT $1, $2, $6::text::json, $3, id FROM (SELECT id FROM found UNION ALL SELECT id FROM made) AS its
           RETURNING conversation_id AS "conversation_id!""#,
        question.id.as_uuid(),
        question.student.as_uuid(),
        now,
        named,
        idle_since,
        to_json(question.body)?,
    )
    .fetch_one(conn)
    .await?;
    Ok(ConversationId::from_uuid(conversation))
}

/// A question.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: QueryId) -> sqlx::Result<Option<Query>> {
    let row = sqlx::query_as!(
        QueryRow,
        r#"SELECT id, student_id, asked_at, conversation_id, agent, answered_by, answer::text, answered_at, helpful,
                  EXISTS (SELECT 1 FROM events
                          WHERE topic = 'dead.letters' AND correlation_id = queries.id) AS "failed!"
           FROM queries WHERE id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Query::from))
}

/// An answer to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewAnswer<'a> {
    /// The question.
    pub query: QueryId,
    /// Who asked it.
    pub student: UserId,
    /// Who answers.
    pub agent: Author,
    /// What the answer was made with.
    pub answered_by: AnsweredBy,
    /// The answer itself.
    pub body: &'a AnswerBody,
}

/// Stores the answer to a question that has none yet; the first one stays. `false`: there was one. A question that is
/// not stored, since it was sent to a function directly or was deleted, has none.
///
/// # Errors
/// The database's own.
pub async fn record_answer(
    conn: &mut PgConnection,
    answer: NewAnswer<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"WITH recorded AS (
               UPDATE queries SET agent = $3, answered_by = $4, answer = $5::text::json, answered_at = $6
               WHERE id = $1 AND student_id = $2 AND answered_at IS NULL RETURNING id)
           SELECT EXISTS (SELECT 1 FROM recorded)
               OR NOT EXISTS (SELECT 1 FROM queries WHERE id = $1 AND student_id = $2) AS "is_first!""#,
        answer.query.as_uuid(),
        answer.student.as_uuid(),
        answer.agent.as_str(),
        answer.answered_by.as_str(),
        to_json(answer.body)?,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Stores a student's rating of an answer. `false`: there is no such answer.
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
