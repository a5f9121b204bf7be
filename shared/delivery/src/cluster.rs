//! The state of a Kafka cluster, for operators.

use std::{
    collections::{BTreeMap, HashMap},
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
    topic_partition_list::TopicPartitionListElem,
};
use storage::paused_lanes::PausedLane;
use uuid::Uuid;

use crate::{access::Access, kafka, message::Record};

/// What the names of functions' groups begin with.
const GROUP_PREFIX: &str = "learnflow.";

/// The limit of each request: an operator waits for the answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
/// Most records that are read to find a few: in the seconds after an event was emitted hardly more come.
pub const RECORDS_LIMIT: u32 = 5_000;

/// How long requests may take: each, and all together if that is bounded.
#[derive(Debug, Clone, Copy)]
struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// Only each request is bounded.
    const EACH: Self = Self { until: None };

    fn of(limit: Duration) -> Self {
        Self { until: Some(Instant::now() + limit) }
    }

    /// The limit of the next request.
    fn next(self) -> Duration {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        left.unwrap_or(REQUEST_LIMIT).min(REQUEST_LIMIT)
    }
}

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
    topics_in_time(config, Patience::EACH)
}

fn topics_in_time(config: &KafkaConfig, patience: Patience) -> Result<Vec<TopicState>, KafkaError> {
    let client = kafka::viewer(config, None)?;
    let metadata = client.fetch_metadata(None, patience.next())?;
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
    let (client, committed) = committed(config, function, topics, Patience::EACH)?;
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
    let members = all_members(config, Patience::EACH)?;
    let topics = own_topics(config, Patience::EACH)?;
    let state = |(function, members): (String, usize)| {
        let lag = lag_of_begun(config, &function, &topics)?;
        Ok(GroupState { function, members, lag })
    };
    members.into_iter().map(state).collect()
}

/// How many instances are in the group of each function that has one.
fn all_members(
    config: &KafkaConfig,
    patience: Patience,
) -> Result<Vec<(String, usize)>, KafkaError> {
    let client = kafka::viewer(config, None)?;
    let listed = client.fetch_group_list(None, patience.next())?;
    let members = listed.groups().iter().filter_map(|group| {
        let function = group.name().strip_prefix(GROUP_PREFIX)?;
        Some((function.to_owned(), group.members().len()))
    });
    Ok(members.collect())
}

/// Our topics on the cluster.
fn own_topics(config: &KafkaConfig, patience: Patience) -> Result<Vec<TopicState>, KafkaError> {
    let mut topics = topics_in_time(config, patience)?;
    topics.retain(|state| Topic::ALL.iter().any(|topic| topic.name() == state.name));
    Ok(topics)
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
    let (client, committed) = committed(config, function, topics, Patience::EACH)?;
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
    patience: Patience,
) -> Result<(BaseConsumer<Access>, TopicPartitionList), KafkaError> {
    let group = format!("{GROUP_PREFIX}{function}");
    let client = kafka::viewer(config, Some(&group))?;
    let mut partitions = TopicPartitionList::new();
    for topic in topics {
        for partition in (0..).take(topic.partitions) {
            partitions.add_partition(&topic.name, partition);
        }
    }
    let committed = client.committed_offsets(partitions, patience.next())?;
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

    /// How it is paused, if it is one of these lanes of its function.
    #[must_use]
    pub fn paused<'a>(&self, lanes: &'a [PausedLane]) -> Option<&'a PausedLane> {
        lanes
            .iter()
            .find(|lane| lane.topic == self.topic && i32::from(lane.partition) == self.partition)
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
    let patience = Patience::EACH;
    let (client, committed) = committed(config, function, topics, patience)?;
    let mut lanes = Vec::new();
    for element in committed.elements() {
        let (start, end) =
            client.fetch_watermarks(element.topic(), element.partition(), patience.next())?;
        lanes.push(lane_of(&element, start, end));
    }
    find_oldest(config, &mut lanes, patience)?;
    Ok(lanes)
}

fn lane_of(committed: &TopicPartitionListElem<'_>, start: i64, end: i64) -> LaneState {
    let next = match committed.offset() {
        // What was behind and is deleted by now is not waiting any more.
        Offset::Offset(offset) => offset.max(start),
        _ => start,
    };
    let (topic, partition) = (committed.topic().to_owned(), committed.partition());
    LaneState { topic, partition, next, end, oldest_at: None }
}

/// Looks when the first event that is not handled was sent, as far as there is time.
fn find_oldest(
    config: &KafkaConfig,
    lanes: &mut [LaneState],
    patience: Patience,
) -> Result<(), KafkaError> {
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
    read(config, &waiting, patience, look)
}

/// What a function has to do of all partitions that it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionLanes {
    /// The function.
    pub function: String,
    /// Instances that handle its events now.
    pub members: usize,
    /// All partitions of each topic of which it has handled any event.
    pub lanes: Vec<LaneState>,
}

/// The lanes of all functions that have a group. Blocks, up to about `limit`: what is not known by then of the oldest
/// events is left out.
///
/// Unlike an operator's tool, a function does not know the topics of the others, so their groups tell. `also` names
/// functions, each with a topic, that may have handled no event yet.
///
/// # Errors
/// The cluster cannot be reached, or does not tell in time how far the groups are.
pub fn all_lanes(
    config: &KafkaConfig,
    also: &[(String, String)],
    limit: Duration,
) -> Result<Vec<FunctionLanes>, KafkaError> {
    let patience = Patience::of(limit);
    let mut members: BTreeMap<String, usize> = all_members(config, patience)?.into_iter().collect();
    for (function, _) in also {
        members.entry(function.clone()).or_default();
    }
    let topics = own_topics(config, patience)?;
    // Functions share topics, whose ends are asked for once.
    let mut marks: HashMap<(String, i32), (i64, i64)> = HashMap::new();
    let mut all = Vec::with_capacity(members.len());
    for (function, members) in members {
        let (client, committed) = committed(config, &function, &topics, patience)?;
        let elements = committed.elements();
        let is_read = |topic: &str| {
            let has_begun = |element: &TopicPartitionListElem<'_>| {
                element.topic() == topic && matches!(element.offset(), Offset::Offset(_))
            };
            elements.iter().any(has_begun)
                || also.iter().any(|(of, name)| *of == function && name == topic)
        };
        let mut lanes = Vec::new();
        for element in elements.iter().filter(|element| is_read(element.topic())) {
            let place = (element.topic().to_owned(), element.partition());
            let (start, end) = match marks.get(&place) {
                Some(known) => *known,
                None => client.fetch_watermarks(&place.0, place.1, patience.next())?,
            };
            marks.insert(place, (start, end));
            lanes.push(lane_of(element, start, end));
        }
        all.push(FunctionLanes { function, members, lanes });
    }
    for function in &mut all {
        find_oldest(config, &mut function.lanes, patience)?;
    }
    Ok(all)
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
    read(config, &starts, Patience::EACH, |record| {
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
    patience: Patience,
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
    let patience = Patience::of(patience.next());
    let (mut records, mut ends) = (0, 0);
    while records < RECORDS_LIMIT && ends < from.count() {
        let left = patience.next();
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
