//! Which function has handled which event.

use chrono::{DateTime, Utc};
use ids::EventId;
use sqlx::PgConnection;
use uuid::Uuid;

/// Claims an event for a function. `false`: it was handled before, so there is nothing to do. A
/// second transaction that claims the same event waits for the first one's end.
///
/// # Errors
/// The database's own.
pub async fn claim(
    conn: &mut PgConnection,
    function: &str,
    event_id: EventId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query!(
        "INSERT INTO inbox (function, event_id, received_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
        function,
        event_id.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() == 1)
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
