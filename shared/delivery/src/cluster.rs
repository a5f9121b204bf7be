//! The state of a Kafka cluster, for operators.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use environment::kafka_config::KafkaConfig;
use events::{CloudEvent, HeaderStyle, Topic};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    admin::{AdminOptions, OwnedResourceSpecifier, ResourceSpecifier},
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::BorrowedMessage,
};
use uuid::Uuid;

use crate::{access::Access, kafka, message::Record};

/// What the names of functions' groups begin with.
const GROUP_PREFIX: &str = "learnflow.";

/// The limit of each request: an operator waits for the answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
/// Most records that are read to find a few: in the seconds after an event was emitted hardly more come.
pub const RECORDS_LIMIT: u32 = 5_000;

/// A topic on the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicState {
    /// Its name.
    pub name: String,
    /// The number of its partitions.
    pub partitions: usize,
}

/// The topics of a cluster. Blocks.
///
/// # Errors
/// The cluster cannot be reached, or the settings are invalid.
pub fn topics(config: &KafkaConfig) -> Result<Vec<TopicState>, KafkaError> {
    let client = kafka::viewer(config, None)?;
    let metadata = client.fetch_metadata(None, REQUEST_LIMIT)?;
    let state = |topic: &rdkafka::metadata::MetadataTopic| TopicState {
        name: topic.name().to_owned(),
        partitions: topic.partitions().len(),
    };
    Ok(metadata.topics().iter().map(state).collect())
}

/// How far a function's consumer group has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLag {
    /// Events that it has not handled yet.
    pub waiting: i64,
    /// Whether it has ever handled one.
    pub has_begun: bool,
}

/// How far a function's consumer group has come with these topics. Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn lag(
    config: &KafkaConfig,
    function: &str,
    topics: &[TopicState],
) -> Result<GroupLag, KafkaError> {
    let (client, committed) = committed(config, function, topics)?;
    let mut lag = GroupLag { waiting: 0, has_begun: false };
    for element in committed.elements() {
        let (name, partition) = (element.topic(), element.partition());
        let (start, end) = client.fetch_watermarks(name, partition, REQUEST_LIMIT)?;
        let next = match element.offset() {
            Offset::Offset(offset) => {
                lag.has_begun = true;
                offset
            }
            _ => start,
        };
        lag.waiting += (end - next).max(0);
    }
    Ok(lag)
}

/// The settings of a topic that decide how long its events are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSettings {
    /// The topic.
    pub name: String,
    /// How long events are kept, in milliseconds; -1 is for ever.
    pub retention_ms: i64,
    /// What happens to old events: `delete`, `compact`, or both with a comma.
    pub cleanup_policy: String,
}

/// The settings of topics; those that the cluster does not know are left out.
///
/// # Errors
/// The cluster cannot be reached, or does not tell.
pub async fn settings(
    config: &KafkaConfig,
    topics: &[TopicState],
) -> Result<Vec<TopicSettings>, KafkaError> {
    let admin = kafka::admin(config)?;
    let resources: Vec<ResourceSpecifier<'_>> =
        topics.iter().map(|topic| ResourceSpecifier::Topic(&topic.name)).collect();
    let options = AdminOptions::new().request_timeout(Some(REQUEST_LIMIT));
    let mut found = Vec::new();
    for resource in admin.describe_configs(&resources, &options).await?.into_iter().flatten() {
        let OwnedResourceSpecifier::Topic(name) = &resource.specifier else { continue };
        let value = |setting: &str| resource.get(setting).and_then(|entry| entry.value.clone());
        let retention_ms = value("retention.ms").and_then(|text| text.parse().ok());
        if let (Some(retention_ms), Some(cleanup_policy)) = (retention_ms, value("cleanup.policy"))
        {
            found.push(TopicSettings { name: name.clone(), retention_ms, cleanup_policy });
        }
    }
    Ok(found)
}

/// A function's consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    /// The function.
    pub function: String,
    /// Instances that handle its events now.
    pub members: usize,
    /// Events of the topics of which it has handled any that it has not handled yet.
    pub lag: i64,
}

/// The groups of all functions that have one. Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn groups(config: &KafkaConfig) -> Result<Vec<GroupState>, KafkaError> {
    let client = kafka::viewer(config, None)?;
    let listed = client.fetch_group_list(None, REQUEST_LIMIT)?;
    let members: Vec<(String, usize)> = listed
        .groups()
        .iter()
        .filter_map(|group| {
            let function = group.name().strip_prefix(GROUP_PREFIX)?;
            Some((function.to_owned(), group.members().len()))
        })
        .collect();
    let is_ours = |state: &TopicState| Topic::ALL.iter().any(|topic| topic.name() == state.name);
    let topics: Vec<TopicState> = topics(config)?.into_iter().filter(is_ours).collect();
    let state = |(function, members): (String, usize)| {
        let lag = lag_of_begun(config, &function, &topics)?;
        Ok(GroupState { function, members, lag })
    };
    members.into_iter().map(state).collect()
}

/// How many instances are in a function's group. Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn members(config: &KafkaConfig, function: &str) -> Result<usize, KafkaError> {
    let client = kafka::viewer(config, None)?;
    let group = format!("{GROUP_PREFIX}{function}");
    let listed = client.fetch_group_list(Some(&group), REQUEST_LIMIT)?;
    Ok(listed.groups().iter().map(|group| group.members().len()).sum())
}

/// How many events wait in the partitions of which a group has handled any.
fn lag_of_begun(
    config: &KafkaConfig,
    function: &str,
    topics: &[TopicState],
) -> Result<i64, KafkaError> {
    let (client, committed) = committed(config, function, topics)?;
    let mut lag = 0;
    for element in committed.elements() {
        if let Offset::Offset(next) = element.offset() {
            let (topic, partition) = (element.topic(), element.partition());
            let (_, end) = client.fetch_watermarks(topic, partition, REQUEST_LIMIT)?;
            lag += (end - next).max(0);
        }
    }
    Ok(lag)
}

/// Up to where a function's group has handled the partitions of these topics.
fn committed(
    config: &KafkaConfig,
    function: &str,
    topics: &[TopicState],
) -> Result<(BaseConsumer<Access>, TopicPartitionList), KafkaError> {
    let group = format!("{GROUP_PREFIX}{function}");
    let client = kafka::viewer(config, Some(&group))?;
    let mut partitions = TopicPartitionList::new();
    for topic in topics {
        for partition in (0..).take(topic.partitions) {
            partitions.add_partition(&topic.name, partition);
        }
    }
    let committed = client.committed_offsets(partitions, REQUEST_LIMIT)?;
    Ok((client, committed))
}

/// What a function has to do of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneState {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The first event that is not handled; the first one at all before any is.
    pub next: i64,
    /// Where the next event that is sent will be.
    pub end: i64,
    /// When the first event that is not handled was sent, if there is one and it could be read in time.
    pub oldest_at: Option<DateTime<Utc>>,
}

impl LaneState {
    /// How many events are not handled.
    #[must_use]
    pub fn lag(&self) -> i64 {
        (self.end - self.next).max(0)
    }
}

/// How far a function's group is in each partition of these topics. Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn lanes(
    config: &KafkaConfig,
    function: &str,
    topics: &[TopicState],
) -> Result<Vec<LaneState>, KafkaError> {
    let (client, committed) = committed(config, function, topics)?;
    let mut lanes = Vec::new();
    for element in committed.elements() {
        let (topic, partition) = (element.topic().to_owned(), element.partition());
        let (start, end) = client.fetch_watermarks(&topic, partition, REQUEST_LIMIT)?;
        let next = match element.offset() {
            // What was behind and is deleted by now is not waiting any more.
            Offset::Offset(offset) => offset.max(start),
            _ => start,
        };
        lanes.push(LaneState { topic, partition, next, end, oldest_at: None });
    }
    let mut waiting = TopicPartitionList::new();
    for lane in lanes.iter().filter(|lane| lane.lag() > 0) {
        waiting.add_partition_offset(&lane.topic, lane.partition, Offset::Offset(lane.next))?;
    }
    let mut missing = waiting.count();
    let look = |record: &BorrowedMessage<'_>| {
        let is_of = |lane: &&mut LaneState| {
            lane.topic == record.topic() && lane.partition == record.partition()
        };
        if let Some(lane) = lanes.iter_mut().find(is_of)
            && lane.oldest_at.is_none()
        {
            lane.oldest_at = time_of(record);
            missing -= 1;
        }
        if missing == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    read(config, &waiting, look)?;
    Ok(lanes)
}

/// Where an event is on the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The event.
    pub event: Uuid,
    /// The partition.
    pub partition: i32,
    /// The offset there.
    pub offset: i64,
}

/// Looks for events on their topic, among what was sent since then. Those that are not found were not sent, are deleted
/// already, or come too late in it ([`RECORDS_LIMIT`]). Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn locate(
    config: &KafkaConfig,
    topic: &TopicState,
    events: &[Uuid],
    since: DateTime<Utc>,
) -> Result<Vec<Place>, KafkaError> {
    let client = kafka::viewer(config, None)?;
    let mut times = TopicPartitionList::new();
    for partition in (0..).take(topic.partitions) {
        let since = Offset::Offset(since.timestamp_millis());
        times.add_partition_offset(&topic.name, partition, since)?;
    }
    let starts = client.offsets_for_times(times, REQUEST_LIMIT)?;
    let mut found = Vec::new();
    read(config, &starts, |record| {
        let body = record.payload().unwrap_or_default();
        if let Ok(event) = CloudEvent::decode(HeaderStyle::Kafka, [], body)
            && let Some(event) = events.iter().find(|id| id.to_string() == event.id)
        {
            let (partition, offset) = (record.partition(), record.offset());
            found.push(Place { event: *event, partition, offset });
        }
        if found.len() == events.len() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// Reads records from these places, until `look` has seen enough, all partitions are read to their ends, or a limit is
/// reached.
fn read(
    config: &KafkaConfig,
    from: &TopicPartitionList,
    mut look: impl FnMut(&BorrowedMessage<'_>) -> ControlFlow<()>,
) -> Result<(), KafkaError> {
    if from.count() == 0 {
        return Ok(());
    }
    let mut settings = kafka::client(config);
    settings
        // It joins no group and commits nothing, but the client requires a name.
        .set("group.id", "learnflow.operators")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "100")
        .set("queued.min.messages", "1");
    let client = kafka::reader(config, &settings)?;
    client.assign(from)?;
    let began = Instant::now();
    let (mut records, mut ends) = (0, 0);
    while records < RECORDS_LIMIT && ends < from.count() {
        let left = REQUEST_LIMIT.saturating_sub(began.elapsed());
        match client.poll(left) {
            None => break,
            Some(Err(KafkaError::PartitionEOF(_))) => ends += 1,
            Some(Err(error)) => return Err(error),
            Some(Ok(record)) => {
                records += 1;
                if look(&record).is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}

fn time_of(record: &BorrowedMessage<'_>) -> Option<DateTime<Utc>> {
    Record::at_millis(record.partition(), record.offset(), record.timestamp().to_millis()).at
}
