//! Conversations: what the tutor remembers of a student, for the student to read and to delete.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use domain::versioned::Unreadable;
use ids::{ConversationId, EventId};
use runtime::{
    Outgoing,
    http::{Caller, Json, Path, Problem},
};
use serde::Serialize;
use storage::{
    conversations::{self, Exchange, Listed},
    queries::QuestionBody,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Gateway, NAME};

/// After so long without a question the next one begins a new conversation.
pub(crate) const IDLE: TimeDelta = TimeDelta::minutes(30);
/// Conversations that are listed.
const MAX_LISTED: i64 = 50;
/// Exchanges that are shown of one.
const MAX_SHOWN: i64 = 200;

/// A conversation in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListedConversation {
    id: Uuid,
    /// Its first question.
    title: String,
    /// How many questions it has.
    questions: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Conversation {
    id: Uuid,
    /// Oldest first, at most 200.
    exchanges: Vec<ShownExchange>,
}

/// A question with its answer.
#[derive(Debug, Serialize, ToSchema)]
struct ShownExchange {
    query_id: Uuid,
    question: String,
    asked_at: DateTime<Utc>,
    /// Who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// The answer's text, Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// One's own conversations, the latest first, at most 50.
#[utoipa::path(get, path = "/conversations", tag = "Tutor", security(("bearer" = [])),
    responses((status = 200, body = [ListedConversation]), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller,
) -> Result<Json<Vec<ListedConversation>>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = conversations::list(&mut conn, caller.id, MAX_LISTED).await?;
    let shown = |listed: Listed| {
        let Listed { id, created_at, updated_at, first, questions } = listed;
        let title = first.and_then(readable).map(question).unwrap_or_default();
        ListedConversation { id, title, questions, created_at, updated_at }
    };
    Ok(Json(found.into_iter().map(shown).collect()))
}

fn question(body: QuestionBody) -> String {
    body.question.as_str().to_owned()
}

/// What was stored, if this version can read it: one text that it cannot must not hide the others.
fn readable<T>(stored: Result<T, Unreadable>) -> Option<T> {
    stored.inspect_err(|error| tracing::error!(%error, "a stored text cannot be read")).ok()
}

/// One's own conversation.
#[utoipa::path(get, path = "/conversations/{id}", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "As an answer has it")),
    responses((status = 200, body = Conversation), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Conversation>, Problem> {
    let id: ConversationId = id.parse().map_err(|_not_an_id| none())?;
    let mut conn = gateway.services.store.connection().await?;
    if !conversations::is_of(&mut conn, id, caller.id).await? {
        return Err(none());
    }
    let found = conversations::exchanges(&mut conn, id, caller.id, MAX_SHOWN).await?;
    let shown = |exchange: Exchange| ShownExchange {
        query_id: exchange.id,
        question: readable(exchange.question).map(question).unwrap_or_default(),
        asked_at: exchange.asked_at,
        agent: exchange.agent,
        content: exchange.answer.and_then(readable).map(|body| body.answer.content),
    };
    Ok(Json(Conversation { id: id.as_uuid(), exchanges: found.into_iter().map(shown).collect() }))
}

/// Deletes one's own conversation: its questions and answers, and their text in the audit trail.
#[utoipa::path(delete, path = "/conversations/{id}", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "As an answer has it")),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem)))]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id: ConversationId = id.parse().map_err(|_not_an_id| none())?;
    let services = &gateway.services;
    let mut tx = services.store.begin(NAME).await?;
    let now = services.clock.now();
    if !conversations::delete(tx.conn(), id, caller.id, now).await? {
        return Err(none());
    }
    let cause = EventId::from_uuid(services.clock.new_id());
    tx.commit(cause, Outgoing::none(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn none() -> Problem {
    Problem::not_found("there is no such conversation of yours")
}
