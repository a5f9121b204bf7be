//! Failed attempts of a function at an event, across instances.

use chrono::{DateTime, Utc};
use ids::EventId;
use sqlx::PgConnection;

/// Counts a failed attempt, and returns how many there were, this one included.
///
/// # Errors
/// The database's own.
pub async fn count(
    conn: &mut PgConnection,
    function: &str,
    event_id: EventId,
    now: DateTime<Utc>,
) -> sqlx::Result<u32> {
    let attempts = sqlx::query_scalar!(
        "INSERT INTO delivery_attempts AS d (function, event_id, attempts, failed_at) VALUES ($1, $2, 1, $3)
         ON CONFLICT (function, event_id) DO UPDATE SET attempts = d.attempts + 1, failed_at = $3
         RETURNING attempts",
        function,
        event_id.as_uuid(),
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(u32::try_from(attempts).unwrap_or(u32::MAX))
}
