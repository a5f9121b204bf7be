//! Consuming a topic as a member of a group, on a thread of its own: everything about it may block.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc as std_mpsc},
    thread,
    time::Duration,
};

use rdkafka::{
    ClientContext, Message as _, Offset, Timestamp, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::Headers as _,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::{ClientError, Cluster},
    mapping::StartingPosition,
    record::{Consumed, NO_TIMESTAMP},
};

/// The longest that the thread waits for a record before it looks for commands.
const POLL_WAIT: Duration = Duration::from_millis(50);
/// The timeout of a request to the cluster.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
/// Records on their way from the thread.
const QUEUE_LIMIT: usize = 64;
/// Commands on their way to the thread.
const COMMANDS_LIMIT: usize = 64;
/// How often a seek is tried: a partition that was just assigned may not be ready.
const SEEK_ATTEMPTS: usize = 20;

/// What a consumer tells.
#[derive(Debug)]
pub(crate) enum Event {
    /// A partition is ours from its next record on.
    Assigned(i32, Option<i64>),
    Revoked(i32),
    Record(Consumed),
    /// What follows of this partition is from its new offset on.
    Sought(i32),
    /// Something is wrong that may be over soon.
    Trouble(String),
    /// No broker can be reached, of which there may be a better explanation.
    Away(String),
    /// The cluster does not know the positions that it was told.
    NotCommitted(String),
    /// The consumer cannot go on.
    Ended(String),
}

/// The first record of each partition, and where the next one goes.
pub(crate) type Bounds = BTreeMap<i32, (i64, i64)>;

enum Command {
    Commit(Vec<(i32, i64)>),
    Pause(i32),
    Resume(i32),
    Seek(i32, i64),
    Bounds(oneshot::Sender<Bounds>),
    /// The first offset of each partition that is not older than this.
    OffsetsAt(i64, oneshot::Sender<Result<BTreeMap<i32, i64>, String>>),
}

struct Context {
    topic: String,
    start: StartingPosition,
    events: mpsc::Sender<Event>,
}

impl Context {
    /// Waits for space; whoever has gone needs no events.
    fn tell(&self, event: Event) {
        if self.events.blocking_send(event).is_err() {
            tracing::trace!("nobody listens");
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What matters comes as an error, too.
        tracing::debug!(?level, facility, "librdkafka: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "Kafka");
        // What follows is different each time.
        let reason = reason.split(" (after ").next().unwrap_or(reason).to_owned();
        self.tell(match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => Event::Away(reason),
            _ if reason.is_empty() => Event::Trouble(error.to_string()),
            _ => Event::Trouble(reason),
        });
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                let next = self.settle(consumer, partitions).unwrap_or_else(|error| {
                    self.tell(Event::Trouble(format!("no starting position: {error}")));
                    BTreeMap::new()
                });
                for element in partitions.elements() {
                    let partition = element.partition();
                    self.tell(Event::Assigned(partition, next.get(&partition).copied()));
                }
            }
            Rebalance::Revoke(partitions) => {
                for element in partitions.elements() {
                    self.tell(Event::Revoked(element.partition()));
                }
            }
            Rebalance::Error(error) => self.tell(Event::Trouble(error.to_string())),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            self.tell(Event::NotCommitted(format!("offsets are not committed: {error}")));
        }
    }
}

impl Context {
    /// The next record of each partition. Where the group has no offset, its starting position is committed, so that it
    /// is found once and for all, whatever comes meanwhile.
    fn settle(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<BTreeMap<i32, i64>> {
        let numbers: Vec<i32> = partitions.elements().iter().map(|one| one.partition()).collect();
        let mut asked = TopicPartitionList::new();
        for number in &numbers {
            asked.add_partition(&self.topic, *number);
        }
        let committed = consumer.committed_offsets(asked, REQUEST_LIMIT)?;
        let mut next = offsets_of(&committed);
        let mut settled = TopicPartitionList::new();
        let new: Vec<i32> = numbers.into_iter().filter(|one| !next.contains_key(one)).collect();
        let at = match self.start {
            StartingPosition::AtTimestamp(at_ms) => offsets_at(consumer, &self.topic, &new, at_ms)?,
            StartingPosition::TrimHorizon | StartingPosition::Latest => BTreeMap::new(),
        };
        for number in new {
            let (first, end) = consumer.fetch_watermarks(&self.topic, number, REQUEST_LIMIT)?;
            let offset = match self.start {
                StartingPosition::TrimHorizon => first,
                StartingPosition::Latest => end,
                StartingPosition::AtTimestamp(_) => at.get(&number).copied().unwrap_or(end),
            };
            settled.add_partition_offset(&self.topic, number, Offset::Offset(offset))?;
            next.insert(number, offset);
        }
        if settled.count() > 0 {
            consumer.commit(&settled, CommitMode::Sync)?;
        }
        Ok(next)
    }
}

fn offsets_of(list: &TopicPartitionList) -> BTreeMap<i32, i64> {
    let offset = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        let Offset::Offset(offset) = element.offset() else { return None };
        Some((element.partition(), offset))
    };
    list.elements().iter().filter_map(offset).collect()
}

/// The first offset of each partition that is not older, if there is one.
fn offsets_at(
    consumer: &BaseConsumer<Context>,
    topic: &str,
    partitions: &[i32],
    at_ms: i64,
) -> KafkaResult<BTreeMap<i32, i64>> {
    let mut times = TopicPartitionList::new();
    for partition in partitions {
        times.add_partition_offset(topic, *partition, Offset::Offset(at_ms))?;
    }
    Ok(offsets_of(&consumer.offsets_for_times(times, REQUEST_LIMIT)?))
}

/// A member of a mapping's group.
pub(crate) struct Consumer {
    pub(crate) events: mpsc::Receiver<Event>,
    commands: std_mpsc::SyncSender<Command>,
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl Consumer {
    /// Joins the group; the records come as events.
    pub(crate) fn start(
        cluster: &Cluster,
        group: &str,
        topic: &str,
        start: StartingPosition,
    ) -> Result<Self, ClientError> {
        let mut config = cluster.client();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false")
            // A topic that is made later is found soon.
            .set("topic.metadata.refresh.interval.ms", "5000")
            .set("fetch.wait.max.ms", "100")
            // What is fetched ahead is bounded for each partition by the lanes, and here for all of them.
            .set("queued.min.messages", "1000")
            .set("queued.max.messages.kbytes", "16384");
        let (sender, events) = mpsc::channel(QUEUE_LIMIT);
        let context = Context { topic: topic.to_owned(), start, events: sender };
        let consumer: BaseConsumer<Context> = config.create_with_context(context)?;
        consumer.subscribe(&[topic])?;
        let (commands, received) = std_mpsc::sync_channel(COMMANDS_LIMIT);
        let stop = CancellationToken::new();
        let (sender, ended) = oneshot::channel();
        let stopped = stop.clone();
        let work = move || {
            let context = Arc::clone(consumer.context());
            if let Err(error) = consume(&consumer, &received, &stopped) {
                context.tell(Event::Ended(error));
            }
            drop(consumer);
            if sender.send(()).is_err() {
                tracing::trace!("nobody waits");
            }
        };
        let spawned = thread::Builder::new().name("kafka".to_owned()).spawn(work);
        spawned.map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self { events, commands, stop, ended })
    }

    /// `false`: the thread is busy or gone, and whoever asked must ask again.
    fn command(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    pub(crate) fn commit(&self, offsets: Vec<(i32, i64)>) -> bool {
        self.command(Command::Commit(offsets))
    }

    pub(crate) fn pause(&self, partition: i32) -> bool {
        self.command(Command::Pause(partition))
    }

    pub(crate) fn resume(&self, partition: i32) -> bool {
        self.command(Command::Resume(partition))
    }

    pub(crate) fn seek(&self, partition: i32, offset: i64) -> bool {
        self.command(Command::Seek(partition, offset))
    }

    /// What is in each partition, as far as it can be found out.
    pub(crate) fn bounds(&self) -> oneshot::Receiver<Bounds> {
        let (sender, bounds) = oneshot::channel();
        self.command(Command::Bounds(sender));
        bounds
    }

    /// The first offset of each partition that is not older than this.
    pub(crate) fn offsets_at(
        &self,
        at_ms: i64,
    ) -> oneshot::Receiver<Result<BTreeMap<i32, i64>, String>> {
        let (sender, offsets) = oneshot::channel();
        self.command(Command::OffsetsAt(at_ms, sender));
        offsets
    }

    /// Leaves the group, after the commands that were given.
    pub(crate) async fn close(self) {
        self.stop.cancel();
        // Nobody takes events any more, so the thread never waits for that.
        drop(self.events);
        drop(self.commands);
        if self.ended.await.is_err() {
            tracing::debug!("the consumer's thread has gone");
        }
    }
}

fn consume(
    consumer: &BaseConsumer<Context>,
    commands: &std_mpsc::Receiver<Command>,
    stop: &CancellationToken,
) -> Result<(), String> {
    loop {
        // Read before the commands, so that none is left when it ends.
        let is_last = stop.is_cancelled();
        while let Ok(command) = commands.try_recv() {
            obey(consumer, command, is_last)?;
        }
        if is_last || consumer.context().events.is_closed() {
            return Ok(());
        }
        match consumer.poll(POLL_WAIT) {
            None => {}
            Some(Ok(message)) => {
                let event = Event::Record(consumed(&message));
                consumer.context().tell(event);
            }
            Some(Err(error)) => {
                if let Some((code, reason)) = consumer.client().fatal_error() {
                    return Err(format!("{code}: {reason}"));
                }
                if let Some(trouble) = trouble(consumer, &error) {
                    consumer.context().tell(Event::Trouble(trouble));
                }
            }
        }
    }
}

/// What to tell, unless the client's context has told it.
fn trouble(consumer: &BaseConsumer<Context>, error: &KafkaError) -> Option<String> {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            Some(format!("the cluster has no topic `{}`", consumer.context().topic))
        }
        Some(
            RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::SSL,
        ) => None,
        _ => Some(error.to_string()),
    }
}

fn obey(consumer: &BaseConsumer<Context>, command: Command, is_last: bool) -> Result<(), String> {
    let topic = &consumer.context().topic;
    let list = |offsets: &[(i32, i64)]| {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
        }
        KafkaResult::Ok(list)
    };
    let done = match command {
        Command::Commit(offsets) => {
            let mode = if is_last { CommitMode::Sync } else { CommitMode::Async };
            list(&offsets).and_then(|list| consumer.commit(&list, mode))
        }
        Command::Pause(partition) => list(&[(partition, 0)]).and_then(|list| consumer.pause(&list)),
        Command::Resume(partition) => {
            list(&[(partition, 0)]).and_then(|list| consumer.resume(&list))
        }
        Command::Seek(partition, offset) => {
            let mut sought = Ok(());
            for _attempt in 0..SEEK_ATTEMPTS {
                let offset = Offset::Offset(offset);
                sought = consumer.seek(topic, partition, offset, REQUEST_LIMIT);
                if sought.is_ok() {
                    break;
                }
                thread::park_timeout(POLL_WAIT);
            }
            // What came before is dropped, so without the seek the consumer must begin anew.
            sought.map_err(|error| format!("partition {partition} cannot be rewound: {error}"))?;
            consumer.context().tell(Event::Sought(partition));
            Ok(())
        }
        Command::Bounds(reply) => {
            drop(reply.send(bounds(consumer)));
            Ok(())
        }
        Command::OffsetsAt(at_ms, reply) => {
            let found = offsets_or_ends_at(consumer, at_ms).map_err(|error| error.to_string());
            drop(reply.send(found));
            Ok(())
        }
    };
    if let Err(error) = done {
        consumer.context().tell(Event::Trouble(error.to_string()));
    }
    Ok(())
}

fn assigned(consumer: &BaseConsumer<Context>) -> Vec<i32> {
    let assignment = consumer.assignment().unwrap_or_else(|_error| TopicPartitionList::new());
    assignment.elements().iter().map(|element| element.partition()).collect()
}

/// What can be found out.
fn bounds(consumer: &BaseConsumer<Context>) -> Bounds {
    let topic = &consumer.context().topic;
    let bounds = |partition| {
        let bounds = consumer.fetch_watermarks(topic, partition, REQUEST_LIMIT).ok()?;
        Some((partition, bounds))
    };
    // Without a cluster each question would take its whole time.
    assigned(consumer).into_iter().map_while(bounds).collect()
}

fn offsets_or_ends_at(
    consumer: &BaseConsumer<Context>,
    at_ms: i64,
) -> KafkaResult<BTreeMap<i32, i64>> {
    let ends = bounds(consumer).into_iter().map(|(partition, (_, end))| (partition, end));
    let mut offsets: BTreeMap<i32, i64> = ends.collect();
    offsets.extend(offsets_at(consumer, &consumer.context().topic, &assigned(consumer), at_ms)?);
    Ok(offsets)
}

fn consumed(message: &rdkafka::message::BorrowedMessage<'_>) -> Consumed {
    let (timestamp_ms, is_log_append_time) = match message.timestamp() {
        Timestamp::NotAvailable => (NO_TIMESTAMP, false),
        Timestamp::CreateTime(ms) => (ms, false),
        Timestamp::LogAppendTime(ms) => (ms, true),
    };
    Consumed {
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms,
        is_log_append_time,
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map_or_else(Vec::new, |headers| {
            headers
                .iter()
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect()
        }),
    }
}
