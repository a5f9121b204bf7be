//! Conversations: what the tutor remembers of a student, for the student to read and to delete.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use ids::{ConversationId, EventId, QueryId};
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Problem, Student},
};
use serde::{Deserialize, Serialize};
use storage::{
    conversations::{self, Exchange, ExchangeLimits, Listed, Owned},
    queries::QuestionBody,
};
use utoipa::ToSchema;

use crate::{
    gateway::Gateway,
    ownership::{changeable, missing, readable},
    queries::QueryResponse,
    spec::NAME,
    stored,
};

/// Conversations that are listed.
const MAX_LISTED: i64 = 50;
/// Exchanges of a conversation that are shown, in bytes as they are stored: AWS Lambda passes responses of up to 6 MB,
/// and the text of an answer is in its exchange twice.
const SHOWN: ExchangeLimits = ExchangeLimits { questions: 200, bytes: 3 << 20 };

/// A conversation in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListedConversation {
    /// Its id.
    pub id: ConversationId,
    /// Its first question.
    pub title: String,
    /// How many questions it has.
    pub questions: i64,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When the last question was asked.
    pub updated_at: DateTime<Utc>,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Oldest first; of a long conversation the last ones, at most 200.
    pub exchanges: Vec<ShownExchange>,
}

/// A question with all that `GET /queries/{id}` says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShownExchange {
    /// The question's id, as `id`.
    pub query_id: QueryId,
    /// The question.
    pub question: String,
    /// The answer's text, Markdown, as in `answer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// What became of it.
    #[serde(flatten)]
    pub query: QueryResponse,
}

/// Your conversations, the latest first, at most 50.
#[utoipa::path(get, path = "/conversations", operation_id = "list_conversations", tag = "Tutor", security(("bearer" = [])),
    responses((status = 200, body = [ListedConversation]), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<Json<Vec<ListedConversation>>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = conversations::list(&mut conn, caller.id, MAX_LISTED).await?;
    let shown = |listed: Listed| {
        let Listed { id, created_at, updated_at, first, questions } = listed;
        let title = first.and_then(stored::legible).map(question).unwrap_or_default();
        let id = ConversationId::from_uuid(id);
        ListedConversation { id, title, questions, created_at, updated_at }
    };
    Ok(Json(found.into_iter().map(shown).collect()))
}

fn question(body: QuestionBody) -> String {
    body.question.as_str().to_owned()
}

/// A conversation of yours, with its answers as `GET /queries/{id}` gives them.
#[utoipa::path(get, path = "/conversations/{id}", operation_id = "get_conversation", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The `conversation_id` of an answer")),
    responses((status = 200, body = Conversation), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<Conversation>, Problem> {
    let id: ConversationId = id.parse().map_err(|_not_an_id| missing::<Owned>())?;
    let mut conn = gateway.services.store.connection().await?;
    let found = conversations::find(&mut conn, id).await?;
    readable(&mut conn, &caller, found).await?;
    let found = conversations::exchanges(&mut conn, id, SHOWN).await?;
    let shown = |exchange: Exchange| {
        let query = QueryResponse::of(exchange.query, &caller)?;
        Ok(ShownExchange {
            query_id: query.id,
            question: stored::legible(exchange.question).map(question).unwrap_or_default(),
            content: query.answer.as_ref().map(|answer| answer.content.clone()),
            query,
        })
    };
    let exchanges: Result<_, Problem> = found.into_iter().map(shown).collect();
    Ok(Json(Conversation { id, exchanges: exchanges? }))
}

/// Deletes a conversation of yours: its questions and answers, and their text in the audit trail.
#[utoipa::path(delete, path = "/conversations/{id}", operation_id = "delete_conversation", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The `conversation_id` of an answer")),
    responses((status = 204, description = "Deleted"), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id: ConversationId = id.parse().map_err(|_not_an_id| missing::<Owned>())?;
    let services = &gateway.services;
    let mut tx = services.store.begin(NAME).await?;
    let now = services.clock.now();
    let found = conversations::find(tx.conn(), id).await?;
    changeable(tx.conn(), &caller, found).await?;
    conversations::delete(tx.conn(), id, now).await?;
    let cause = EventId::from_uuid(services.clock.new_id());
    tx.commit(cause, Outgoing::none(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}
