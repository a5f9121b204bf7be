//! Which function has handled which event.

use chrono::{DateTime, Utc};
use ids::EventId;
use sqlx::PgConnection;
use uuid::Uuid;

/// How an event was handled: what an operator wants to know. Absent is what the trigger does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Handling {
    /// The partition that it was read from.
    pub partition: Option<i16>,
    /// Its offset there.
    pub offset: Option<i64>,
    /// Milliseconds from the record's time on the broker to the beginning of the attempt that succeeded.
    pub waited_ms: Option<i32>,
    /// Microseconds from then until its effects were stored.
    pub worked_us: Option<i32>,
}

/// An event that was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The event.
    pub event: EventId,
    /// When the attempt that succeeded began.
    pub at: DateTime<Utc>,
    /// How it was handled.
    pub handling: Handling,
}

/// Claims an event for a function. `false`: it was handled before, so there is nothing to do. A
/// second transaction that claims the same event waits for the first one's end.
///
/// # Errors
/// The database's own.
pub async fn claim(
    conn: &mut PgConnection,
    function: &str,
    Claim { event, at, handling }: Claim,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query!(
        "INSERT INTO inbox (function, event_id, received_at, record_partition, record_offset, waited_ms, worked_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        function,
        event.as_uuid(),
        at,
        handling.partition,
        handling.offset,
        handling.waited_ms,
        handling.worked_us,
    )
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// Notes how long the work on an event took that was claimed before it was done, in microseconds.
///
/// # Errors
/// The database's own.
pub async fn note_work(
    conn: &mut PgConnection,
    function: &str,
    Claim { event, handling, .. }: Claim,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE inbox SET worked_us = $3 WHERE function = $1 AND event_id = $2",
        function,
        event.as_uuid(),
        handling.worked_us,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which of these events a function has handled.
///
/// # Errors
/// The database's own.
pub async fn handled(
    conn: &mut PgConnection,
    function: &str,
    events: &[EventId],
) -> sqlx::Result<Vec<EventId>> {
    let ids: Vec<Uuid> = events.iter().map(|id| id.as_uuid()).collect();
    let handled = sqlx::query_scalar!(
        "SELECT event_id FROM inbox WHERE function = $1 AND event_id = ANY($2)",
        function,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(handled.into_iter().map(EventId::from_uuid).collect())
}

/// Whether a function has handled an event.
///
/// # Errors
/// The database's own.
pub async fn contains(
    conn: &mut PgConnection,
    function: &str,
    event_id: EventId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM inbox WHERE function = $1 AND event_id = $2) AS "seen!""#,
        function,
        event_id.as_uuid(),
    )
    .fetch_one(conn)
    .await
}
