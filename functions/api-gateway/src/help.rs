//! Help with a program from an agent that the student has chosen: a hint on why it fails, or a review.

use axum::{extract::State, http::HeaderMap, response::Response};
use chrono::{DateTime, Utc};
use domain::{
    agent::Agent,
    text::{Code, ErrorText, Question, TopicName},
};
use events::{question_answered::QuestionAnswered, question_asked::QuestionAsked};
use ids::{ConversationId, QueryId, UserId};
use requests::{QueryRequest, StudentRequest};
use runtime::web::{Caller, Json, Problem, Student};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    gateway::Gateway,
    queries::{QueryResponse, answered},
};

/// A program that does not do what it should, and what is known about it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DebugRequest {
    /// The program.
    code: Code,
    /// The error message or traceback.
    error: Option<ErrorText>,
    /// What is wrong, in the student's words.
    question: Option<Question>,
    /// The exercise that the student is working on.
    exercise_id: Option<Uuid>,
}

/// Asks for the next hint on a program. Which one it is depends on what was tried since the last hint.
#[utoipa::path(post, path = "/debug", tag = "Tutor", security(("bearer" = [])),
    params(
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`, 0 to 25; 5 by default"),
        ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = DebugRequest,
    responses(
        (status = 200, description = "Answered; `answer.details` holds the error, its cause and a hint", body = QueryResponse),
        (status = 202, description = "Accepted; the answer will be at `status_url`", body = QueryResponse),
        (status = 401, body = Problem), (status = 404, description = "There is no such exercise", body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn debug(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    headers: HeaderMap,
    Json(request): Json<DebugRequest>,
) -> Result<Response, Problem> {
    let question = match request.question {
        Some(question) => question,
        None => fixed("Why does my program not work?")?,
    };
    let question = AgentQuestion {
        agent: Agent::Debug,
        request: QueryRequest {
            question,
            code: Some(request.code),
            error: request.error,
            topic: None,
            exercise_id: request.exercise_id,
            conversation_id: None,
            new_conversation: false,
        },
    };
    answered(&gateway, &caller, &headers, question).await
}

/// A program that its author thinks is done.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewRequest {
    /// The program.
    code: Code,
    /// The topic that it belongs to.
    #[schema(example = "lists")]
    topic: Option<TopicName>,
    /// The exercise that it was written for.
    exercise_id: Option<Uuid>,
}

/// Asks for a review: what is good, what could be better, and a quality score.
#[utoipa::path(post, path = "/reviews", tag = "Tutor", security(("bearer" = [])),
    params(
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`, 0 to 25; 5 by default"),
        ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = ReviewRequest,
    responses(
        (status = 200, description = "Answered; `answer.details` holds the score and the findings", body = QueryResponse),
        (status = 202, description = "Accepted; the answer will be at `status_url`", body = QueryResponse),
        (status = 401, body = Problem), (status = 404, description = "There is no such exercise", body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn review(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    headers: HeaderMap,
    Json(request): Json<ReviewRequest>,
) -> Result<Response, Problem> {
    let question = AgentQuestion {
        agent: Agent::CodeReview,
        request: QueryRequest {
            question: fixed("What could be better in my program?")?,
            code: Some(request.code),
            error: None,
            topic: request.topic,
            exercise_id: request.exercise_id,
            conversation_id: None,
            new_conversation: false,
        },
    };
    answered(&gateway, &caller, &headers, question).await
}

/// A question in our own words, since the endpoint says what the student wants.
fn fixed(text: &str) -> Result<Question, Problem> {
    Question::try_from(text.to_owned()).map_err(|error| Problem::internal(&error))
}

/// A question to an agent that the student has chosen.
#[derive(Debug, Serialize)]
pub(crate) struct AgentQuestion {
    pub(crate) agent: Agent,
    #[serde(flatten)]
    pub(crate) request: QueryRequest,
}

impl StudentRequest for AgentQuestion {
    type Event = QuestionAsked;
    type Answer = QuestionAnswered;
    type Stored = ConversationId;

    const OPERATION: &'static str = "wanted";

    async fn store(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        student: UserId,
        _: &Value,
        now: DateTime<Utc>,
    ) -> sqlx::Result<ConversationId> {
        let id = QueryId::from_uuid(id);
        self.request.insert(conn, id, student, Some(self.agent), now).await
    }

    fn event(&self, id: Uuid, student: UserId) -> QuestionAsked {
        QuestionAsked { agent: Some(self.agent), ..self.request.event(id, student) }
    }
}
