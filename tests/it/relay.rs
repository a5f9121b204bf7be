//! Events that the broker does not accept.

use std::time::{Duration, Instant};

use events::Topic;
use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer},
    mocking::MockCluster,
    types::RDKafkaRespErr,
};
use reqwest::StatusCode;
use runtime::{Clock, Services, config::Settings, fault::Faults};
use serde_json::{Value, json};
use testing::{TestDatabase, bench::publish, eventually};
use tests::World;
use uuid::Uuid;

/// How long the broker may take to deliver all events.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes events into the outbox, as if left behind by a process that died before publishing them.
async fn leave_behind(world: &World, topic: &str, key: &str, data: &str, count: i32) {
    let sql = "WITH inserted AS (
                   INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at,
                                       lease_until, published_at)
                   SELECT gen_random_uuid(), $1, $2, 'left.behind.v1', 'learnflow/test', gen_random_uuid(),
                          $3::text::json, 'epoch', 'epoch', 'epoch' FROM generate_series(1, $4)
                   RETURNING id, sequence, topic, partition_key)
               INSERT INTO delayed_events (event_id, sequence, topic, partition_key, attempts, retry_at)
               SELECT id, sequence, topic, partition_key, 0, 'epoch' FROM inserted";
    let insert = sqlx::query(sql).bind(topic).bind(key).bind(data).bind(count);
    insert.execute(&mut world.database().await).await.expect("the events are kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_the_broker_refuses_is_parked_and_the_student_is_answered() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let too_large = json!({ "text": "x".repeat(1_200_000) }).to_string();
    let key = student.id.to_string();
    leave_behind(&world, Topic::LearningRequests.name(), &key, &too_large, 1).await;
    let reason: String = eventually("the event is parked", async || {
        let sql = "SELECT parked_reason FROM delayed_events WHERE parked_at IS NOT NULL";
        sqlx::query_scalar(sql)
            .fetch_optional(&mut world.database().await)
            .await
            .expect("it is valid")
    })
    .await;
    assert!(reason.contains("too large"), "{reason}");
    let reply = world.ask(&student, "What is a list?", 20).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    let forget = sqlx::query("DELETE FROM delayed_events WHERE parked_at IS NOT NULL");
    forget.execute(&mut world.database().await).await.expect("it is valid");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_unsendable_events_delay_nobody() {
    let world = World::new().await;
    let student = world.student("ada").await;
    // Older than all others, so the relay claims them first; each of a different student, so their order does not
    // matter. No broker has a topic with such a name.
    let sql = "INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at, lease_until)
               SELECT gen_random_uuid(), 'not a topic!', gen_random_uuid()::text, 'left.behind.v1', 'learnflow/test',
                      gen_random_uuid(), '{}', 'epoch', 'epoch' FROM generate_series(1, 3000)";
    sqlx::query(sql).execute(&mut world.database().await).await.expect("the events are kept");
    let left = json!({ "left": "behind" }).to_string();
    leave_behind(&world, Topic::ProgressEvents.name(), &student.id.to_string(), &left, 1).await;
    eventually("what can be sent is sent", async || {
        let sql = "SELECT count(*) FROM events WHERE data->>'left' = 'behind' AND $1 IS NOT NULL
                   AND NOT EXISTS (SELECT FROM delayed_events WHERE event_id = id)";
        (world.count(sql, Uuid::nil()).await == 1).then_some(())
    })
    .await;
    let forget = sqlx::query("DELETE FROM events WHERE topic = 'not a topic!'");
    forget.execute(&mut world.database().await).await.expect("it is valid");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_is_noted_as_it_is_sent_so_that_nothing_of_it_is_sent_again() {
    const BACKLOG: i64 = 6_000;
    /// Sent and not recorded: a few of the relay's claims. An event that is not recorded within its lease is sent once
    /// more.
    const OPEN_LIMIT: i64 = 2_500;
    let world = World::new().await;
    let sql = "INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at, lease_until)
               SELECT gen_random_uuid(), $1, gen_random_uuid()::text, 'left.behind.v1', 'learnflow/test',
                      gen_random_uuid(), '{}', 'epoch', 'epoch' FROM generate_series(1, $2)";
    let insert = sqlx::query(sql).bind(Topic::ProgressEvents.name()).bind(BACKLOG);
    insert.execute(&mut world.database().await).await.expect("the events are kept");
    eventually("all is sent", async || {
        let sql = "SELECT count(*) FILTER (WHERE retry_at > now()), count(*) FROM delayed_events";
        let (taken, left): (i64, i64) =
            sqlx::query_as(sql).fetch_one(&mut world.database().await).await.expect("valid");
        assert!(taken < OPEN_LIMIT, "{taken} taken and not noted");
        let unseen = "SELECT count(*) FROM events WHERE published_at IS NULL AND $1 IS NOT NULL";
        (left == 0 && world.count(unseen, Uuid::nil()).await == 0).then_some(())
    })
    .await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_a_broker_refuses_temporarily_is_retried_but_not_forever() {
    let (database, cluster) =
        (TestDatabase::create().await, MockCluster::new(1).expect("a cluster"));
    let topic = Topic::ProgressEvents.name();
    let right = |code| cluster.topic_error(topic, code).expect("the cluster takes it");
    right(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    let mut settings = Settings::from_pairs([
        ("DATABASE_URL", database.url()),
        ("KAFKA_BROKERS", &cluster.bootstrap_servers()),
        ("JWT_SECRET", tests::JWT_SECRET),
    ]);
    let services = Services::start(&mut settings, Clock::System, Faults::default()).await;
    let services = services.expect("they start");
    let mut conn = database.connect().await;
    let sql = "INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at, lease_until, publish_attempts)
               VALUES (gen_random_uuid(), $1, $2::text, 'left.behind.v1', 'x', gen_random_uuid(), '{}', 'epoch', 'epoch', $2)";
    for refusals in [0_i16, 20] {
        let insert = sqlx::query(sql).bind(topic).bind(refusals);
        insert.execute(&mut conn).await.expect("it is kept");
    }
    let count = async |sql: &'static str| -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut database.connect().await).await.expect("it is valid")
    };
    eventually("one is tried again, the other is parked", async || {
        let parked = "SELECT count(*) FROM delayed_events WHERE parked_at IS NOT NULL AND partition_key = '20'";
        let waits = "SELECT count(*) FROM delayed_events WHERE parked_at IS NULL AND partition_key = '0' AND attempts > 0";
        (count(parked).await == 1 && count(waits).await == 1).then_some(())
    })
    .await;
    right(RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
    eventually("it is sent when the right is granted", async || {
        let sent = "SELECT count(*) FROM delayed_events WHERE partition_key = '0'";
        (count(sent).await == 0).then_some(())
    })
    .await;
    services.stop().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_as_large_as_a_broker_takes_becomes_a_dead_letter_that_can_be_sent() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let key = student.id.to_string();
    let garbage = vec![0; 990_000];
    publish(world.kafka(), Topic::LearningRequests.name(), &key, Some(&garbage)).await;
    let reply = world.ask(&student, "What is a list?", 20).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    let letter: Value = eventually("the dead letter is sent", async || {
        let sql = "SELECT data FROM events WHERE topic = 'dead.letters' AND data ->> 'function' = 'triage'
             AND NOT EXISTS (SELECT FROM delayed_events WHERE event_id = id)";
        sqlx::query_scalar(sql)
            .fetch_optional(&mut world.database().await)
            .await
            .expect("it is valid")
    })
    .await;
    assert_eq!(letter["truncated"], true, "the letter says that it is not all of the record");
    world.finish_with_dead_letters("triage", 1).await;
}

/// The ids of all events of a student on a topic, in the order of the broker.
fn ids_on_broker(brokers: &str, topic: &str, student: Uuid, count: usize) -> Vec<String> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("group.id", "test")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    consumer.subscribe(&[topic]).expect("the topic is there");
    let key = student.to_string();
    let mut ids = Vec::new();
    let started = Instant::now();
    while ids.len() < count {
        assert!(started.elapsed() < PATIENCE, "only {} events in time", ids.len());
        // It may also return without a message, for instance after a rebalance.
        let Some(message) = consumer.poll(PATIENCE) else { continue };
        let message = message.expect("it can be read");
        if message.key() != Some(key.as_bytes()) {
            continue;
        }
        let event: Value =
            serde_json::from_slice(message.payload().expect("a body")).expect("JSON");
        let id = event["id"].as_str().expect("an id").to_owned();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_students_events_keep_their_order_through_an_outage_of_the_broker() {
    let mut world = World::with(tests::Setup { system_clock: true, ..Default::default() }).await;
    let student = world.student("ada").await;
    assert_eq!(world.ask(&student, "What is a list?", 20).await.status, StatusCode::OK);
    world.stop_broker().await;
    let body = json!({ "question": "What is a set?" });
    let ask = async || {
        let reply = world.post_with("/query", &student.token, &body, [("prefer", "wait=0")]).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{:?}", reply.body);
    };
    for _ in 0..3 {
        ask().await;
    }
    // The client gives up on the first one; the others came later, and it would keep trying them.
    eventually("the first failure is noted", async || {
        let sql = "SELECT count(*) FROM delayed_events WHERE attempts > 0 AND $1 IS NOT NULL";
        (world.count(sql, Uuid::nil()).await > 0).then_some(())
    })
    .await;
    for _ in 0..3 {
        ask().await;
    }
    world.start_broker().await;
    let topic = Topic::LearningRequests.name();
    let stored: Vec<Uuid> = {
        let sql = "SELECT id FROM events WHERE topic = $1 ORDER BY sequence";
        let query = sqlx::query_scalar(sql).bind(topic);
        query.fetch_all(&mut world.database().await).await.expect("it is valid")
    };
    let (brokers, of) = (world.kafka().to_owned(), student.id);
    let sent = tokio::task::spawn_blocking(move || ids_on_broker(&brokers, topic, of, 7)).await;
    let stored: Vec<String> = stored.iter().map(Uuid::to_string).collect();
    assert_eq!(sent.expect("the broker is read"), stored);
    world.finish().await;
}
