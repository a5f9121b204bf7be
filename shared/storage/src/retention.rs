//! How long rows are kept that are no longer needed. What a student made (questions, answers, reports on them,
//! solutions, quizzes, progress) is kept until its owner erases it.

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
    /// How they are found and deleted.
    delete: Delete,
}

/// How the old rows of a table are found. `$1` is the time before which a row is old.
#[derive(Debug, Clone, Copy)]
enum Delete {
    /// By an index, up to `$2` of them.
    Found(&'static str),
    /// By looking at a part of the table, from the row address `$2` up to before `$3`.
    ///
    /// For the tables that grow with every event: an index on the time would cost something for each row, and a cheap
    /// one (BRIN) finds more and more recent rows once the space of deleted ones is reused. Measured with a million
    /// events of which half were deleted and replaced: that index read half of the table, 37,884 pages in 640 ms, to
    /// find nothing; a part of [`PAGES_AT_ONCE`] takes 45 to 80 ms whatever the size of the table.
    Passed(&'static str),
}

/// Pages of 8 KiB that are scanned at once: some 13,000 events, or 100,000 rows of the inbox. At one part a minute 11
/// GiB are scanned in a day, so rows of a larger table are kept some days longer.
pub const PAGES_AT_ONCE: i64 = 1_024;

/// How long exports are kept.
pub const EXPORTS_KEPT: TimeDelta = TimeDelta::days(7);

/// Every table that is swept.
pub const RETENTIONS: [Retention; 25] = [
    Retention {
        table: "inbox",
        keep: TimeDelta::days(14),
        reason: "no broker delivers an event again after twice the week that topics are kept by default",
        delete: Delete::Passed(
            "DELETE FROM inbox WHERE ctid >= $2::text::tid AND ctid < $3::text::tid AND received_at < $1",
        ),
    },
    Retention {
        table: "delivery_attempts",
        keep: TimeDelta::days(14),
        reason: "like the inbox",
        delete: Delete::Found(
            "DELETE FROM delivery_attempts WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM delivery_attempts WHERE failed_at < $1 ORDER BY failed_at LIMIT $2))",
        ),
    },
    Retention {
        table: "events",
        keep: TimeDelta::days(400),
        reason: "the audit trail of an academic year; what is not published yet stays",
        delete: Delete::Passed(
            "DELETE FROM events
             WHERE ctid >= $2::text::tid AND ctid < $3::text::tid AND occurred_at < $1 AND published_at IS NOT NULL
               AND NOT EXISTS (SELECT FROM delayed_events
                               WHERE event_id = events.id AND delayed_events.parked_at IS NULL)",
        ),
    },
    Retention {
        table: "dead_letter_replays",
        keep: TimeDelta::days(400),
        reason: "like events",
        delete: Delete::Found(
            "DELETE FROM dead_letter_replays WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM dead_letter_replays WHERE replayed_at < $1 ORDER BY replayed_at LIMIT $2))",
        ),
    },
    Retention {
        table: "idempotency_keys",
        keep: TimeDelta::days(2),
        reason: "clients try again within minutes; a key may be used again after a day",
        delete: Delete::Found(
            "DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2))",
        ),
    },
    Retention {
        table: "erased_requests",
        keep: TimeDelta::days(30),
        reason: "longer than any event of the request can be on its way",
        delete: Delete::Found(
            "DELETE FROM erased_requests WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM erased_requests WHERE erased_at < $1 ORDER BY erased_at LIMIT $2))",
        ),
    },
    Retention {
        table: "rate_limits",
        keep: TimeDelta::hours(1),
        reason: "the longest window is a minute",
        delete: Delete::Found(
            "DELETE FROM rate_limits WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM rate_limits WHERE window_start < $1 LIMIT $2))",
        ),
    },
    Retention {
        table: "refresh_tokens",
        keep: TimeDelta::days(7),
        reason: "counted from its end: until then a stolen token that is used again is distinguished from an unknown one",
        delete: Delete::Found(
            "DELETE FROM refresh_tokens WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))",
        ),
    },
    Retention {
        table: "account_changes",
        keep: TimeDelta::days(400),
        reason: "like events: who was given which rights in an academic year",
        delete: Delete::Found(
            "DELETE FROM account_changes WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM account_changes WHERE changed_at < $1 ORDER BY changed_at LIMIT $2))",
        ),
    },
    Retention {
        table: "model_usage",
        keep: TimeDelta::days(400),
        reason: "a year's costs can be compared with the year before",
        delete: Delete::Found(
            "DELETE FROM model_usage WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM model_usage WHERE created_at < $1 ORDER BY created_at LIMIT $2))",
        ),
    },
    Retention {
        table: "model_spend",
        keep: TimeDelta::days(400),
        reason: "like model_usage",
        delete: Delete::Found(
            "DELETE FROM model_spend WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM model_spend WHERE hour < $1 ORDER BY hour LIMIT $2))",
        ),
    },
    Retention {
        table: "model_days",
        keep: TimeDelta::days(400),
        reason: "like model_usage",
        delete: Delete::Found(
            "DELETE FROM model_days WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM model_days WHERE day < $1 ORDER BY day LIMIT $2))",
        ),
    },
    Retention {
        table: "model_answers",
        keep: TimeDelta::days(1),
        reason: "counted from the end of its life",
        delete: Delete::Found(
            "DELETE FROM model_answers WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM model_answers WHERE valid_until < $1 ORDER BY valid_until LIMIT $2))",
        ),
    },
    Retention {
        table: "hint_ladders",
        keep: TimeDelta::days(180),
        reason: "a problem that was left for half a year starts with the first hint again",
        delete: Delete::Found(
            "DELETE FROM hint_ladders WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM hint_ladders WHERE given_at < $1 ORDER BY given_at LIMIT $2))",
        ),
    },
    Retention {
        table: "socket_messages",
        keep: TimeDelta::days(2),
        reason: "longer than replays reach back, and less is found again",
        delete: Delete::Found(
            "DELETE FROM socket_messages WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM socket_messages WHERE found_at < $1 ORDER BY found_at LIMIT $2))",
        ),
    },
    Retention {
        table: "socket_tickets",
        keep: TimeDelta::hours(1),
        reason: "counted from the end of its life",
        delete: Delete::Found(
            "DELETE FROM socket_tickets WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM socket_tickets WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))",
        ),
    },
    Retention {
        table: "connections",
        keep: TimeDelta::hours(3),
        reason: "API Gateway closes every connection after two hours, and its word of that can be lost",
        delete: Delete::Found(
            "DELETE FROM connections WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM connections WHERE opened_at < $1 ORDER BY opened_at LIMIT $2))",
        ),
    },
    Retention {
        table: "activities",
        keep: TimeDelta::days(400),
        reason: "like events, from which they can be worked out again",
        delete: Delete::Passed(
            "DELETE FROM activities WHERE ctid >= $2::text::tid AND ctid < $3::text::tid AND done_at < $1",
        ),
    },
    Retention {
        table: "alerts",
        keep: TimeDelta::days(180),
        reason: "longer than a course; that somebody once struggled is to be forgotten",
        delete: Delete::Found(
            "DELETE FROM alerts WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM alerts WHERE opened_at < $1 ORDER BY opened_at LIMIT $2))",
        ),
    },
    Retention {
        table: "executions",
        keep: TimeDelta::days(180),
        reason: "longer than a course; what was handed in is kept as a submission",
        delete: Delete::Found(
            "DELETE FROM executions WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM executions WHERE created_at < $1 ORDER BY created_at LIMIT $2))",
        ),
    },
    Retention {
        table: "editor_drafts",
        keep: TimeDelta::days(180),
        reason: "like executions, counted from the last change",
        delete: Delete::Found(
            "DELETE FROM editor_drafts WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM editor_drafts WHERE updated_at < $1 ORDER BY updated_at LIMIT $2))",
        ),
    },
    Retention {
        table: "notification_deliveries",
        keep: TimeDelta::days(90),
        reason: "long after the last attempt; whoever runs a target looks for its faults within weeks",
        delete: Delete::Found(
            "DELETE FROM notification_deliveries WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM notification_deliveries WHERE created_at < $1 ORDER BY created_at LIMIT $2))",
        ),
    },
    Retention {
        table: "notifications",
        keep: TimeDelta::days(400),
        reason: "an academic year; what has happened to a student is in the alerts",
        delete: Delete::Found(
            "DELETE FROM notifications WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM notifications WHERE updated_at < $1 ORDER BY updated_at LIMIT $2))",
        ),
    },
    Retention {
        table: "class_invitations",
        keep: TimeDelta::days(180),
        reason: "who has not registered in half a year will not come; the roster can be imported again",
        delete: Delete::Found(
            "DELETE FROM class_invitations WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM class_invitations WHERE invited_at < $1 ORDER BY invited_at LIMIT $2))",
        ),
    },
    Retention {
        table: "exports",
        keep: EXPORTS_KEPT,
        reason: "long enough to download it; another one can be made",
        delete: Delete::Found(
            "DELETE FROM exports WHERE ctid = ANY(ARRAY(
                     SELECT ctid FROM exports WHERE requested_at < $1 ORDER BY requested_at LIMIT $2))",
        ),
    },
];

/// The part of the scanned tables to look at, since all of it is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The part of the current minute: each minute the next one, until all have been scanned.
    OfMinute,
    /// The part with this number, from 0; those beyond the end are empty.
    Number(i64),
}

/// Deletes old rows of a table: up to `limit`, or those of a part of it. Returns how many there were.
///
/// # Errors
/// The database's own.
pub async fn sweep(
    conn: &mut PgConnection,
    retention: &Retention,
    now: DateTime<Utc>,
    limit: i64,
    part: Part,
) -> sqlx::Result<u64> {
    let before = now - retention.keep;
    let delete = match retention.delete {
        Delete::Found(sql) => sqlx::query(sql).bind(before).bind(limit),
        Delete::Passed(sql) => {
            let number = match part {
                Part::Number(number) => number,
                Part::OfMinute => {
                    let parts = parts(conn, retention).await?.max(1);
                    now.timestamp().div_euclid(60).rem_euclid(parts)
                }
            };
            let address = |number: i64| format!("({},0)", number * PAGES_AT_ONCE);
            sqlx::query(sql).bind(before).bind(address(number)).bind(address(number + 1))
        }
    };
    Ok(delete.execute(conn).await?.rows_affected())
}

/// The number of parts of the largest scanned table.
///
/// # Errors
/// The database's own.
pub async fn most_parts(conn: &mut PgConnection) -> sqlx::Result<i64> {
    let mut most = 0;
    for retention in &RETENTIONS {
        if matches!(retention.delete, Delete::Passed(_)) {
            most = most.max(parts(conn, retention).await?);
        }
    }
    Ok(most)
}

async fn parts(conn: &mut PgConnection, retention: &Retention) -> sqlx::Result<i64> {
    let pages = sqlx::query_scalar!(
        r#"SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint AS "pages!""#,
        retention.table,
    )
    .fetch_one(conn)
    .await?;
    Ok((pages + PAGES_AT_ONCE - 1) / PAGES_AT_ONCE)
}
