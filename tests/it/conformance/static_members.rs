//! Static members (`group.instance.id`, KIP-345): one that restarts has its partitions again, and two of one
//! name do not work at the same time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance, StreamConsumer},
    error::RDKafkaErrorCode,
};
use testing::eventually;

use super::{LIMIT, make_topic, producer, send};

pub(super) async fn check_all(brokers: &str) {
    a_member_that_restarts_has_its_partitions_again_and_bothers_nobody(brokers).await;
    of_two_members_with_one_name_the_older_one_is_shut_out(brokers).await;
}

/// Counts assignments.
#[derive(Default)]
struct Assignments(Arc<AtomicUsize>);

impl ClientContext for Assignments {}

impl ConsumerContext for Assignments {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Assign(_)) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

struct Instance {
    consumer: StreamConsumer<Assignments>,
    assigned: Arc<AtomicUsize>,
}

impl Instance {
    fn start(brokers: &str, topic: &str, name: &str) -> Self {
        let assigned = Arc::new(AtomicUsize::new(0));
        let consumer: StreamConsumer<Assignments> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", topic)
            .set("group.instance.id", name)
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "30000")
            .set("heartbeat.interval.ms", "500")
            .create_with_context(Assignments(Arc::clone(&assigned)))
            .expect("a consumer");
        consumer.subscribe(&[topic]).expect("a subscription");
        Self { consumer, assigned }
    }

    /// Polls, so that rebalances go on; what is read is of no interest.
    async fn poll(&self) -> Option<RDKafkaErrorCode> {
        let tick = Duration::from_millis(50);
        match tokio::time::timeout(tick, self.consumer.recv()).await {
            Ok(Err(error)) => error.rdkafka_error_code(),
            Ok(Ok(_)) | Err(_) => None,
        }
    }

    fn partitions(&self) -> Vec<i32> {
        let assignment = self.consumer.assignment().expect("an assignment");
        let mut partitions: Vec<i32> =
            assignment.elements().iter().map(|element| element.partition()).collect();
        partitions.sort_unstable();
        partitions
    }
}

async fn a_member_that_restarts_has_its_partitions_again_and_bothers_nobody(brokers: &str) {
    make_topic(brokers, "static").await;
    let stays = Instance::start(brokers, "static", "stays");
    let restarts = Instance::start(brokers, "static", "restarts");
    eventually("both have half of the partitions", async || {
        tokio::join!(stays.poll(), restarts.poll());
        ((stays.partitions().len(), restarts.partitions().len()) == (4, 4)).then_some(())
    })
    .await;
    let (before, assigned) = (restarts.partitions(), stays.assigned.load(Ordering::SeqCst));
    for _ in 0..2 {
        // A static member does not say good-bye.
        let restarts = Instance::start(brokers, "static", "restarts");
        eventually("it has its partitions again", async || {
            tokio::join!(stays.poll(), restarts.poll());
            (restarts.partitions() == before).then_some(())
        })
        .await;
        // It works: its heartbeats and commits are accepted.
        send(&producer(brokers, &[]), "static", "k", "v").await;
        for _ in 0..20 {
            let faults = tokio::join!(stays.poll(), restarts.poll());
            assert_eq!(faults, (None, None));
        }
        assert_eq!(restarts.partitions(), before);
    }
    assert_eq!(stays.assigned.load(Ordering::SeqCst), assigned, "the other one was bothered");
}

async fn of_two_members_with_one_name_the_older_one_is_shut_out(brokers: &str) {
    make_topic(brokers, "fenced").await;
    let older = Instance::start(brokers, "fenced", "one");
    eventually("it has all partitions", async || {
        older.poll().await;
        (older.partitions().len() == 8).then_some(())
    })
    .await;
    let newer = Instance::start(brokers, "fenced", "one");
    let (mut replaced, started) = (false, std::time::Instant::now());
    while !replaced || newer.partitions().len() < 8 {
        let (older, _) = tokio::join!(older.poll(), newer.poll());
        // The client makes it a fatal error of its own.
        replaced |= older.is_some_and(|code| {
            matches!(code, RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::Fatal)
        });
        assert!(started.elapsed() < LIMIT, "replaced: {replaced}, {:?}", newer.partitions());
    }
}
