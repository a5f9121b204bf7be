//! What is stored of one request's way through the functions.

use chrono::{DateTime, Utc};
use events::Json;
use ids::EventId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{dead_letters::DeadLetterRow, events::stored_json, inbox::Handling};

/// An event of a request.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// The event.
    pub id: EventId,
    /// Its topic.
    pub topic: String,
    /// Its type.
    pub event_type: String,
    /// Who emitted it: `learnflow/` and a function's name, if it is one of ours.
    pub source: String,
    /// Whom it is about.
    pub subject: Option<Uuid>,
    /// The event, or the request, that caused it.
    pub caused_by: Option<EventId>,
    /// When it was emitted.
    pub occurred_at: DateTime<Utc>,
    /// The size of its data as it is stored.
    pub bytes: i32,
    /// Its data, if it was asked for and there was room for it.
    pub data: Option<Json>,
}

/// The events of a request, oldest first, at most `limit`. Data only as long as all of it up to there has at most
/// `data_bytes`.
///
/// # Errors
/// The database's own.
pub async fn events(
    conn: &mut PgConnection,
    request: Uuid,
    limit: i64,
    data_bytes: i64,
) -> sqlx::Result<Vec<EventRow>> {
    let rows = sqlx::query!(
        r#"SELECT id, topic, type AS event_type, source, subject, causation_id, occurred_at,
                  octet_length(data::text) AS "bytes!",
                  CASE WHEN sum(octet_length(data::text)) OVER (ORDER BY occurred_at, sequence) <= $3
                       THEN data::text END AS data
           FROM events WHERE correlation_id = $1 ORDER BY occurred_at, sequence LIMIT $2"#,
        request,
        limit,
        data_bytes,
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().map(|row| {
        Ok(EventRow {
            id: EventId::from_uuid(row.id),
            topic: row.topic,
            event_type: row.event_type,
            source: row.source,
            subject: row.subject,
            caused_by: row.causation_id.map(EventId::from_uuid),
            occurred_at: row.occurred_at,
            bytes: row.bytes,
            data: row.data.map(stored_json).transpose()?,
        })
    });
    rows.collect()
}

/// What a function has done with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// When the attempt that succeeded, or gave it up, began.
    pub at: DateTime<Utc>,
    /// How.
    pub handling: Handling,
}

/// A function that has handled an event, or tried to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The event.
    pub event: EventId,
    /// The function.
    pub function: String,
    /// What was done; `None` as long as no attempt has succeeded.
    pub done: Option<Done>,
    /// Attempts that failed.
    pub failed: i32,
}

/// The functions that have handled any of these events, or tried to.
///
/// # Errors
/// The database's own.
pub async fn deliveries(
    conn: &mut PgConnection,
    events: &[Uuid],
) -> sqlx::Result<Vec<DeliveryRow>> {
    let functions =
        sqlx::query_file_scalar!("src/traces/functions.sql").fetch_all(&mut *conn).await?;
    let handled = sqlx::query!(
        "SELECT function, event_id, received_at, record_partition, record_offset, waited_ms, worked_us
         FROM inbox WHERE function = ANY($1) AND event_id = ANY($2) ORDER BY received_at, function",
        &functions,
        events,
    )
    .map(|row| DeliveryRow {
        event: EventId::from_uuid(row.event_id),
        function: row.function,
        done: Some(Done {
            at: row.received_at,
            handling: Handling {
                partition: row.record_partition,
                offset: row.record_offset,
                waited_ms: row.waited_ms,
                worked_us: row.worked_us,
            },
        }),
        failed: 0,
    })
    .fetch_all(&mut *conn)
    .await?;
    let failed = sqlx::query!(
        "SELECT function, event_id, attempts FROM delivery_attempts
         WHERE function = ANY($1) AND event_id = ANY($2) ORDER BY function, event_id",
        &functions,
        events,
    )
    .fetch_all(conn)
    .await?;
    let mut deliveries = handled;
    for row in failed {
        let event = EventId::from_uuid(row.event_id);
        let is_it =
            |other: &&mut DeliveryRow| other.event == event && other.function == row.function;
        match deliveries.iter_mut().find(is_it) {
            Some(delivery) => delivery.failed = row.attempts,
            None => deliveries.push(DeliveryRow {
                event,
                function: row.function,
                done: None,
                failed: row.attempts,
            }),
        }
    }
    Ok(deliveries)
}

/// An event that is not on the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayRow {
    /// The event.
    pub event: EventId,
    /// Why no relay tries any more; `None` while one does.
    pub parked: Option<String>,
}

/// Those of these events that are not on the broker.
///
/// # Errors
/// The database's own.
pub async fn delays(conn: &mut PgConnection, events: &[Uuid]) -> sqlx::Result<Vec<DelayRow>> {
    sqlx::query!(
        r#"SELECT event_id, parked_at IS NOT NULL AS "is_parked!", coalesce(parked_reason, '') AS "reason!"
           FROM delayed_events WHERE event_id = ANY($1)"#,
        events,
    )
    .map(|row| DelayRow {
        event: EventId::from_uuid(row.event_id),
        parked: row.is_parked.then_some(row.reason),
    })
    .fetch_all(conn)
    .await
}

/// The dead letters of a request, oldest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn dead_letters(
    conn: &mut PgConnection,
    request: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<DeadLetterRow>> {
    sqlx::query!(
        r#"SELECT id, occurred_at, causation_id, data,
                  (SELECT max(replayed_at) FROM dead_letter_replays WHERE dead_letter_id = events.id) AS replayed_at
           FROM events WHERE topic = 'dead.letters' AND correlation_id = $1 ORDER BY occurred_at, id LIMIT $2"#,
        request,
        limit,
    )
    .map(|row| DeadLetterRow {
        id: EventId::from_uuid(row.id),
        occurred_at: row.occurred_at,
        cause: row.causation_id.map(EventId::from_uuid),
        data: row.data,
        replayed_at: row.replayed_at,
    })
    .fetch_all(conn)
    .await
}
