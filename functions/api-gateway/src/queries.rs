//! Questions: asked, answered in place if the answer comes soon enough, else found later.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::text::{Code, ErrorText, Question, TopicName};
use events::{Envelope, question_answered::QuestionAnswered, question_asked::QuestionAsked};
use ids::{EventId, QueryId};
use runtime::{
    HandlerError, Outgoing,
    http::{Caller, Json, Problem},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use storage::{
    idempotency::{self, Claim, IdempotencyKey},
    queries,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Gateway, NAME,
    accounts::reused_key,
    limits,
    record::{self, AnswerBody},
};

/// How long a client waits for an answer that says nothing about it, in seconds.
const DEFAULT_PATIENCE: u64 = 5;
/// The longest that a client may wait in one request, in seconds; API Gateway cuts at 30.
const LONGEST_PATIENCE: u64 = 25;
/// The longest `Idempotency-Key`.
const KEY_LIMIT: usize = 200;

/// A question, with whatever belongs to it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryRequest {
    /// The question.
    #[schema(value_type = String, max_length = 4000, example = "What is the difference between a list and a tuple?")]
    question: Question,
    /// The code that it is about.
    #[schema(value_type = Option<String>, max_length = 65536)]
    code: Option<Code>,
    /// The error message or traceback that came.
    #[schema(value_type = Option<String>, max_length = 65536)]
    error: Option<ErrorText>,
    /// The topic of the page that the student is on.
    #[schema(value_type = Option<String>, example = "lists")]
    topic: Option<TopicName>,
    /// The exercise that the student is working on.
    exercise_id: Option<Uuid>,
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
    let bucket = format!("user:{}", caller.id);
    limits::check(&gateway, &bucket, gateway.config.per_user).await?;
    let patience = patience(&headers)?;
    let key = idempotency_key(&headers)?;
    let services = &gateway.services;
    let now = services.clock.now();
    let id = QueryId::from_uuid(services.clock.new_id());
    let stored = serde_json::to_value(&request).map_err(|error| Problem::internal(&error))?;
    // Expected before it is asked, so that no answer can slip through between.
    let waiter = services.replies.expect(id.as_uuid());
    let mut tx = services.store.begin(NAME).await?;
    if caller.external {
        storage::users::ensure_external(tx.conn(), caller.id, caller.role, now).await?;
    }
    if let Some(key) = key {
        let owner = caller.id.to_string();
        let request_hash = Sha256::digest(stored.to_string()).into();
        let key = IdempotencyKey { operation: "query", owner: &owner, key: &key, request_hash };
        match idempotency::claim(tx.conn(), &key, id.as_uuid(), now).await? {
            Claim::New => {}
            Claim::Conflict => return Err(reused_key()),
            Claim::Repeated(first) => {
                drop(tx);
                return find(&gateway, &caller, QueryId::from_uuid(first)).await;
            }
        }
    }
    queries::insert(tx.conn(), id, caller.id, &stored, now).await.map_err(without_account)?;
    let asked = QuestionAsked {
        query_id: id,
        student_id: caller.id,
        question: request.question,
        code: request.code,
        error: request.error,
        topic: request.topic,
        exercise_id: request.exercise_id,
    };
    let outgoing = Outgoing::none().with(&asked).map_err(unserializable)?;
    tx.commit(EventId::from_uuid(id.as_uuid()), outgoing, now).await?;
    let Some(event) = waiter.wait(patience).await else {
        return find(&gateway, &caller, id).await;
    };
    let Ok(event) = Envelope::<QuestionAnswered>::read(event) else {
        return find(&gateway, &caller, id).await;
    };
    answer_in_place(&gateway, id, now, event).await
}

/// Stores the answer before it is told, so that whoever asks next finds it too.
async fn answer_in_place(
    gateway: &Gateway,
    id: QueryId,
    asked_at: DateTime<Utc>,
    event: Envelope<QuestionAnswered>,
) -> Result<Response, Problem> {
    let now = gateway.services.clock.now();
    let mut conn = gateway.services.store.connection().await?;
    let (agent, answered_by, body) = record::record(&mut conn, event, now).await?;
    let response = QueryResponse {
        agent: Some(agent.as_str().to_owned()),
        answered_by: Some(answered_by.as_str().to_owned()),
        answered_at: Some(now),
        ..QueryResponse::pending(id, asked_at)
    };
    Ok(response.with_body(&body)?.into_response())
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

async fn find(gateway: &Gateway, caller: &Caller, id: QueryId) -> Result<Response, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let query = queries::find(&mut conn, id, caller.id).await?.ok_or_else(no_such_query)?;
    let mut response = QueryResponse::pending(id, query.asked_at);
    if query.failed {
        response.status = QueryStatus::Failed;
    }
    let Some(answer) = query.answer else { return Ok(response.into_response()) };
    let body: AnswerBody =
        serde_json::from_value(answer.body).map_err(|error| Problem::internal(&error))?;
    response.agent = Some(answer.agent);
    response.answered_by = Some(answer.answered_by);
    response.answered_at = Some(answer.answered_at);
    Ok(response.with_body(&body)?.into_response())
}

impl QueryResponse {
    fn pending(id: QueryId, asked_at: DateTime<Utc>) -> Self {
        Self {
            id,
            status: QueryStatus::Pending,
            status_url: format!("/api/v1/queries/{id}"),
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
        let location = HeaderValue::from_str(&self.status_url);
        let mut response = (StatusCode::ACCEPTED, Json(self)).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        if let Ok(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// How long the client wants to wait (RFC 7240, section 4.3).
pub(crate) fn patience(headers: &HeaderMap) -> Result<Duration, Problem> {
    let wishes = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let wait = wishes
        .flat_map(|value| value.split([',', ';']))
        .find_map(|wish| wish.trim().strip_prefix("wait="));
    let seconds = match wait {
        None => DEFAULT_PATIENCE,
        Some(text) => text.trim().parse().map_err(|_not_a_number| {
            Problem::field("Prefer", "write wait= and whole seconds, such as wait=5")
        })?,
    };
    Ok(Duration::from_secs(seconds.min(LONGEST_PATIENCE)))
}

/// The client's promise that equal keys mean the same request.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= KEY_LIMIT => Ok(Some(key.to_owned())),
        _ => Err(Problem::field(
            "Idempotency-Key",
            format!("1 to {KEY_LIMIT} visible ASCII characters"),
        )),
    }
}

fn no_such_query() -> Problem {
    Problem::not_found("there is no such question of yours")
}

pub(crate) fn unserializable(error: HandlerError) -> Problem {
    let (HandlerError::Retry(cause) | HandlerError::Fail(cause)) = error;
    Problem::internal(cause.as_ref())
}

/// A valid token can outlive its account.
pub(crate) fn without_account(error: sqlx::Error) -> Problem {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint.is_some_and(|name| name.ends_with("_student_id_fkey")) {
        Problem::unauthorized("this account does not exist any more; register")
    } else {
        error.into()
    }
}
