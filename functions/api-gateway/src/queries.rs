//! Questions: the response holds the answer if it comes in time, else it is found later.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::agent::{AnsweredBy, Author};
use events::{
    Envelope,
    activity_recorded::{Activity, ActivityRecorded},
    question_answered::{Answer, QuestionAnswered},
    question_routed::Routing,
};
use ids::{ConversationId, EventId, QueryId};
use requests::{QueryRequest, StudentRequest, failed};
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Person, Problem, Student},
};
use serde::{Deserialize, Serialize};
use storage::{
    conversations,
    queries::{self, AnswerBody, Query, StoredAnswer},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accept::{Answered, accept, pending},
    gateway::Gateway,
    ownership::{changeable, missing, own, readable},
    spec::NAME,
    stored,
};

/// The state of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryStatus {
    /// The answer is still to come: poll `status_url`.
    Pending,
    /// The answer is here.
    Answered,
    /// No agent could answer; ask again in other words.
    Failed,
}

/// A question and, once there is one, its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueryResponse {
    /// The question's id.
    pub id: QueryId,
    /// Its state.
    pub status: QueryStatus,
    /// Where the answer will be found.
    pub status_url: String,
    /// The conversation that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<Uuid>,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<Utc>>,
    /// The agent that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Author>,
    /// What the answer was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<AnsweredBy>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// How the question got to the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// Your rating of the answer: whether it helped. Only who asked sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helpful: Option<bool>,
}

/// Asks a question. The response holds the answer if it is ready in time (`Prefer: wait=5`); otherwise `202` says
/// where it will be.
#[utoipa::path(post, path = "/query", operation_id = "ask", tag = "Tutor", security(("bearer" = [])),
    params(
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`, 0 to 25; 5 by default"),
        ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = QueryRequest,
    responses(
        (status = 200, description = "Answered", body = QueryResponse),
        (status = 202, description = "Accepted; the answer will be at `status_url`", body = QueryResponse),
        (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn ask(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    headers: HeaderMap,
    Json(request): Json<QueryRequest>,
) -> Result<Response, Problem> {
    request.check()?;
    if let Some(named) = request.conversation_id {
        let mut conn = gateway.services.store.connection().await?;
        let found = conversations::find(&mut conn, named).await?;
        own(&caller, found).ok_or_else(|| {
            Problem::field("conversation_id", "one of your conversations, or nothing")
        })?;
    }
    answered(&gateway, &caller, &headers, request).await
}

/// Accepts a question, and answers it in the same response if the answer comes in time.
pub(crate) async fn answered<R: StudentRequest<Stored = ConversationId>>(
    gateway: &Gateway,
    caller: &Person,
    headers: &HeaderMap,
    request: R,
) -> Result<Response, Problem> {
    let accepted = accept(gateway, caller, headers, request).await?;
    let id = QueryId::from_uuid(accepted.id);
    if let Some(Answered { stored: conversation, event }) = accepted.answer
        && let Ok(event) = Envelope::<QuestionAnswered>::read(event)
    {
        return answer_in_place(id, accepted.at, conversation, event);
    }
    find(gateway, caller, id).await
}

/// The answer as stored; the agent stored it before announcing it.
fn answer_in_place(
    id: QueryId,
    asked_at: DateTime<Utc>,
    conversation: ConversationId,
    event: Envelope<QuestionAnswered>,
) -> Result<Response, Problem> {
    let QuestionAnswered { agent, answered_by, routing, answer, .. } = event.data;
    let response = QueryResponse {
        agent: Some(agent),
        answered_by: Some(answered_by),
        // An event happens when it is stored, together with the answer.
        answered_at: event.time,
        conversation_id: Some(conversation.as_uuid()),
        ..QueryResponse::pending(id, asked_at)
    };
    Ok(response.with_body(AnswerBody { answer, routing }).into_response())
}

/// A question of yours, with its answer once there is one.
#[utoipa::path(get, path = "/queries/{id}", operation_id = "get_query", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The id that `POST /query` returned")),
    responses((status = 200, body = QueryResponse), (status = 202, body = QueryResponse), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    // An invalid id names nothing, so it is not found rather than malformed.
    let id = id.parse().map_err(|_not_an_id| missing::<Query>())?;
    find(&gateway, &caller, id).await
}

/// What a student thinks of an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rating {
    /// Whether it helped.
    helpful: bool,
}

/// Says whether an answer helped; a later rating replaces an earlier one.
#[utoipa::path(put, path = "/queries/{id}/rating", operation_id = "rate_answer", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The id that `POST /query` returned")), request_body = Rating,
    responses((status = 204, description = "Recorded"), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn rate(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
    Json(rating): Json<Rating>,
) -> Result<StatusCode, Problem> {
    let id: QueryId = id.parse().map_err(|_not_an_id| missing::<Query>())?;
    let services = &gateway.services;
    let mut tx = services.store.begin(NAME).await?;
    let found = queries::find(tx.conn(), id).await?;
    changeable(tx.conn(), &caller, found).await?;
    if !queries::rate(tx.conn(), id, rating.helpful).await? {
        return Err(missing::<Query>());
    }
    let outgoing = Outgoing::none().with(&ActivityRecorded {
        student_id: caller.id,
        request_id: id.as_uuid(),
        activity: Activity::AnswerRated { query_id: id, helpful: rating.helpful },
        done_at: None,
    });
    let cause = EventId::from_uuid(services.clock.new_id());
    tx.commit(cause, outgoing.map_err(failed)?, services.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(gateway: &Gateway, caller: &Person, id: QueryId) -> Result<Response, Problem> {
    load(gateway, caller, id).await.map(IntoResponse::into_response)
}

/// A question that the caller may read, with its answer once there is one.
///
/// # Errors
/// 404 if there is none.
pub(crate) async fn load(
    gateway: &Gateway,
    caller: &Person,
    id: QueryId,
) -> Result<QueryResponse, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = queries::find(&mut conn, id).await?;
    let query = readable(&mut conn, caller, found).await?;
    // Alone it is refused: without its answer, the response would say less than an error.
    if let Some(StoredAnswer { body: Err(error), .. }) = &query.answer {
        return Err(Problem::internal(error));
    }
    QueryResponse::of(query, caller)
}

impl QueryResponse {
    /// A stored question as its reader sees it; an answer that this version cannot read is left out.
    ///
    /// # Errors
    /// 500 if nobody has the name of who answered.
    pub(crate) fn of(query: Query, reader: &Person) -> Result<Self, Problem> {
        let mut response = Self::pending(query.id, query.asked_at);
        response.conversation_id = Some(query.conversation_id);
        if query.failed {
            response.status = QueryStatus::Failed;
        }
        let Some(answer) = query.answer else { return Ok(response) };
        response.status = QueryStatus::Answered;
        response.agent = Some(stored::name(answer.agent)?);
        response.answered_by = Some(stored::name(answer.answered_by)?);
        response.answered_at = Some(answer.answered_at);
        response.helpful = answer.helpful.filter(|_| reader.id == query.student_id);
        Ok(match stored::legible(answer.body) {
            Some(body) => response.with_body(body),
            None => response,
        })
    }

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
            helpful: None,
        }
    }

    fn with_body(self, body: AnswerBody) -> Self {
        let (answer, routing) = (Some(body.answer), Some(body.routing));
        Self { answer, routing, status: QueryStatus::Answered, ..self }
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
