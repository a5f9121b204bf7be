//! Events that a function has given up, and why. What students wrote in them is shown only if an administrator asks for
//! it, which is logged.
//!
//! That is the rule of traces ([`super::traces`]), which have the same data. Without it nobody could repair an event: its
//! data can only be replaced by somebody who knows what it was.

use axum::extract::{Query, State, rejection::QueryRejection};
use chrono::{DateTime, Utc};
use domain::text::SearchText;
use events::{CloudEvent, Data};
use ids::{EventId, UserId};
use runtime::{
    OpenError, replay,
    web::{Admin, Caller, Json, Path, Problem},
};
use serde::{Deserialize, Serialize};
use storage::dead_letters::{self, DeadLetterRow, Filter, ReplayRow};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    gateway::Gateway,
    pages::{self, Moment},
};

/// Dead letters on a page.
const PAGE: i64 = 50;
/// Replays that are shown of a dead letter: more than anybody tries.
const MAX_REPLAYS: i64 = 20;

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

/// A time at which a dead letter was sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedReplay {
    /// The event as which it was sent.
    pub event_id: EventId,
    /// When.
    pub replayed_at: DateTime<Utc>,
    /// The administrator; none if it was a command, or the account is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed_by: Option<UserId>,
    /// The members of the event's data that were changed.
    pub changed: Vec<String>,
}

impl From<ReplayRow> for RecordedReplay {
    fn from(row: ReplayRow) -> Self {
        let ReplayRow { event, replayed_at, replayed_by, changed } = row;
        Self { event_id: event, replayed_at, replayed_by, changed }
    }
}

/// A dead letter with what is known of its event.
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
    /// When it was sent again, newest first; at most 20.
    pub replays: Vec<RecordedReplay>,
    /// The event's data as JSON text, if it was asked for and anybody can read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
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

/// A dead letter by its id.
///
/// # Errors
/// 404 if there is none; 503 if the database is away.
pub(super) async fn find(gateway: &Gateway, id: &str) -> Result<DeadLetterRow, Problem> {
    let unknown = || Problem::not_found("there is no dead letter with this id");
    let id: Uuid = id.parse().map_err(|_not_an_id| unknown())?;
    let filter = Filter { ids: Some(vec![id]), ..Filter::default() };
    let mut conn = gateway.services.store.connection().await?;
    dead_letters::list(&mut conn, &filter, 1).await?.pop().ok_or_else(unknown)
}

/// What is shown of a dead letter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterOptions {
    /// Whether the event's data is shown, too: what a student wrote, among other things. Who asks for it is logged.
    payload: Option<bool>,
}

/// A dead letter, with the event's data if that is asked for.
#[utoipa::path(get, path = "/admin/dead-letters/{id}", operation_id = "get_dead_letter", tag = "Administration",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The dead letter"), DeadLetterOptions),
    responses((status = 200, body = DeadLetterDetail), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 422, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Admin>,
    Path(id): Path<String>,
    options: Result<Query<DeadLetterOptions>, QueryRejection>,
) -> Result<Json<DeadLetterDetail>, Problem> {
    let DeadLetterOptions { payload } = pages::read(options)?;
    let row = find(&gateway, &id).await?;
    let replays = {
        let mut conn = gateway.services.store.connection().await?;
        dead_letters::replays(&mut conn, row.id, MAX_REPLAYS).await?
    };
    let letter = replay::read(&row).ok();
    let message = letter.as_ref().and_then(|letter| replay::to_message(letter).ok());
    let event = message.as_ref().and_then(|message| message.decode().ok());
    let data = match &event {
        Some(event) if payload == Some(true) => {
            tracing::info!(dead_letter = %row.id, by = %caller.id, "the data of a dead letter is shown");
            open(&gateway, event.clone()).await?
        }
        Some(_) | None => None,
    };
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
        replays: replays.into_iter().map(RecordedReplay::from).collect(),
        data,
    }))
}

/// An event's data as JSON text; none if it is no JSON, if the account that it is about was erased, or if it was changed
/// on its way.
async fn open(gateway: &Gateway, event: CloudEvent) -> Result<Option<String>, Problem> {
    let opened = match gateway.services.store.keys().open_event(event).await {
        Ok(opened) => opened,
        Err(OpenError::Damaged(_)) => None,
        Err(OpenError::Database(error)) => return Err(error.into()),
    };
    Ok(opened.and_then(|event| match event.data {
        Data::Json(data) => Some(data.as_str().to_owned()),
        Data::Bytes(_) | Data::None => None,
    }))
}
