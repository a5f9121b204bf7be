//! Events that no function could handle, and their replays.

use chrono::{DateTime, Utc};
use ids::{EventId, UserId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// A filter of dead letters. Absent fields match all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// These only.
    pub ids: Option<Vec<Uuid>>,
    /// Those that came from this topic.
    pub topic: Option<String>,
    /// Those that this function gave up.
    pub function: Option<String>,
    /// Those since then.
    pub since: Option<DateTime<Utc>>,
    /// Those before this one in the order of the list.
    pub before: Option<(DateTime<Utc>, Uuid)>,
}

/// A dead letter as stored.
#[derive(Debug, Clone)]
pub struct DeadLetterRow {
    /// The dead letter's own event.
    pub id: EventId,
    /// When it was given up.
    pub occurred_at: DateTime<Utc>,
    /// The event that was given up, if it was one.
    pub cause: Option<EventId>,
    /// The letter, as [`events::dead_letter::DeadLetter`]; only a marker if its request was erased.
    pub data: Value,
    /// When it was last replayed.
    pub replayed_at: Option<DateTime<Utc>>,
}

/// The newest dead letters, newest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    limit: i64,
) -> sqlx::Result<Vec<DeadLetterRow>> {
    sqlx::query!(
        r#"SELECT id, occurred_at, causation_id, data,
                  (SELECT max(replayed_at) FROM dead_letter_replays WHERE dead_letter_id = events.id) AS replayed_at
           FROM events
           WHERE topic = 'dead.letters'
             AND ($1::uuid[] IS NULL OR id = ANY($1))
             AND ($2::text IS NULL OR starts_with(data->>'origin', $2 || '-'))
             AND ($3::text IS NULL OR data->>'function' = $3)
             AND ($4::timestamptz IS NULL OR occurred_at >= $4)
             AND ($6::timestamptz IS NULL OR (occurred_at, id) < ($6, $7::uuid))
           ORDER BY occurred_at DESC, id DESC LIMIT $5"#,
        filter.ids.as_deref(),
        filter.topic.as_deref(),
        filter.function.as_deref(),
        filter.since,
        limit,
        filter.before.map(|(at, _)| at),
        filter.before.map(|(_, id)| id),
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

/// A replay of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRow {
    /// The event as which it was sent.
    pub event: EventId,
    /// When.
    pub replayed_at: DateTime<Utc>,
    /// Who did it; `None` if it was a command, or their account is gone.
    pub replayed_by: Option<UserId>,
    /// The members of the event's data that were changed.
    pub changed: Vec<String>,
}

/// Records that a dead letter was replayed.
///
/// # Errors
/// The database's own.
pub async fn note_replay(
    conn: &mut PgConnection,
    letter: EventId,
    replay: &ReplayRow,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO dead_letter_replays (dead_letter_id, event_id, replayed_at, replayed_by, changed)
         VALUES ($1, $2, $3, (SELECT id FROM users WHERE id = $4), $5)",
        letter.as_uuid(),
        replay.event.as_uuid(),
        replay.replayed_at,
        replay.replayed_by.map(UserId::as_uuid),
        &replay.changed,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The latest replays of a dead letter, newest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn replays(
    conn: &mut PgConnection,
    letter: EventId,
    limit: i64,
) -> sqlx::Result<Vec<ReplayRow>> {
    sqlx::query!(
        "SELECT event_id, replayed_at, replayed_by, changed FROM dead_letter_replays
         WHERE dead_letter_id = $1 ORDER BY replayed_at DESC, event_id LIMIT $2",
        letter.as_uuid(),
        limit,
    )
    .map(|row| ReplayRow {
        event: EventId::from_uuid(row.event_id),
        replayed_at: row.replayed_at,
        replayed_by: row.replayed_by.map(UserId::from_uuid),
        changed: row.changed,
    })
    .fetch_all(conn)
    .await
}

/// When a dead letter was last replayed. Nobody else who asks so replays it before the end of the transaction.
///
/// # Errors
/// The database's own.
pub async fn lock_replays(
    tx: &mut PgConnection,
    letter: EventId,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('replay ' || $1::text, 0))",
        letter.to_string(),
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_scalar!(
        "SELECT max(replayed_at) FROM dead_letter_replays WHERE dead_letter_id = $1",
        letter.as_uuid(),
    )
    .fetch_one(tx)
    .await
}

/// The topic of a stored event.
///
/// # Errors
/// The database's own.
pub async fn topic_of(conn: &mut PgConnection, event: EventId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT topic FROM events WHERE id = $1", event.as_uuid())
        .fetch_optional(conn)
        .await
}

/// An event that no broker took.
#[derive(Debug, Clone)]
pub struct ParkedEvent {
    /// The event.
    pub id: EventId,
    /// Its type.
    pub event_type: String,
    /// Where it should go.
    pub topic: String,
    /// When it was given up.
    pub parked_at: DateTime<Utc>,
    /// The broker's error.
    pub reason: String,
}

/// Events that the relay has given up, newest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn parked(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<ParkedEvent>> {
    sqlx::query!(
        r#"SELECT id, type AS event_type, events.topic, parked.parked_at AS "parked_at!",
                  coalesce(parked.parked_reason, '') AS "reason!"
           FROM (SELECT event_id, parked_at, parked_reason FROM delayed_events
                 WHERE parked_at IS NOT NULL ORDER BY parked_at DESC LIMIT $1) AS parked
           JOIN events ON id = event_id ORDER BY parked.parked_at DESC"#,
        limit,
    )
    .map(|row| ParkedEvent {
        id: EventId::from_uuid(row.id),
        event_type: row.event_type,
        topic: row.topic,
        parked_at: row.parked_at,
        reason: row.reason,
    })
    .fetch_all(conn)
    .await
}

/// Returns parked events to the relay, as if they were new; returns their number.
///
/// # Errors
/// The database's own.
pub async fn unpark(
    conn: &mut PgConnection,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let unparked = sqlx::query!(
        "UPDATE delayed_events SET parked_at = NULL, parked_reason = NULL, attempts = 1, retry_at = $2
         WHERE event_id = ANY($1) AND parked_at IS NOT NULL",
        ids,
        now,
    )
    .execute(conn)
    .await?;
    Ok(unparked.rows_affected())
}
