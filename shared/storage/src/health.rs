//! The state of an installation's database, for operators.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// What an operator wants to know about a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// The server's version, such as 150004.
    pub server_version: i32,
    /// The server's clock.
    pub now: DateTime<Utc>,
    /// Events that wait for a relay.
    pub delayed: i64,
    /// Events that a relay has given up.
    pub parked: i64,
    /// Lanes that an operator has paused.
    pub paused_lanes: i64,
    /// Topics of the course.
    pub topics: i64,
}

/// Most delayed and parked events that are counted.
const MOST_COUNTED: i64 = 10_000;

/// Looks.
///
/// # Errors
/// The database's own.
pub async fn look(conn: &mut PgConnection) -> sqlx::Result<Health> {
    sqlx::query_as!(
        Health,
        r#"SELECT current_setting('server_version_num')::integer AS "server_version!",
                  clock_timestamp() AS "now!",
                  (SELECT count(*) FROM (SELECT FROM delayed_events WHERE parked_at IS NULL
                                         ORDER BY sequence LIMIT $1) AS counted) AS "delayed!",
                  (SELECT count(*) FROM (SELECT FROM delayed_events WHERE parked_at IS NOT NULL LIMIT $1) AS counted) AS "parked!",
                  (SELECT count(*) FROM paused_lanes) AS "paused_lanes!",
                  (SELECT count(*) FROM topics) AS "topics!""#,
        MOST_COUNTED,
    )
    .fetch_one(conn)
    .await
}
