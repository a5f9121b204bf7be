//! Deleting the text of requests, also of those still in progress.
//!
//! All events of a request have its id as correlation id. Stored ones lose their data, unsent ones are never sent, and
//! what a function emits later is stored without data by [`crate::events::claim_and_insert`].

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// How long after an erasure [`finish`] looks for events that were emitted at the same time.
const RACE_LIMIT: TimeDelta = TimeDelta::hours(1);

/// Erases the events of these requests, stored and future ones.
///
/// # Errors
/// The database's own.
pub async fn erase(
    conn: &mut PgConnection,
    requests: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO erased_requests (id, erased_at) SELECT unnest($1::uuid[]), $2 ON CONFLICT DO NOTHING",
        requests,
        now,
    )
    .execute(&mut *conn)
    .await?;
    erase_stored(conn, requests, now).await
}

/// Erases events of transactions that had begun before their request was erased.
///
/// # Errors
/// The database's own.
pub async fn finish(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<()> {
    let requests = sqlx::query_scalar!(
        "SELECT id FROM erased_requests WHERE erased_at > $1",
        now - RACE_LIMIT
    )
    .fetch_all(&mut *conn)
    .await?;
    if requests.is_empty() { Ok(()) } else { erase_stored(conn, &requests, now).await }
}

async fn erase_stored(
    conn: &mut PgConnection,
    requests: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM drafts WHERE query_id = ANY($1)", requests)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "DELETE FROM delayed_events USING events
         WHERE event_id = events.id AND correlation_id = ANY($1)",
        requests,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"UPDATE events SET data = '{"erased": true}', published_at = coalesce(published_at, $2)
           WHERE correlation_id = ANY($1) AND data::text <> '{"erased": true}'"#,
        requests,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
