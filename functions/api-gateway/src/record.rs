//! Storing answers: whether or not somebody waits for them.

use domain::agent::{AnsweredBy, Author};
use events::{
    Envelope,
    question_answered::{Answer, QuestionAnswered},
    question_routed::Routing,
};
use runtime::{Decide, HandlerError, Outgoing, Received};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// What is kept of an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AnswerBody {
    pub(crate) answer: Answer,
    pub(crate) routing: Routing,
}

/// Stores the first answer to each question.
pub(crate) struct RecordAnswer;

impl Decide for RecordAnswer {
    type In = QuestionAnswered;

    async fn handle(
        &self,
        received: Received<QuestionAnswered>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        record(conn, received.event, received.now).await.map_err(HandlerError::retry)?;
        Ok(Outgoing::none())
    }
}

/// Stores an answer, unless there is one; returns what an answer looks like when it is kept, and the
/// conversation that it belongs to.
pub(crate) async fn record(
    conn: &mut PgConnection,
    event: Envelope<QuestionAnswered>,
    now: chrono::DateTime<chrono::Utc>,
) -> sqlx::Result<(Author, AnsweredBy, AnswerBody, Option<uuid::Uuid>)> {
    let answered = event.data;
    let body = AnswerBody { answer: answered.answer, routing: answered.routing };
    let json = serde_json::to_value(&body).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let (query, student) = (answered.query_id, answered.student_id);
    let conversation = storage::queries::record_answer(
        conn,
        query,
        student,
        answered.agent,
        answered.answered_by,
        &json,
        now,
    )
    .await?;
    Ok((answered.agent, answered.answered_by, body, conversation))
}
