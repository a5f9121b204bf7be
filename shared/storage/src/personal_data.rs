//! What is stored about people, table by table: what becomes of it when an account is erased, and what its owner gets in
//! an export.
//!
//! Every table is listed, with each of its columns that refers to a person or holds text. A test compares that with the
//! schema, so whoever adds a table or such a column has to decide here what becomes of it.

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::erasure;

/// Most rows of a table in an export: beyond it the file would be too large anyway.
const ROWS_LIMIT: i64 = 1_000_000;

/// A table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns that refer to a person or hold text, in alphabetical order.
    pub columns: &'static [&'static str],
    /// What becomes of a person's rows when their account is erased.
    pub on_erasure: OnErasure,
    /// What an export has of it: for the person `$1` at most `$2` rows, each as one JSON object.
    pub exported: Option<&'static str>,
}

/// What becomes of a person's rows. Statements find them by the person's id, `$1`, at most `$2` at a time.
#[derive(Debug, Clone, Copy)]
pub enum OnErasure {
    /// They are deleted, or lose their owner.
    Gone(&'static str),
    /// They are requests: they are deleted, and so are their events. The statement returns their ids.
    Requests(&'static str),
    /// They go together with rows of another table, or at once when the account is marked.
    With(&'static str),
    /// They stay, for this reason.
    Stays(&'static str),
}

use OnErasure::{Gone, Requests, Stays, With};

/// A table of which an export has nothing.
const fn kept_to_us(
    name: &'static str,
    columns: &'static [&'static str],
    on_erasure: OnErasure,
) -> Table {
    Table { name, columns, on_erasure, exported: None }
}

/// A table that an export has.
const fn exported(
    name: &'static str,
    columns: &'static [&'static str],
    on_erasure: OnErasure,
    exported: &'static str,
) -> Table {
    Table { name, columns, on_erasure, exported: Some(exported) }
}

/// Deletes the rows of a table whose column is the person.
macro_rules! delete {
    ($table:literal, $person:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ctid = ANY(ARRAY(SELECT ctid FROM ",
            $table,
            " WHERE ",
            $person,
            " = $1 LIMIT $2))"
        )
    };
    ($table:literal, $person:literal, returning) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE id = ANY(ARRAY(SELECT id FROM ",
            $table,
            " WHERE ",
            $person,
            " = $1 LIMIT $2)) RETURNING id"
        )
    };
}

/// Selects rows as JSON.
macro_rules! select {
    ($($sql:literal),+) => {
        concat!("SELECT row_to_json(row)::text FROM (SELECT ", $($sql,)+ " LIMIT $2) AS row")
    };
}

/// Every table, in the order in which an account is erased.
pub const TABLES: [Table; 50] = [
    // What people make, ask and get.
    exported(
        "queries",
        &["agent", "answer", "answered_by", "question", "student_id"],
        Requests(delete!("queries", "student_id", returning)),
        select!("id, conversation_id, question, asked_at, agent, answered_by, answer, answered_at, helpful
                 FROM queries WHERE student_id = $1 ORDER BY asked_at, id"),
    ),
    exported(
        "conversations",
        &["student_id"],
        Gone(delete!("conversations", "student_id")),
        select!("id, created_at FROM conversations WHERE student_id = $1 ORDER BY created_at, id"),
    ),
    exported(
        "answer_reports",
        &["comment", "reason", "student_id"],
        Gone(delete!("answer_reports", "student_id")),
        select!("query_id, reason, comment, reported_at
                 FROM answer_reports WHERE student_id = $1 ORDER BY reported_at, query_id"),
    ),
    exported(
        "executions",
        &["error_type", "request", "result", "student_id", "verdict"],
        Requests(delete!("executions", "student_id", returning)),
        select!("id, request, verdict, error_type, result, duration_ms, created_at, finished_at
                 FROM executions WHERE student_id = $1 ORDER BY created_at, id"),
    ),
    exported(
        "submissions",
        &["code", "feedback", "student_id"],
        Requests(delete!("submissions", "student_id", returning)),
        select!("id, exercise_id, code, score, quality, feedback, submitted_at, graded_at
                 FROM submissions WHERE student_id = $1 ORDER BY submitted_at, id"),
    ),
    kept_to_us(
        "quiz_answers",
        &[],
        With("quiz_attempts"),
    ),
    exported(
        "quiz_attempts",
        &["questions", "student_id", "topic_slug"],
        Requests(delete!("quiz_attempts", "student_id", returning)),
        // Of an attempt that is not submitted the questions would tell the right answers.
        select!("id, topic_slug, CASE WHEN submitted_at IS NOT NULL THEN questions END AS questions, started_at,
                 submitted_at, score,
                 (SELECT json_agg(json_build_object('number', number, 'choice', choice) ORDER BY number)
                  FROM quiz_answers WHERE attempt_id = quiz_attempts.id) AS answers
                 FROM quiz_attempts WHERE student_id = $1 ORDER BY started_at, id"),
    ),
    exported(
        "editor_drafts",
        &["key", "text", "user_id"],
        Gone(delete!("editor_drafts", "user_id")),
        select!("key, text, updated_at FROM editor_drafts WHERE user_id = $1 ORDER BY updated_at, key"),
    ),
    kept_to_us(
        "drafts",
        &["agent", "body", "student_id", "waits_for"],
        With("queries"),
    ),
    // What is known of them.
    exported(
        "activities",
        &["kind", "student_id", "topic_slug"],
        Gone(delete!("activities", "student_id")),
        select!("done_at, topic_slug, exercise_id, counts, kind
                 FROM activities WHERE student_id = $1 ORDER BY done_at, event_id, position"),
    ),
    exported(
        "progress",
        &["student_id", "topic_slug"],
        Gone(delete!("progress", "student_id")),
        select!("topic_slug, exercises, quizzes, quality, consistency, score, evidence, known, due_on, updated_at
                 FROM progress WHERE student_id = $1 ORDER BY topic_slug"),
    ),
    exported(
        "alerts",
        &["evidence", "resolution", "severity", "status", "student_id", "summary", "topic_slug", "trigger"],
        Gone(delete!("alerts", "student_id")),
        select!("id, topic_slug, exercise_id, trigger, severity, status, summary, evidence, opened_at, acknowledged_at,
                 resolved_at, resolution FROM alerts WHERE student_id = $1 ORDER BY opened_at, id"),
    ),
    exported(
        "hint_ladders",
        &["attempt", "problem", "student_id"],
        Gone(delete!("hint_ladders", "student_id")),
        select!("rung, given_at, given FROM hint_ladders WHERE student_id = $1 ORDER BY given_at, problem"),
    ),
    exported(
        "exercise_sets",
        &["student_id"],
        Gone(delete!("exercise_sets", "student_id")),
        select!("exercise_id, set_at, parsons_at FROM exercise_sets WHERE student_id = $1 ORDER BY set_at, exercise_id"),
    ),
    // What they are told.
    kept_to_us(
        "notification_deliveries",
        &["change", "error", "severity", "status", "text", "title"],
        With("notifications"),
    ),
    exported(
        "notifications",
        &["change", "classes", "severity", "student_id", "text", "title", "user_id"],
        Gone("DELETE FROM notifications WHERE ctid = ANY(ARRAY(
                  (SELECT ctid FROM notifications WHERE user_id = $1 LIMIT $2)
                  UNION (SELECT ctid FROM notifications WHERE student_id = $1 LIMIT $2)))"),
        select!("id, title, text, severity, change, created_at, updated_at, read_at, resolved_at
                 FROM notifications WHERE user_id = $1 ORDER BY created_at, id"),
    ),
    exported(
        "subscriptions",
        &["channel", "classes", "disabled_reason", "min_severity", "old_secret", "secret", "target", "user_id"],
        Gone(delete!("subscriptions", "user_id")),
        select!("id, channel, target, classes, min_severity, created_at, disabled_at, disabled_reason
                 FROM subscriptions WHERE user_id = $1 ORDER BY created_at, id"),
    ),
    exported(
        "notification_settings",
        &["user_id"],
        Gone(delete!("notification_settings", "user_id")),
        select!("quiet_from, quiet_to, digest_at FROM notification_settings WHERE user_id = $1"),
    ),
    // Where they belong.
    exported(
        "enrollments",
        &["student_id"],
        With("users"),
        select!("class_id, (SELECT name FROM classes WHERE id = class_id) AS class, joined_at
                 FROM enrollments WHERE student_id = $1 ORDER BY joined_at, class_id"),
    ),
    exported(
        "class_teachers",
        &["teacher_id"],
        With("users"),
        select!("class_id, (SELECT name FROM classes WHERE id = class_id) AS class, added_at
                 FROM class_teachers WHERE teacher_id = $1 ORDER BY added_at, class_id"),
    ),
    kept_to_us("class_invitations", &["email", "name"], With("users")),
    // How they get in.
    exported(
        "refresh_tokens",
        &["token_hash", "user_agent", "user_id"],
        Gone(delete!("refresh_tokens", "user_id")),
        select!("family_id AS session, user_agent, issued_at, expires_at
                 FROM refresh_tokens WHERE user_id = $1 ORDER BY issued_at"),
    ),
    kept_to_us("socket_tickets", &["role", "ticket_hash", "user_id"], Gone(delete!("socket_tickets", "user_id"))),
    // They end at once, and are deleted by whoever tells API Gateway; within hours in any case.
    kept_to_us("connections", &["channel", "id", "role", "user_id"], With("users")),
    kept_to_us("socket_messages", &["user_id"], Gone(delete!("socket_messages", "user_id"))),
    kept_to_us("socket_positions", &["user_id"], Gone(delete!("socket_positions", "user_id"))),
    kept_to_us(
        "idempotency_keys",
        &["key", "operation", "owner", "request_hash"],
        // The owner of a registration is an address.
        Gone("DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
                  (SELECT ctid FROM idempotency_keys
                   WHERE owner = $1::text LIMIT $2)
                  UNION (SELECT ctid FROM idempotency_keys
                         WHERE operation = 'register' AND resource_id = $1 LIMIT $2)))"),
    ),
    exported(
        "exports",
        &["archive", "failure", "user_id"],
        Gone(delete!("exports", "user_id")),
        select!("id, requested_at, finished_at FROM exports WHERE user_id = $1 ORDER BY requested_at"),
    ),
    exported(
        "account_changes",
        &["change", "user_id"],
        Gone(delete!("account_changes", "user_id")),
        select!("change, changed_at FROM account_changes WHERE user_id = $1 ORDER BY changed_at, id"),
    ),
    exported(
        "model_usage",
        &["agent", "model", "student_id"],
        // The ledger outlives the account: what was spent stays counted.
        Gone("UPDATE model_usage SET student_id = NULL WHERE ctid = ANY(ARRAY(
                  SELECT ctid FROM model_usage WHERE student_id = $1 LIMIT $2))"),
        select!("agent, model, tokens_in, tokens_out, created_at
                 FROM model_usage WHERE student_id = $1 ORDER BY created_at, id"),
    ),
    exported(
        "users",
        &["data_key", "display_name", "email", "password_hash", "role", "time_zone"],
        Stays("it is emptied at once, and deleted when nothing about its owner can be on its way any more"),
        select!("id, email, display_name, role, time_zone, created_at FROM users WHERE id = $1"),
    ),
    // Events.
    kept_to_us(
        "events",
        &["data", "parked_reason", "partition_key", "source", "subject", "topic", "traceparent", "type"],
        Stays("their data is sealed with a key that is destroyed at once; those of requests are emptied as well"),
    ),
    kept_to_us(
        "delayed_events",
        &["parked_reason", "partition_key", "topic"],
        Stays("like events; the reason is the broker's"),
    ),
    kept_to_us("inbox", &["function"], Stays("it has ids of events, and nothing else")),
    kept_to_us("delivery_attempts", &["function"], Stays("like the inbox")),
    kept_to_us(
        "dead_letter_replays",
        &["changed"],
        Stays("ids of events and names of what was changed in them; its author is forgotten with their account"),
    ),
    kept_to_us("erased_requests", &[], Stays("it has ids of requests that are gone")),
    kept_to_us("writers", &[], Stays("it is about processes")),
    kept_to_us("periodic_runs", &["name"], Stays("it is about periodic work")),
    kept_to_us("paused_lanes", &["function", "topic"], Stays("it is about functions")),
    // Counts.
    kept_to_us(
        "rate_limits",
        &["bucket"],
        Stays("counts of the last minutes; of addresses it has hashes, and it goes within an hour"),
    ),
    kept_to_us("model_spend", &[], Stays("it counts what all models cost")),
    kept_to_us("model_days", &["agent", "model"], Stays("it counts what all models were used for")),
    // What belongs to everybody.
    kept_to_us(
        "model_answers",
        &["body", "key"],
        Stays("explanations for everybody, asked for without anybody's words"),
    ),
    kept_to_us("modules", &["slug", "title"], Stays("the course")),
    kept_to_us("topics", &["module_slug", "slug", "title"], Stays("the course")),
    kept_to_us(
        "exercises",
        &["difficulty", "faults", "solution", "source", "starter", "statement", "status", "title", "topic_slug"],
        Stays("the course; an exercise that was made for one student is for everybody, and has nobody's words"),
    ),
    kept_to_us(
        "classes",
        &["invite_code", "name"],
        Stays("the class's; one that is archived and has no other teacher goes at once"),
    ),
    kept_to_us("assignments", &["topic_slug"], Stays("the class's")),
    kept_to_us("_sqlx_migrations", &["checksum", "description"], Stays("the schema's versions")),
];

/// Deletes a part of what is stored about a person, up to `limit` rows of each table. `true`: nothing is left.
///
/// # Errors
/// The database's own.
pub async fn erase_some(
    conn: &mut PgConnection,
    person: UserId,
    limit: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let mut is_gone = true;
    for table in &TABLES {
        let found = match table.on_erasure {
            Gone(sql) => {
                let query = sqlx::query(sql).bind(person.as_uuid()).bind(limit);
                query.execute(&mut *conn).await?.rows_affected()
            }
            Requests(sql) => {
                let query = sqlx::query_scalar(sql).bind(person.as_uuid()).bind(limit);
                let requests: Vec<Uuid> = query.fetch_all(&mut *conn).await?;
                if !requests.is_empty() {
                    erasure::erase(&mut *conn, &requests, now).await?;
                }
                u64::try_from(requests.len()).unwrap_or_default()
            }
            With(_) | Stays(_) => 0,
        };
        is_gone &= found == 0;
    }
    Ok(is_gone)
}

/// What a table has of a person, for them: a JSON array. `None`: it has more than `bytes`.
///
/// # Errors
/// The database's own.
pub async fn export(
    conn: &mut PgConnection,
    sql: &'static str,
    person: UserId,
    bytes: usize,
) -> sqlx::Result<Option<String>> {
    let mut array = String::from("[");
    let mut rows = sqlx::query_scalar(sql).bind(person.as_uuid()).bind(ROWS_LIMIT).fetch(conn);
    while let Some(row) = rows.try_next().await? {
        let row: String = row;
        array.push_str(if array.len() == 1 { "\n" } else { ",\n" });
        array.push_str(&row);
        if array.len() > bytes {
            return Ok(None);
        }
    }
    array.push_str("\n]\n");
    Ok(Some(array))
}
