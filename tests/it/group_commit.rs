//! Decisions that are ready together share a transaction, but not each other's failures.

use chrono::TimeDelta;
use events::question_asked::QuestionAsked;
use futures::future::join_all;
use reqwest::StatusCode;
use runtime::{Clock, Decide, HandlerError, Outgoing, Received};
use sqlx::PgConnection;
use storage::{
    events::{Claims, StoredEvent},
    outbox,
};
use testing::{
    TestDatabase,
    bench::{Bench, asked_event, publish},
    eventually,
};
use tests::World;
use uuid::Uuid;

const EVENTS: u32 = 400;

/// Decides about every question but those with these words.
struct FailsAt(&'static str);

impl Decide for FailsAt {
    type In = QuestionAsked;

    async fn handle(
        &self,
        received: Received<QuestionAsked>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        if received.event.data.question.as_str() == self.0 {
            return Err(HandlerError::fail(anyhow::anyhow!("never")));
        }
        Ok(Outgoing::none())
    }
}

async fn handled(bench: &Bench, what: &str, count: i64) {
    let sql = "SELECT count(*) FROM inbox WHERE function = 'bench'";
    eventually(what, async || (bench.count(sql).await == count).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_that_are_ready_together_share_transactions() {
    let mut bench = Bench::new().await;
    let of_all = (0..EVENTS).map(|number| (Uuid::from_u128(number.into()), "x".to_owned()));
    bench.ask_all(of_all).await;
    let host = bench.host(|function| function.decides(FailsAt("never asked"))).await;
    handled(&bench, "all are handled", EVENTS.into()).await;
    let transactions = "SELECT count(DISTINCT xmin::text) FROM inbox WHERE function = 'bench'";
    let transactions = bench.count(transactions).await;
    assert!(transactions < i64::from(EVENTS) / 4, "{transactions} transactions");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_handled_before_are_skipped_and_the_others_still_share_transactions() {
    const SENT: u128 = 100;
    let mut bench = Bench::new().await;
    let mut conn = bench.database().connect().await;
    for number in (0..SENT).step_by(4) {
        let sql = "INSERT INTO inbox (function, event_id, received_at) VALUES ('bench', $1, now())";
        let handled = sqlx::query(sql).bind(Uuid::from_u128(number)).execute(&mut conn).await;
        handled.expect("it is noted");
    }
    let before = bench.count("SELECT max(xmin::text::bigint) FROM inbox").await;
    let brokers = bench.brokers();
    let sent = (0..SENT).map(async |number| {
        let (id, student) = (Uuid::from_u128(number), Uuid::from_u128(number));
        let event = asked_event(id, id, student, "x", "2026-01-01T00:00:00Z");
        publish(&brokers, "learning.requests", &student.to_string(), Some(&event)).await;
    });
    join_all(sent).await;
    let host = bench.host(|function| function.decides(FailsAt("never asked"))).await;
    handled(&bench, "all are handled", 100).await;
    let sql = "SELECT count(DISTINCT xmin::text) FROM inbox WHERE xmin::text::bigint > $1";
    let transactions: i64 =
        sqlx::query_scalar(sql).bind(before).fetch_one(&mut conn).await.expect("valid");
    assert!(transactions < 75 / 4, "{transactions} transactions");
    let letters = bench.count("SELECT count(*) FROM events WHERE topic = 'dead.letters'").await;
    assert_eq!(letters, 0);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_event_is_given_up_and_all_others_are_done_once() {
    let mut bench = Bench::new().await;
    let of_all = (0..EVENTS).map(|number| {
        let question = if number % 40 == 7 { "poison" } else { "x" };
        (Uuid::from_u128(number.into()), question.to_owned())
    });
    bench.ask_all(of_all).await;
    let host = bench.host(|function| function.decides(FailsAt("poison"))).await;
    // What is given up has an inbox row, too: the dead letter's.
    handled(&bench, "all are handled or given up", EVENTS.into()).await;
    let letters = bench.count("SELECT count(*) FROM events WHERE topic = 'dead.letters'").await;
    assert_eq!(letters, i64::from(EVENTS) / 40);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_whose_writer_expired_registers_as_a_new_one() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let sql = "UPDATE writers SET taken_over_at = now()";
    sqlx::query(sql).execute(&mut world.database().await).await.expect("it is valid");
    let reply = world.ask(&student, "What is a list?", 20).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_commits_at_the_last_moment_is_found_later() {
    let database = TestDatabase::create().await;
    let (mut dead, mut relay) = (database.connect().await, database.connect().await);
    let now = Clock::System.now();
    let (writer, _) = outbox::register(&mut relay, now).await.expect("it is registered");
    let event = StoredEvent {
        id: Uuid::from_u128(1).to_string().parse().expect("an id"),
        topic: "progress.events".to_owned(),
        partition_key: "ada".to_owned(),
        event_type: "x.y.v1".to_owned(),
        source: "learnflow/test".to_owned(),
        subject: None,
        correlation_id: Uuid::from_u128(2),
        causation_id: None,
        traceparent: None,
        data: serde_json::json!({}).into(),
        occurred_at: now,
    };
    let mut last = sqlx::Connection::begin(&mut dead).await.expect("a transaction");
    let inserted = storage::events::claim_and_insert(
        &mut last,
        Claims::default(),
        &[event],
        Some(writer),
        now,
    )
    .await;
    assert!(inserted.expect("valid").is_some(), "the writer is alive");
    let left = async |conn: &mut PgConnection| -> i64 {
        let left = sqlx::query_scalar("SELECT count(*) FROM delayed_events").fetch_one(conn);
        left.await.expect("valid")
    };
    let later = now + TimeDelta::seconds(11);
    let gone = outbox::expire_writers(&mut relay, later, later - TimeDelta::seconds(10), now).await;
    assert_eq!((gone.expect("valid"), left(&mut relay).await), (1, 0), "nothing is visible yet");
    last.commit().await.expect("it is committed");
    let settled = later + TimeDelta::seconds(31);
    let gone =
        outbox::expire_writers(&mut relay, settled, now, settled - TimeDelta::seconds(30)).await;
    assert_eq!((gone.expect("valid"), left(&mut relay).await), (1, 1));
    drop((dead, relay));
    database.remove().await;
}
