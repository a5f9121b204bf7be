//! What the database says about the state of each function, the model and the sandbox.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Most rows of each kind that are looked at: enough to tell a state, few enough to be read at once.
const MOST: i64 = 10_000;

/// Something that is counted for each function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The function.
    pub function: String,
    /// How many.
    pub count: i64,
}

/// Events that each function has given up since then.
///
/// # Errors
/// The database's own.
pub async fn dead_letters(
    conn: &mut PgConnection,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Counted>> {
    sqlx::query_as!(
        Counted,
        r#"SELECT source AS "function!", count(*) AS "count!"
           FROM (SELECT split_part(source, '/', 2) AS source FROM events
                 WHERE topic = 'dead.letters' AND occurred_at >= $1 ORDER BY occurred_at DESC LIMIT $2) AS letters
           GROUP BY source"#,
        since,
        MOST,
    )
    .fetch_all(conn)
    .await
}

/// Events of each function that no relay tries to send any more.
///
/// # Errors
/// The database's own.
pub async fn parked(conn: &mut PgConnection) -> sqlx::Result<Vec<Counted>> {
    sqlx::query_as!(
        Counted,
        // A scalar subquery, which the server never turns into a join that reads the whole log.
        r#"SELECT split_part(source, '/', 2) AS "function!", count(*) AS "count!"
           FROM (SELECT (SELECT source FROM events WHERE id = event_id) FROM delayed_events
                 WHERE parked_at IS NOT NULL LIMIT $1) AS parked
           GROUP BY 1"#,
        MOST,
    )
    .fetch_all(conn)
    .await
}

/// When the oldest event happened that waits for a relay; `None` if none waits.
///
/// # Errors
/// The database's own.
pub async fn oldest_unsent(conn: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "SELECT occurred_at
         FROM (SELECT event_id FROM delayed_events WHERE parked_at IS NULL ORDER BY sequence LIMIT 1) AS oldest
         JOIN events ON id = event_id"
    )
    .fetch_optional(conn)
    .await
}

/// Work that was begun, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// It gave a result.
    pub done: i64,
    /// It did not, through our own fault or the model's.
    pub failed: i64,
}

/// The latest calls of a model since then. A call that is not over yet has taken no time.
///
/// # Errors
/// The database's own.
pub async fn model_calls(conn: &mut PgConnection, since: DateTime<Utc>) -> sqlx::Result<Outcomes> {
    sqlx::query_as!(
        Outcomes,
        r#"SELECT count(*) FILTER (WHERE tokens_out > 0 AND latency_ms > 0) AS "done!",
                  count(*) FILTER (WHERE tokens_out = 0) AS "failed!"
           FROM (SELECT tokens_out, latency_ms, cached FROM model_usage
                 WHERE created_at >= $1 ORDER BY created_at DESC LIMIT $2) AS calls
           WHERE NOT cached"#,
        since,
        MOST,
    )
    .fetch_one(conn)
    .await
}

/// The latest runs of programs since then, up to `until`: what was asked for later may still be running.
///
/// # Errors
/// The database's own.
pub async fn runs(
    conn: &mut PgConnection,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> sqlx::Result<Outcomes> {
    sqlx::query_as!(
        Outcomes,
        r#"SELECT count(*) FILTER (WHERE verdict NOT IN ('internal', 'busy')) AS "done!",
                  count(*) FILTER (WHERE verdict IS NULL OR verdict IN ('internal', 'busy')) AS "failed!"
           FROM (SELECT verdict FROM executions
                 WHERE created_at >= $1 AND created_at < $2 ORDER BY created_at DESC LIMIT $3) AS runs"#,
        since,
        until,
        MOST,
    )
    .fetch_one(conn)
    .await
}

/// When periodic work was last begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodicRun {
    /// The work.
    pub name: String,
    /// When.
    pub begun_at: DateTime<Utc>,
}

/// The last run of each kind of periodic work: one row for each kind.
///
/// # Errors
/// The database's own.
pub async fn periodic_runs(conn: &mut PgConnection) -> sqlx::Result<Vec<PeriodicRun>> {
    // The condition has the rows read by the index: all names are longer than nothing.
    sqlx::query_as!(
        PeriodicRun,
        "SELECT name, begun_at FROM periodic_runs WHERE name > '' ORDER BY name LIMIT 100"
    )
    .fetch_all(conn)
    .await
}

/// When any process was last heard of, by its own clock.
///
/// # Errors
/// The database's own.
pub async fn last_heard(conn: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("SELECT max(seen_at) FROM writers").fetch_one(conn).await
}

/// Topics of SNS that people want to be told on, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn sns_topics(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT target AS "target!" FROM subscriptions
           WHERE channel = 'sns' AND target > '' GROUP BY target ORDER BY target LIMIT $1"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Which of these addresses have an account that can be used.
///
/// # Errors
/// The database's own.
pub async fn usable_accounts(
    conn: &mut PgConnection,
    emails: &[String],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT email FROM users WHERE email = ANY($1) AND account_disabled_at IS NULL ORDER BY email",
        emails,
    )
    .fetch_all(conn)
    .await
}
