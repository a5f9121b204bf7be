//! Reading topics whole, from their ends and without a consumer group: every instance hears every event.

use std::{sync::Arc, time::Duration};

use environment::kafka_config::KafkaConfig;
use events::{
    CloudEvent, Event, HeaderStyle, Topic, account_erased::AccountErased, topic::PARTITIONS,
};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{Consumer, StreamConsumer},
    error::KafkaError,
};
use tokio_util::sync::CancellationToken;

use crate::{Keys, Live, access::Access, closing::Closing, kafka};

/// The timeout for finding the end of a partition.
const END_LIMIT: Duration = Duration::from_secs(3);
/// The timeout for looking up a person's key, which nearly always is known: all other events wait meanwhile.
const OPEN_LIMIT: Duration = Duration::from_millis(500);

/// Who hears the events. Called for one event after the other, so it must not wait.
pub type Sink = Arc<dyn Fn(CloudEvent) + Send + Sync>;

/// Follows topics, from their ends at the time of its creation.
pub struct Follower {
    consumer: Closing<Access>,
    keys: Keys,
    sink: Sink,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Follower")
    }
}

impl Follower {
    /// Creates a follower that misses nothing from now on. If the broker is unavailable, it starts anyway, and may miss
    /// events that arrive before it has found the ends: listeners must have another way to find those.
    ///
    /// # Errors
    /// The settings are invalid.
    pub async fn new(
        config: &KafkaConfig,
        topics: &[Topic],
        keys: Keys,
        sink: Sink,
    ) -> Result<Self, KafkaError> {
        let access = Access::of(config);
        let consumer: StreamConsumer<Access> = kafka::client(config)
            // It joins no group and commits nothing, but the client requires a name.
            .set("group.id", "learnflow.followers")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "500")
            .create_with_context(access.clone())?;
        access.admit(consumer.client())?;
        let topics = topics.to_vec();
        // Looked up explicitly: `Offset::End` is resolved later, and would miss what arrives meanwhile.
        let looked_up = tokio::task::spawn_blocking(move || {
            let ends = ends(&consumer, &topics);
            (consumer, ends)
        });
        let (consumer, ends) = looked_up.await.map_err(|_panicked| KafkaError::Canceled)?;
        consumer.assign(&ends?)?;
        Ok(Self { consumer: Closing::new(consumer), keys, sink })
    }

    /// Follows until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let received = tokio::select! {
                received = self.consumer.recv() => received,
                () = stop.cancelled() => return,
            };
            match received {
                Ok(message) => {
                    let body = message.payload().unwrap_or_default();
                    // A record that is not an event is dead-lettered by the functions that consume the topic.
                    if let Ok(event) = CloudEvent::decode(HeaderStyle::Kafka, [], body)
                        && let Some(event) = self.prepared(event).await
                    {
                        (self.sink)(event);
                    }
                }
                Err(error) => tracing::debug!(%error, "a followed topic cannot be read"),
            }
        }
    }
}

impl Follower {
    /// An event as the sink gets it: live ones can be read, since nobody finds them in the database, all others are only
    /// a sign that there is something to look for, and stay sealed. `None`: it is lost, as live events may be.
    async fn prepared(&self, event: CloudEvent) -> Option<CloudEvent> {
        if event.event_type == AccountErased::TYPE {
            let person = event.subject.as_deref().and_then(|subject| subject.parse().ok());
            person.inspect(|person| self.keys.forget(*person));
        }
        if !Live::is_live(&event) {
            return Some(event);
        }
        let opened = tokio::time::timeout(OPEN_LIMIT, self.keys.open_event(event)).await;
        opened.ok()?.inspect_err(|error| tracing::debug!(%error, "a live event is lost")).ok()?
    }
}

/// The current end of every partition of these topics. Blocks.
fn ends(
    consumer: &StreamConsumer<Access>,
    topics: &[Topic],
) -> Result<TopicPartitionList, KafkaError> {
    let mut partitions = TopicPartitionList::new();
    let mut is_there = true;
    for topic in topics {
        for partition in 0..PARTITIONS {
            let end = is_there
                .then(|| consumer.fetch_watermarks(topic.name(), partition, END_LIMIT).ok())
                .flatten();
            is_there = end.is_some();
            let offset = end.map_or(Offset::End, |(_, end)| Offset::Offset(end));
            partitions.add_partition_offset(topic.name(), partition, offset)?;
        }
    }
    Ok(partitions)
}
