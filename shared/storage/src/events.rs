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
    /// How often the broker did not take it.
    pub publish_attempts: i16,
}

/// Whoever holds this advisory lock takes events for the relay. The number has no meaning.
const RELAY_LOCK: i64 = 7_320_981_142;

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
    publish_attempts: i16,
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
            publish_attempts: row.publish_attempts,
        }
    }
}

/// Keeps events that are to be published, in their order.
///
/// Returns the ids of those that their writer publishes until `lease_until`. The others wait for a relay: an earlier
/// event of the same student on the same topic does, and must not be overtaken. An event that is kept already stays
/// as it is.
///
/// # Errors
/// The database's own.
pub async fn insert_outgoing(
    conn: &mut PgConnection,
    events: &[StoredEvent],
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> sqlx::Result<Vec<Uuid>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let texts = |of: fn(&StoredEvent) -> &str| -> Vec<String> {
        events.iter().map(|event| of(event).to_owned()).collect()
    };
    let ids: Vec<Uuid> = events.iter().map(|event| event.id.as_uuid()).collect();
    let subjects: Vec<Option<Uuid>> = events.iter().map(|event| event.subject).collect();
    let correlations: Vec<Uuid> = events.iter().map(|event| event.correlation_id).collect();
    let causes: Vec<Option<Uuid>> =
        events.iter().map(|event| event.causation_id.map(EventId::as_uuid)).collect();
    let traces: Vec<Option<String>> =
        events.iter().map(|event| event.traceparent.clone()).collect();
    // As text: sqlx would send jsonb, which cannot hold every character.
    let data: Vec<String> = events.iter().map(|event| event.data.to_string()).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|event| event.occurred_at).collect();
    let kept = sqlx::query_file!(
        "src/events/insert_outgoing.sql",
        &ids,
        &texts(|event| &event.topic),
        &texts(|event| &event.partition_key),
        &texts(|event| &event.event_type),
        &texts(|event| &event.source),
        &subjects as &[Option<Uuid>],
        &correlations,
        &causes as &[Option<Uuid>],
        &traces as &[Option<String>],
        &data,
        &times,
        now,
        lease_until,
    )
    .fetch_all(conn)
    .await?;
    Ok(kept.into_iter().filter(|row| row.is_leased).map(|row| row.id).collect())
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

/// Takes events whose writer did not publish them in time, oldest first, and leases them until `lease_until`.
///
/// At most `limit` of them, and no more after the first that together have over `max_bytes` of data. Events of a
/// student that would overtake an earlier one on the same topic are left. While somebody else takes some, there are
/// none.
///
/// The caller has begun a transaction: until its end nobody else takes any.
///
/// # Errors
/// The database's own.
pub async fn claim_unpublished(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    (limit, max_bytes): (i64, i64),
) -> sqlx::Result<Vec<StoredEvent>> {
    // Two that took events at the same moment could each get a part of a student's.
    let alone =
        sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "alone!""#, RELAY_LOCK)
            .fetch_one(&mut *tx)
            .await?;
    if !alone {
        return Ok(Vec::new());
    }
    let rows = sqlx::query_file_as!(
        EventRow,
        "src/events/claim_unpublished.sql",
        now,
        lease_until,
        limit,
        max_bytes,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(StoredEvent::from).collect())
}

/// Leaves events to the relay from `retry_at` on: `unsent` did not reach the broker, `held_back` would have overtaken
/// one of them.
///
/// # Errors
/// The database's own.
pub async fn release(
    conn: &mut PgConnection,
    unsent: &[Uuid],
    held_back: &[Uuid],
    retry_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    // One attempt however often: a broker that is away is no reason to give an event up. Those behind it count as
    // failed, too, so that what comes later waits for them.
    sqlx::query!(
        "UPDATE events SET lease_until = $3, publish_attempts = greatest(publish_attempts, 1)
         WHERE (id = ANY($1) OR id = ANY($2)) AND published_at IS NULL",
        unsent,
        held_back,
        retry_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that the broker has refused an event, and leaves it to the relay from `retry_at` on.
///
/// # Errors
/// The database's own.
pub async fn refuse(
    conn: &mut PgConnection,
    id: Uuid,
    retry_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE events SET lease_until = $2, publish_attempts = least(publish_attempts + 1, 32000)
         WHERE id = $1 AND published_at IS NULL",
        id,
        retry_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives an event up: no relay takes it any more.
///
/// # Errors
/// The database's own.
pub async fn park(
    conn: &mut PgConnection,
    id: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE events SET parked_at = $2, parked_reason = $3,
                publish_attempts = least(publish_attempts + 1, 32000)
         WHERE id = $1 AND published_at IS NULL",
        id,
        now,
        reason,
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
        "SELECT id, topic, partition_key, type AS event_type, source, subject, correlation_id,
                causation_id, traceparent, data, occurred_at, publish_attempts
         FROM events WHERE correlation_id = $1 AND type = $2 ORDER BY occurred_at LIMIT 1",
        request,
        event_type,
    )
    .fetch_optional(conn)
    .await
    .map(|row| row.map(StoredEvent::from))
}

/// Counts the events that no broker has yet, those that are given up included.
///
/// # Errors
/// The database's own.
pub async fn count_unpublished(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM events WHERE published_at IS NULL"#)
        .fetch_one(conn)
        .await
}
