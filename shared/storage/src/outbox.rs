//! What is still to be published: each writer's progress, and the events that are left to a relay.

use chrono::{DateTime, Utc};
use ids::EventId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::events::{StoredEvent, stored_json};

/// The advisory lock of the relay that takes events. The number has no meaning.
const RELAY_LOCK: i64 = 7_320_981_142;
/// Events of the last version that are left to the relay in one round.
const MAX_UNSENT_OF_LAST_VERSION: i64 = 5_000;

/// Registers a writer, a process that publishes what it commits; returns its id, and the highest sequence of an event
/// so far.
///
/// # Errors
/// The database's own.
pub async fn register(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query!(
        "INSERT INTO writers (floor, seen_at)
         VALUES (coalesce(pg_sequence_last_value(pg_get_serial_sequence('events', 'sequence')::regclass), 0), $1)
         RETURNING id, floor",
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.id, row.floor))
}

/// Records that a writer is alive, and that its events up to `floor` need no relay. `false`: it has expired, and a
/// relay publishes for it.
///
/// # Errors
/// The database's own.
pub async fn note_alive(
    conn: &mut PgConnection,
    writer: i64,
    floor: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE writers SET floor = $2, seen_at = $3 WHERE id = $1 AND taken_over_at IS NULL",
        writer,
        floor,
        now,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Unregisters a writer that has published everything.
///
/// # Errors
/// The database's own.
pub async fn unregister(conn: &mut PgConnection, writer: i64) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM writers WHERE id = $1 AND taken_over_at IS NULL", writer)
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes the caller the only relay until the end of its transaction. `false`: another one is.
///
/// # Errors
/// The database's own.
pub async fn lock(tx: &mut PgConnection) -> sqlx::Result<bool> {
    // Two relays that took events at the same time could each get some of one student's.
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "alone!""#, RELAY_LOCK)
        .fetch_one(tx)
        .await
}

/// Expires writers that were last seen before `dead_since`: their events after their last note are left to the relay.
/// Returns how many.
///
/// The same is done once more for those that expired before `settled_since`: by then every transaction that was open
/// when they expired has ended, so all their events are visible. Events sent in between are sent twice.
///
/// The caller holds the [`lock`].
///
/// # Errors
/// The database's own.
pub async fn expire_writers(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    dead_since: DateTime<Utc>,
    settled_since: DateTime<Utc>,
) -> sqlx::Result<usize> {
    let silent = sqlx::query!(
        r#"SELECT id, floor, taken_over_at IS NOT NULL AS "is_settled!" FROM writers
           WHERE (taken_over_at IS NULL AND seen_at < $1) OR taken_over_at < $2
           FOR UPDATE SKIP LOCKED"#,
        dead_since,
        settled_since,
    )
    .fetch_all(&mut *tx)
    .await?;
    for writer in &silent {
        sqlx::query!(
            r#"INSERT INTO delayed_events (event_id, sequence, topic, partition_key, attempts, retry_at)
               SELECT id, sequence, topic, partition_key, 0, $3 FROM events
               WHERE sequence > $2 AND writer = $1 AND data::text <> '{"erased": true}'
               ON CONFLICT DO NOTHING"#,
            writer.id,
            writer.floor,
            now,
        )
        .execute(&mut *tx)
        .await?;
        if writer.is_settled {
            sqlx::query!("DELETE FROM writers WHERE id = $1", writer.id).execute(&mut *tx).await?;
        } else {
            sqlx::query!("UPDATE writers SET taken_over_at = $2 WHERE id = $1", writer.id, now)
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(silent.len())
}

/// Leaves to the relay the events that a process of the last version has not sent in time. Returns how many.
///
/// The caller holds the [`lock`].
///
/// # Errors
/// The database's own.
pub async fn delay_unsent_of_last_version(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let moved = sqlx::query!(
        "WITH left_behind AS (
             SELECT id FROM events
             WHERE published_at IS NULL AND parked_at IS NULL AND lease_until <= $1
             ORDER BY sequence LIMIT $2 FOR UPDATE SKIP LOCKED),
         moved AS (
             UPDATE events SET published_at = $1 WHERE id IN (SELECT id FROM left_behind)
             RETURNING id, sequence, topic, partition_key, publish_attempts)
         INSERT INTO delayed_events (event_id, sequence, topic, partition_key, attempts, retry_at)
         SELECT id, sequence, topic, partition_key, publish_attempts, $1 FROM moved
         ON CONFLICT DO NOTHING",
        now,
        MAX_UNSENT_OF_LAST_VERSION,
    )
    .execute(tx)
    .await?;
    Ok(moved.rows_affected())
}

/// How much a relay takes at a time.
#[derive(Debug, Clone, Copy)]
pub struct ClaimLimits {
    /// How many events at most.
    pub max_events: i64,
    /// How many bytes of data they have together at most, unless the first alone has more.
    pub max_bytes: i64,
}

/// An event that a relay has taken.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The event.
    pub event: StoredEvent,
    /// How often the broker refused it.
    pub attempts: i16,
}

/// Takes events that wait for a relay, oldest first; until `until` no other relay takes them.
/// Events of a student that would overtake an earlier one on the same topic are left.
///
/// The caller holds the [`lock`].
///
/// # Errors
/// The database's own.
pub async fn claim(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limits: ClaimLimits,
) -> sqlx::Result<Vec<Claimed>> {
    let rows =
        sqlx::query_file!("src/outbox/claim.sql", now, until, limits.max_events, limits.max_bytes)
            .fetch_all(tx)
            .await?;
    let events = rows.into_iter().map(|row| {
        let event = StoredEvent {
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
        };
        Ok(Claimed { event, attempts: row.attempts })
    });
    events.collect()
}

/// Records that the broker has these events: no relay needs to send them.
///
/// # Errors
/// The database's own.
pub async fn sent(conn: &mut PgConnection, events: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM delayed_events WHERE event_id = ANY($1)", events)
        .execute(conn)
        .await?;
    Ok(())
}

/// Leaves events to a relay from `retry_at` on, since the broker is unavailable: this does not count as a refusal. An
/// event that was erased meanwhile is not sent.
///
/// # Errors
/// The database's own.
pub async fn delay(
    conn: &mut PgConnection,
    events: &[Uuid],
    retry_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO delayed_events AS delayed (event_id, sequence, topic, partition_key, attempts, retry_at)
           SELECT id, sequence, topic, partition_key, 1, $2 FROM events
           WHERE id = ANY($1) AND data::text <> '{"erased": true}' ORDER BY id
           ON CONFLICT (event_id) DO UPDATE SET retry_at = $2, attempts = greatest(delayed.attempts, 1)"#,
        events,
        retry_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Leaves an event to a relay from `retry_at` on, since the broker refused it.
///
/// # Errors
/// The database's own.
pub async fn refuse(
    conn: &mut PgConnection,
    event: Uuid,
    retry_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO delayed_events AS delayed (event_id, sequence, topic, partition_key, attempts, retry_at)
         SELECT id, sequence, topic, partition_key, 1, $2 FROM events WHERE id = $1
         ON CONFLICT (event_id) DO UPDATE SET retry_at = $2, attempts = least(delayed.attempts + 1, 32000)",
        event,
        retry_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Parks an event: no relay takes it any more.
///
/// # Errors
/// The database's own.
pub async fn park(
    conn: &mut PgConnection,
    event: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO delayed_events AS delayed
             (event_id, sequence, topic, partition_key, attempts, retry_at, parked_at, parked_reason)
         SELECT id, sequence, topic, partition_key, 1, $2, $2, $3 FROM events WHERE id = $1
         ON CONFLICT (event_id) DO UPDATE SET
             parked_at = $2, parked_reason = $3, attempts = least(delayed.attempts + 1, 32000)",
        event,
        now,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}
