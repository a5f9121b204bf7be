//! Deleting the text of requests, also of those that are still in work.
//!
//! All events of a request have its id as correlation id. Those that are kept lose their data, those that are not sent
//! yet are not sent any more, and what a function emits later is kept without data by
//! [`crate::events::claim_and_insert`].

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// For how long after an erasure [`finish`] looks for what was emitted at the same moment.
const RACE_LIMIT: TimeDelta = TimeDelta::hours(1);

/// Erases what is kept of these requests, and what still comes of them.
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

/// Erases what was emitted by transactions that had begun before their request was erased.
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
