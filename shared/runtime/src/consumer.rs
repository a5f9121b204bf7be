//! The function's own Kafka consumer: for local use and plain Kubernetes.
//!
//! One student's events are handled in order and one at a time, different students' at once, so one
//! slow call holds up nobody else. Offsets are stored up to the contiguous finished prefix; whatever a
//! crash leaves beyond that is delivered again and found in the inbox.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use events::{HeaderStyle, Topic};
use rdkafka::{
    ClientContext, Message as _,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance, StreamConsumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    config::KafkaConfig,
    kafka,
    lanes::{Lanes, Offsets},
    message::Message,
    process::{Outcome, Processor, chain},
    retry,
};

/// Events of one function in work at once. A model call waits, so this is well above the cores; the
/// database pool bounds what really runs.
const IN_FLIGHT_LIMIT: usize = 256;
/// Events taken from Kafka and not finished; beyond that the partitions are paused.
const WINDOW_LIMIT: usize = 2_000;
/// How long work in flight may take to finish at shutdown, within Kubernetes' 30 s.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);
/// How long the client may take to leave its group.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

type Partition = (String, i32);

/// A student's lane: the partition and the key, so that a rebalance never mixes two of them.
type Lane = (Partition, Option<Bytes>);

struct Item {
    offset: i64,
    epoch: u64,
    message: Message,
}

/// Counts assignments, so that what finishes after a rebalance does not move a new owner's offsets.
#[derive(Default)]
struct Assignments(AtomicU64);

impl ClientContext for Assignments {}

impl ConsumerContext for Assignments {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// A consumer group's member, subscribed to a function's topics.
pub(crate) struct Consumer {
    client: StreamConsumer<Assignments>,
    processor: Arc<Processor>,
    lanes: Lanes<Lane, Item>,
    offsets: HashMap<Partition, (u64, Offsets)>,
    running: JoinSet<(Lane, i64, u64, bool)>,
    paused: bool,
}

impl Consumer {
    pub(crate) fn subscribe(
        config: &KafkaConfig,
        topics: &[Topic],
        processor: Arc<Processor>,
    ) -> Result<Self, KafkaError> {
        let group = format!("learnflow.{}", processor.scope.function);
        let client: StreamConsumer<Assignments> = kafka::client(config)
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            // Offsets are stored by hand when work is finished, and committed in the background.
            .set("enable.auto.offset.store", "false")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            .set("fetch.wait.max.ms", "500")
            .set("queued.min.messages", "1000")
            .create_with_context(Assignments::default())?;
        let names: Vec<&str> = topics.iter().map(|topic| topic.name()).collect();
        client.subscribe(&names)?;
        Ok(Self {
            client,
            processor,
            lanes: Lanes::new(IN_FLIGHT_LIMIT),
            offsets: HashMap::new(),
            running: JoinSet::new(),
            paused: false,
        })
    }

    /// Consumes until `stop`, then finishes what is in work and leaves the group.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(finished) = self.running.join_next() => self.finish(finished),
                received = self.client.recv() => match received {
                    Ok(message) => {
                        let (lane, item) = read(&message, self.client.context().0.load(Ordering::Acquire));
                        self.accept(lane, item);
                    }
                    Err(error) => tracing::debug!(error = %chain(&error), "Kafka cannot be read"),
                },
            }
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

    fn accept(&mut self, lane: Lane, item: Item) {
        let (epoch, offsets) = self.offsets.entry(lane.0.clone()).or_default();
        if *epoch != item.epoch {
            (*epoch, *offsets) = (item.epoch, Offsets::default());
        }
        offsets.start(item.offset);
        self.lanes.push(lane, item);
    }

    fn start_ready(&mut self, stop: &CancellationToken) {
        while let Some((lane, item)) = self.lanes.next() {
            let processor = Arc::clone(&self.processor);
            let stop = stop.clone();
            self.running.spawn(async move {
                let finished = work(&processor, &item, &stop).await;
                (lane, item.offset, item.epoch, finished)
            });
        }
    }

    fn finish(&mut self, finished: Result<(Lane, i64, u64, bool), tokio::task::JoinError>) {
        let (lane, offset, epoch, finished) = match finished {
            Ok(finished) => finished,
            Err(error) => {
                tracing::error!(error = %chain(&error), "a worker ended without a result");
                return;
            }
        };
        let partition = lane.0.clone();
        self.lanes.done(lane);
        let Some((current, offsets)) = self.offsets.get_mut(&partition) else { return };
        if !finished || *current != epoch {
            return;
        }
        if let Some(upto) = offsets.finish(offset)
            && let Err(error) = self.client.store_offset(&partition.0, partition.1, upto)
        {
            tracing::debug!(%error, "this partition is not ours any more");
        }
    }

    /// Pauses the partitions while too much is waiting, and resumes them when half of it is done. The
    /// client must be polled all the time, or the group would take it for dead.
    fn balance(&mut self) {
        let wanted = if self.paused {
            self.lanes.len() > WINDOW_LIMIT / 2
        } else {
            self.lanes.len() >= WINDOW_LIMIT
        };
        if wanted == self.paused {
            return;
        }
        let changed = self.client.assignment().and_then(|assignment| {
            if wanted { self.client.pause(&assignment) } else { self.client.resume(&assignment) }
        });
        match changed {
            Ok(()) => self.paused = wanted,
            Err(error) => tracing::debug!(%error, "partitions cannot be paused or resumed now"),
        }
    }

    async fn close(self) {
        // Closing waits for the broker, so it must not happen on a thread that others need.
        let closed = tokio::task::spawn_blocking(move || drop(self.client));
        if tokio::time::timeout(CLOSE_LIMIT, closed).await.is_err() {
            tracing::warn!("the group is left without a word");
        }
    }
}

/// Works on one message until it is done or given up; `false` if the shutdown came first.
async fn work(processor: &Processor, item: &Item, stop: &CancellationToken) -> bool {
    let mut attempt = 1;
    let mut pauses = 1;
    loop {
        let last = attempt >= retry::MAX_ATTEMPTS;
        match processor.process(&item.message, attempt, last).await {
            Outcome::Done | Outcome::DeadLettered(_) => return true,
            Outcome::Retry => attempt += 1,
            // The database is away: wait for it as long as it takes, holding nothing.
            Outcome::Unavailable => {}
        }
        let jitter = item.offset.unsigned_abs().wrapping_mul(7_919).wrapping_add(u64::from(pauses));
        tokio::select! {
            () = retry::pause(pauses, jitter) => pauses += 1,
            () = stop.cancelled() => return false,
        }
    }
}

fn read(message: &BorrowedMessage<'_>, epoch: u64) -> (Lane, Item) {
    let partition = (message.topic().to_owned(), message.partition());
    let key = message.key().map(Bytes::copy_from_slice);
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    let item = Item {
        offset: message.offset(),
        epoch,
        message: Message {
            origin: format!("{}-{}@{}", partition.0, partition.1, message.offset()),
            style: HeaderStyle::Kafka,
            key: key.clone(),
            headers: headers
                .map(|header| {
                    let value = header.value.map(Bytes::copy_from_slice).unwrap_or_default();
                    (header.key.to_owned(), value)
                })
                .collect(),
            value: message.payload().map(Bytes::copy_from_slice).unwrap_or_default(),
        },
    };
    ((partition, key), item)
}
