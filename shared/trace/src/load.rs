//! Loading what is stored of a request.

use runtime::{Keys, OpenError, Store};
use storage::traces::{self, EventRow};
use uuid::Uuid;

use crate::{
    lay_out::{Rows, lay_out},
    shape::{PayloadState, Trace, TracePayload},
};

/// Most events of a trace: a question has some dozen, a class's alert one for each of its teachers and channels.
const MOST_EVENTS: i64 = 500;
/// Most dead letters of a trace: each has up to a megabyte.
const MOST_DEAD_LETTERS: i64 = 20;
/// Most bytes of all data that is shown: some of the largest events.
const PAYLOAD_BYTES: i64 = 4 << 20;
/// What is left of the data of an event whose request was erased.
const ERASED: &str = r#"{"erased": true}"#;

/// Whether the events' data is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payloads {
    /// It is not even read.
    Withheld,
    /// It is opened with the keys of the people whom it is about, as far as these still exist.
    Shown,
}

/// Why a trace cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The database's own.
    #[error("the database cannot be read")]
    Database(#[from] sqlx::Error),
}

/// What happened to a request; `None` if nothing is stored under this id.
///
/// # Errors
/// The database cannot be read.
pub async fn load(
    store: &Store,
    request: Uuid,
    payloads: Payloads,
) -> Result<Option<Trace>, TraceError> {
    let mut conn = store.connection().await?;
    let bytes = if payloads == Payloads::Shown { PAYLOAD_BYTES } else { -1 };
    let mut events = traces::events(&mut conn, request, MOST_EVENTS + 1, bytes).await?;
    let truncated = i64::try_from(events.len()).is_ok_and(|count| count > MOST_EVENTS);
    events.truncate(usize::try_from(MOST_EVENTS).unwrap_or(usize::MAX));
    let ids: Vec<Uuid> = events.iter().map(|event| event.id.as_uuid()).collect();
    let deliveries = traces::deliveries(&mut conn, &ids).await?;
    let delays = traces::delays(&mut conn, &ids).await?;
    let dead_letters = traces::dead_letters(&mut conn, request, MOST_DEAD_LETTERS).await?;
    // Opening may need a connection of its own.
    drop(conn);
    let rows = Rows { events, deliveries, delays, dead_letters };
    let Some(mut trace) = lay_out(request, &rows) else { return Ok(None) };
    trace.truncated = truncated;
    if payloads == Payloads::Shown {
        trace.payloads = Some(open(store.keys(), rows.events).await?);
    }
    Ok(Some(trace))
}

async fn open(keys: &Keys, events: Vec<EventRow>) -> Result<Vec<TracePayload>, TraceError> {
    let mut payloads = Vec::with_capacity(events.len());
    for event in events {
        let (state, data) = match event.data {
            None => (PayloadState::TooLarge, None),
            Some(data) if data.as_str() == ERASED => (PayloadState::Erased, None),
            Some(data) => match keys.open(event.id, &event.event_type, data).await {
                Ok(Some(data)) => (PayloadState::Open, Some(data.as_str().to_owned())),
                Ok(None) => (PayloadState::Erased, None),
                Err(OpenError::Damaged(_)) => (PayloadState::Damaged, None),
                Err(OpenError::Database(error)) => return Err(error.into()),
            },
        };
        payloads.push(TracePayload { event_id: event.id, state, data });
    }
    Ok(payloads)
}
