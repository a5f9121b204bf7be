//! When periodic work last began.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

/// Claims a run of the work, unless one began less than `every` ago. Returns whether it was claimed.
///
/// # Errors
/// The database's own.
pub async fn claim(
    conn: &mut PgConnection,
    name: &str,
    now: DateTime<Utc>,
    every: TimeDelta,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query!(
        "INSERT INTO periodic_runs (name, begun_at) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET begun_at = $2 WHERE periodic_runs.begun_at <= $3",
        name,
        now,
        now - every,
    )
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() > 0)
}

/// Makes the caller the only one who does this work until the end of its transaction. `false`: another one does.
///
/// # Errors
/// The database's own.
pub async fn lock(tx: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtextextended('periodic/' || $1, 0)) AS "locked!""#,
        name
    )
    .fetch_one(tx)
    .await
}
