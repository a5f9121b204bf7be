//! Waiting for the answer to something that went through Kafka, by correlation id.
//!
//! A long-running host follows the answers' topic itself, from its end and without a group, so that
//! every instance sees every answer. Under Lambda nothing runs between calls, so the caller looks at
//! the stored events instead. Both hide behind [`Replies`].

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use environment::{config::KafkaConfig, deadline};
use events::{CloudEvent, Event, HeaderStyle, Topic, topic::PARTITIONS};
use parking_lot::Mutex;
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{Consumer, StreamConsumer},
    error::KafkaError,
};
use sqlx::PgPool;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{cloud_event::to_cloud_event, database::bounded, kafka, live::EPHEMERAL};

/// Where answers come: to questions and solutions, and to programs.
const TOPICS: [Topic; 2] = [Topic::LearningResponses, Topic::CodeResults];
/// Most callers that wait at once; more are answered by the status URL.
const WAITERS_LIMIT: usize = 10_000;
/// The longest for finding where a partition ends.
const END_LIMIT: Duration = Duration::from_secs(3);
/// How often the stored events are looked at under Lambda.
const STORED_POLL: Duration = Duration::from_millis(100);

/// Where answers are waited for.
#[derive(Debug, Clone)]
pub struct Replies(Source);

#[derive(Debug, Clone)]
enum Source {
    Live(Arc<Mutex<Waiting>>),
    Stored(PgPool),
}

/// Who waits, by request, each for one type of event.
type Waiting = HashMap<Uuid, (&'static str, oneshot::Sender<CloudEvent>)>;

/// What is waited for: a request's id, and the type of the event that answers it. Others of the request's events pass
/// by on the same topics.
type Expected = (Uuid, &'static str);

/// A caller's place in the waiting room; leaving it by dropping is fine.
#[derive(Debug)]
pub struct Waiter {
    expected: Expected,
    replies: Replies,
    receiver: Option<oneshot::Receiver<CloudEvent>>,
}

impl Replies {
    /// Waits for answers as they come; a [`Follower`] brings them.
    #[must_use]
    pub fn live() -> Self {
        Self(Source::Live(Arc::default()))
    }

    /// Waits for answers by looking at the stored events.
    #[must_use]
    pub const fn stored(pool: PgPool) -> Self {
        Self(Source::Stored(pool))
    }

    /// Starts to wait for the event of type `E` that belongs to a request. Called before the request is sent, so that
    /// no answer is missed.
    #[must_use]
    pub fn expect<E: Event>(&self, correlation_id: Uuid) -> Waiter {
        let expected = (correlation_id, E::TYPE);
        let receiver = match &self.0 {
            Source::Stored(_) => None,
            Source::Live(waiting) => {
                let (sender, receiver) = oneshot::channel();
                let mut waiting = waiting.lock();
                (waiting.len() < WAITERS_LIMIT).then(|| {
                    waiting.insert(correlation_id, (E::TYPE, sender));
                    receiver
                })
            }
        };
        Waiter { expected, replies: self.clone(), receiver }
    }

    /// No more answers come here: who waits is told at once where they will be.
    fn give_up(&self) {
        if let Source::Live(waiting) = &self.0 {
            waiting.lock().clear();
        }
    }

    fn deliver(&self, event: CloudEvent) {
        let Source::Live(waiting) = &self.0 else { return };
        if event.extensions.contains_key(EPHEMERAL) {
            return;
        }
        let correlation = event.extensions.get("correlationid").and_then(|text| text.parse().ok());
        let Some(correlation) = correlation else { return };
        let waiter = match waiting.lock().entry(correlation) {
            Entry::Occupied(entry) if entry.get().0 == event.event_type => Some(entry.remove().1),
            Entry::Occupied(_) | Entry::Vacant(_) => None,
        };
        if let Some(waiter) = waiter
            && waiter.send(event).is_err()
        {
            tracing::debug!("nobody waits for this answer any more");
        }
    }
}

impl Waiter {
    /// The answer, if it comes within `patience`.
    pub async fn wait(mut self, patience: Duration) -> Option<CloudEvent> {
        deadline::allow(patience);
        let answer = async {
            match (&self.replies.0, self.receiver.take()) {
                (Source::Live(_), Some(receiver)) => receiver.await.ok(),
                (Source::Live(_), None) => None,
                (Source::Stored(pool), _) => stored(pool, self.expected).await,
            }
        };
        tokio::time::timeout(patience, answer).await.ok().flatten()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Source::Live(waiting) = &self.replies.0 {
            waiting.lock().remove(&self.expected.0);
        }
    }
}

async fn stored(pool: &PgPool, (request, event_type): Expected) -> Option<CloudEvent> {
    let mut poll = tokio::time::interval(STORED_POLL);
    loop {
        poll.tick().await;
        let found = bounded(async {
            let mut conn = pool.acquire().await?;
            storage::events::first_of_request(&mut conn, request, event_type).await
        });
        match found.await {
            Ok(Some(event)) => return Some(to_cloud_event(&event)),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "cannot look for an answer"),
        }
    }
}

/// Follows the answers' topics from where they ended when it was made.
pub struct Follower {
    consumer: StreamConsumer,
    replies: Replies,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Follower")
    }
}

impl Follower {
    /// A follower that misses nothing from now on. While the broker is away it starts all the same, and may
    /// miss what comes before it has found the ends: those answers are found by their status URL.
    ///
    /// # Errors
    /// The settings are not usable.
    pub async fn new(config: &KafkaConfig, replies: &Replies) -> Result<Self, KafkaError> {
        let consumer: StreamConsumer = kafka::client(config)
            // No group is joined and nothing committed; the client wants a name all the same.
            .set("group.id", "learnflow.replies")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "500")
            .create()?;
        // Looked up by ourselves: `Offset::End` is looked up later, and what comes meanwhile is missed.
        let looked_up = tokio::task::spawn_blocking(move || {
            let ends = ends(&consumer);
            (consumer, ends)
        });
        let (consumer, ends) = looked_up.await.map_err(|_panicked| KafkaError::Canceled)?;
        consumer.assign(&ends?)?;
        Ok(Self { consumer, replies: replies.clone() })
    }

    /// Follows until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let received = tokio::select! {
                received = self.consumer.recv() => received,
                () = stop.cancelled() => return self.replies.give_up(),
            };
            match received {
                Ok(message) => {
                    let body = message.payload().unwrap_or_default();
                    // A record that is not an event is dead-lettered by whoever consumes the topic.
                    if let Ok(event) = CloudEvent::decode(HeaderStyle::Kafka, [], body) {
                        self.replies.deliver(event);
                    }
                }
                Err(error) => tracing::debug!(%error, "the answers' topic cannot be read"),
            }
        }
    }
}

/// Where every partition of the answers' topics ends now. Blocks.
fn ends(consumer: &StreamConsumer) -> Result<TopicPartitionList, KafkaError> {
    let mut partitions = TopicPartitionList::new();
    let mut is_there = true;
    for topic in TOPICS {
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
