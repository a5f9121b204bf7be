//! The network to the database or to Kafka loses packets, breaks, or is half open: clients get an error in time,
//! nothing is half done, and accepted work is finished once.

use std::{
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    time::Duration,
};

use local_broker::Broker;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::Row;
use tempfile::TempDir;
use testing::{Fault, FaultProxy, TestDatabase, eventually, reserved_port};
use tests::{Reply, Setup, Student, UNPUBLISHED, World};
use tokio::time::timeout;

/// The longest until a student whose request cannot be served gets an error: front ends give up after some 15 s.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);
/// The longest until the functions have stopped, before Kubernetes kills them.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// Longer than the producer tries to deliver an event, in seconds.
const PUBLISHER_GIVES_UP: u64 = 10;
/// Longer than the lease of an event that was not published, in seconds.
const LEASE_IS_OVER: i64 = 11;

/// The product, with networks to its database and its broker that can fail.
struct Network {
    world: World,
    database: TestDatabase,
    to_database: FaultProxy,
    to_kafka: FaultProxy,
    _broker: Broker,
    _dir: TempDir,
}

/// A failed test must end: stopping needs a working network.
impl Drop for Network {
    fn drop(&mut self) {
        self.to_database.repair();
        self.to_kafka.repair();
    }
}

impl Network {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let (scheme_and_user, rest) = database.url().split_once('@').expect("a user");
        let (server, name) = rest.split_once('/').expect("a database");
        let to_database = FaultProxy::start(server.parse().expect("an address")).await;
        let url = format!("{scheme_and_user}@{}/{name}", to_database.address());

        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, reserved_port()));
        let to_kafka = FaultProxy::start(address).await;
        let dir = TempDir::new().expect("a folder");
        let broker = Broker::start_behind(dir.path(), address, to_kafka.address()).await;

        let setup = Setup {
            kafka: Some(to_kafka.address().to_string()),
            settings: vec![("DATABASE_URL", url)],
            ..Setup::default()
        };
        Self {
            to_database,
            to_kafka,
            world: World::with(setup).await,
            database,
            _broker: broker.expect("the broker starts"),
            _dir: dir,
        }
    }

    /// Asks a question; repeated with the same key, it is the same question.
    async fn ask(&self, student: &Student, question: &str, key: &str, wait: u64) -> Reply {
        let asking = self.world.send("api-gateway", |client, url| {
            client
                .post(format!("{url}/api/v1/query"))
                .bearer_auth(&student.token)
                .header("prefer", format!("wait={wait}"))
                .header("idempotency-key", key)
                .json(&json!({ "question": question }))
        });
        let limit = REFUSED_WITHIN + Duration::from_secs(wait);
        timeout(limit, asking).await.expect("a student is answered in time")
    }

    async fn accepted(&self, student: &Student, question: &str, key: &str) -> String {
        let reply = self.ask(student, question, key, 0).await;
        // On a busy machine the answer can be ready at once.
        assert!(reply.status.is_success(), "{:?}", reply.body);
        reply.body["id"].as_str().expect("an id").to_owned()
    }

    async fn is_refused(&self, student: &Student) {
        let reply = self.ask(student, "What is a set?", "refused", 0).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{:?}", reply.body);
        assert!(reply.headers.contains_key("retry-after"));
    }

    async fn is_accepted_again(&self, student: &Student) -> String {
        eventually("questions are accepted again", async || {
            let reply = self.ask(student, "What is a set?", "refused", 0).await;
            let id = reply.body["id"].as_str().map(str::to_owned);
            // What was refused may have been done all the same, and answered since.
            id.filter(|_| reply.status.is_success())
        })
        .await
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let mut conn = self.database.connect().await;
        sqlx::query(sql).fetch_one(&mut conn).await.expect("the query is valid").get(0)
    }

    /// All stored questions, `questions` of them, are answered once and leave nothing behind.
    async fn all_is_done_once(&self, questions: i64) {
        eventually("every question is answered and everything is published", async || {
            let open = "SELECT count(*) FROM queries q WHERE NOT EXISTS (SELECT FROM events e
                            WHERE e.correlation_id = q.id AND e.topic = 'learning.responses')";
            (self.count(open).await + self.count(UNPUBLISHED).await == 0).then_some(())
        })
        .await;
        assert_eq!(self.count("SELECT count(*) FROM queries").await, questions);
        for topic in ["learning.requests", "concepts.requests", "learning.responses"] {
            let sql = "SELECT count(*) FROM events WHERE topic = $1";
            let mut conn = self.database.connect().await;
            let row = sqlx::query(sql).bind(topic).fetch_one(&mut conn).await;
            let events: i64 = row.expect("the query is valid").get(0);
            assert_eq!(events, questions, "{topic}");
        }
        let dead = "SELECT count(*) FROM events WHERE topic = 'dead.letters'";
        assert_eq!(self.count(dead).await, 0, "dead letters");
    }

    async fn finish(mut self) {
        self.world.finish_unchecked().await;
        self.database.remove().await;
    }
}

async fn check_refused_in_time(fault: Fault) {
    let network = Network::new().await;
    let student = network.world.student("ada").await;
    let first = network.accepted(&student, "What is a list?", "first").await;
    network.world.answer(&student, &first).await;
    network.to_database.set(fault).await;
    // The first requests lose the pool's connections; the next one needs a new connection.
    for _ in 0..3 {
        network.is_refused(&student).await;
    }
    let probes = async {
        let ready = network.world.get("/ready", None).await.status;
        (ready, network.world.get("/health", None).await.status)
    };
    let probes = timeout(REFUSED_WITHIN, probes).await.expect("probes are answered in time");
    assert_eq!(probes, (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
    network.to_database.set(Fault::Pass).await;
    let second = network.is_accepted_again(&student).await;
    network.world.advance(LEASE_IS_OVER);
    let answer = network.world.answer(&student, &second).await;
    assert_eq!(answer.answer.expect("an answer").topics, ["sets"]);
    network.all_is_done_once(2).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_swallows_packets_a_student_is_told_in_time_to_retry() {
    check_refused_in_time(Fault::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_cut_off_a_student_is_told_in_time_to_retry() {
    check_refused_in_time(Fault::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_databases_answers_are_lost_a_student_is_told_in_time_and_nothing_is_done_twice()
{
    check_refused_in_time(Fault::NoAnswers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nothing_reaches_the_database_a_student_is_told_in_time_to_retry() {
    check_refused_in_time(Fault::NoRequests).await;
}

/// Questions are in progress, in various stages, when the network fails.
async fn check_finished_once(fault: Fault) {
    const QUESTIONS: i64 = 30;
    let network = Network::new().await;
    let (ada, bob) = (network.world.student("ada").await, network.world.student("bob").await);
    for number in 0..QUESTIONS {
        let student = if number % 2 == 0 { &ada } else { &bob };
        network.accepted(student, "What is a list?", &number.to_string()).await;
    }
    network.to_database.set(fault).await;
    // By now the work in progress has failed, too.
    network.is_refused(&ada).await;
    network.is_refused(&bob).await;
    network.to_database.set(Fault::Pass).await;
    network.is_accepted_again(&ada).await;
    network.is_accepted_again(&bob).await;
    network.world.advance(LEASE_IS_OVER);
    network.all_is_done_once(QUESTIONS + 2).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_meets_a_database_that_swallows_packets_is_finished_once() {
    check_finished_once(Fault::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_is_cut_off_from_the_database_is_finished_once() {
    check_finished_once(Fault::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_never_hears_whether_it_was_committed_is_finished_once() {
    check_finished_once(Fault::NoAnswers).await;
}

async fn check_kept_and_delivered(fault: Fault) {
    let network = Network::new().await;
    let student = network.world.student("ada").await;
    let first = network.accepted(&student, "What is a list?", "first").await;
    network.world.answer(&student, &first).await;
    network.to_kafka.set(fault).await;
    let reply = network.ask(&student, "What is a set?", "second", PUBLISHER_GIVES_UP).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{:?}", reply.body);
    for number in 0..10 {
        network.accepted(&student, "What is a dictionary?", &number.to_string()).await;
    }
    let ready = network.world.get("/ready", None).await;
    assert_eq!(ready.status, StatusCode::OK, "work is accepted, so traffic is welcome");
    assert!(network.count(UNPUBLISHED).await >= 11, "what cannot be sent is kept");
    network.to_kafka.set(Fault::Pass).await;
    network.world.advance(LEASE_IS_OVER);
    network.all_is_done_once(12).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_kafka_swallows_packets_work_is_kept_and_delivered_afterwards() {
    check_kept_and_delivered(Fault::Stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_kafka_is_cut_off_work_is_kept_and_delivered_afterwards() {
    check_kept_and_delivered(Fault::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_kafkas_answers_are_lost_work_is_kept_and_answered_once() {
    check_kept_and_delivered(Fault::NoAnswers).await;
}

async fn check_stops_in_time(mut network: Network) {
    let in_time = {
        let mut stopping = pin!(network.world.stop());
        let in_time = timeout(STOPPED_WITHIN, &mut stopping).await.is_ok();
        network.to_database.set(Fault::Pass).await;
        network.to_kafka.set(Fault::Pass).await;
        if !in_time {
            stopping.await;
        }
        in_time
    };
    assert!(in_time, "the functions have not stopped within {STOPPED_WITHIN:?}");
    // Unfinished work is finished by the next processes.
    network.world.start(runtime::fault::Faults::default()).await;
    network.world.advance(LEASE_IS_OVER);
    network.all_is_done_once(10).await;
    network.finish().await;
}

async fn in_work() -> Network {
    let network = Network::new().await;
    let student = network.world.student("ada").await;
    for number in 0..10 {
        network.accepted(&student, "What is a list?", &number.to_string()).await;
    }
    network
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_stop_in_time_while_the_database_swallows_packets() {
    let network = in_work().await;
    network.to_database.set(Fault::Stall).await;
    check_stops_in_time(network).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_stop_in_time_while_kafka_swallows_packets() {
    let network = in_work().await;
    network.to_kafka.set(Fault::Stall).await;
    check_stops_in_time(network).await;
}
