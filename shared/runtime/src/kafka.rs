//! Kafka's client: producing, topics, and the settings that all clients share.

use std::time::Duration;

use events::{Topic, cloud_event::STRUCTURED, topic::PARTITIONS};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _},
};

use crate::config::KafkaConfig;

/// The longest that the client keeps trying to deliver an event. Shorter than an outbox lease, so
/// that the relay and the client never work on the same event.
const DELIVERY_LIMIT_MS: &str = "9000";
/// KiB of events in the client's queue: the outbox holds fewer.
const QUEUE_KIB: &str = "131072";
/// The longest for an administrative request.
const ADMIN_LIMIT: Duration = Duration::from_secs(10);
/// The longest for the readiness probe's question to the broker.
const PROBE_LIMIT: Duration = Duration::from_millis(800);

pub(crate) fn client(config: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("security.protocol", &config.security_protocol)
        .set("client.id", "learnflow")
        // A broker that comes back is found within a second, not the default ten.
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "30000")
        .set("log.connection.close", "false");
    client
}

/// Sends events; idempotent, and acknowledged by all replicas.
#[derive(Clone)]
pub struct Producer(FutureProducer);

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Producer")
    }
}

/// An event on its way.
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
    /// A producer; it connects in the background and keeps trying.
    ///
    /// # Errors
    /// The settings are not usable.
    pub fn new(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let producer = client(config)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("message.timeout.ms", DELIVERY_LIMIT_MS)
            .set("queue.buffering.max.messages", "10000")
            .set("queue.buffering.max.kbytes", QUEUE_KIB)
            .create()?;
        Ok(Self(producer))
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
        self.0.send_result(record).map(Delivery).map_err(|(error, _)| error)
    }

    /// Whether a broker answers. Blocks for a moment.
    pub(crate) fn is_connected(&self) -> bool {
        self.0.client().fetch_metadata(Some(Topic::LearningRequests.name()), PROBE_LIMIT).is_ok()
    }
}

/// Makes every topic that is not there yet, with one replica: for local use and tests. Elsewhere the
/// deployment makes them.
///
/// # Errors
/// The broker cannot be reached, or refuses one.
pub async fn create_topics(config: &KafkaConfig) -> Result<(), KafkaError> {
    let admin: AdminClient<DefaultClientContext> = client(config).create()?;
    let topics: Vec<NewTopic<'_>> = Topic::ALL
        .iter()
        .map(|topic| NewTopic::new(topic.name(), PARTITIONS, TopicReplication::Fixed(1)))
        .collect();
    let options = AdminOptions::new().request_timeout(Some(ADMIN_LIMIT));
    for result in admin.create_topics(&topics, &options).await? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::AdminOp(code)),
        }
    }
    Ok(())
}
