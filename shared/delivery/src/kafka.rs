//! The Kafka client: producing, topics, and the settings that all clients share.

use std::{
    fmt::{self, Display},
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use environment::kafka_config::KafkaConfig;
use events::{Topic, cloud_event::STRUCTURED, topic::PARTITIONS};
use parking_lot::RwLock;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _},
};
use tokio::sync::Mutex;

use crate::access::{self, Access};

/// How long the client keeps trying to deliver an event. Shorter than an outbox lease, so that the relay and the client
/// never work on the same event.
const DELIVERY_LIMIT_MS: &str = "9000";
/// KiB of events in the client's queue; the outbox holds fewer.
const QUEUE_KIB: &str = "131072";
/// The timeout of an administrative request.
const ADMIN_LIMIT: Duration = Duration::from_secs(10);
/// How long topics keep events: a week. Functions that were down find them, and remember which they have handled.
const KEPT_MS: &str = "604800000";
/// More brokers than this keep no event.
const MOST_REPLICAS: i32 = 7;
/// The timeout of the readiness probe's request to the broker.
const PROBE_LIMIT: Duration = Duration::from_millis(800);
/// How long the probe's result is reused: anybody may probe, as often as they like.
const PROBE_FRESH: Duration = Duration::from_secs(1);

pub(crate) fn client(config: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("client.id", "learnflow")
        // Each request is one write; without this the second of two would wait for the answer to the first.
        .set("socket.nagle.disable", "true")
        // A recovered broker is found within a second, not the default ten.
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "30000")
        .set("log.connection.close", "false");
    access::secure(&mut client, &config.security);
    client
}

/// A client for administrative requests.
pub(crate) fn admin(config: &KafkaConfig) -> Result<AdminClient<Access>, KafkaError> {
    let access = Access::of(config);
    let admin = client(config).create_with_context::<_, AdminClient<_>>(access.clone())?;
    access.admit(admin.inner())?;
    Ok(admin)
}

/// A client that looks at topics, and at the offsets of a group if there is one. It joins no group.
pub(crate) fn viewer(
    config: &KafkaConfig,
    group: Option<&str>,
) -> Result<BaseConsumer<Access>, KafkaError> {
    let mut settings = client(config);
    if let Some(group) = group {
        settings.set("group.id", group);
    }
    reader(config, &settings)
}

/// A client with further settings that is given its partitions. It joins no group.
pub(crate) fn reader(
    config: &KafkaConfig,
    settings: &ClientConfig,
) -> Result<BaseConsumer<Access>, KafkaError> {
    let access = Access::of(config);
    let reader = settings.create_with_context::<_, BaseConsumer<_>>(access.clone())?;
    access.admit(reader.client())?;
    Ok(reader)
}

/// Sends events; idempotent, acknowledged by all replicas.
#[derive(Clone)]
pub struct Producer {
    settings: Arc<ClientConfig>,
    access: Access,
    current: Arc<RwLock<FutureProducer<Access>>>,
    /// When the broker was last probed, and whether it answered. Locked during a probe.
    probed: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Producer")
    }
}

/// An event in transit.
pub(crate) struct Delivery(DeliveryFuture);

impl Delivery {
    pub(crate) async fn acknowledged(self) -> Result<(), KafkaError> {
        match self.0.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err((error, _))) => Err(error),
            Err(_canceled) => Err(KafkaError::Canceled),
        }
    }
}

impl Producer {
    /// Creates a producer; it connects in the background and keeps retrying.
    ///
    /// # Errors
    /// The settings are invalid.
    pub fn new(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let mut settings = client(config);
        settings
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("message.timeout.ms", DELIVERY_LIMIT_MS)
            .set("queue.buffering.max.messages", "10000")
            .set("queue.buffering.max.kbytes", QUEUE_KIB)
            // Shorter than the delivery limit, to distinguish a missing topic from an unavailable broker.
            .set("topic.metadata.propagation.max.ms", "4000");
        let access = Access::of(config);
        let current = Arc::new(RwLock::new(settings.create_with_context(access.clone())?));
        Ok(Self { settings: Arc::new(settings), access, current, probed: Arc::default() })
    }

    fn client(&self) -> FutureProducer<Access> {
        self.current.read().clone()
    }

    /// Replaces the client after a fatal error, such as when an idempotent producer can no longer tell what the broker
    /// has. What the old one had not delivered is left to the relay, and inboxes drop duplicates.
    pub(crate) fn renew_if_broken(&self) {
        let mut current = self.current.write();
        let Some((code, reason)) = current.client().fatal_error() else { return };
        tracing::error!(%code, reason, "the Kafka client is broken, a new one is made");
        match self.settings.create_with_context::<_, FutureProducer<_>>(self.access.clone()) {
            Ok(new) => {
                let broken = std::mem::replace(&mut *current, new);
                // Dropping it waits for its threads.
                tokio::task::spawn_blocking(move || drop(broken));
            }
            Err(error) => tracing::error!(%error, "no new Kafka client can be made"),
        }
    }

    pub(crate) fn send(
        &self,
        topic: &str,
        key: &str,
        value: &[u8],
    ) -> Result<Delivery, KafkaError> {
        let content_type = Header { key: "content-type", value: Some(STRUCTURED) };
        let headers = OwnedHeaders::new_with_capacity(1).insert(content_type);
        let record = FutureRecord::to(topic).key(key).payload(value).headers(headers);
        self.client().send_result(record).map(Delivery).map_err(|(error, _)| error)
    }

    /// Whether a broker answers, or did so within the last second.
    pub async fn is_connected(&self) -> bool {
        let mut probed = Arc::clone(&self.probed).lock_owned().await;
        if let Some((at, answer)) = *probed
            && at.elapsed() < PROBE_FRESH
        {
            return answer;
        }
        let client = self.client();
        // It blocks a thread, even after the caller has gone, so the lock is held until it ends.
        let asked = tokio::task::spawn_blocking(move || {
            let topic = Some(Topic::LearningRequests.name());
            let answer = client.client().fetch_metadata(topic, PROBE_LIMIT).is_ok();
            *probed = Some((Instant::now(), answer));
            answer
        });
        asked.await.unwrap_or(false)
    }
}

/// How many brokers keep each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replicas(i32);

impl Replicas {
    /// One: for local use and tests.
    pub const ONE: Self = Self(1);
    /// Three, of which one may be away: for a cluster.
    pub const THREE: Self = Self(3);
}

impl FromStr for Replicas {
    type Err = UnusableReplicas;

    fn from_str(text: &str) -> Result<Self, UnusableReplicas> {
        let number = text.parse().ok().filter(|number| (1..=MOST_REPLICAS).contains(number));
        number.map(Self).ok_or(UnusableReplicas)
    }
}

impl Display for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Not a number of replicas.
#[derive(Debug, thiserror::Error)]
#[error("a number from 1 to {MOST_REPLICAS}, and no more than there are brokers")]
pub struct UnusableReplicas;

/// Creates all missing topics. With more than one replica, one broker may be away while events are written.
///
/// # Errors
/// The broker cannot be reached, or refuses a topic.
pub async fn create_topics(config: &KafkaConfig, replicas: Replicas) -> Result<(), KafkaError> {
    let admin = admin(config)?;
    let in_sync = (replicas.0 - 1).max(1).to_string();
    let topic = |topic: &Topic| {
        let fixed = TopicReplication::Fixed(replicas.0);
        let made = NewTopic::new(topic.name(), PARTITIONS, fixed).set("retention.ms", KEPT_MS);
        made.set("min.insync.replicas", &in_sync)
    };
    let topics: Vec<NewTopic<'_>> = Topic::ALL.iter().map(topic).collect();
    let options = AdminOptions::new().request_timeout(Some(ADMIN_LIMIT));
    for result in admin.create_topics(&topics, &options).await? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::AdminOp(code)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rdkafka::{
        mocking::MockCluster,
        types::{RDKafkaApiKey, RDKafkaRespErr},
    };

    use super::{KafkaConfig, PROBE_LIMIT, Producer};

    #[tokio::test]
    async fn a_client_that_is_broken_for_good_is_replaced() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("t", 1, 1).unwrap();
        let producer = Producer::new(&KafkaConfig::plaintext(cluster.bootstrap_servers())).unwrap();
        let send = async || producer.send("t", "k", b"v")?.acknowledged().await;
        send().await.unwrap();
        let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        cluster.request_errors(RDKafkaApiKey::Produce, &[lost; 5]);
        assert!(send().await.is_err());
        cluster.clear_request_errors(RDKafkaApiKey::Produce);
        assert!(send().await.is_err(), "it stays broken");
        producer.renew_if_broken();
        send().await.unwrap();
    }

    #[test]
    fn whoever_asks_for_a_broker_that_is_away_takes_up_one_thread_with_all_others() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let brokers = nobody.local_addr().unwrap().to_string();
        let producer = Producer::new(&KafkaConfig::plaintext(brokers)).unwrap();
        let one_thread = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        one_thread.block_on(async {
            // Some callers hang up at once.
            for _ in 0..20 {
                let left = tokio::time::timeout(Duration::from_millis(1), producer.is_connected());
                assert!(left.await.is_err());
            }
            let asked = futures::future::join_all((0..200).map(|_| producer.is_connected()));
            let answers = tokio::time::timeout(5 * PROBE_LIMIT, asked).await.expect("soon");
            assert!(answers.iter().all(|answer| !answer));
        });
    }
}
