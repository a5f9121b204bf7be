//! What is known about a student who asks a question, in one round trip.

use chrono::{DateTime, Utc};
use domain::{
    level::Level,
    versioned::{self, Unreadable, Versioned},
};
use ids::{QueryId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::queries::{AnswerBody, QuestionBody};

/// What to load.
#[derive(Debug, Clone, Copy)]
pub struct ContextRequest {
    /// The student.
    pub student: UserId,
    /// The question.
    pub query: QueryId,
    /// How many of the latest errors.
    pub errors: i64,
    /// How many exchanges of the question's conversation.
    pub exchanges: i64,
    /// The time since when the conversation is remembered.
    pub since: DateTime<Utc>,
}

/// What is known about a student.
#[derive(Debug)]
pub struct StudentContext {
    /// The band of the mean score over the topics that have one; the lowest if none has.
    pub level: Level,
    /// The types of the latest errors, newest first.
    pub recent_errors: Vec<String>,
    /// What was asked and answered before in the same conversation, newest first.
    pub before: Vec<Result<AnsweredQuestion, Unreadable>>,
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnsweredQuestion {
    /// The question.
    pub question: QuestionBody,
    /// Who answered: the name of a [`domain::agent::Author`].
    pub agent: String,
    /// Slugs of the topics that the answer is about, nearest first.
    pub topics: Vec<String>,
}

/// The part of a stored [`AnswerBody`](crate::queries::AnswerBody) that is read.
#[derive(Serialize, Deserialize)]
struct AnswerTopics {
    answer: Topics,
}

#[derive(Serialize, Deserialize)]
struct Topics {
    #[serde(default)]
    topics: Vec<String>,
}

impl Versioned for AnswerTopics {
    const NAME: &'static str = AnswerBody::NAME;
    const VERSION: u32 = AnswerBody::VERSION;
}

/// Loads it.
///
/// # Errors
/// The database's own.
pub async fn load(
    conn: &mut PgConnection,
    request: ContextRequest,
) -> sqlx::Result<StudentContext> {
    let rows = sqlx::query_file!(
        "src/student_context.sql",
        request.student.as_uuid(),
        request.query.as_uuid(),
        request.since,
        request.errors,
        request.exchanges,
    )
    .fetch_all(conn)
    .await?;
    let mut context =
        StudentContext { level: Level::Beginner, recent_errors: Vec::new(), before: Vec::new() };
    for row in rows {
        let score = row.score.and_then(|score| u8::try_from(score).ok());
        context.level = score.map_or(Level::Beginner, Level::of_score);
        context.recent_errors = row.recent_errors;
        if let (Some(question), Some(agent), Some(answer)) = (row.question, row.agent, row.answer) {
            let read = || {
                let question = versioned::read(&question)?;
                let AnswerTopics { answer } = versioned::read(&answer)?;
                Ok(AnsweredQuestion { question, agent, topics: answer.topics })
            };
            context.before.push(read());
        }
    }
    Ok(context)
}
