//! What operators see of one request: every hop, with its place on the broker, its wait, work and attempts.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use anyhow::anyhow;
use api_gateway::responses::QueryResponse;
use events::question_asked::QuestionAsked;
use ids::{EventId, QueryId, UserId};
use reqwest::{Method, StatusCode};
use runner::traces::{TraceArguments, load, run};
use runtime::{Clock, Decide, Function, HandlerError, Host, Outgoing, Received};
use serde_json::json;
use sqlx::PgConnection;
use testing::{ApacheKafka, Bench, bench::BENCH, eventually};
use tests::{PASSWORD, Setup, Student, World};
use trace::{Hop, HopOutcome, PayloadState, Trace};
use uuid::Uuid;

use crate::triggers::{INGRESS_TOKEN, Single, batch, event, post, record};

/// Words that are in nothing but the question.
const WORDS: &str = "What is a list, said the purple walrus?";

fn arguments(database_url: &str, kafka: &str, id: Uuid) -> TraceArguments {
    TraceArguments {
        id,
        database_url: database_url.to_owned(),
        kafka: Some(kafka.to_owned()),
        payload: false,
        json: None,
    }
}

/// A trace as the endpoint shows it.
async fn shown(world: &World, admin: &Student, id: Uuid, query: &str) -> Trace {
    let reply = world.get(&format!("/admin/traces/{id}{query}"), Some(&admin.token)).await;
    reply.ok()
}

fn hop<'a>(trace: &'a Trace, event_type: &str) -> &'a Hop {
    let found = trace.hops.iter().find(|hop| hop.event_type == event_type);
    found.unwrap_or_else(|| panic!("no {event_type} in {trace:?}"))
}

async fn check_hops(world: World) {
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let ada = world.student("ada").await;
    let query: QueryResponse = world.ask(&ada, WORDS, 20).await.ok();
    let id = query.id.as_uuid();
    let trace = eventually("all of it is handled", async || {
        let trace = shown(&world, &admin, id, "").await;
        let is_open = |hop: &Hop| hop.topic != "learning.responses" && hop.function.is_none();
        (!trace.hops.iter().any(is_open)).then_some(trace)
    })
    .await;
    assert_eq!((trace.correlation_id, trace.subject), (id, Some(ada.id)));
    let (asked, routed) = (hop(&trace, "question.asked.v1"), hop(&trace, "question.routed.v1"));
    let answered = hop(&trace, "question.answered.v1");
    let way = |hop: &Hop| (hop.emitted_by.clone(), hop.function.clone(), hop.outcome);
    let name = |name: &str| name.to_owned();
    assert_eq!(way(asked), (name("api-gateway"), Some(name("triage")), HopOutcome::Handled));
    assert_eq!(way(routed), (name("triage"), Some(name("concepts")), HopOutcome::Handled));
    assert_eq!(way(answered), (name("concepts"), None, HopOutcome::Unrecorded));
    assert_eq!(asked.caused_by, None);
    assert_eq!(routed.caused_by, Some(asked.event_id));
    assert_eq!(answered.caused_by, Some(routed.event_id));
    for handled in trace.hops.iter().filter(|hop| hop.function.is_some()) {
        assert_eq!(handled.attempts, 1, "{handled:?}");
        assert!(handled.partition.is_some_and(|number| (0..8).contains(&number)), "{handled:?}");
        assert!(handled.offset.is_some_and(|offset| offset >= 0), "{handled:?}");
        assert!(handled.work_ms.is_some_and(|ms| ms > 0.0), "{handled:?}");
        assert!(handled.wait_ms.is_some_and(|ms| ms >= 0.0), "{handled:?}");
        assert!(handled.queue_ms.is_some_and(|ms| ms >= 0.0), "{handled:?}");
    }
    assert!(trace.sums.work_ms > 0.0 && trace.sums.hops >= 3, "{:?}", trace.sums);
    // The command looks on the broker for what no function has noted.
    let located =
        load(&arguments(world.database_url(), world.kafka(), id)).await.expect("it is known");
    let answered = hop(&located, "question.answered.v1");
    assert!(answered.partition.is_some() && answered.offset.is_some(), "{answered:?}");
    assert_eq!(hop(&located, "question.asked.v1").offset, asked.offset);
    check_access(&world, &ada, &admin, id).await;
    check_erased(&world, &ada, &admin, id).await;
    world.finish().await;
}

/// Only administrators see it, and what a student wrote only if they ask for it.
async fn check_access(world: &World, ada: &Student, admin: &Student, id: Uuid) {
    let path = format!("/admin/traces/{id}");
    assert_eq!(world.get(&path, Some(&ada.token)).await.status, StatusCode::FORBIDDEN);
    for unknown in ["not-an-id".to_owned(), Uuid::nil().to_string()] {
        let reply = world.get(&format!("/admin/traces/{unknown}"), Some(&admin.token)).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    let unknown = load(&arguments(world.database_url(), world.kafka(), Uuid::nil())).await;
    let error = unknown.expect_err("it is not known").to_string();
    assert!(error.contains("no event of a request"), "{error}");
    let wrong = world.get(&format!("{path}?payload=maybe"), Some(&admin.token)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let without = world.get(&path, Some(&admin.token)).await;
    assert!(!without.body.to_string().contains("walrus"), "{:?}", without.body);
    let with = shown(world, admin, id, "?payload=true").await;
    let payloads = with.payloads.expect("they were asked for");
    assert!(payloads.iter().all(|payload| payload.state == PayloadState::Open), "{payloads:?}");
    assert!(payloads.iter().any(|payload| format!("{payload:?}").contains("walrus")));
    // All of it is in the file.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trace.json");
    let mut to_file = arguments(world.database_url(), world.kafka(), id);
    (to_file.payload, to_file.json) = (true, Some(file.clone()));
    run(to_file).await.expect("it is written");
    let text = std::fs::read_to_string(file).expect("it is there");
    let written: Trace = serde_json::from_str(&text).expect("it is a trace");
    assert_eq!(written.hops.len(), with.hops.len());
    assert!(text.contains("walrus"));
}

/// What the erased wrote is shown to nobody any more.
async fn check_erased(world: &World, ada: &Student, admin: &Student, id: Uuid) {
    let token = ada.token.clone();
    let erased = world.send("api-gateway", |client, url| {
        let request = client.request(Method::DELETE, format!("{url}/api/v1/me"));
        request.bearer_auth(token).json(&json!({ "password": PASSWORD }))
    });
    assert_eq!(erased.await.status, StatusCode::NO_CONTENT);
    let path = format!("/admin/traces/{id}?payload=true");
    let after = world.get(&path, Some(&admin.token)).await;
    assert!(!after.body.to_string().contains("walrus"), "{:?}", after.body);
    let after: Trace = after.ok();
    let payloads = after.payloads.as_ref().expect("they were asked for");
    let asked = hop(&after, "question.asked.v1").event_id;
    let of_asked = payloads.iter().find(|payload| payload.event_id == asked).expect("it is there");
    assert_eq!((of_asked.state, &of_asked.data), (PayloadState::Erased, &None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hop_of_a_question_is_shown_over_the_local_broker() {
    check_hops(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hop_of_a_question_is_shown_over_apache_kafka() {
    if let Some(kafka) = ApacheKafka::start().await.expect("Apache Kafka starts") {
        let setup = Setup { kafka: Some(kafka.brokers()), ..Setup::default() };
        check_hops(World::with(setup).await).await;
    }
}

/// Fails at first.
struct FailsAtFirst {
    attempts: Arc<AtomicU32>,
    succeeds_at: u32,
}

impl Decide for FailsAtFirst {
    type In = QuestionAsked;

    async fn handle(
        &self,
        _: Received<QuestionAsked>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        if attempt >= self.succeeds_at {
            return Ok(Outgoing::none());
        }
        Err(HandlerError::retry(anyhow!("not yet")))
    }
}

/// Emits a question on behalf of the gateway, as an event of a request of its own.
async fn emit(bench: &Bench) -> Uuid {
    let id = Clock::System.new_id();
    let question = QuestionAsked {
        query_id: QueryId::from_uuid(id),
        student_id: UserId::from_uuid(Uuid::from_u128(1)),
        question: "x".to_owned().try_into().expect("a question"),
        code: None,
        error: None,
        topic: None,
        agent: None,
        hint_level: None,
        exercise_id: None,
    };
    let outgoing = Outgoing::none().with(&question).expect("it is small");
    let tx = bench.services.store.begin("api-gateway").await.expect("a connection");
    tx.commit(EventId::from_uuid(id), outgoing, Clock::System.now()).await.expect("it is stored");
    id
}

/// The only hop of a question that a function handles when it is called for the nth time. Each attempt that fails calls
/// it twice: in a group, and on its own.
async fn hop_after(succeeds_at: u32, is_over: HopOutcome) -> Hop {
    let mut bench = Bench::new().await;
    let handler = FailsAtFirst { attempts: Arc::default(), succeeds_at };
    let host = bench.host(|function| function.decides(handler)).await;
    let id = emit(&bench).await;
    let arguments = arguments(bench.database().url(), &bench.brokers(), id);
    let hop = eventually("the hop is over", async || {
        let mut trace = load(&arguments).await.ok()?;
        let hop = trace.hops.pop().filter(|hop| hop.outcome == is_over)?;
        assert!(trace.hops.is_empty(), "a dead letter is no hop of its own");
        Some(hop)
    })
    .await;
    host.stop().await;
    hop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hop_that_was_tried_again_shows_its_attempts_and_its_wait() {
    let hop = hop_after(5, HopOutcome::Handled).await;
    assert_eq!((hop.function.as_deref(), hop.attempts), (Some("bench"), 3));
    // The pauses between the attempts are part of both waits.
    let (wait, queue) = (hop.wait_ms.expect("a wait"), hop.queue_ms.expect("a wait"));
    assert!(wait > 100.0 && queue > 100.0 && wait >= queue - 1.0, "{hop:?}");
    assert!(hop.work_ms.is_some_and(|ms| ms > 0.0 && ms < wait), "{hop:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hop_that_was_given_up_shows_its_dead_letter() {
    let hop = hop_after(u32::MAX, HopOutcome::GivenUp).await;
    assert_eq!((hop.attempts, hop.reasons.concat().as_str()), (8, "not yet"));
    assert!(hop.dead_letter_id.is_some() && hop.offset.is_some(), "{hop:?}");
}

fn succeeds_at_once() -> FailsAtFirst {
    FailsAtFirst { attempts: Arc::default(), succeeds_at: 1 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_trigger_delivers_an_event_its_place_is_noted() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let lambda = single.lambda(|_, _| Function::new(&BENCH).decides(succeeds_at_once()));
    let function = Function::new(&BENCH).decides(succeeds_at_once());
    let host =
        Host::start(function, &single.services, &mut single.settings).await.expect("it starts");
    let partitions = json!({ "t-3": [record("t", 3, 41, Some(&event("lambda", 1)))] });
    lambda.invoke(batch(&partitions)).await.expect("a batch");
    let knative = [
        ("content-type", "application/cloudevents+json"),
        ("ce-ingresstoken", INGRESS_TOKEN),
        ("ce-knativekafkapartition", "4"),
        ("ce-knativekafkaoffset", "42"),
    ];
    let sent = post(&host, "/", &knative, event("knative", 2).to_string()).await;
    assert_eq!(sent.0, StatusCode::NO_CONTENT);
    let sent_at = Clock::System.now().timestamp_millis().to_string();
    let dapr = [
        ("content-type", "application/cloudevents+json"),
        ("dapr-api-token", INGRESS_TOKEN),
        ("__partition", "5"),
        ("__offset", "43"),
        ("__timestamp", sent_at.as_str()),
    ];
    for (id, headers) in [("dapr", &dapr[..]), ("old dapr", &dapr[..2])] {
        let sent = post(&host, "/dapr/events", headers, event(id, 3).to_string()).await;
        assert_eq!(sent.1, json!({ "status": "SUCCESS" }));
    }
    let noted = "SELECT record_partition, record_offset, waited_ms IS NOT NULL, worked_us > 0
                 FROM inbox ORDER BY record_partition";
    let noted: Vec<(Option<i16>, Option<i64>, bool, bool)> =
        sqlx::query_as(noted).fetch_all(&mut single.connect().await).await.expect("it is valid");
    assert_eq!(
        noted,
        [
            (Some(3), Some(41), true, true),
            (Some(4), Some(42), false, true),
            (Some(5), Some(43), true, true),
            (None, None, false, true),
        ]
    );
    host.stop().await;
    world.finish().await;
}
