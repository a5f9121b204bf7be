//! Fixed-window request counters, shared by all instances.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Counters of past windows that are removed when one is created: more than one, so that their number falls.
const REMOVED_AT_ONCE: i64 = 2;

/// Counts one hit on `bucket` in the window that starts at `window_start`, and returns the hits in
/// that window so far, this one included.
///
/// Creating a counter removes some whose window is over, so that there are never many more than the current window
/// needs. An instance whose clock is behind counts in the others' window.
///
/// # Errors
/// The database's own.
pub async fn hit(
    conn: &mut PgConnection,
    bucket: &str,
    window_start: DateTime<Utc>,
) -> sqlx::Result<i32> {
    let hits = sqlx::query_scalar!(
        "INSERT INTO rate_limits AS r (bucket, window_start, hits) VALUES ($1, $2, 1)
         ON CONFLICT (bucket) DO UPDATE SET
             hits = CASE WHEN r.window_start >= $2 THEN r.hits + 1 ELSE 1 END,
             window_start = greatest(r.window_start, $2)
         RETURNING hits",
        bucket,
        window_start,
    )
    .fetch_one(&mut *conn)
    .await?;
    if hits == 1 {
        remove_past(conn, window_start, REMOVED_AT_ONCE).await?;
    }
    Ok(hits)
}

/// Requests on a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits {
    /// The bucket.
    pub bucket: String,
    /// Their number.
    pub hits: i32,
}

/// Adds to several counters, and returns the hits on each of them in the window that starts at `window_start`. Removes
/// counters of past windows as [`hit`] does.
///
/// # Errors
/// The database's own.
pub async fn add(
    conn: &mut PgConnection,
    hits: &[Hits],
    window_start: DateTime<Utc>,
) -> sqlx::Result<Vec<Hits>> {
    let buckets: Vec<String> = hits.iter().map(|hits| hits.bucket.clone()).collect();
    let counts: Vec<i32> = hits.iter().map(|hits| hits.hits).collect();
    let known = sqlx::query_as!(
        Hits,
        // In the order of the buckets, so that two instances lock them in the same order.
        "INSERT INTO rate_limits AS r (bucket, window_start, hits)
         SELECT bucket, $3, hits FROM UNNEST($1::text[], $2::int[]) AS new (bucket, hits) ORDER BY bucket
         ON CONFLICT (bucket) DO UPDATE SET
             hits = CASE WHEN r.window_start >= $3 THEN r.hits + excluded.hits ELSE excluded.hits END,
             window_start = greatest(r.window_start, $3)
         RETURNING bucket, hits",
        &buckets,
        &counts,
        window_start,
    )
    .fetch_all(&mut *conn)
    .await?;
    let added: HashMap<&str, i32> =
        hits.iter().map(|hits| (hits.bucket.as_str(), hits.hits)).collect();
    let is_new = |known: &&Hits| added.get(known.bucket.as_str()) == Some(&known.hits);
    let new = i64::try_from(known.iter().filter(is_new).count()).unwrap_or(i64::MAX);
    if new > 0 {
        remove_past(conn, window_start, new.saturating_mul(REMOVED_AT_ONCE)).await?;
    }
    Ok(known)
}

async fn remove_past(
    conn: &mut PgConnection,
    window_start: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM rate_limits WHERE bucket = ANY(ARRAY(
             SELECT bucket FROM rate_limits WHERE window_start < $1
             ORDER BY window_start LIMIT $2 FOR UPDATE SKIP LOCKED))",
        window_start,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(())
}
