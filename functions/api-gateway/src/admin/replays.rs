//! Sending events again that a function has given up, as they were or repaired.

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
};
use chrono::{DateTime, Utc};
use events::{DecodeError, envelope::MAX_DATA_BYTES};
use ids::EventId;
use requests::{Creation, idempotency_key};
use runtime::{
    OpenError, Services,
    changed_data::ChangeError,
    replay::{Replay, ReplayError},
    web::{self, Admin, Caller, Json, Path, Problem},
};
use serde::{Deserialize, Serialize};
use storage::dead_letters::{self as stored, DeadLetterRow};
use utoipa::{IntoParams, ToSchema};

use super::dead_letters;
use crate::{gateway::Gateway, pages, spec::NAME};

/// Most bytes of a request: the largest data of an event, in which every second character has to be escaped.
const BODY_LIMIT: usize = 2 * MAX_DATA_BYTES;
/// The field of a request that has an event's data.
const DATA: &str = "data";

/// How a dead letter is sent again.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReplayOptions {
    /// Whether it is sent once more although it was sent again before.
    again: Option<bool>,
    /// Whether it is only said what would be sent.
    dry_run: Option<bool>,
}

/// What is changed before a dead letter is sent again.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayRequest {
    /// Data that replaces that of the event, as JSON text: of the form that its type has, and about the same person and
    /// request. At most 900,000 bytes as it is sent, which is encrypted.
    data: Option<String>,
}

/// What was sent, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayedDeadLetter {
    /// The new event; none if nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Its type.
    pub event_type: String,
    /// Its topic.
    pub topic: String,
    /// The members of its data that are not as they were.
    pub changed: Vec<String>,
}

impl ReplayedDeadLetter {
    fn new(replay: &Replay, event_id: Option<EventId>) -> Self {
        let event = replay.event();
        let (event_type, topic) = (event.event_type.clone(), event.topic.clone());
        Self { event_id, event_type, topic, changed: replay.changed().to_vec() }
    }
}

/// Sends a dead letter's event again, with a new id, to the function that gave it up.
///
/// `data` replaces the event's data, if that was the reason; who changed what is recorded. `dry_run=true` checks all of it
/// and sends nothing.
#[utoipa::path(post, path = "/admin/dead-letters/{id}/replay", operation_id = "replay_dead_letter", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The dead letter"), ReplayOptions,
           ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = Option<ReplayRequest>,
    responses((status = 200, description = "It would be sent", body = ReplayedDeadLetter),
              (status = 202, description = "It is on its way", body = ReplayedDeadLetter), (status = 403, body = Problem),
              (status = 404, body = Problem),
              (status = 409, description = "It was sent again before, or cannot be", body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn replay(
    State(gateway): State<Gateway>,
    caller: Caller<Admin>,
    Path(id): Path<String>,
    options: Result<Query<ReplayOptions>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ReplayedDeadLetter>), Problem> {
    let ReplayOptions { again, dry_run } = pages::read(options)?;
    let again = again == Some(true);
    let key = idempotency_key(&headers)?;
    let request = read(&headers, body).await?;
    let row = dead_letters::find(&gateway, &id).await?;
    let services = &gateway.services;
    let replay = prepare(services, &row, request.data.as_deref()).await?;
    if dry_run == Some(true) {
        check_again(row.replayed_at, again)?;
        return Ok((StatusCode::OK, Json(ReplayedDeadLetter::new(&replay, None))));
    }
    let (event, now) = (replay.event().id, services.clock.now());
    let (operation, key) = ("replay", key.as_deref());
    let creation = Creation { operation, owner: caller.id, key, id: event.as_uuid(), now };
    let mut tx = services.store.begin(NAME).await?;
    if let Some(first) = creation.earlier(tx.conn(), &(row.id, again, &request)).await? {
        let sent = ReplayedDeadLetter::new(&replay, Some(EventId::from_uuid(first)));
        return Ok((StatusCode::ACCEPTED, Json(sent)));
    }
    // Whoever asks at the same time waits here, so that one of them sends it.
    check_again(stored::lock_replays(tx.conn(), row.id).await?, again)?;
    let sent = ReplayedDeadLetter::new(&replay, Some(event));
    replay.send_in(tx, Some(caller.id), now).await?;
    let changed = sent.changed.join(",");
    tracing::info!(dead_letter = %row.id, %event, changed, by = %caller.id, "a dead letter is sent again");
    Ok((StatusCode::ACCEPTED, Json(sent)))
}

/// The request's body; without one nothing is changed.
async fn read(headers: &HeaderMap, body: Body) -> Result<ReplayRequest, Problem> {
    let body = web::read_body(body, BODY_LIMIT).await?;
    if body.is_empty() {
        return Ok(ReplayRequest::default());
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|text| text.to_ascii_lowercase().starts_with("application/json")) {
        let detail = "send the header Content-Type: application/json";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "unsupported_media_type", detail));
    }
    Ok(web::read_json::<Option<ReplayRequest>>(&body)?.unwrap_or_default())
}

fn check_again(replayed_at: Option<DateTime<Utc>>, again: bool) -> Result<(), Problem> {
    if replayed_at.is_none() || again {
        return Ok(());
    }
    let detail = "it was sent again before; ask with `again=true` to do so once more";
    Err(Problem::new(StatusCode::CONFLICT, "replayed_before", detail))
}

async fn prepare(
    services: &Services,
    row: &DeadLetterRow,
    data: Option<&str>,
) -> Result<Replay, Problem> {
    let (store, clock) = (&services.store, &services.clock);
    let prepared = match data {
        None => Replay::prepare(store, clock, row).await,
        Some(text) => {
            let data = events::Json::from_text(text.to_owned());
            let data = data.map_err(|error| Problem::field(DATA, format!("no JSON: {error}")))?;
            Replay::prepare_changed(store, clock, row, data).await
        }
    };
    prepared.map_err(refused)
}

/// Why it is not sent: with the field, if the data is the reason.
fn refused(error: ReplayError) -> Problem {
    match error {
        ReplayError::Database(error) | ReplayError::Open(OpenError::Database(error)) => {
            error.into()
        }
        ReplayError::Change(ChangeError::Shape(DecodeError::Payload { path, source, .. })) => {
            let path = match path.as_str() {
                "" | "." => DATA.to_owned(),
                path => format!("{DATA}.{path}"),
            };
            web::wrong_shape(&path, &source)
        }
        ReplayError::Change(ChangeError::Shape(error)) => Problem::field(DATA, error.to_string()),
        ReplayError::Change(error @ (ChangeError::Another | ChangeError::TooLarge { .. })) => {
            Problem::field(DATA, error.to_string())
        }
        refused => Problem::new(StatusCode::CONFLICT, "not_replayable", refused.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use events::{Json, event_types};
    use runtime::{changed_data::ChangeError, replay::ReplayError};

    use super::refused;

    /// The field and the words of a refusal of a question's data.
    fn fault(data: &str) -> (String, String) {
        let types = event_types::all();
        let question = types.iter().find(|known| known.name == "question.asked.v1").unwrap();
        let data = Json::from_text(data.to_owned()).unwrap();
        let error = question.read(&data).unwrap().unwrap_err();
        let problem = refused(ReplayError::Change(ChangeError::Shape(error)));
        assert_eq!(problem.status(), 422);
        let fault = problem.errors().first().unwrap();
        (fault.field.clone(), fault.detail.clone())
    }

    #[test]
    fn a_fault_of_data_is_named_where_it_is() {
        const IDS: &str = "\"query_id\": \"00000000-0000-0000-0000-000000000001\", \
                           \"student_id\": \"00000000-0000-0000-0000-000000000002\"";
        let (field, detail) = fault(&format!("{{{IDS}}}"));
        assert_eq!(
            (field.as_str(), detail.as_str()),
            ("data.question", "missing field `question`")
        );
        let (field, detail) = fault(&format!("{{{IDS}, \"question\": 1}}"));
        assert_eq!(field, "data.question");
        assert!(detail.contains("invalid type: integer"), "{detail}");
        assert_eq!(fault("1").0, "data");
    }
}
