//! The function's own Kafka consumer: for local use and plain Kubernetes.
//!
//! Events of one student are handled in order, one at a time; those of different students concurrently, so one slow
//! call delays nobody else. Offsets are stored up to the contiguous finished prefix; events beyond it are redelivered
//! after a crash and found in the inbox.

use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use environment::{chain, kafka_config::KafkaConfig};
use events::{HeaderStyle, Topic};
use rdkafka::{
    ClientContext, Message as _, Offset, TopicPartitionList,
    client::OAuthToken,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance, StreamConsumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    access::Access,
    closing::Closing,
    kafka,
    keyed_queue::{KeyedQueue, Offsets},
    lanes::{Partition, PausedLanes, Stops},
    message::{Message, Record},
    process::{Outcome, Processor},
    retry,
};

/// Concurrent events of one function. Model calls mostly wait, so this is well above the number of cores; the database
/// pool limits the real work.
const IN_FLIGHT_LIMIT: usize = 256;
/// Events received from Kafka and not finished; beyond this limit the partitions are paused.
const WINDOW_LIMIT: usize = 2_000;
/// The same limit in bytes: some dozens of the largest events.
const WINDOW_BYTES: usize = 64 << 20;
/// KiB that the client prefetches, over all partitions.
const FETCH_AHEAD_KIB: &str = "16384";
/// How long a group waits for a silent member before its partitions are reassigned: long enough for a busy machine,
/// short enough for a waiting student. The client's default is 45 s.
const SESSION_LIMIT_MS: &str = "10000";
/// How often a member sends a heartbeat: three in a row may be lost.
const HEARTBEAT_MS: &str = "3000";
/// How long work in progress may take to finish at shutdown, within Kubernetes' 30 s.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);
/// How long the client may take to leave its group.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Events with the same key are handled one after the other: those of one student in one partition, so that a rebalance
/// never mixes events of two partitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    partition: Partition,
    partition_key: Option<Bytes>,
}

struct Item {
    offset: i64,
    epoch: u64,
    message: Message,
}

/// The outcome of an item.
struct Finished {
    key: Key,
    offset: i64,
    epoch: u64,
    bytes: usize,
    /// `false` if shutdown came first.
    is_done: bool,
}

/// Counts rebalances: the epoch changes before and after each, so that events received before are kept apart from later
/// ones.
struct Assignments {
    access: Access,
    epoch: AtomicU64,
    /// Notified after each rebalance. The consumer may otherwise receive nothing that wakes it: the client keeps a
    /// partition paused if it was paused before it was revoked and assigned again.
    changed: Notify,
}

impl Assignments {
    fn new(access: Access) -> Self {
        Self { access, epoch: AtomicU64::default(), changed: Notify::new() }
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }
}

impl ClientContext for Assignments {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.access.generate_oauth_token(config)
    }
}

impl ConsumerContext for Assignments {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_one();
    }
}

/// A member of a consumer group, subscribed to a function's topics.
pub struct Consumer {
    client: Closing<Assignments>,
    processor: Arc<Processor>,
    queue: KeyedQueue<Key, Item>,
    offsets: HashMap<Partition, Offsets>,
    running: JoinSet<Finished>,
    /// Bytes of the events that are queued or in progress.
    bytes: usize,
    /// The assignment that the events in `queue` belong to.
    epoch: u64,
    /// Whether all partitions of that assignment are paused; unknown after a rebalance.
    paused: Option<bool>,
    /// The lanes that an operator has paused; unknown at first, and nothing is begun until they are known.
    stops: Option<Stops>,
    /// Partitions of these that are paused, each with the first offset that was received and is not handled: from there
    /// it is read when it goes on.
    held: HashMap<Partition, i64>,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Consumer").field(&self.processor.function()).finish()
    }
}

impl Consumer {
    /// Joins the function's group and subscribes to `topics`.
    ///
    /// # Errors
    /// The settings are invalid.
    pub fn subscribe(
        config: &KafkaConfig,
        topics: &[Topic],
        processor: Arc<Processor>,
    ) -> Result<Self, KafkaError> {
        let group = format!("learnflow.{}", processor.function());
        let client: StreamConsumer<Assignments> = kafka::client(config)
            .set("group.id", group)
            .set("session.timeout.ms", SESSION_LIMIT_MS)
            .set("heartbeat.interval.ms", HEARTBEAT_MS)
            .set("auto.offset.reset", "earliest")
            // Offsets are stored explicitly when work is finished, and committed in the background.
            .set("enable.auto.offset.store", "false")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            .set("fetch.wait.max.ms", "500")
            .set("queued.min.messages", "1000")
            .set("queued.max.messages.kbytes", FETCH_AHEAD_KIB)
            .create_with_context(Assignments::new(Access::of(config)))?;
        let names: Vec<&str> = topics.iter().map(|topic| topic.name()).collect();
        client.subscribe(&names)?;
        Ok(Self {
            client: Closing::new(client),
            processor,
            queue: KeyedQueue::new(IN_FLIGHT_LIMIT),
            offsets: HashMap::new(),
            running: JoinSet::new(),
            bytes: 0,
            epoch: 0,
            paused: None,
            stops: None,
            held: HashMap::new(),
        })
    }

    /// Consumes until `stop`, then finishes work in progress and leaves the group.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut paused_lanes = PausedLanes::of(self.processor.scope().clone());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(finished) = self.running.join_next() => self.finish(finished),
                // Before the next event, of which there may always be one.
                stops = paused_lanes.looked_up() => self.obey(stops),
                received = self.client.recv() => match received {
                    Ok(message) => {
                        let (key, item) = read(&message, self.client.context().epoch());
                        self.drop_stale();
                        self.accept(key, item);
                    }
                    Err(error) => tracing::debug!(error = %chain(&error), "Kafka cannot be read"),
                },
                // The partitions are resumed below.
                () = self.client.context().changed.notified() => {}
            }
            self.drop_stale();
            self.start_ready(&stop);
            self.balance();
        }
        let drained = async {
            while let Some(finished) = self.running.join_next().await {
                self.finish(finished);
            }
        };
        if tokio::time::timeout(DRAIN_LIMIT, drained).await.is_err() {
            tracing::warn!(
                count = self.running.len(),
                "work was cut off, it will be delivered again"
            );
        }
        self.close().await;
    }

    /// After a rebalance, queued events are redelivered from the committed offsets, to this member or another.
    fn drop_stale(&mut self) {
        let epoch = self.client.context().epoch();
        if epoch == self.epoch {
            return;
        }
        self.epoch = epoch;
        self.offsets.clear();
        self.held.clear();
        self.queue.drop_stale(|_, item| item.epoch != epoch);
        self.bytes = self.queue.waiting().map(|(_, item)| item.message.size()).sum();
        // Whether the client keeps a pause across assignments depends on the partition, so it is always set again.
        self.paused = None;
    }

    /// Stops and starts lanes as an operator says, again and again. What is in progress is finished.
    fn obey(&mut self, stops: Stops) {
        let stops = self.stops.insert(stops).clone();
        let is_stopped = |key: &Key, item: &Item| {
            stops.get(&key.partition).is_some_and(|stop| item.offset >= *stop)
        };
        let mut first: HashMap<Partition, i64> = HashMap::new();
        for (key, item) in self.queue.waiting().filter(|(key, item)| is_stopped(key, item)) {
            let first = first.entry(key.partition.clone()).or_insert(item.offset);
            *first = item.offset.min(*first);
            self.bytes = self.bytes.saturating_sub(item.message.size());
        }
        self.queue.drop_stale(is_stopped);
        for (partition, offset) in first {
            self.hold(partition, offset);
        }
        let goes_on = |(partition, offset): &(&Partition, &i64)| {
            stops.get(*partition).is_none_or(|stop| *offset < stop)
        };
        let going: Vec<(Partition, i64)> = self
            .held
            .iter()
            .filter(goes_on)
            .map(|(partition, offset)| (partition.clone(), *offset))
            .collect();
        for (partition, offset) in going {
            self.release(partition, offset);
        }
    }

    /// Stops reading a partition. It is read again from `offset`, or from an earlier one that it was stopped at.
    fn hold(&mut self, partition: Partition, offset: i64) {
        if let Some(offsets) = self.offsets.get_mut(&partition) {
            offsets.rewind(offset);
        }
        if let Err(error) = self.client.pause(&only(&partition)) {
            tracing::debug!(%error, "this partition is not ours any more");
        }
        let from = self.held.entry(partition).or_insert(offset);
        *from = offset.min(*from);
    }

    /// Reads a partition on that was stopped; if all are paused, that is done when they go on.
    fn release(&mut self, partition: Partition, offset: i64) {
        let sought =
            self.client.seek(&partition.0, partition.1, Offset::Offset(offset), Duration::ZERO);
        let resumed = sought.and_then(|()| match self.paused {
            Some(true) => Ok(()),
            _ => self.client.resume(&only(&partition)),
        });
        match resumed {
            Ok(()) => drop(self.held.remove(&partition)),
            // It is tried again after the next look, unless the partition is another member's by then.
            Err(error) => tracing::debug!(%error, "a partition cannot be read on now"),
        }
    }

    fn accept(&mut self, key: Key, item: Item) {
        let stop = self.stops.as_ref().and_then(|stops| stops.get(&key.partition));
        if stop.is_some_and(|stop| item.offset >= *stop) {
            self.hold(key.partition, item.offset);
            return;
        }
        self.bytes += item.message.size();
        self.offsets.entry(key.partition.clone()).or_default().start(item.offset);
        self.queue.push(key, item);
    }

    fn start_ready(&mut self, stop: &CancellationToken) {
        if self.stops.is_none() {
            return;
        }
        while let Some((key, item)) = self.queue.next() {
            let processor = Arc::clone(&self.processor);
            let stop = stop.clone();
            self.running.spawn(async move {
                let is_done = work(&processor, &item, &stop).await;
                let Item { offset, epoch, message } = item;
                Finished { key, offset, epoch, bytes: message.size(), is_done }
            });
        }
    }

    fn finish(&mut self, finished: Result<Finished, tokio::task::JoinError>) {
        let Finished { key, offset, epoch, bytes, is_done } = match finished {
            Ok(finished) => finished,
            Err(error) => {
                tracing::error!(error = %chain(&error), "a worker ended without a result");
                return;
            }
        };
        let partition = key.partition.clone();
        self.queue.done(key);
        if epoch != self.epoch {
            return;
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        let Some(offsets) = self.offsets.get_mut(&partition) else { return };
        if !is_done {
            return;
        }
        if let Some(upto) = offsets.finish(offset)
            && let Err(error) = self.client.store_offset(&partition.0, partition.1, upto)
        {
            tracing::debug!(%error, "this partition is not ours any more");
        }
    }

    /// Pauses the partitions at the limit, and resumes them at half of it. The client must be polled all the time,
    /// otherwise the group would expel it.
    fn balance(&mut self) {
        let (events, bytes) = (self.queue.len(), self.bytes);
        let pauses = if self.paused == Some(true) {
            events > WINDOW_LIMIT / 2 || bytes > WINDOW_BYTES / 2
        } else {
            events >= WINDOW_LIMIT || bytes >= WINDOW_BYTES
        };
        if self.paused == Some(pauses) {
            return;
        }
        let changed = self.client.assignment().and_then(|assignment| {
            if pauses {
                return self.client.pause(&assignment);
            }
            let mut resumed = TopicPartitionList::new();
            for element in assignment.elements() {
                let partition = (element.topic().to_owned(), element.partition());
                if !self.held.contains_key(&partition) {
                    resumed.add_partition(&partition.0, partition.1);
                }
            }
            self.client.resume(&resumed)
        });
        match changed {
            Ok(()) => self.paused = Some(pauses),
            Err(error) => tracing::debug!(%error, "partitions cannot be paused or resumed now"),
        }
    }

    async fn close(self) {
        if tokio::time::timeout(CLOSE_LIMIT, self.client.close()).await.is_err() {
            tracing::warn!("the group is left without a word");
        }
    }
}

/// Works on one message until it is done or given up; `false` if shutdown came first.
async fn work(processor: &Processor, item: &Item, stop: &CancellationToken) -> bool {
    let mut pauses = 1;
    loop {
        match processor.process(&item.message).await {
            Outcome::Done | Outcome::DeadLettered(_) => return true,
            // An unavailable database is waited for without a limit, holding no resources.
            Outcome::Retry | Outcome::Unavailable => {}
        }
        let jitter = item.offset.unsigned_abs().wrapping_mul(7_919).wrapping_add(u64::from(pauses));
        tokio::select! {
            () = retry::pause(pauses, jitter) => pauses += 1,
            () = stop.cancelled() => return false,
        }
    }
}

/// A list of one partition.
fn only((topic, partition): &Partition) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, *partition);
    list
}

fn read(message: &BorrowedMessage<'_>, epoch: u64) -> (Key, Item) {
    let partition = (message.topic().to_owned(), message.partition());
    let partition_key = message.key().map(Bytes::copy_from_slice);
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    let item = Item {
        offset: message.offset(),
        epoch,
        message: Message {
            origin: format!("{}-{}@{}", partition.0, partition.1, message.offset()),
            record: Some(Record::at_millis(
                partition.1,
                message.offset(),
                message.timestamp().to_millis(),
            )),
            style: HeaderStyle::Kafka,
            key: partition_key.clone(),
            headers: headers
                .map(|header| {
                    let value = header.value.map(Bytes::copy_from_slice).unwrap_or_default();
                    (header.key.to_owned(), value)
                })
                .collect(),
            value: message.payload().map(Bytes::copy_from_slice).unwrap_or_default(),
        },
    };
    (Key { partition, partition_key }, item)
}
