//! Lanes that operators pause, step and resume.

use std::{sync::Arc, time::Duration};

use api_gateway::responses::{LaneList, ListedLane, QueryResponse, QueryStatus};
use chrono::{DateTime, Utc};
use events::question_asked::QuestionAsked;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
};
use reqwest::StatusCode;
use runner::{
    doctor::{self, DoctorArguments, Finding},
    lanes::{self, Lane, Selection},
};
use runtime::{
    Act, Clock, HandlerError, Live, Outgoing, Received, Store, cluster, config::Settings,
    kafka_config::KafkaConfig,
};
use sqlx::PgConnection;
use storage::paused_lanes;
use testing::{ApacheKafka, Bench, eventually};
use tests::{Setup, Student, World};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

/// Longer than a question takes that nobody holds.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Looks at the lanes of a world, and pauses and resumes them.
struct Operator {
    store: Store,
    kafka: KafkaConfig,
}

impl Operator {
    fn of(world: &World) -> Self {
        let mut settings = Settings::from_pairs([("KAFKA_BROKERS", world.kafka())]);
        let store = Store::open(world.database_url()).expect("a database");
        Self { store, kafka: KafkaConfig::read(&mut settings) }
    }

    /// The lanes of a topic for triage in which something waits.
    async fn behind(&self) -> Vec<Lane> {
        let mut all = lanes::look(&self.store, &self.kafka).await.expect("they can be read");
        all.retain(|lane| lane.function == "triage" && lane.state.topic == "learning.requests");
        assert_eq!(all.len(), 8, "one for each partition");
        all.retain(|lane| lane.state.lag() > 0);
        all
    }

    async fn step(&self, lanes: Option<&str>) -> anyhow::Result<i64> {
        let stepped = lanes::step(&self.store, &self.kafka, &triage(lanes)).await;
        stepped.map(|(_, offset)| offset)
    }
}

fn triage(lanes: Option<&str>) -> Selection {
    Selection { function: "triage".to_owned(), lanes: lanes.map(str::to_owned) }
}

async fn ask(world: &World, student: &Student) -> Uuid {
    let asked: QueryResponse =
        world.ask(student, "What is a list?", 0).await.expect(StatusCode::ACCEPTED);
    asked.id.as_uuid()
}

async fn is_answered(world: &World, student: &Student, query: Uuid) -> bool {
    let reply = world.get(&format!("/queries/{query}"), Some(&student.token)).await;
    serde_json::from_value::<QueryResponse>(reply.body)
        .is_ok_and(|query| query.status == QueryStatus::Answered)
}

/// Asks until a question is held up, which is returned.
async fn ask_until_held(world: &World, student: &Student) -> Uuid {
    loop {
        let query = ask(world, student).await;
        if tokio::time::timeout(ANSWER_LIMIT, world.answer(student, query)).await.is_err() {
            return query;
        }
    }
}

async fn check_lanes(mut world: World) {
    let ada = world.student("ada").await;
    world.answer(&ada, ask(&world, &ada).await).await;
    let operator = Operator::of(&world);
    eventually("nothing waits", async || operator.behind().await.is_empty().then_some(())).await;
    let error = operator.step(None).await.expect_err("nothing is paused").to_string();
    assert!(error.contains("none of these lanes is paused"), "{error}");

    let all = triage(Some("learning.requests"));
    let paused = lanes::pause(&operator.store, &operator.kafka, &all).await;
    assert_eq!(paused.expect("it is done"), 8);
    let mut held = vec![ask_until_held(&world, &ada).await];
    held.extend([ask(&world, &ada).await, ask(&world, &ada).await]);
    check_doctor(&world, true).await;
    let lane = eventually("three wait", async || {
        let lane = operator.behind().await.pop()?;
        (lane.state.lag() == 3).then_some(lane)
    })
    .await;
    assert!(lane.is_consumed && lane.paused.is_some_and(|(stops_at, _)| stops_at == 0), "{lane:?}");
    assert!(lane.state.oldest_at.is_some_and(|at| at <= Clock::System.now()), "{lane:?}");

    check_shown(&world, &lane).await;

    // One at a time, in their order.
    let first = operator.step(None).await.expect("one waits");
    assert_eq!(first, lane.state.next);
    world.answer(&ada, held[0]).await;
    assert!(!is_answered(&world, &ada, held[1]).await);
    let partition = format!("learning.requests/{}", lane.state.partition);
    assert_eq!(operator.step(Some(&partition)).await.expect("one waits"), first + 1);
    world.answer(&ada, held[1]).await;
    assert!(!is_answered(&world, &ada, held[2]).await, "exactly one for each step");

    // A pause outlives its consumer.
    world.stop().await;
    world.start(runtime::fault::Faults::default()).await;
    held.push(ask(&world, &ada).await);
    let operator = Operator::of(&world);
    eventually("two wait", async || {
        let lane = operator.behind().await.pop()?;
        (lane.state.lag() == 2 && lane.is_consumed).then_some(())
    })
    .await;
    assert_eq!(operator.step(None).await.expect("one waits"), first + 2);
    world.answer(&ada, held[2]).await;
    assert!(!is_answered(&world, &ada, held[3]).await);

    let resumed = lanes::resume(&operator.store, &operator.kafka, &triage(None)).await;
    assert_eq!(resumed.expect("it is done"), 8);
    for query in &held {
        world.answer(&ada, *query).await;
        assert_eq!(world.answers_emitted(*query).await, 1);
    }
    eventually("nothing waits", async || operator.behind().await.is_empty().then_some(())).await;
    check_doctor(&world, false).await;
    operator.store.close().await;
    world.finish().await;
}

/// Triage's lanes of a topic, as administrators see them.
async fn shown(world: &World, admin: &Student) -> Vec<ListedLane> {
    let listed: LaneList = world.get("/admin/lanes", Some(&admin.token)).await.ok();
    let mut lanes = listed.items;
    lanes.retain(|lane| lane.function == "triage" && lane.topic == TOPIC);
    lanes
}

/// Checks that administrators see the same as operators do of a paused lane.
async fn check_shown(world: &World, lane: &Lane) {
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let lanes = shown(world, &admin).await;
    assert_eq!(lanes.iter().map(|lane| lane.partition).collect::<Vec<_>>(), Vec::from_iter(0..8));
    assert!(lanes.iter().all(|lane| lane.paused_since.is_some() && lane.is_consumed), "{lanes:?}");
    let seen =
        lanes.iter().find(|seen| seen.partition == lane.state.partition).expect("it is there");
    assert_eq!((seen.next, seen.end, seen.lag), (lane.state.next, lane.state.end, 3));
    assert_eq!(seen.paused_since, lane.paused.map(|(_, since)| since));
    assert_eq!(seen.stops_at, Some(0));
    assert!(seen.oldest_age_ms.is_some_and(|age| age >= 0), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_see_what_waits_where_unless_kafka_is_away() {
    let mut world = World::new().await;
    let ada = world.student("ada").await;
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    // A topic of which the function has handled nothing is listed if it is paused.
    let mut conn = world.database().await;
    let now = Clock::System.now();
    paused_lanes::pause(&mut conn, "nobody", TOPIC, &[3], now).await.expect("valid");
    world.answer(&ada, ask(&world, &ada).await).await;
    eventually("it is handled", async || {
        let lanes = shown(&world, &admin).await;
        let handled: i64 = lanes.iter().map(|lane| lane.next).sum();
        let is_idle = lanes.iter().all(|lane| lane.lag == 0 && lane.oldest_age_ms.is_none());
        (lanes.len() == 8 && handled == 1 && is_idle).then_some(())
    })
    .await;
    let all: LaneList = world.get("/admin/lanes", Some(&admin.token)).await.ok();
    let of_nobody = all.items.iter().filter(|lane| lane.function == "nobody");
    let paused: Vec<(i32, bool, bool)> = of_nobody
        .map(|lane| (lane.partition, lane.paused_since.is_some(), lane.is_consumed))
        .collect();
    assert_eq!(paused, Vec::from_iter((0..8).map(|number| (number, number == 3, false))));

    world.stop_broker().await;
    let refused = world.get("/admin/lanes", Some(&admin.token)).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{:?}", refused.body);
    assert_eq!(refused.body["code"], "kafka_unavailable");
    assert!(refused.headers.contains_key("retry-after"));
    world.start_broker().await;
    eventually("they are seen again", async || {
        let listed = world.get("/admin/lanes", Some(&admin.token)).await;
        (listed.status == StatusCode::OK).then_some(())
    })
    .await;
    world.finish().await;
}

/// Whether `learnflow doctor` warns of paused lanes.
async fn check_doctor(world: &World, warns: bool) {
    let arguments = DoctorArguments {
        database_url: world.database_url().to_owned(),
        kafka: world.kafka().to_owned(),
        sockets: None,
        call_model: false,
    };
    let settings = Settings::from_pairs([("JWT_SECRET", tests::JWT_SECRET)]);
    let findings = doctor::look(&arguments, settings).await.expect("it is not interrupted");
    let is_warning = |finding: &Finding| matches!(finding, Finding::Warning(text) if text.starts_with("lanes: 8 are paused"));
    assert_eq!(findings.iter().any(is_warning), warns, "{findings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_are_paused_stepped_and_resumed_over_the_local_broker() {
    check_lanes(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_are_paused_stepped_and_resumed_over_apache_kafka() {
    if let Some(kafka) = ApacheKafka::start().await.expect("Apache Kafka starts") {
        let setup = Setup { kafka: Some(kafka.brokers()), ..Setup::default() };
        check_lanes(World::with(setup).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_that_there_are_not_are_named() {
    let world = World::new().await;
    let operator = Operator::of(&world);
    for (function, lanes, words) in [
        ("nobody", None, "no function nobody reads events; these do: triage"),
        ("websocket", None, "without a group"),
        ("triage", Some("code.results/x"), "x is no partition"),
        ("triage", Some("struggle.detected"), "triage reads no topic struggle.detected; it reads"),
        ("triage", Some("learning.requests/8"), "has 8 partitions, counted from 0"),
    ] {
        let selection =
            Selection { function: function.to_owned(), lanes: lanes.map(str::to_owned) };
        let refused = lanes::pause(&operator.store, &operator.kafka, &selection).await;
        let error = refused.expect_err("there is no such lane").to_string();
        assert!(error.contains(words), "{error}");
    }
    operator.store.close().await;
    world.finish().await;
}

/// Has a consumer group handled all partitions of the topic up to an offset.
fn commit(kafka: &str, group: &str, offset: i64) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka).set("group.id", group);
    let client: BaseConsumer = config.create().expect("a client");
    let mut offsets = TopicPartitionList::new();
    for partition in 0..8 {
        let added = offsets.add_partition_offset(TOPIC, partition, Offset::Offset(offset));
        added.expect("an offset");
    }
    client.commit(&offsets, CommitMode::Sync).expect("the group has no members");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lambda_or_knative_has_handled_is_known_too() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    world.answer(&ada, ask(&world, &ada).await).await;
    let kafka = world.kafka().to_owned();
    let looked = tokio::task::spawn_blocking(move || {
        let mut settings = Settings::from_pairs([("KAFKA_BROKERS", kafka.as_str())]);
        let config = KafkaConfig::read(&mut settings);
        let lag = || {
            let mut topics = cluster::topics(&config).expect("they are listed");
            topics.retain(|topic| topic.name == TOPIC);
            cluster::lag(&config, "elsewhere", &topics).expect("it can be read")
        };
        let untouched = lag();
        commit(&kafka, "learnflow.dev.elsewhere.learning.requests", 0);
        let begun = lag();
        commit(&kafka, "learnflow.elsewhere.learning.requests", 1);
        // Of two groups of a function the one counts that has come further.
        [untouched, begun, lag()]
    });
    let looked = looked.await.expect("it does not panic");
    assert_eq!(looked.map(|lag| (lag.has_begun, lag.waiting)), [(false, 1), (true, 1), (true, 0)]);
    world.finish().await;
}

/// Notes what it begins, and ends a student's questions when their gate is open.
struct Gated {
    begun: Arc<Mutex<Vec<(Uuid, String)>>>,
    /// Whose gate it is.
    closed: Arc<Mutex<Option<Uuid>>>,
    gate: watch::Receiver<bool>,
}

impl Act for Gated {
    type In = QuestionAsked;
    type Done = Outgoing;

    async fn call(
        &self,
        received: Received<QuestionAsked>,
        _: &Live,
    ) -> Result<Outgoing, HandlerError> {
        let question = received.event.data;
        let student = question.student_id.as_uuid();
        self.begun.lock().await.push((student, question.question.as_str().to_owned()));
        if *self.closed.lock().await == Some(student) {
            let opened = self.gate.clone().wait_for(|is_open| *is_open).await.map(|_| ());
            opened.map_err(HandlerError::retry)?;
        }
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

/// Two students whose events are in different partitions.
async fn in_two_lanes(bench: &Bench) -> [(Uuid, i16); 2] {
    let mut lanes: Vec<(Uuid, i16)> = Vec::new();
    for student in (100..).map(Uuid::from_u128) {
        bench.ask(student, "warm up").await;
        let partition = eventually("it is handled", async || {
            let sql =
                "SELECT record_partition FROM inbox WHERE function = 'bench' ORDER BY received_at";
            let mut conn = bench.database().connect().await;
            let rows: Vec<i16> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.expect("valid");
            let handled = student.as_u128() - 99;
            (rows.len() as u128 == handled).then(|| rows.last().copied()).flatten()
        })
        .await;
        if lanes.iter().all(|(_, other)| *other != partition) {
            lanes.push((student, partition));
        }
        if let [one, other] = lanes[..] {
            return [one, other];
        }
    }
    unreachable!("eight partitions are not one")
}

const TOPIC: &str = "learning.requests";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_in_a_paused_lane_is_handled_later_in_its_order_and_once() {
    let mut bench = Bench::new().await;
    let begun: Arc<Mutex<Vec<(Uuid, String)>>> = Arc::default();
    let (gate, opened) = watch::channel(true);
    let closed = Arc::new(Mutex::new(None));
    let handler = Gated { begun: Arc::clone(&begun), closed: Arc::clone(&closed), gate: opened };
    let host = bench.host(|function| function.acts(handler)).await;
    let [(ada, lane), (bob, other)] = in_two_lanes(&bench).await;
    let of = async |student: Uuid| {
        let begun = begun.lock().await;
        let own = begun.iter().filter(|(who, what)| *who == student && what != "warm up");
        own.map(|(_, what)| what.clone()).collect::<Vec<_>>()
    };
    let mut conn = bench.database().connect().await;
    let now = Clock::System.now();
    // Bob's lane is paused, and has an event.
    paused_lanes::pause(&mut conn, "bench", TOPIC, &[other], now).await.expect("valid");
    let probe = async |what: &str| {
        bench.ask(bob, what).await;
        let begins = async || of(bob).await.iter().any(|begun| begun == what).then_some(());
        tokio::time::timeout(ANSWER_LIMIT, eventually("it begins", begins)).await.is_err()
    };
    let mut number = 0;
    while !probe(&format!("probe {number}")).await {
        number += 1;
    }
    // One of Ada's is in progress, and four wait for it in the consumer.
    *closed.lock().await = Some(ada);
    gate.send_replace(false);
    for question in ["0", "1", "2", "3", "4"] {
        bench.ask(ada, question).await;
    }
    eventually("the first begins", async || (of(ada).await.len() == 1).then_some(())).await;
    // Now hers is paused and Bob's goes on. Both at once, so that his event shows that hers is paused.
    let both = "WITH gone AS (DELETE FROM paused_lanes WHERE function = 'bench')
                INSERT INTO paused_lanes (function, topic, partition, stops_at, paused_at)
                VALUES ('bench', $1, $2, 0, now())";
    sqlx::query(both).bind(TOPIC).bind(lane).execute(&mut conn).await.expect("valid");
    let last = format!("probe {number}");
    eventually("his goes on", async || (of(bob).await.last() == Some(&last)).then_some(())).await;
    gate.send_replace(true);
    // What was in progress is finished; what waited is not begun.
    let handled = "SELECT count(*) FROM inbox WHERE function = 'bench'";
    let so_far = i64::try_from(begun.lock().await.len()).expect("few");
    eventually("hers is finished", async || (bench.count(handled).await == so_far).then_some(()))
        .await;
    assert!(!probe("another").await, "his lane is not paused");
    assert_eq!(of(ada).await, ["0"]);
    // Two steps, made at once.
    let last =
        "SELECT max(record_offset) FROM inbox WHERE function = 'bench' AND record_partition = $1";
    let last: i64 = sqlx::query_scalar(last).bind(lane).fetch_one(&mut conn).await.expect("valid");
    let next = last + 1;
    for stops_at in [next + 1, next + 2] {
        let stepped = paused_lanes::step(&mut conn, "bench", TOPIC, lane, next).await;
        assert_eq!(stepped.expect("valid"), Some(stops_at));
    }
    eventually("two more", async || (of(ada).await.len() == 3).then_some(())).await;
    assert!(!probe("yet another").await);
    assert_eq!(of(ada).await, ["0", "1", "2"]);
    let resumed = paused_lanes::resume(&mut conn, "bench", TOPIC, &[lane]).await;
    assert_eq!(resumed.expect("valid"), 1);
    eventually("all of it", async || (of(ada).await.len() == 5).then_some(())).await;
    assert_eq!(of(ada).await, ["0", "1", "2", "3", "4"], "in order, and each once");
    host.stop().await;
}
