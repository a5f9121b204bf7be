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

/// Claims several events for a function, each with the time; gives those that were not handled before.
///
/// # Errors
/// The database's own; of the primary key, if another transaction claims one of them at the same moment. Then each is to
/// be [claimed](claim) by itself, which waits: that costs the log one more record for each, and here it is for many.
pub async fn claim_all(
    conn: &mut PgConnection,
    function: &str,
    events: &[(EventId, DateTime<Utc>)],
) -> sqlx::Result<Vec<EventId>> {
    let (ids, times): (Vec<Uuid>, Vec<DateTime<Utc>>) =
        events.iter().map(|(id, time)| (id.as_uuid(), *time)).unzip();
    let claimed = sqlx::query_scalar!(
        "INSERT INTO inbox (function, event_id, received_at)
         SELECT DISTINCT ON (id) $1, id, time FROM UNNEST($2::uuid[], $3::timestamptz[]) AS new (id, time)
         -- A scalar subquery, so that each is looked up in the index.
         WHERE (SELECT event_id FROM inbox WHERE function = $1 AND event_id = id) IS NULL ORDER BY id
         RETURNING event_id",
        function,
        &ids,
        &times,
    )
    .fetch_all(conn)
    .await?;
    Ok(claimed.into_iter().map(EventId::from_uuid).collect())
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
