//! What we need of a broker, checked on the local one and on Apache Kafka alike.

mod static_members;
mod tools;

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use local_broker::Broker;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, CommitMode, Consumer, StreamConsumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, Headers, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer},
};
use tempfile::TempDir;
use testing::{ApacheKafka, eventually, reserved_port};

const LIMIT: Duration = Duration::from_secs(20);
const PARTITIONS: i32 = 8;

async fn check_all(brokers: &str) {
    topics_are_made_configured_and_deleted(brokers).await;
    records_keep_key_headers_time_and_order_in_every_compression(brokers).await;
    a_waiting_consumer_is_woken_by_an_append(brokers).await;
    offsets_are_found_by_position_and_by_time(brokers).await;
    for strategy in ["range", "cooperative-sticky"] {
        a_group_shares_partitions_and_resumes_where_it_committed(brokers, strategy).await;
    }
    a_member_that_goes_silent_is_replaced(brokers).await;
    static_members::check_all(brokers).await;
    tools::check_all(brokers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_local_broker_conforms() {
    let dir = TempDir::new().expect("a folder");
    let broker = start(&dir, 0).await;
    check_all(&broker.address().to_string()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apache_kafka_conforms() {
    if let Some(kafka) = ApacheKafka::start().await.expect("Apache Kafka starts") {
        check_all(&kafka.brokers()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_local_broker_keeps_everything_over_a_restart() {
    let dir = TempDir::new().expect("a folder");
    let port = reserved_port();
    let broker = start(&dir, port).await;
    let brokers = broker.address().to_string();
    make_topic(&brokers, "kept").await;
    let producer = producer(&brokers, &[]);
    for number in 0..50 {
        send(&producer, "kept", &number.to_string(), "before").await;
    }
    let group = "kept\tgroup\nof any name";
    let consumer = group_member(&brokers, group, "range", "kept");
    consume(&consumer, 50).await;
    consumer.commit_consumer_state(CommitMode::Sync).expect("the offsets are committed");
    drop(consumer);
    broker.stop().await;
    let _broker = start(&dir, port).await;
    // The same idempotent producer goes on where it was.
    for number in 0..10 {
        send(&producer, "kept", &number.to_string(), "after").await;
    }
    let consumer = group_member(&brokers, group, "range", "kept");
    let records = consume(&consumer, 10).await;
    assert!(records.iter().all(|(_, value)| value == "after"), "{records:?}");
    assert!(matches!(
        Broker::start(dir.path(), any_port()).await,
        Err(local_broker::Error::Locked(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_local_broker_refuses_transactions_clearly() {
    let dir = TempDir::new().expect("a folder");
    let broker = start(&dir, 0).await;
    let brokers = broker.address().to_string();
    let producer = producer(&brokers, &[("transactional.id", "t")]);
    let refused = tokio::task::spawn_blocking(move || producer.init_transactions(LIMIT)).await;
    let error = refused.expect("no panic").expect_err("transactions are refused");
    let code = error.rdkafka_error_code();
    assert_eq!(code, Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed), "{error}");
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

async fn start(dir: &TempDir, port: u16) -> Broker {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Broker::start(dir.path(), address).await.expect("the broker starts")
}

fn producer(brokers: &str, settings: &[(&str, &str)]) -> FutureProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("enable.idempotence", "true");
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config.create().expect("a producer")
}

async fn send(producer: &FutureProducer, topic: &str, key: &str, value: &str) {
    let record = FutureRecord::to(topic).key(key).payload(value);
    producer.send(record, LIMIT).await.expect("the broker takes it");
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", brokers).create().expect("an admin client")
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(LIMIT)).operation_timeout(Some(LIMIT))
}

async fn make_topic(brokers: &str, name: &str) {
    let topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1));
    let made =
        admin(brokers).create_topics([&topic], &options()).await.expect("the request is answered");
    assert_eq!(made, [Ok(name.to_owned())]);
}

fn group_member(brokers: &str, group: &str, strategy: &str, topic: &str) -> StreamConsumer {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .set("partition.assignment.strategy", strategy)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "500")
        .create()
        .expect("a consumer");
    consumer.subscribe(&[topic]).expect("a subscription");
    consumer
}

/// The next `count` records as partition and value.
async fn consume(consumer: &StreamConsumer, count: usize) -> Vec<(i32, String)> {
    let mut records = Vec::new();
    while records.len() < count {
        let message =
            tokio::time::timeout(LIMIT, consumer.recv()).await.expect("records come in time");
        let message = message.expect("records can be read");
        let value = String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned();
        records.push((message.partition(), value));
    }
    records
}

async fn topics_are_made_configured_and_deleted(brokers: &str) {
    make_topic(brokers, "made").await;
    let admin = admin(brokers);
    let again = NewTopic::new("made", 1, TopicReplication::Fixed(1));
    let again = admin.create_topics([&again], &options()).await.expect("the request is answered");
    assert_eq!(again, [Err(("made".to_owned(), RDKafkaErrorCode::TopicAlreadyExists))]);
    let partitions = eventually("the topic is known", async || {
        let metadata = admin.inner().fetch_metadata(Some("made"), LIMIT).ok()?;
        let topic = metadata.topics().first()?;
        (topic.error().is_none() && !topic.partitions().is_empty())
            .then(|| topic.partitions().len())
    })
    .await;
    assert_eq!(partitions, 8);
    let configured = NewTopic::new("configured", 1, TopicReplication::Fixed(1));
    let configured = configured.set("retention.ms", "86400000");
    let made = admin.create_topics([&configured], &options()).await.expect("it is answered");
    assert_eq!(made, [Ok("configured".to_owned())]);
    let resource = ResourceSpecifier::Topic("configured");
    // Apache Kafka has made a topic before all of it knows the topic.
    let retention = eventually("the topic's settings are known", async || {
        let described = admin.describe_configs([&resource], &options()).await.ok()?;
        let settings = described.first()?.as_ref().ok()?;
        settings.get("retention.ms")?.value.clone()
    });
    assert_eq!(retention.await, "86400000");
    let deleted =
        admin.delete_topics(&["made"], &options()).await.expect("the request is answered");
    assert_eq!(deleted, [Ok("made".to_owned())]);
    let missing =
        admin.delete_topics(&["never-made"], &options()).await.expect("the request is answered");
    assert!(
        matches!(missing[..], [Err((_, RDKafkaErrorCode::UnknownTopicOrPartition))]),
        "{missing:?}"
    );
}

async fn records_keep_key_headers_time_and_order_in_every_compression(brokers: &str) {
    make_topic(brokers, "kept-whole").await;
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let producer = producer(brokers, &[("compression.type", codec), ("linger.ms", "20")]);
        let long = "x".repeat(100_000);
        let sent = (0..40).map(|number| {
            let value = format!("{codec} {number} {long}");
            let headers = OwnedHeaders::new()
                .insert(Header { key: "traceparent", value: Some("00-1") })
                .insert(Header::<&str> { key: "empty", value: None });
            let producer = producer.clone();
            async move {
                let record = FutureRecord::to("kept-whole").key("one").payload(&value);
                producer.send(record.timestamp(1_700_000_000_000).headers(headers), LIMIT).await
            }
        });
        for sent in futures::future::join_all(sent).await {
            sent.expect("the broker takes it");
        }
        let tombstone: FutureRecord<'_, str, str> = FutureRecord::to("kept-whole").key("one");
        producer.send(tombstone, LIMIT).await.expect("the broker takes a tombstone");
    }
    let consumer = group_member(brokers, "whole", "range", "kept-whole");
    let mut seen: HashMap<String, Vec<u32>> = HashMap::new();
    let mut tombstones = 0;
    while tombstones < 5 {
        let message =
            tokio::time::timeout(LIMIT, consumer.recv()).await.expect("records come in time");
        let message = message.expect("records can be read");
        assert_eq!(message.key(), Some(&b"one"[..]));
        let Some(payload) = message.payload() else {
            tombstones += 1;
            continue;
        };
        assert_eq!(message.timestamp().to_millis(), Some(1_700_000_000_000));
        let headers = message.headers().expect("headers");
        assert_eq!((headers.get(0).key, headers.get(0).value), ("traceparent", Some(&b"00-1"[..])));
        assert_eq!((headers.get(1).key, headers.get(1).value), ("empty", None));
        let text = String::from_utf8_lossy(payload);
        let mut words = text.split(' ');
        let codec = words.next().expect("a codec").to_owned();
        seen.entry(codec)
            .or_default()
            .push(words.next().expect("a number").parse().expect("a number"));
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.values().all(|numbers| *numbers == (0..40).collect::<Vec<_>>()), "{seen:?}");
}

async fn a_waiting_consumer_is_woken_by_an_append(brokers: &str) {
    const FETCH_WAIT: Duration = Duration::from_secs(10);
    const ROUNDS: u32 = 10;
    make_topic(brokers, "woken").await;
    let producer = producer(brokers, &[]);
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "woken")
        .set("auto.offset.reset", "earliest")
        // Without a wake-up each record would take most of this long.
        .set("fetch.wait.max.ms", FETCH_WAIT.as_millis().to_string())
        .create()
        .expect("a consumer");
    consumer.subscribe(&["woken"]).expect("a subscription");
    send(&producer, "woken", "one", "first").await;
    consume(&consumer, 1).await;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        send(&producer, "woken", "one", "next").await;
        consume(&consumer, 1).await;
    }
    // A busy machine may be late for some of them, but not for half.
    assert!(started.elapsed() < FETCH_WAIT * ROUNDS / 2, "{:?}", started.elapsed());
}

async fn offsets_are_found_by_position_and_by_time(brokers: &str) {
    make_topic(brokers, "timed").await;
    // One batch for each record, and one for all.
    for (partition, linger) in [(3, "0"), (4, "500")] {
        let producer = producer(brokers, &[("linger.ms", linger)]);
        let sent = (0..10).map(|number| {
            let record: FutureRecord<'_, str, str> =
                FutureRecord::to("timed").partition(partition).payload("v");
            producer.send(record.timestamp(1_000_000 + number * 1_000), LIMIT)
        });
        if linger == "0" {
            for sent in sent {
                sent.await.expect("the broker takes it");
            }
        } else {
            let sent = futures::future::try_join_all(sent).await;
            sent.map_err(|(error, _)| error).expect("the broker takes them");
        }
        let brokers = brokers.to_owned();
        let looked = tokio::task::spawn_blocking(move || -> Result<_, KafkaError> {
            let client: BaseConsumer =
                ClientConfig::new().set("bootstrap.servers", brokers).create()?;
            let ends = client.fetch_watermarks("timed", partition, LIMIT)?;
            let mut wanted = TopicPartitionList::new();
            wanted.add_partition_offset("timed", partition, Offset::Offset(1_004_000))?;
            let found = client.offsets_for_times(wanted, LIMIT)?;
            let found = found.find_partition("timed", partition);
            Ok((ends, found.map(|partition| partition.offset())))
        });
        let (ends, offset) = looked.await.expect("no panic").expect("the requests are answered");
        assert_eq!(ends, (0, 10));
        assert_eq!(offset, Some(Offset::Offset(4)));
    }
}

async fn a_group_shares_partitions_and_resumes_where_it_committed(brokers: &str, strategy: &str) {
    let (topic, group) = (format!("shared-{strategy}"), format!("group-{strategy}"));
    make_topic(brokers, &topic).await;
    let producer = producer(brokers, &[]);
    for number in 0..80 {
        send(&producer, &topic, &number.to_string(), "old").await;
    }
    let one = group_member(brokers, &group, strategy, &topic);
    consume(&one, 80).await;
    one.commit_consumer_state(CommitMode::Sync).expect("the offsets are committed");
    let two = group_member(brokers, &group, strategy, &topic);
    // Both must be polled for the rebalance to go on.
    let count = |consumer: &StreamConsumer| consumer.assignment().map_or(0, |list| list.count());
    let started = Instant::now();
    while (count(&one), count(&two)) != (4, 4) {
        assert!(started.elapsed() < LIMIT, "{strategy}: {:?}", (count(&one), count(&two)));
        let tick = Duration::from_millis(50);
        tokio::select! {
            message = one.recv() => panic!("{strategy}: nothing new was sent, but {message:?} came"),
            message = two.recv() => panic!("{strategy}: nothing new was sent, but {message:?} came"),
            waited = tokio::time::timeout(tick, std::future::pending::<()>()) => waited.unwrap_or_default(),
        }
    }
    drop(one);
    for number in 0..80 {
        send(&producer, &topic, &number.to_string(), "new").await;
    }
    let records = consume(&two, 80).await;
    assert!(
        records.iter().all(|(_, value)| value == "new"),
        "{strategy}: the old ones were committed"
    );
}

async fn a_member_that_goes_silent_is_replaced(brokers: &str) {
    make_topic(brokers, "silent").await;
    let producer = producer(brokers, &[]);
    send(&producer, "silent", "k", "first").await;
    let silent: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "silent")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("session.timeout.ms", "6000")
        // It is polled once and then never again, so its client leaves it for dead.
        .set("max.poll.interval.ms", "6000")
        .create()
        .expect("a consumer");
    silent.subscribe(&["silent"]).expect("a subscription");
    consume(&silent, 1).await;
    let heir = group_member(brokers, "silent", "range", "silent");
    assert_eq!(consume(&heir, 1).await[0].1, "first", "what was not committed comes again");
    std::mem::forget(silent);
}
