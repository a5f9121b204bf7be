//! Fixed-window request counters, shared by all instances.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Counters of past windows that go when one is made: more than one, so that they get fewer.
const REMOVED_AT_ONCE: i64 = 2;

/// Counts one hit on `bucket` in the window that starts at `window_start`, and returns the hits in
/// that window so far, this one included.
///
/// Whoever makes a counter removes some whose window is over, so that there are never many more than the
/// present window needs. An instance whose clock is behind counts in the others' window.
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
        sqlx::query!(
            "DELETE FROM rate_limits WHERE bucket IN (
                 SELECT bucket FROM rate_limits WHERE window_start < $1
                 ORDER BY window_start LIMIT $2 FOR UPDATE SKIP LOCKED)",
            window_start,
            REMOVED_AT_ONCE,
        )
        .execute(conn)
        .await?;
    }
    Ok(hits)
}
