//! Old rows are deleted, and others are kept.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use runtime::{Clock, Store};
use sqlx::{AssertSqlSafe, PgConnection};
use storage::retention::{self, Part, RETENTIONS};
use testing::{TestDatabase, eventually};
use tests::World;
use uuid::Uuid;

/// Puts a row with the time `at` into each table.
async fn put_rows(conn: &mut PgConnection, student: Uuid, at: DateTime<Utc>) {
    for sql in [
        "INSERT INTO inbox VALUES ('test', gen_random_uuid(), $2)",
        "INSERT INTO delivery_attempts VALUES ('test', gen_random_uuid(), 1, $2)",
        "INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at, lease_until, published_at)
         VALUES (gen_random_uuid(), 'progress.events', 'x', 'x', 'x', gen_random_uuid(), '{}', $2, $2, $2)",
        "INSERT INTO dead_letter_replays VALUES (gen_random_uuid(), gen_random_uuid(), $2)",
        "INSERT INTO idempotency_keys VALUES ('test', 'x', gen_random_uuid()::text, decode(repeat('00', 32), 'hex'), gen_random_uuid(), $2)",
        "INSERT INTO erased_requests VALUES (gen_random_uuid(), $2)",
        "INSERT INTO rate_limits VALUES (gen_random_uuid()::text, $2, 1)",
        "INSERT INTO refresh_tokens (token_hash, family_id, user_id, issued_at, expires_at)
         VALUES (sha256(gen_random_uuid()::text::bytea), gen_random_uuid(), $1, $2, $2)",
        "INSERT INTO account_changes VALUES (gen_random_uuid(), $1, NULL, 'disabled', $2)",
        "INSERT INTO model_usage VALUES (gen_random_uuid(), $1, 'debug', 'x', 1, 1, 1, 1, false, $2)",
        "INSERT INTO model_spend VALUES ($2, 1, 1)",
        "INSERT INTO model_days VALUES ($2, 'debug', gen_random_uuid()::text, 1, 1, 1, 1, 1, 1, $2)",
        "INSERT INTO model_answers VALUES (sha256(gen_random_uuid()::text::bytea), '{}', $2)",
        "INSERT INTO hint_ladders VALUES ($1, sha256(gen_random_uuid()::text::bytea), 1, 'x', $2, $2, 1)",
        "INSERT INTO socket_messages SELECT $1, (SELECT count(*) FROM socket_messages), gen_random_uuid(), $2",
        "INSERT INTO socket_tickets VALUES (sha256(gen_random_uuid()::text::bytea), $1, 'student', false, $2, $2)",
        "INSERT INTO connections (id, user_id, role, external, channel, position, looked_at, is_place_unknown, opened_at,
                                  ends_at, closes_at, active_at, due_at)
         VALUES (gen_random_uuid()::text, $1, 'student', false, 'chat', 0, $2, false, $2, $2, $2, $2,
                 -- Not due: a row that another process changes meanwhile is left to the next sweep.
                 now() + interval '1 day')",
        "INSERT INTO activities VALUES (gen_random_uuid(), 0, $1, $2, NULL, NULL, NULL, false, '{}')",
        "INSERT INTO alerts (id, student_id, trigger, status, evidence, opened_at)
         VALUES (gen_random_uuid(), $1, 'says_so', 'resolved', '[]', $2)",
        "INSERT INTO class_invitations (id, class_id, email, name, invited_at)
         SELECT gen_random_uuid(), id, gen_random_uuid()::text, 'x', $2 FROM classes",
        "INSERT INTO exports (id, user_id, requested_at, finished_at, failure) VALUES (gen_random_uuid(), $1, $2, $2, 'x')",
        "INSERT INTO executions (id, student_id, request, created_at) VALUES (gen_random_uuid(), $1, '{}', $2)",
        "INSERT INTO editor_drafts VALUES ($1, gen_random_uuid()::text, 'x', gen_random_uuid(), $2)",
        "INSERT INTO notifications (id, user_id, classes, title, text, severity, is_shown, is_digest, created_at, updated_at)
         VALUES (gen_random_uuid(), $1, '{}', 'x', 'x', 'low', true, false, $2, $2)",
        "INSERT INTO subscriptions (id, user_id, channel, classes, min_severity, created_at)
         VALUES (gen_random_uuid(), $1, 'email', '{}', 'low', $2)",
        "INSERT INTO notification_deliveries (id, subscription_id, notification_id, title, text, severity, status,
                                              attempts, created_at, finished_at)
         SELECT gen_random_uuid(), subscriptions.id, notifications.id, 'x', 'x', 'low', 'failed', 1, $2, $2
         FROM subscriptions CROSS JOIN notifications
         WHERE subscriptions.created_at = $2 AND notifications.created_at = $2",
    ] {
        // All statements bind both parameters, so that one list serves all tables.
        let sql = format!("WITH given AS (SELECT $1::uuid, $2::timestamptz) {sql}");
        let insert = sqlx::query(AssertSqlSafe(sql)).bind(student).bind(at);
        insert.execute(&mut *conn).await.expect("a row");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_rows_of_every_table_go_and_young_ones_stay() {
    let mut world = World::new().await;
    let student = world.student("ada").await;
    // Of invitations to it.
    world.class(&world.teacher("tom").await, &[]).await;
    let mut conn = world.database().await;
    // A little younger than the shortest retention, and older than the longest one.
    let (young, old) = (world.now() - TimeDelta::minutes(50), world.now() - TimeDelta::days(500));
    put_rows(&mut conn, student.id, young).await;
    put_rows(&mut conn, student.id, old).await;
    // An unsent event is kept whatever its age.
    let unsent = "INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at, lease_until)
                  VALUES (gen_random_uuid(), 'progress.events', 'x', 'unsent', 'x', gen_random_uuid(), '{}', $1, now() + interval '1 day')";
    sqlx::query(unsent).bind(old).execute(&mut conn).await.expect("a row");
    // A process sweeps when it starts.
    world.stop().await;
    world.start(Default::default()).await;
    let columns = [
        ("inbox", "received_at"),
        ("delivery_attempts", "failed_at"),
        ("events", "occurred_at"),
        ("dead_letter_replays", "replayed_at"),
        ("idempotency_keys", "created_at"),
        ("erased_requests", "erased_at"),
        ("rate_limits", "window_start"),
        ("refresh_tokens", "expires_at"),
        ("account_changes", "changed_at"),
        ("model_usage", "created_at"),
        ("model_spend", "hour"),
        ("model_days", "day"),
        ("model_answers", "valid_until"),
        ("hint_ladders", "given_at"),
        ("socket_messages", "found_at"),
        ("socket_tickets", "expires_at"),
        ("connections", "opened_at"),
        ("activities", "done_at"),
        ("alerts", "opened_at"),
        ("executions", "created_at"),
        ("editor_drafts", "updated_at"),
        ("notification_deliveries", "created_at"),
        ("notifications", "updated_at"),
        ("class_invitations", "invited_at"),
        ("exports", "requested_at"),
    ];
    assert_eq!(columns.map(|(table, _)| table), RETENTIONS.map(|retention| retention.table));
    for (table, column) in columns {
        let count = async |at: DateTime<Utc>| {
            let sql = format!("SELECT count(*) FROM {table} WHERE {column} = $1");
            let count = sqlx::query_scalar(AssertSqlSafe(sql)).bind(at);
            let count: i64 =
                count.fetch_one(&mut world.database().await).await.expect("it is valid");
            count
        };
        let left = i64::from(table == "events");
        eventually(&format!("old rows of {table} are gone"), async || {
            (count(old).await == left).then_some(())
        })
        .await;
        assert_eq!(count(young).await, 1, "{table}");
    }
    let forget = sqlx::query("DELETE FROM events WHERE type = 'unsent'");
    forget.execute(&mut conn).await.expect("it is valid");
    assert_eq!(world.ask(&student, "What is a list?", 20).await.status, StatusCode::OK);
    world.finish().await;
}

#[tokio::test]
async fn no_table_grows_without_end() {
    let database = TestDatabase::create().await;
    // Rows are deleted with their owner, or with a swept row, if a foreign key says so.
    let sql = "WITH RECURSIVE bounded AS (
                   SELECT oid FROM pg_class WHERE relname = ANY($1) AND relnamespace = 'public'::regnamespace
                   UNION
                   SELECT conrelid FROM pg_constraint JOIN bounded ON confrelid = bounded.oid
                   WHERE contype = 'f' AND confdeltype = 'c')
               SELECT relname::text FROM pg_class
               WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
                 AND oid NOT IN (SELECT oid FROM bounded)
               ORDER BY relname";
    let mut bounded: Vec<&str> = RETENTIONS.iter().map(|retention| retention.table).collect();
    // Only its owner erases an account and its data.
    bounded.push("users");
    let mut conn = database.connect().await;
    let query = sqlx::query_scalar(sql).bind(bounded).fetch_all(&mut conn);
    let others: Vec<String> = query.await.expect("the query is valid");
    let course = ["exercises", "modules", "topics"];
    let few = [
        // One row for each migration, kind of periodic work, partition of a topic that an operator has paused for a
        // function, class, assignment (of a class at most 200), and process that runs or has left events behind.
        "_sqlx_migrations",
        "paused_lanes",
        "periodic_runs",
        "classes",
        "assignments",
        "writers",
    ];
    let mut expected = [course.as_slice(), few.as_slice()].concat();
    expected.sort_unstable();
    assert_eq!(others, expected, "a table needs a retention, an owner, or a reason here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rare_sweep_deletes_all_old_rows() {
    // More than one part of the table.
    const OLD: u64 = 150_000;
    let database = TestDatabase::create().await;
    let rows = "INSERT INTO inbox SELECT 'test', gen_random_uuid(), 'epoch' FROM generate_series(1, 150000)";
    sqlx::query(rows).execute(&mut database.connect().await).await.expect("the rows");
    let store = Store::open(database.url()).expect("a database");
    assert_eq!(store.sweep(&Clock::System).await.expect("it sweeps"), OLD);
    store.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_table_is_swept_part_by_part_each_minute() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let rows = "INSERT INTO inbox SELECT 'test', gen_random_uuid(), 'epoch' FROM generate_series(1, 150000)";
    sqlx::query(rows).execute(&mut conn).await.expect("the rows");
    let inbox = RETENTIONS.iter().find(|retention| retention.table == "inbox").expect("a table");
    let mut sweep = async |now| {
        let swept = retention::sweep(&mut conn, inbox, now, 1, Part::OfMinute).await;
        swept.expect("it sweeps")
    };
    let now = Clock::System.now();
    let (first, again) = (sweep(now).await, sweep(now).await);
    assert!((1..150_000).contains(&first) && again == 0, "{first}, {again}");
    assert_eq!(first + sweep(now + TimeDelta::minutes(1)).await, 150_000);
    database.remove().await;
}
