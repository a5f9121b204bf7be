//! How long rows are kept that nobody reads any more. What a student made (questions, answers, solutions, progress) is
//! kept until its owner erases it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

/// A table whose old rows are deleted.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// The table.
    pub table: &'static str,
    /// How long its rows are kept.
    pub keep: TimeDelta,
    /// Why that long.
    pub reason: &'static str,
    /// Deletes up to `$2` rows from before `$1`.
    delete: &'static str,
}

/// Every table that is swept.
pub const RETENTIONS: [Retention; 13] = [
    Retention {
        table: "inbox",
        keep: TimeDelta::days(14),
        reason: "no broker delivers an event again after twice the week that topics are kept by default",
        delete: "DELETE FROM inbox WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM inbox WHERE received_at < $1 LIMIT $2))",
    },
    Retention {
        table: "delivery_attempts",
        keep: TimeDelta::days(14),
        reason: "as the inbox",
        delete: "DELETE FROM delivery_attempts WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM delivery_attempts WHERE failed_at < $1 ORDER BY failed_at LIMIT $2))",
    },
    Retention {
        table: "events",
        keep: TimeDelta::days(400),
        reason: "the audit trail of an academic year; what is not published yet stays",
        delete: "DELETE FROM events WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM events
                     WHERE occurred_at < $1 AND published_at IS NOT NULL
                       AND NOT EXISTS (SELECT FROM delayed_events
                                       WHERE event_id = events.id AND delayed_events.parked_at IS NULL)
                     LIMIT $2))",
    },
    Retention {
        table: "dead_letter_replays",
        keep: TimeDelta::days(400),
        reason: "as events",
        delete: "DELETE FROM dead_letter_replays WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM dead_letter_replays WHERE replayed_at < $1 ORDER BY replayed_at LIMIT $2))",
    },
    Retention {
        table: "idempotency_keys",
        keep: TimeDelta::days(2),
        reason: "clients try again within minutes; a key may be used again after a day",
        delete: "DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2))",
    },
    Retention {
        table: "erased_requests",
        keep: TimeDelta::days(30),
        reason: "longer than any event of the request can be on its way",
        delete: "DELETE FROM erased_requests WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM erased_requests WHERE erased_at < $1 ORDER BY erased_at LIMIT $2))",
    },
    Retention {
        table: "rate_limits",
        keep: TimeDelta::hours(1),
        reason: "the longest window has a minute",
        delete: "DELETE FROM rate_limits WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM rate_limits WHERE window_start < $1 LIMIT $2))",
    },
    Retention {
        table: "refresh_tokens",
        keep: TimeDelta::days(7),
        reason: "counted from its end: until then a stolen token that comes back is told from an unknown one",
        delete: "DELETE FROM refresh_tokens WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))",
    },
    Retention {
        table: "model_usage",
        keep: TimeDelta::days(400),
        reason: "a year's costs can be compared with the year before",
        delete: "DELETE FROM model_usage WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM model_usage WHERE created_at < $1 ORDER BY created_at LIMIT $2))",
    },
    Retention {
        table: "model_spend",
        keep: TimeDelta::days(400),
        reason: "as model_usage",
        delete: "DELETE FROM model_spend WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM model_spend WHERE hour < $1 ORDER BY hour LIMIT $2))",
    },
    Retention {
        table: "model_answers",
        keep: TimeDelta::days(1),
        reason: "counted from the end of its life",
        delete: "DELETE FROM model_answers WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM model_answers WHERE valid_until < $1 ORDER BY valid_until LIMIT $2))",
    },
    Retention {
        table: "hint_ladders",
        keep: TimeDelta::days(180),
        reason: "a problem that was left for half a year starts with the first hint again",
        delete: "DELETE FROM hint_ladders WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM hint_ladders WHERE given_at < $1 ORDER BY given_at LIMIT $2))",
    },
    Retention {
        table: "executions",
        keep: TimeDelta::days(180),
        reason: "longer than a course; what was handed in is kept as a submission",
        delete: "DELETE FROM executions WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM executions WHERE created_at < $1 ORDER BY created_at LIMIT $2))",
    },
];

/// Deletes up to `limit` old rows of a table, and returns how many there were.
///
/// # Errors
/// The database's own.
pub async fn sweep(
    conn: &mut PgConnection,
    retention: &Retention,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let delete = sqlx::query(retention.delete).bind(now - retention.keep).bind(limit);
    Ok(delete.execute(conn).await?.rows_affected())
}
