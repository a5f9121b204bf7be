//! Lanes that an operator has paused: the events of one partition for one function.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// A lane that is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedLane {
    /// The function.
    pub function: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i16,
    /// Events from this offset on are not handled.
    pub stops_at: i64,
    /// Since when.
    pub paused_at: DateTime<Utc>,
}

/// The paused lanes of a function.
///
/// # Errors
/// The database's own.
pub async fn of_function(conn: &mut PgConnection, function: &str) -> sqlx::Result<Vec<PausedLane>> {
    sqlx::query_as!(
        PausedLane,
        "SELECT function, topic, partition, stops_at, paused_at FROM paused_lanes WHERE function = $1",
        function,
    )
    .fetch_all(conn)
    .await
}

/// The paused lanes of all functions: a row for each partition that an operator has paused, so none, nearly always.
///
/// # Errors
/// The database's own.
pub async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<PausedLane>> {
    sqlx::query_as!(
        PausedLane,
        "SELECT function, topic, partition, stops_at, paused_at FROM paused_lanes",
    )
    .fetch_all(conn)
    .await
}

/// Pauses partitions of a topic for a function; those that are paused stay as they are. Returns how many are new.
///
/// # Errors
/// The database's own.
pub async fn pause(
    conn: &mut PgConnection,
    function: &str,
    topic: &str,
    partitions: &[i16],
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let paused = sqlx::query!(
        "INSERT INTO paused_lanes (function, topic, partition, stops_at, paused_at)
         SELECT $1, $2, partition, 0, $4 FROM UNNEST($3::smallint[]) AS partition ON CONFLICT DO NOTHING",
        function,
        topic,
        partitions,
        now,
    )
    .execute(conn)
    .await?;
    Ok(paused.rows_affected())
}

/// Lets one more event pass: the one at `next`, or, if a step to there was made before, the one after that. Returns
/// where the lane stops now; `None` if it is not paused.
///
/// # Errors
/// The database's own.
pub async fn step(
    conn: &mut PgConnection,
    function: &str,
    topic: &str,
    partition: i16,
    next: i64,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "UPDATE paused_lanes SET stops_at = greatest(stops_at, $4) + 1
         WHERE function = $1 AND topic = $2 AND partition = $3 RETURNING stops_at",
        function,
        topic,
        partition,
        next,
    )
    .fetch_optional(conn)
    .await
}

/// Resumes partitions of a topic for a function; returns how many were paused.
///
/// # Errors
/// The database's own.
pub async fn resume(
    conn: &mut PgConnection,
    function: &str,
    topic: &str,
    partitions: &[i16],
) -> sqlx::Result<u64> {
    let resumed = sqlx::query!(
        "DELETE FROM paused_lanes WHERE function = $1 AND topic = $2 AND partition = ANY($3)",
        function,
        topic,
        partitions,
    )
    .execute(conn)
    .await?;
    Ok(resumed.rows_affected())
}
