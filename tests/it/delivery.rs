//! Events that arrive twice, late, out of order, damaged, or at a process that dies: exactly one answer is stored,
//! nothing is lost, and no student waits for another.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use events::question_asked::QuestionAsked;
use reqwest::StatusCode;
use runtime::{
    Act, Decide, HandlerError, Live, Outgoing, Received,
    fault::{FaultPoint, Faults},
};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};
use testing::{
    Bench,
    bench::{asked_event, publish},
    eventually,
};
use tests::{Student, World};
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

async fn store_query(world: &World, student: &Student) -> Uuid {
    let id = world.clock().new_id();
    let sql = "WITH conversation AS (
                   INSERT INTO conversations (id, student_id, created_at) VALUES ($1, $2, now()))
               INSERT INTO queries (id, student_id, question, asked_at, conversation_id)
               VALUES ($1, $2, '{}', now(), $1)";
    let mut conn = world.database().await;
    sqlx::query(sql)
        .bind(id)
        .bind(student.id)
        .execute(&mut conn)
        .await
        .expect("the question is stored");
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_event_three_times_is_answered_once() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let query = store_query(&world, &student).await;
    let event = asked_event(
        Uuid::from_u128(1),
        query,
        student.id,
        "What is a list?",
        "2026-01-01T00:00:00Z",
    );
    for _ in 0..3 {
        publish(world.kafka(), "learning.requests", &student.id.to_string(), Some(&event)).await;
    }
    // One more, with another id, shows when the three before it are through.
    let marker = store_query(&world, &student).await;
    let last = asked_event(
        Uuid::from_u128(2),
        marker,
        student.id,
        "What is a set?",
        "2026-01-01T00:00:01Z",
    );
    publish(world.kafka(), "learning.requests", &student.id.to_string(), Some(&last)).await;
    world.answer(&student, &marker.to_string()).await;
    world.answer(&student, &query.to_string()).await;
    assert_eq!(world.answers_emitted(query).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_and_out_of_order_events_are_answered_too() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let (first, second) =
        (store_query(&world, &student).await, store_query(&world, &student).await);
    let key = student.id.to_string();
    for (id, query, time) in
        [(12, second, "2026-01-01T00:00:09Z"), (11, first, "2019-01-01T00:00:00Z")]
    {
        let event = asked_event(Uuid::from_u128(id), query, student.id, "What is a list?", time);
        publish(world.kafka(), "learning.requests", &key, Some(&event)).await;
    }
    for query in [first, second] {
        world.answer(&student, &query.to_string()).await;
        assert_eq!(world.answers_emitted(query).await, 1);
    }
    world.finish().await;
}

async fn check_crash(function: &'static str, point: FaultPoint) {
    let mut world = World::new().await;
    let student = world.student("ada").await;
    world.stop().await;
    let faults = Faults::armed(function, point);
    world.start(faults.clone()).await;
    let url = world.stack().url("api-gateway").expect("the gateway");
    let request = reqwest::RequestBuilder::json(
        runtime::http_client()
            .expect("a client")
            .post(format!("{url}/api/v1/query"))
            .bearer_auth(&student.token)
            .header("prefer", "wait=0"),
        &json!({ "question": "What is a list?" }),
    );
    let asking = tokio::spawn(tests::reply(request));
    faults.reached().await;
    world.kill().await;
    // Whether or not the client heard of it, what was committed must be answered.
    asking.abort();
    world.start(Faults::default()).await;
    // The dead process's lease on its events runs out.
    world.advance(11);
    let query: Uuid = {
        let mut conn = world.database().await;
        let sql = "SELECT id FROM queries WHERE student_id = $1";
        let row = sqlx::query(sql).bind(student.id).fetch_one(&mut conn).await;
        row.expect("the question was accepted").get(0)
    };
    world.answer(&student, &query.to_string()).await;
    assert_eq!(world.answers_emitted(query).await, 1, "{function} {point:?}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triage_dies_between_any_two_steps() {
    for point in FaultPoint::ALL {
        check_crash("triage", point).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concepts_dies_between_any_two_steps() {
    for point in FaultPoint::ALL {
        check_crash("concepts", point).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_dies_between_any_two_steps() {
    // It handles no events: it commits what it accepts, and publishes that.
    for point in [FaultPoint::Committed, FaultPoint::Published] {
        check_crash("api-gateway", point).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_events_become_dead_letters_and_block_nobody() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let key = student.id.to_string();
    let wrong_type =
        json!({ "specversion": "1.0", "id": "1", "source": "/x", "type": "not.ours", "data": {} });
    let later_type = json!({ "specversion": "1.0", "id": "3", "source": "/x", "type": "no.such.v1", "data": {} });
    let wrong_data = json!({ "specversion": "1.0", "id": "2", "source": "/x", "type": "question.asked.v1",
        "data": { "query_id": Uuid::nil(), "student_id": Uuid::nil(), "question": 7 } });
    let no_id =
        json!({ "specversion": "1.0", "source": "/x", "type": "question.asked.v1", "data": {} });
    let damaged: [(Vec<u8>, &str); 5] = [
        (b"\xff\x00 not json".to_vec(), "body is not valid JSON"),
        (b"{}".to_vec(), "no specversion"),
        (wrong_type.to_string().into(), "event type not.ours is not handled here"),
        (wrong_data.to_string().into(), "data does not match question.asked.v1 at question"),
        (no_id.to_string().into(), "attribute id is missing"),
    ];
    for (bytes, _) in &damaged {
        publish(world.kafka(), "learning.requests", &key, Some(bytes)).await;
    }
    publish(world.kafka(), "learning.requests", &key, None).await;
    // What a later version says to others is no business of this one.
    publish(world.kafka(), "learning.requests", &key, Some(later_type.to_string().as_bytes()))
        .await;
    // The same student's next question is answered all the same.
    let reply = world.ask(&student, "What is a list?", 30).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    let letters: Vec<Value> = eventually("all dead letters are kept", async || {
        let letters = world.dead_letters("triage").await;
        (letters.len() == damaged.len() + 1).then_some(letters)
    })
    .await;
    let url = format!("{}/metrics", world.stack().url("triage").expect("triage"));
    let metrics = runtime::http_client().expect("a client").get(url).send().await;
    let metrics = metrics.expect("it answers").text().await.expect("text");
    assert!(metrics.contains(r#"learnflow_events_skipped_total{function="triage"}"#), "{metrics}");
    for (bytes, words) in damaged {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let original = STANDARD.encode(bytes);
        let letter = letters.iter().find(|letter| letter["value_base64"] == original);
        let letter = letter.expect("the original bytes are kept");
        assert!(letter["reasons"].to_string().contains(words), "{words} not in {letter}");
        assert!(
            letter["origin"]
                .as_str()
                .is_some_and(|origin| origin.starts_with("learning.requests-"))
        );
    }
    world.finish_with_dead_letters("triage", 6).await;
}

/// Notes what it handles; holds up one student until it is let go.
struct HoldsUpOne {
    slow: Uuid,
    go: Arc<Notify>,
    handled: Arc<Mutex<Vec<(Uuid, String)>>>,
}

impl Act for HoldsUpOne {
    type In = QuestionAsked;
    type Done = Outgoing;

    async fn call(
        &self,
        received: Received<QuestionAsked>,
        _: &Live,
    ) -> Result<Outgoing, HandlerError> {
        let asked = received.event.data;
        if asked.student_id.as_uuid() == self.slow {
            self.go.notified().await;
        }
        let question = asked.question.as_str().to_owned();
        self.handled.lock().await.push((asked.student_id.as_uuid(), question));
        Ok(Outgoing::none())
    }

    async fn record(
        &self,
        outgoing: &Outgoing,
        _: DateTime<Utc>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        Ok(outgoing.clone())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_slow_student_among_a_hundred_delays_nobody() {
    let mut bench = Bench::new().await;
    let (go, handled) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Vec::new())));
    let slow = Uuid::from_u128(1);
    let handler = HoldsUpOne { slow, go: Arc::clone(&go), handled: Arc::clone(&handled) };
    let host = bench.host(|function| function.acts(handler)).await;
    bench.ask(slow, "0").await;
    let others: HashSet<Uuid> = (2..=100).map(Uuid::from_u128).collect();
    for student in &others {
        bench.ask(*student, "0").await;
    }
    eventually("all the others are handled", async || {
        let done: HashSet<Uuid> =
            handled.lock().await.iter().map(|(student, _)| *student).collect();
        (done == others).then_some(())
    })
    .await;
    go.notify_one();
    eventually("the slow one is handled", async || {
        (handled.lock().await.len() == 100).then_some(())
    })
    .await;
    host.stop().await;
    assert_eq!(bench.count("SELECT count(*) FROM inbox WHERE function = 'bench'").await, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_students_events_are_handled_in_their_order() {
    let mut bench = Bench::new().await;
    let handled = Arc::new(Mutex::new(Vec::new()));
    let handler =
        HoldsUpOne { slow: Uuid::nil(), go: Arc::default(), handled: Arc::clone(&handled) };
    let host = bench.host(|function| function.acts(handler)).await;
    for number in 0..30 {
        for student in 1..=4 {
            bench.ask(Uuid::from_u128(student), &number.to_string()).await;
        }
    }
    eventually("all are handled", async || (handled.lock().await.len() == 120).then_some(())).await;
    let handled = handled.lock().await;
    for student in (1..=4).map(Uuid::from_u128) {
        let order = handled.iter().filter(|(of, _)| *of == student);
        let order: Vec<u32> = order.map(|(_, number)| number.parse().expect("a number")).collect();
        assert_eq!(order, (0..30).collect::<Vec<_>>());
    }
    host.stop().await;
}

/// Fails in some way for the first attempts.
struct FailsAtFirst {
    attempts: Arc<AtomicU32>,
    succeeds_at: u32,
}

impl Act for FailsAtFirst {
    type In = QuestionAsked;
    type Done = Outgoing;

    async fn call(&self, _: Received<QuestionAsked>, _: &Live) -> Result<Outgoing, HandlerError> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        if attempt >= self.succeeds_at {
            return Ok(Outgoing::none());
        }
        assert!(attempt != 1, "the first attempt panics");
        Err(HandlerError::retry(anyhow!("the outside is away")))
    }

    async fn record(
        &self,
        outgoing: &Outgoing,
        _: DateTime<Utc>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        Ok(outgoing.clone())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_succeed_is_tried_again_even_after_a_panic() {
    let mut bench = Bench::new().await;
    let attempts = Arc::new(AtomicU32::new(0));
    let handler = FailsAtFirst { attempts: Arc::clone(&attempts), succeeds_at: 4 };
    let host = bench.host(|function| function.acts(handler)).await;
    bench.ask(Uuid::from_u128(1), "x").await;
    let handled = "SELECT count(*) FROM inbox WHERE function = 'bench'";
    eventually("it is handled", async || (bench.count(handled).await == 1).then_some(())).await;
    assert_eq!(attempts.load(Ordering::SeqCst), 4);
    assert_eq!(bench.count("SELECT count(*) FROM events WHERE topic = 'dead.letters'").await, 0);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_succeeds_is_given_up_after_a_bound() {
    let mut bench = Bench::new().await;
    let attempts = Arc::new(AtomicU32::new(0));
    let handler = FailsAtFirst { attempts: Arc::clone(&attempts), succeeds_at: u32::MAX };
    let host = bench.host(|function| function.acts(handler)).await;
    bench.ask(Uuid::from_u128(1), "x").await;
    let dead = "SELECT count(*) FROM events WHERE topic = 'dead.letters'
                AND data->>'attempts' = '8' AND data->'reasons'->>0 = 'the outside is away'";
    eventually("it is a dead letter", async || (bench.count(dead).await == 1).then_some(())).await;
    assert_eq!(attempts.load(Ordering::SeqCst), 8);
    host.stop().await;
}

/// Writes what the database cannot keep for one question, and handles the others.
struct WritesNul;

impl Decide for WritesNul {
    type In = QuestionAsked;

    async fn handle(
        &self,
        received: Received<QuestionAsked>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let text = if received.event.data.question.as_str() == "bad" { "a\0b" } else { "good" };
        let written = sqlx::query("SELECT $1::text").bind(text).execute(conn).await;
        written.map_err(HandlerError::retry)?;
        Ok(Outgoing::none())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_can_never_keep_is_given_up_and_the_student_goes_on() {
    let mut bench = Bench::new().await;
    let host = bench.host(|function| function.decides(WritesNul)).await;
    let student = Uuid::from_u128(1);
    bench.ask(student, "bad").await;
    bench.ask(student, "good").await;
    let handled = "SELECT count(*) FROM inbox WHERE function = 'bench'";
    // The dead letter has its row, too.
    eventually("both are dealt with", async || (bench.count(handled).await == 2).then_some(()))
        .await;
    let dead =
        "SELECT count(*) FROM events WHERE topic = 'dead.letters' AND data->>'attempts' = '1'";
    assert_eq!(bench.count(dead).await, 1);
    host.stop().await;
}
