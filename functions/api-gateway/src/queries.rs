//! Questions: asked, answered in place if the answer comes soon enough, else found later.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::{
    agent::Agent,
    text::{Code, ErrorText, Question, TopicName},
};
use events::{
    Envelope,
    activity_recorded::{Activity, ActivityRecorded},
    question_answered::QuestionAnswered,
    question_asked::QuestionAsked,
};
use ids::{ConversationId, EventId, QueryId, UserId};
use runtime::{
    Outgoing,
    http::{Caller, Json, Path, Problem},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use storage::{
    conversations,
    queries::{self, AnswerBody, NewQuestion, QuestionBody},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Gateway, NAME,
    accept::{Answered, Work, accept, failed, pending},
    conversation,
};

/// A question, with whatever belongs to it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryRequest {
    /// The question.
    #[schema(value_type = String, max_length = 4000, example = "What is the difference between a list and a tuple?")]
    pub(crate) question: Question,
    /// The code that it is about.
    #[schema(value_type = Option<String>, max_length = 65536)]
    pub(crate) code: Option<Code>,
    /// The error message or traceback that came.
    #[schema(value_type = Option<String>, max_length = 65536)]
    pub(crate) error: Option<ErrorText>,
    /// The topic of the page that the student is on.
    #[schema(value_type = Option<String>, example = "lists")]
    pub(crate) topic: Option<TopicName>,
    /// The exercise that the student is working on.
    pub(crate) exercise_id: Option<Uuid>,
    /// The conversation that it goes on; if absent the last one, unless nothing was said for half an hour.
    #[schema(value_type = Option<Uuid>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) conversation_id: Option<ConversationId>,
}

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum QueryStatus {
    /// The answer is still to come: ask `status_url` again.
    Pending,
    /// The answer is here.
    Answered,
    /// No agent could answer; ask again in other words.
    Failed,
}

/// A question and, once there is one, its answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryResponse {
    /// The question's id.
    #[schema(value_type = Uuid)]
    id: QueryId,
    /// Where it stands.
    status: QueryStatus,
    /// Where the answer will be found.
    status_url: String,
    /// The conversation that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<Uuid>,
    /// When it was asked.
    asked_at: DateTime<Utc>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at: Option<DateTime<Utc>>,
    /// The agent that answered: `concepts`, `triage`, ….
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// `model` or `offline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
    /// `{content, examples: [{title, code, output}], topics, related}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    answer: Option<Value>,
    /// How the question got to the agent: `{agent, confidence, reasons, clarification?}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    routing: Option<Value>,
}

/// Asks a question. The answer comes in place if it is ready within the client's patience
/// (`Prefer: wait=5`); else `202` tells where it will be.
#[utoipa::path(post, path = "/query", tag = "Tutor", security(("bearer" = [])),
    params(
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`, 0 to 25; 5 if absent"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating it repeats nothing")),
    request_body = QueryRequest,
    responses(
        (status = 200, description = "Answered", body = QueryResponse),
        (status = 202, description = "Accepted; the answer will be at `status_url`", body = QueryResponse),
        (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn ask(
    State(gateway): State<Gateway>,
    caller: Caller,
    headers: HeaderMap,
    Json(request): Json<QueryRequest>,
) -> Result<Response, Problem> {
    if let Some(named) = request.conversation_id {
        let mut conn = gateway.services.store.connection().await?;
        if !conversations::is_of(&mut conn, named, caller.id).await? {
            return Err(Problem::field("conversation_id", "a conversation of yours, or nothing"));
        }
    }
    answered(&gateway, &caller, &headers, request).await
}

/// Accepts a question, and answers it in place if the answer comes soon enough.
pub(crate) async fn answered<W: Work<Stored = ConversationId>>(
    gateway: &Gateway,
    caller: &Caller,
    headers: &HeaderMap,
    work: W,
) -> Result<Response, Problem> {
    let accepted = accept(gateway, caller, headers, work).await?;
    let id = QueryId::from_uuid(accepted.id);
    if let Some(Answered { stored: conversation, event }) = accepted.answer
        && let Ok(event) = Envelope::<QuestionAnswered>::read(event)
    {
        return answer_in_place(id, accepted.at, conversation, event);
    }
    find(gateway, caller, id).await
}

impl Work for QueryRequest {
    type Event = QuestionAsked;
    type Answer = QuestionAnswered;
    type Stored = ConversationId;

    const OPERATION: &'static str = "query";

    async fn keep(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        student: UserId,
        _: &Value,
        now: DateTime<Utc>,
    ) -> sqlx::Result<ConversationId> {
        self.store(conn, QueryId::from_uuid(id), (student, None), now).await
    }

    fn event(&self, id: Uuid, student: UserId) -> QuestionAsked {
        QuestionAsked {
            query_id: QueryId::from_uuid(id),
            student_id: student,
            question: self.question.clone(),
            code: self.code.clone(),
            error: self.error.clone(),
            topic: self.topic.clone(),
            agent: None,
            hint_level: None,
            exercise_id: self.exercise_id,
        }
    }
}

impl QueryRequest {
    /// Stores the question, with the agent that the student has chosen, in its conversation.
    pub(crate) async fn store(
        &self,
        conn: &mut PgConnection,
        id: QueryId,
        (student, agent): (UserId, Option<Agent>),
        now: DateTime<Utc>,
    ) -> sqlx::Result<ConversationId> {
        let body = QuestionBody {
            question: self.question.clone(),
            code: self.code.clone(),
            error: self.error.clone(),
            topic: self.topic.clone(),
            exercise_id: self.exercise_id,
            agent,
        };
        let question = NewQuestion {
            id,
            student,
            conversation: self.conversation_id,
            idle_since: now - conversation::IDLE,
            body: &body,
        };
        queries::insert(conn, question, now).await
    }
}

/// The answer as the agent has stored it, which it did before it told.
fn answer_in_place(
    id: QueryId,
    asked_at: DateTime<Utc>,
    conversation: ConversationId,
    event: Envelope<QuestionAnswered>,
) -> Result<Response, Problem> {
    let QuestionAnswered { agent, answered_by, routing, answer, .. } = event.data;
    let response = QueryResponse {
        agent: Some(agent.as_str().to_owned()),
        answered_by: Some(answered_by.as_str().to_owned()),
        // An event happens when it is stored, together with the answer.
        answered_at: event.time,
        conversation_id: Some(conversation.as_uuid()),
        ..QueryResponse::pending(id, asked_at)
    };
    Ok(response.with_body(&AnswerBody { answer, routing })?.into_response())
}

/// One's own question, with its answer once there is one.
#[utoipa::path(get, path = "/queries/{id}", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "As `POST /query` gave it")),
    responses((status = 200, body = QueryResponse), (status = 202, body = QueryResponse), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    // What is not an id names nothing, so it is not found rather than malformed.
    let id = id.parse().map_err(|_not_an_id| no_such_query())?;
    find(&gateway, &caller, id).await
}

/// What a student thinks of an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rating {
    /// Whether it helped.
    helpful: bool,
}

/// Says whether an answer has helped; saying it again replaces it.
#[utoipa::path(put, path = "/queries/{id}/rating", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "As `POST /query` gave it")), request_body = Rating,
    responses((status = 204, description = "Noted"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn rate(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<String>,
    Json(rating): Json<Rating>,
) -> Result<StatusCode, Problem> {
    let id: QueryId = id.parse().map_err(|_not_an_id| no_such_query())?;
    let services = &gateway.services;
    let mut tx = services.store.begin(NAME).await?;
    if !queries::rate(tx.conn(), id, caller.id, rating.helpful).await? {
        return Err(no_such_query());
    }
    let outgoing = Outgoing::none().with(&ActivityRecorded {
        student_id: caller.id,
        request_id: id.as_uuid(),
        activity: Activity::AnswerRated { query_id: id, helpful: rating.helpful },
    });
    let cause = EventId::from_uuid(services.clock.new_id());
    tx.commit(cause, outgoing.map_err(failed)?, services.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(gateway: &Gateway, caller: &Caller, id: QueryId) -> Result<Response, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let query = queries::find(&mut conn, id, caller.id).await?.ok_or_else(no_such_query)?;
    let mut response = QueryResponse::pending(id, query.asked_at);
    response.conversation_id = query.conversation_id;
    if query.failed {
        response.status = QueryStatus::Failed;
    }
    let Some(answer) = query.answer else { return Ok(response.into_response()) };
    response.agent = Some(answer.agent);
    response.answered_by = Some(answer.answered_by);
    response.answered_at = Some(answer.answered_at);
    Ok(response.with_body(&answer.body)?.into_response())
}

impl QueryResponse {
    fn pending(id: QueryId, asked_at: DateTime<Utc>) -> Self {
        Self {
            id,
            status: QueryStatus::Pending,
            status_url: format!("/api/v1/queries/{id}"),
            conversation_id: None,
            asked_at,
            answered_at: None,
            agent: None,
            answered_by: None,
            answer: None,
            routing: None,
        }
    }

    fn with_body(mut self, body: &AnswerBody) -> Result<Self, Problem> {
        let json = |value| serde_json::to_value(value).map_err(|error| Problem::internal(&error));
        self.answer = Some(json(&body.answer)?);
        self.routing =
            Some(serde_json::to_value(&body.routing).map_err(|error| Problem::internal(&error))?);
        self.status = QueryStatus::Answered;
        Ok(self)
    }
}

impl IntoResponse for QueryResponse {
    fn into_response(self) -> Response {
        if self.status != QueryStatus::Pending {
            return Json(self).into_response();
        }
        pending(&self.status_url, &self)
    }
}

fn no_such_query() -> Problem {
    Problem::not_found("there is no such question of yours")
}
