//! Events that a function has given up: why, and sending them again. What students wrote in them is not shown.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use domain::text::SearchText;
use ids::EventId;
use runtime::{
    replay::{self, Replay, ReplayError},
    web::{Admin, Caller, Json, Path, Problem},
};
use serde::{Deserialize, Serialize};
use storage::dead_letters::{self, DeadLetterRow, Filter};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    gateway::Gateway,
    pages::{self, Moment},
};

/// Dead letters on a page.
const PAGE: i64 = 50;

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedDeadLetter {
    /// Its id.
    pub id: EventId,
    /// When the event was given up.
    pub given_up_at: DateTime<Utc>,
    /// The function that gave it up; none if the content was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Where the event came from: topic, partition and offset, or `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Why, outermost cause first.
    pub reasons: Vec<String>,
    /// How often handling was tried.
    pub attempts: u32,
    /// The event that was given up, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// When it was last sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed_at: Option<DateTime<Utc>>,
}

impl From<&DeadLetterRow> for ListedDeadLetter {
    fn from(row: &DeadLetterRow) -> Self {
        let letter = replay::read(row).ok();
        Self {
            id: row.id,
            given_up_at: row.occurred_at,
            function: letter.as_ref().map(|letter| letter.function.clone()),
            origin: letter.as_ref().map(|letter| letter.origin.clone()),
            reasons: letter.as_ref().map(|letter| letter.reasons.clone()).unwrap_or_default(),
            attempts: letter.as_ref().map_or(0, |letter| letter.attempts),
            event_id: row.cause,
            replayed_at: row.replayed_at,
        }
    }
}

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterPage {
    /// At most 50.
    pub items: Vec<ListedDeadLetter>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// A dead letter with what is known of its event, without its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterDetail {
    /// The dead letter.
    pub dead_letter: ListedDeadLetter,
    /// The event's type; none if its bytes are no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The request that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Bytes of the message that are kept.
    pub bytes: u64,
    /// Whether these are only its beginning, so that it cannot be sent again.
    pub truncated: bool,
}

/// Which dead letters are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterFilter {
    /// Given up by this function only.
    function: Option<SearchText>,
    /// From this topic only.
    topic: Option<SearchText>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Events that a function has given up, newest first.
#[utoipa::path(get, path = "/admin/dead-letters", operation_id = "list_dead_letters", tag = "Administration",
    security(("bearer" = [])), params(DeadLetterFilter),
    responses((status = 200, body = DeadLetterPage), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    _caller: Caller<Admin>,
    filter: Result<Query<DeadLetterFilter>, QueryRejection>,
) -> Result<Json<DeadLetterPage>, Problem> {
    let DeadLetterFilter { function, topic, cursor } = pages::read(filter)?;
    let Moment { at, id } = Moment::before(cursor.as_deref())?;
    let filter = Filter {
        function: function.map(Into::into),
        topic: topic.map(Into::into),
        before: Some((at, id)),
        ..Filter::default()
    };
    let mut conn = gateway.services.store.connection().await?;
    let found = dead_letters::list(&mut conn, &filter, PAGE).await?;
    let next_cursor = pages::next_cursor(&found, PAGE, |last| {
        Moment { at: last.occurred_at, id: last.id.as_uuid() }.cursor()
    });
    Ok(Json(DeadLetterPage { items: found.iter().map(Into::into).collect(), next_cursor }))
}

async fn find(gateway: &Gateway, id: &str) -> Result<DeadLetterRow, Problem> {
    let unknown = || Problem::not_found("there is no dead letter with this id");
    let id: Uuid = id.parse().map_err(|_not_an_id| unknown())?;
    let filter = Filter { ids: Some(vec![id]), ..Filter::default() };
    let mut conn = gateway.services.store.connection().await?;
    dead_letters::list(&mut conn, &filter, 1).await?.pop().ok_or_else(unknown)
}

/// A dead letter. The event's data is not shown: `learnflow dead-letters show` does, for whoever has the database.
#[utoipa::path(get, path = "/admin/dead-letters/{id}", operation_id = "get_dead_letter", tag = "Administration",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The dead letter")),
    responses((status = 200, body = DeadLetterDetail), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    _caller: Caller<Admin>,
    Path(id): Path<String>,
) -> Result<Json<DeadLetterDetail>, Problem> {
    let row = find(&gateway, &id).await?;
    let letter = replay::read(&row).ok();
    let message = letter.as_ref().and_then(|letter| replay::to_message(letter).ok());
    let event = message.as_ref().and_then(|message| message.decode().ok());
    let (event_type, subject, mut extensions) = event
        .map(|event| (Some(event.event_type), event.subject, event.extensions))
        .unwrap_or_default();
    let bytes = message.map_or(0, |message| message.value.len());
    Ok(Json(DeadLetterDetail {
        dead_letter: (&row).into(),
        event_type,
        subject,
        correlation_id: extensions.remove("correlationid"),
        bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        truncated: letter.is_some_and(|letter| letter.truncated),
    }))
}

/// How a dead letter is sent again.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReplayOptions {
    /// Whether it is sent once more although it was sent again before.
    again: Option<bool>,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayedDeadLetter {
    /// The new event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// Its topic.
    pub topic: String,
}

/// Sends a dead letter's event again, with a new id, to the function that gave it up.
#[utoipa::path(post, path = "/admin/dead-letters/{id}/replay", operation_id = "replay_dead_letter", tag = "Administration",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The dead letter"), ReplayOptions),
    responses((status = 202, description = "It is on its way", body = ReplayedDeadLetter), (status = 403, body = Problem),
              (status = 404, body = Problem),
              (status = 409, description = "It was sent again before, or cannot be", body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn replay(
    State(gateway): State<Gateway>,
    caller: Caller<Admin>,
    Path(id): Path<String>,
    options: Result<Query<ReplayOptions>, QueryRejection>,
) -> Result<(StatusCode, Json<ReplayedDeadLetter>), Problem> {
    let ReplayOptions { again } = pages::read(options)?;
    let row = find(&gateway, &id).await?;
    if row.replayed_at.is_some() && again != Some(true) {
        let detail = "it was sent again before; ask with `again=true` to do so once more";
        return Err(Problem::new(StatusCode::CONFLICT, "replayed_before", detail));
    }
    let services = &gateway.services;
    let replay = Replay::prepare(&services.store, &services.clock, &row).await;
    let replay = replay.map_err(|error| match error {
        ReplayError::Database(error) => error.into(),
        refused => Problem::new(StatusCode::CONFLICT, "not_replayable", refused.to_string()),
    })?;
    let event = replay.event();
    let sent = ReplayedDeadLetter {
        event_id: event.id,
        event_type: event.event_type.clone(),
        topic: event.topic.clone(),
    };
    replay.send(&services.store, &services.clock).await?;
    tracing::info!(dead_letter = %row.id, event = %sent.event_id, by = %caller.id, "a dead letter is sent again");
    Ok((StatusCode::ACCEPTED, Json(sent)))
}
