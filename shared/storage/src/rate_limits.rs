//! Fixed-window request counters, shared by all instances.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Counts one hit on `bucket` in the window that starts at `window_start`, and returns the hits in
/// that window so far, this one included.
///
/// # Errors
/// The database's own.
pub async fn hit(
    conn: &mut PgConnection,
    bucket: &str,
    window_start: DateTime<Utc>,
) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "INSERT INTO rate_limits AS r (bucket, window_start, hits) VALUES ($1, $2, 1)
         ON CONFLICT (bucket) DO UPDATE SET
             hits = CASE WHEN r.window_start = $2 THEN r.hits + 1 ELSE 1 END,
             window_start = $2
         RETURNING hits",
        bucket,
        window_start,
    )
    .fetch_one(conn)
    .await
}
