//! Work of operators and schedules: migrating a database, replaying dead letters, periodic work.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use events::question_asked::QuestionAsked;
use reqwest::StatusCode;
use runtime::{
    Clock, Decide, Function, HandlerError, Host, Http, Outgoing, Periodic, Received, Round,
    Schedule, Services, Spec, Store,
    config::Settings,
    fault::Faults,
    lambda::LambdaFunction,
    replay::{Replay, ReplayError},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use storage::{
    dead_letters::{self, Filter},
    migrations::MINIMUM_VERSION,
    periodic_runs,
};
use testing::{
    Bench, JWT_SECRET, TestDatabase,
    bench::{BENCH, publish},
    eventually,
};
use uuid::Uuid;

/// A second function on the same topic.
const OTHER: Spec = Spec { name: "other", ..BENCH };

/// Counts questions; refuses them while it is set to.
#[derive(Clone, Default)]
struct Counts {
    refuses: Arc<AtomicBool>,
    handled: Arc<AtomicUsize>,
}

impl Counts {
    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }
}

impl Decide for Counts {
    type In = QuestionAsked;

    async fn handle(
        &self,
        _: Received<QuestionAsked>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(HandlerError::fail(std::io::Error::other("not today")));
        }
        self.handled.fetch_add(1, Ordering::SeqCst);
        Ok(Outgoing::none())
    }
}

async fn ready(host: &Host) -> (StatusCode, Value) {
    let client = runtime::http_client().expect("a client");
    let reply = tests::reply(client.get(format!("http://{}/ready", host.address()))).await;
    let reply = reply.expect("it answers");
    (reply.status, reply.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_waits_for_a_database_that_is_not_up_to_date() {
    let mut bench = Bench::on(TestDatabase::empty().await).await;
    let counts = Counts::default();
    let host = bench.host(|function| function.decides(counts.clone())).await;
    bench.ask(Uuid::from_u128(1), "early").await;
    let (status, body) = ready(&host).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let reason = body["reason"].as_str().expect("it says why");
    assert!(reason.contains("`learnflow migrate`") && reason.contains("no schema"), "{reason}");
    let store = Store::open(bench.database().url()).expect("a database");
    store.migrate().await.expect("it is brought up to date");
    eventually("it is ready", async || (ready(&host).await.0 == StatusCode::OK).then_some(()))
        .await;
    eventually("what came early is handled", async || (counts.handled() == 1).then_some(())).await;
    assert_eq!(bench.count("SELECT count(*) FROM delivery_attempts").await, 0);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_function_brings_the_database_up_to_date() {
    const MIGRATES: Spec = Spec { migrates: true, ..BENCH };
    let mut bench = Bench::on(TestDatabase::empty().await).await;
    let host = bench.run(|_, _| Function::new(&MIGRATES).decides(Counts::default())).await;
    eventually("it is ready", async || (ready(&host).await.0 == StatusCode::OK).then_some(()))
        .await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_newer_is_used_and_one_that_is_older_is_not() {
    let mut bench = Bench::new().await;
    let host = bench.host(|function| function.decides(Counts::default())).await;
    let versions = async |sql: String| {
        let mut conn = bench.database().connect().await;
        sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.expect("it is valid");
    };
    versions(format!(
        "UPDATE _sqlx_migrations SET version = 9999 WHERE version = {MINIMUM_VERSION}"
    ))
    .await;
    assert_eq!(ready(&host).await.0, StatusCode::OK);
    host.stop().await;
    versions("DELETE FROM _sqlx_migrations WHERE version = 9999".to_owned()).await;
    let mut settings = Settings::from_pairs([
        ("DATABASE_URL", bench.database().url()),
        ("KAFKA_BROKERS", "127.0.0.1:1"),
        ("KAFKA_CONSUME", "true"),
        ("BIND_ADDRESS", "127.0.0.1"),
        ("PORT", "0"),
        ("JWT_SECRET", JWT_SECRET),
    ]);
    // This process has not seen the newer version.
    let services = Services::start(&mut settings, Clock::System, Faults::default()).await;
    let services = services.expect("services start");
    let function = Function::new(&BENCH).decides(Counts::default());
    let host = Host::start(function, &services, &mut settings).await.expect("it starts");
    let (status, body) = ready(&host).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    let needed = format!("needs version {MINIMUM_VERSION}");
    assert!(body["reason"].as_str().is_some_and(|reason| reason.contains(&needed)), "{body}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_registered_twice_or_is_not_in_the_spec_does_not_start() {
    let bench = Bench::new().await;
    let start = async |function: Function| {
        let mut settings = Settings::from_pairs([("INGRESS_TOKEN", JWT_SECRET), ("PORT", "0")]);
        let started = Host::start(function, &bench.services, &mut settings).await;
        started.expect_err("it does not start").to_string()
    };
    let twice = Function::new(&BENCH).decides(Counts::default()).decides(Counts::default());
    let error = start(twice).await;
    assert!(error.contains("bench handles question.asked.v1 twice"), "{error}");
    let error = start(Function::new(&BENCH)).await;
    assert!(error.contains("bench handles no event of learning.requests"), "{error}");
    let error =
        start(Function::new(&BENCH).decides(Counts::default()).repeats(CountsRuns::default()));
    let error = error.await;
    assert!(error.contains("periodic work that differs from its spec"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_replayed_to_the_function_that_gave_it_up() {
    let mut bench = Bench::new().await;
    let (counts, other) = (Counts::default(), Counts::default());
    counts.refuses.store(true, Ordering::SeqCst);
    let host = bench.host(|function| function.decides(counts.clone())).await;
    let witness = bench.run(|_, _| Function::new(&OTHER).decides(other.clone())).await;
    bench.ask(Uuid::from_u128(1), "x").await;
    let store = Store::open(bench.database().url()).expect("a database");
    let letters = async |filter: Filter| {
        let mut conn = store.connection().await.expect("a connection");
        dead_letters::list(&mut conn, &filter, 10).await.expect("the query is valid")
    };
    let row =
        eventually("it is a dead letter", async || letters(Filter::default()).await.pop()).await;
    assert!(row.replayed_at.is_none());
    for (topic, function, found) in [
        (Some("learning.requests"), None, 1),
        (Some("learning"), None, 0),
        (None, Some("bench"), 1),
        (None, Some("other"), 0),
    ] {
        let (topic, function) = (topic.map(str::to_owned), function.map(str::to_owned));
        let filter = Filter { topic, function, ..Filter::default() };
        assert_eq!(letters(filter.clone()).await.len(), found, "{filter:?}");
    }
    let since = Filter { since: Some(Clock::System.now()), ..Filter::default() };
    assert!(letters(since).await.is_empty());
    counts.refuses.store(false, Ordering::SeqCst);
    let prepared = Replay::prepare(&bench.services.store, &Clock::System, &row).await;
    let replay = prepared.expect("it can be sent again");
    let event = replay.event().clone();
    assert_eq!((event.topic.as_str(), event.causation_id), ("learning.requests", row.cause));
    assert_ne!(Some(event.id), row.cause);
    assert!(event.traceparent.is_some_and(|trace| trace.len() == 55));
    assert_eq!(counts.handled(), 0, "to prepare is not to send");
    replay.send(&bench.services.store, &Clock::System).await.expect("it is sent");
    eventually("it is handled", async || (counts.handled() == 1).then_some(())).await;
    assert!(letters(Filter::default()).await[0].replayed_at.is_some());
    // The other function handled the original, so the next question is its second event.
    bench.ask(Uuid::from_u128(1), "y").await;
    eventually("the next one is handled", async || (counts.handled() == 2).then_some(())).await;
    eventually("by both", async || (other.handled() == 2).then_some(())).await;
    let handled = "SELECT count(*) FROM inbox WHERE function = 'other'";
    assert_eq!(bench.count(handled).await, 2);
    host.stop().await;
    witness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_no_event_cannot_be_replayed() {
    let mut bench = Bench::new().await;
    let host = bench.host(|function| function.decides(Counts::default())).await;
    publish(&bench.brokers(), "learning.requests", "k", Some(b"garbage")).await;
    let row = eventually("it is a dead letter", async || {
        let mut conn = bench.database().connect().await;
        dead_letters::list(&mut conn, &Filter::default(), 1).await.expect("it is valid").pop()
    })
    .await;
    let refused = Replay::prepare(&bench.services.store, &Clock::System, &row).await;
    assert!(matches!(refused, Err(ReplayError::Decode(_))), "{refused:?}");
    host.stop().await;
}

/// Counts its rounds.
#[derive(Clone, Default)]
struct CountsRuns(Arc<AtomicUsize>);

impl Periodic for CountsRuns {
    const SCHEDULE: Schedule =
        Schedule { name: "count", every: std::time::Duration::from_secs(3_600) };

    async fn run(&self, _: DateTime<Utc>, _: &mut PgConnection) -> Result<Round, HandlerError> {
        let runs = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        // Two rounds per run.
        Ok(Round { outgoing: Outgoing::none(), has_more: runs % 2 == 1 })
    }
}

/// A function that only does periodic work.
const PERIODIC: Spec =
    Spec { consumes: &[], schedules: &[CountsRuns::SCHEDULE], http: Http::Internal, ..BENCH };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn periodic_work_is_done_by_tick_by_http_and_by_lambda() {
    let database = TestDatabase::create().await;
    let mut settings = Settings::from_pairs([
        ("DATABASE_URL", database.url()),
        ("KAFKA_BROKERS", "127.0.0.1:1"),
        ("BIND_ADDRESS", "127.0.0.1"),
        ("PORT", "0"),
        ("JWT_SECRET", JWT_SECRET),
        ("INGRESS_TOKEN", JWT_SECRET),
    ]);
    let services = Services::start(&mut settings, Clock::System, Faults::default()).await;
    let services = services.expect("services start");
    let work = CountsRuns::default();
    let done = || work.0.load(Ordering::SeqCst);
    let function = || Function::new(&PERIODIC).repeats(work.clone());
    let host = Host::start(function(), &services, &mut settings).await.expect("it starts");
    eventually("it is done at the start", async || (done() == 2).then_some(())).await;
    let client = runtime::http_client().expect("a client");
    let post = async |name: &str, token: &str| {
        let url = format!("http://{}/periodic/{name}", host.address());
        let request = client.post(url).header("dapr-api-token", token);
        tests::reply(request).await.expect("it answers").status
    };
    assert_eq!(post("count", "wrong").await, StatusCode::UNAUTHORIZED);
    assert_eq!(post("unknown", JWT_SECRET).await, StatusCode::NOT_FOUND);
    assert_eq!(done(), 2);
    assert_eq!(post("count", JWT_SECRET).await, StatusCode::NO_CONTENT);
    assert_eq!(done(), 4);
    let lambda = LambdaFunction::new(function(), &services);
    // As EventBridge sends it.
    let scheduled = json!({ "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2015-10-08T16:53:06Z", "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/my-scheduled-rule"], "detail": {} });
    lambda.invoke(scheduled.clone()).await.expect("it is done");
    assert_eq!(done(), 6);
    let mut named = scheduled;
    named["detail"]["periodic"] = json!("unknown");
    lambda.invoke(named).await.expect_err("there is no such work");
    host.stop().await;
    services.stop().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn periodic_work_is_done_by_one_of_several_instances_in_each_interval() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let (start, minute) = (Clock::System.now(), TimeDelta::minutes(1));
    let mut claim =
        async |at| periodic_runs::claim(&mut conn, "x", at, minute).await.expect("valid");
    assert!(claim(start).await);
    assert!(!claim(start + TimeDelta::seconds(59)).await);
    assert!(claim(start + minute).await);
    assert!(!claim(start + minute).await);
    // No instance begins while another one is running.
    let (mut first, mut second) = (database.connect().await, database.connect().await);
    sqlx::query("BEGIN").execute(&mut first).await.expect("it is valid");
    assert!(periodic_runs::lock(&mut first, "x").await.expect("valid"));
    assert!(!periodic_runs::lock(&mut second, "x").await.expect("valid"));
    assert!(periodic_runs::lock(&mut second, "y").await.expect("valid"));
    sqlx::query("COMMIT").execute(&mut first).await.expect("it is valid");
    assert!(periodic_runs::lock(&mut second, "x").await.expect("valid"));
    drop((first, second));
    database.remove().await;
}
