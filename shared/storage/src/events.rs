//! The audit trail, which is the outbox too.

use chrono::{DateTime, Utc};
use ids::EventId;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// An event as it is kept.
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
    /// Whom it is about.
    pub subject: Option<Uuid>,
    /// The request that it belongs to.
    pub correlation_id: Uuid,
    /// The event that caused it.
    pub causation_id: Option<EventId>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The payload.
    pub data: Value,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
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
    data: Value,
    occurred_at: DateTime<Utc>,
}

impl From<EventRow> for StoredEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: EventId::from_uuid(row.id),
            topic: row.topic,
            partition_key: row.partition_key,
            event_type: row.event_type,
            source: row.source,
            subject: row.subject,
            correlation_id: row.correlation_id,
            causation_id: row.causation_id.map(EventId::from_uuid),
            traceparent: row.traceparent,
            data: row.data,
            occurred_at: row.occurred_at,
        }
    }
}

/// Keeps events that are to be published; until `lease_until` their writer does that, then a relay.
/// An event that is kept already stays as it is.
///
/// # Errors
/// The database's own.
pub async fn insert_outgoing(
    conn: &mut PgConnection,
    events: &[StoredEvent],
    lease_until: DateTime<Utc>,
) -> sqlx::Result<()> {
    for event in events {
        sqlx::query!(
            "INSERT INTO events (id, topic, partition_key, type, source, subject, correlation_id,
                                 causation_id, traceparent, data, occurred_at, lease_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::json, $11, $12)
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
            // As text: sqlx would send jsonb, which cannot hold every character.
            event.data.to_string(),
            event.occurred_at,
            lease_until,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Keeps an event that came from elsewhere, for the audit trail: the broker has it already.
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
        event.data.to_string(),
        event.occurred_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that the broker has these events.
///
/// # Errors
/// The database's own.
pub async fn mark_published(
    conn: &mut PgConnection,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE events SET published_at = $2 WHERE id = ANY($1) AND published_at IS NULL",
        ids,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes up to `limit` events whose writer did not publish them in time, oldest first, and leases
/// them to the caller until `lease_until`. Two callers never get the same event.
///
/// # Errors
/// The database's own.
pub async fn claim_unpublished(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<StoredEvent>> {
    let rows = sqlx::query_as!(
        EventRow,
        "UPDATE events SET lease_until = $2
         WHERE id IN (SELECT id FROM events
                      WHERE published_at IS NULL AND lease_until <= $1
                      ORDER BY occurred_at, id
                      LIMIT $3
                      FOR UPDATE SKIP LOCKED)
         RETURNING id, topic, partition_key, type AS event_type, source, subject, correlation_id,
                   causation_id, traceparent, data, occurred_at",
        now,
        lease_until,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let mut events: Vec<StoredEvent> = rows.into_iter().map(StoredEvent::from).collect();
    // UPDATE … RETURNING promises no order, and per-student order must survive the relay.
    events.sort_by_key(|event| (event.occurred_at, event.id));
    Ok(events)
}

/// The first event on one of `topics` that belongs to a request.
///
/// # Errors
/// The database's own.
pub async fn first_of_request(
    conn: &mut PgConnection,
    topics: &[String],
    correlation_id: Uuid,
) -> sqlx::Result<Option<StoredEvent>> {
    sqlx::query_as!(
        EventRow,
        "SELECT id, topic, partition_key, type AS event_type, source, subject, correlation_id,
                causation_id, traceparent, data, occurred_at
         FROM events WHERE correlation_id = $1 AND topic = ANY ($2) ORDER BY occurred_at LIMIT 1",
        correlation_id,
        topics,
    )
    .fetch_optional(conn)
    .await
    .map(|row| row.map(StoredEvent::from))
}

/// Counts the events that no broker has yet.
///
/// # Errors
/// The database's own.
pub async fn count_unpublished(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM events WHERE published_at IS NULL"#)
        .fetch_one(conn)
        .await
}

/// The newest events on a topic, newest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn latest_on_topic(
    conn: &mut PgConnection,
    topic: &str,
    limit: i64,
) -> sqlx::Result<Vec<(DateTime<Utc>, Value)>> {
    sqlx::query!(
        "SELECT occurred_at, data FROM events WHERE topic = $1 ORDER BY occurred_at DESC LIMIT $2",
        topic,
        limit,
    )
    .map(|row| (row.occurred_at, row.data))
    .fetch_all(conn)
    .await
}
