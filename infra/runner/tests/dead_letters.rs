//! `learnflow dead-letters`, as an operator uses it.

use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use sqlx::{PgConnection, Row};
use testing::TestDatabase;
use uuid::Uuid;

const EVENT: &str = r#"{"specversion":"1.0","id":"00000000-0000-0000-0000-000000000007","source":"learnflow/api-gateway","type":"question.asked.v1","subject":"00000000-0000-0000-0000-000000000002","correlationid":"00000000-0000-0000-0000-000000000001","partitionkey":"00000000-0000-0000-0000-000000000002","datacontenttype":"application/json","data":{"query_id":"00000000-0000-0000-0000-000000000001","student_id":"00000000-0000-0000-0000-000000000002","question":"What is a list?"}}"#;

fn learnflow(database: &TestDatabase, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_learnflow"));
    let command = command.arg("dead-letters").args(arguments).env("DATABASE_URL", database.url());
    let output = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    assert!(output.status.success(), "{arguments:?}: {}", text(output.stderr));
    text(output.stdout)
}

async fn put_letter(conn: &mut PgConnection, id: u128, function: &str, origin: &str, value: &str) {
    let letter = json!({ "function": function, "origin": origin, "reasons": ["it failed", "for a reason"], "attempts": 8,
        "headers": [["content-type", STANDARD.encode("application/cloudevents+json")]],
        "value_base64": STANDARD.encode(value) });
    let sql = "INSERT INTO events (id, topic, partition_key, type, source, correlation_id, causation_id, data, occurred_at,
                                   lease_until, published_at)
               VALUES ($1, 'dead.letters', 'x', 'message.dead_lettered.v1', 'learnflow/x', $1, $2, $3::text::json,
                       '2026-01-01T00:00:00Z', now(), now())";
    let query = sqlx::query(sql).bind(Uuid::from_u128(id)).bind(Uuid::from_u128(7));
    query.bind(letter.to_string()).execute(conn).await.expect("a dead letter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_listed_shown_and_replayed() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    put_letter(&mut conn, 21, "triage", "learning.requests-3@15", EVENT).await;
    put_letter(&mut conn, 22, "debug", "debug.requests-0@1", "garbage").await;
    let (first, second) = (Uuid::from_u128(21).to_string(), Uuid::from_u128(22).to_string());
    let all = learnflow(&database, &["list"]);
    assert!(
        all.contains(&first) && all.contains(&second) && all.contains("it failed: for a reason")
    );
    for filter in [["--topic", "debug.requests"], ["--function", "debug"]] {
        let some = learnflow(&database, &[&["list"][..], &filter].concat());
        assert!(!some.contains(&first) && some.contains(&second), "{some}");
    }
    assert_eq!(
        learnflow(&database, &["list", "--since", "2026-01-02T00:00:00Z"]),
        "there are no dead letters\n"
    );
    assert_eq!(learnflow(&database, &["list", "--limit", "1"]).lines().count(), 1);
    let shown = learnflow(&database, &["show", &first]);
    for words in [
        "attempts  8",
        "header    content-type: application/cloudevents+json",
        "What is a list?",
        "@15",
    ] {
        assert!(shown.contains(words), "{words} not in {shown}");
    }
    let count = "SELECT count(*) FROM events WHERE topic <> 'dead.letters'";
    let tried = learnflow(&database, &["replay", "--dry-run"]);
    assert!(tried.contains("would be sent as question.asked.v1 on learning.requests"), "{tried}");
    assert!(
        tried.contains("it is no event") && tried.ends_with("1 would be replayed, 1 not\n"),
        "{tried}"
    );
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut conn).await.expect("valid");
    assert_eq!(before, 0);
    let done = learnflow(&database, &["replay", &first]);
    assert!(done.ends_with("1 replayed, 0 not\n"), "{done}");
    let sql = "SELECT id, topic, source, causation_id, EXISTS (SELECT FROM delayed_events WHERE event_id = events.id) AS is_waiting
               FROM events WHERE topic <> 'dead.letters'";
    let sent = sqlx::query(sql).fetch_one(&mut conn).await.expect("one event");
    assert_ne!(sent.get::<Uuid, _>("id"), Uuid::from_u128(7));
    assert_eq!(sent.get::<Option<Uuid>, _>("causation_id"), Some(Uuid::from_u128(7)));
    assert_eq!(sent.get::<&str, _>("source"), "learnflow/replay/triage");
    assert!(sent.get::<bool, _>("is_waiting"), "the relay sends it");
    assert!(learnflow(&database, &["list"]).contains("(replayed)"));
    assert!(learnflow(&database, &["replay", &first]).ends_with("0 replayed, 1 not\n"));
    assert!(learnflow(&database, &["replay", &first, "--again"]).ends_with("1 replayed, 0 not\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_replayed_with_other_data() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    put_letter(&mut conn, 21, "triage", "learning.requests-3@15", EVENT).await;
    let letter = Uuid::from_u128(21).to_string();
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("data.json");
    let path = file.to_str().expect("text");
    let replay = |data: &str, options: &[&str]| {
        std::fs::write(&file, data).expect("it is written");
        learnflow(&database, &[&["replay", letter.as_str(), "--data", path][..], options].concat())
    };
    let data = |question: &str| {
        json!({ "query_id": Uuid::from_u128(1), "student_id": Uuid::from_u128(2), "question": question })
            .to_string()
    };
    let refused = replay(&data(""), &[]);
    assert!(refused.contains("data does not match question.asked.v1 at question"), "{refused}");
    let tried = replay(&data("What is a tuple?"), &["--dry-run"]);
    let words = "would be sent as question.asked.v1 on learning.requests, with another question\n";
    assert!(tried.contains(words), "{tried}");
    let done = replay(&data("What is a tuple?"), &[]);
    assert!(done.ends_with("1 replayed, 0 not\n"), "{done}");
    let sql = "SELECT data->>'question' FROM events WHERE topic <> 'dead.letters'";
    let sent: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.expect("valid");
    assert_eq!(sent, ["What is a tuple?"]);
    let sql = "SELECT changed FROM dead_letter_replays WHERE replayed_by IS NULL";
    let changed: Vec<Vec<String>> =
        sqlx::query_scalar(sql).fetch_all(&mut conn).await.expect("valid");
    assert_eq!(changed, [["question"]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parked_events_are_returned_to_the_relay() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let sql = "WITH inserted AS (
                   INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at,
                                       lease_until, published_at)
                   VALUES ($1, 'progress.events', 'x', 'x.v1', 'learnflow/x', $1, '{}', now(), now(), now())
                   RETURNING id, sequence, topic, partition_key)
               INSERT INTO delayed_events
               SELECT id, sequence, topic, partition_key, 21, now(), now(), 'no such topic' FROM inserted";
    let id = Uuid::from_u128(31);
    sqlx::query(sql).bind(id).execute(&mut conn).await.expect("an event");
    assert!(learnflow(&database, &["parked"]).contains("no such topic"));
    assert_eq!(learnflow(&database, &["unpark", &id.to_string()]), "1 returned to the relay\n");
    assert_eq!(learnflow(&database, &["parked"]), "there are no parked events\n");
    let due = "SELECT count(*) FROM delayed_events WHERE parked_at IS NULL AND retry_at <= now()";
    let due: i64 = sqlx::query_scalar(due).fetch_one(&mut conn).await.expect("valid");
    assert_eq!(due, 1);
}
