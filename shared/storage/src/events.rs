//! The audit trail, which is also the outbox.

use chrono::{DateTime, Utc};
use events::Json;
use ids::EventId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::inbox::Claim;

/// An event as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The event's identity.
    pub id: EventId,
    /// The Kafka topic that it travels on.
    pub topic: String,
    /// The Kafka key.
    pub partition_key: String,
    /// The CloudEvents type.
    pub event_type: String,
    /// The CloudEvents source.
    pub source: String,
    /// The student that it is about.
    pub subject: Option<Uuid>,
    /// The request that it belongs to.
    pub correlation_id: Uuid,
    /// The event that caused it.
    pub causation_id: Option<EventId>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The payload.
    pub data: Json,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

/// An event that was stored to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inserted {
    /// The event.
    pub id: Uuid,
    /// Its position in the order of all events.
    pub sequence: i64,
    /// Whether its writer sends it. Otherwise a relay does, since an earlier event of the same student on the same
    /// topic waits for one and must not be overtaken; or nobody does, since its request was erased.
    pub is_sent: bool,
}

struct EventRow {
    id: Uuid,
    topic: String,
    partition_key: String,
    event_type: String,
    source: String,
    subject: Option<Uuid>,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    traceparent: Option<String>,
    data: String,
    occurred_at: DateTime<Utc>,
}

impl TryFrom<EventRow> for StoredEvent {
    type Error = sqlx::Error;

    fn try_from(row: EventRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: EventId::from_uuid(row.id),
            topic: row.topic,
            partition_key: row.partition_key,
            event_type: row.event_type,
            source: row.source,
            subject: row.subject,
            correlation_id: row.correlation_id,
            causation_id: row.causation_id.map(EventId::from_uuid),
            traceparent: row.traceparent,
            data: stored_json(row.data)?,
            occurred_at: row.occurred_at,
        })
    }
}

/// Stored JSON, which the database has checked.
pub(crate) fn stored_json(text: String) -> sqlx::Result<Json> {
    Json::from_text(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The events that a transaction has handled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claims<'a> {
    /// The function that handled them.
    pub function: &'a str,
    /// Each event once.
    pub events: &'a [Claim],
}

/// Ends a transaction: claims the events that it has handled, and stores those to be published, in order.
///
/// The process `writer` publishes them; without one all are left to a relay. An event that is already stored does not
/// change.
///
/// `None`: the writer has expired. The caller must roll back, for nobody would send the events.
///
/// # Errors
/// The database's own; [`is_claimed`] tells whether one of the claims was handled before.
pub async fn claim_and_insert(
    conn: &mut PgConnection,
    claims: Claims<'_>,
    events: &[StoredEvent],
    writer: Option<i64>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Vec<Inserted>>> {
    if events.is_empty() && claims.events.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let handled = claims.events;
    let claimed: Vec<Uuid> = handled.iter().map(|claim| claim.event.as_uuid()).collect();
    let claimed_at: Vec<DateTime<Utc>> = handled.iter().map(|claim| claim.at).collect();
    let partitions: Vec<Option<i16>> =
        handled.iter().map(|claim| claim.handling.partition).collect();
    let offsets: Vec<Option<i64>> = handled.iter().map(|claim| claim.handling.offset).collect();
    let waited: Vec<Option<i32>> = handled.iter().map(|claim| claim.handling.waited_ms).collect();
    let worked: Vec<Option<i32>> = handled.iter().map(|claim| claim.handling.worked_us).collect();
    let topics: Vec<&str> = events.iter().map(|event| event.topic.as_str()).collect();
    let keys: Vec<&str> = events.iter().map(|event| event.partition_key.as_str()).collect();
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    let sources: Vec<&str> = events.iter().map(|event| event.source.as_str()).collect();
    let ids: Vec<Uuid> = events.iter().map(|event| event.id.as_uuid()).collect();
    let subjects: Vec<Option<Uuid>> = events.iter().map(|event| event.subject).collect();
    let correlations: Vec<Uuid> = events.iter().map(|event| event.correlation_id).collect();
    let causes: Vec<Option<Uuid>> =
        events.iter().map(|event| event.causation_id.map(EventId::as_uuid)).collect();
    let traces: Vec<Option<&str>> =
        events.iter().map(|event| event.traceparent.as_deref()).collect();
    // As text: sqlx would send jsonb, which cannot hold every character.
    let data: Vec<&str> = events.iter().map(|event| event.data.as_str()).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|event| event.occurred_at).collect();
    let inserted = sqlx::query_file!(
        "src/events/claim_and_insert.sql",
        &ids,
        &topics as &[&str],
        &keys as &[&str],
        &types as &[&str],
        &sources as &[&str],
        &subjects as &[Option<Uuid>],
        &correlations,
        &causes as &[Option<Uuid>],
        &traces as &[Option<&str>],
        &data as &[&str],
        &times,
        writer,
        now,
        claims.function,
        &claimed,
        &claimed_at,
        &partitions as &[Option<i16>],
        &offsets as &[Option<i64>],
        &waited as &[Option<i32>],
        &worked as &[Option<i32>],
    )
    .fetch_all(conn)
    .await?;
    if inserted.iter().any(|row| !row.is_alive) {
        return Ok(None);
    }
    let inserted = inserted.into_iter().filter_map(|row| {
        Some(Inserted { id: row.id?, sequence: row.sequence?, is_sent: row.is_sent })
    });
    Ok(Some(inserted.collect()))
}

/// Whether the transaction was refused because one of its events was handled before.
#[must_use]
pub fn is_claimed(error: &sqlx::Error) -> bool {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    constraint == Some("inbox_pkey")
}

/// Stores an event from elsewhere in the audit trail; the broker has it already.
///
/// # Errors
/// The database's own.
pub async fn insert_received(
    conn: &mut PgConnection,
    event: &StoredEvent,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO events (id, topic, partition_key, type, source, subject, correlation_id,
                             causation_id, traceparent, data, occurred_at, lease_until, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::json, $11, $12, $12)
         ON CONFLICT (id) DO NOTHING",
        event.id.as_uuid(),
        event.topic,
        event.partition_key,
        event.event_type,
        event.source,
        event.subject,
        event.correlation_id,
        event.causation_id.map(EventId::as_uuid),
        event.traceparent,
        event.data.as_str(),
        event.occurred_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first event of a type that belongs to a request.
///
/// # Errors
/// The database's own.
pub async fn first_of_request(
    conn: &mut PgConnection,
    request: Uuid,
    event_type: &str,
) -> sqlx::Result<Option<StoredEvent>> {
    sqlx::query_as!(
        EventRow,
        r#"SELECT id, topic, partition_key, type AS event_type, source, subject, correlation_id,
                causation_id, traceparent, data::text AS "data!", occurred_at
         FROM events WHERE correlation_id = $1 AND type = $2 ORDER BY occurred_at LIMIT 1"#,
        request,
        event_type,
    )
    .fetch_optional(conn)
    .await?
    .map(StoredEvent::try_from)
    .transpose()
}
