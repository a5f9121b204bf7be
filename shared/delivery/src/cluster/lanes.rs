//! How far each function is in each partition.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    time::Duration,
};

use chrono::{DateTime, Utc};
use environment::kafka_config::KafkaConfig;
use rdkafka::{
    Message as _, Offset, TopicPartitionList, consumer::Consumer, error::KafkaError,
    message::BorrowedMessage,
};
use storage::paused_lanes::PausedLane;

use super::{
    groups::{all_groups, committed, members_of_all},
    patience::Patience,
    records::read,
    topics::{TopicState, own_topics},
};
use crate::{kafka, message::Record};

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
    /// When the first event that is not handled was sent, if there is one, and it could be read, and in time.
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

/// How far a function is in each partition of these topics. Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn lanes(
    config: &KafkaConfig,
    function: &str,
    topics: &[TopicState],
) -> Result<Vec<LaneState>, KafkaError> {
    let patience = Patience::EACH;
    let groups = all_groups(config, patience)?;
    let committed = committed(config, &groups, function, topics, patience)?;
    let client = kafka::viewer(config, None)?;
    let mut lanes = Vec::new();
    for ((topic, partition), next) in committed {
        let ends = client.fetch_watermarks(&topic, partition, patience.next())?;
        lanes.push(lane_of(topic, partition, next, ends));
    }
    find_oldest_if_allowed(config, &mut lanes, patience);
    Ok(lanes)
}

/// Not everybody who may see how far functions are may read what they read: on MSK the gateway's role may not.
fn find_oldest_if_allowed(config: &KafkaConfig, lanes: &mut [LaneState], patience: Patience) {
    if let Err(error) = find_oldest(config, lanes, patience) {
        tracing::debug!(%error, "it cannot be seen how long events have waited");
    }
}

fn lane_of(
    topic: String,
    partition: i32,
    next: Option<i64>,
    (start, end): (i64, i64),
) -> LaneState {
    // What was behind and is deleted by now is not waiting any more.
    let next = next.map_or(start, |next| next.max(start));
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
    /// Members of its groups.
    pub members: usize,
    /// All partitions of each topic of which it has handled any event.
    pub lanes: Vec<LaneState>,
}

/// The lanes of all functions that have a group. Blocks, up to about `limit`: what is not known by then of the oldest
/// events, or may not be read, is left out.
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
    let groups = all_groups(config, patience)?;
    let mut members = members_of_all(&groups);
    for (function, _) in also {
        members.entry(function.clone()).or_default();
    }
    let topics = own_topics(config, patience)?;
    let client = kafka::viewer(config, None)?;
    // Functions share topics, whose ends are asked for once.
    let mut marks: HashMap<(String, i32), (i64, i64)> = HashMap::new();
    let mut all = Vec::with_capacity(members.len());
    for (function, members) in members {
        let mut committed = committed(config, &groups, &function, &topics, patience)?;
        let begun = committed.iter().filter(|(_, next)| next.is_some());
        let also = also.iter().filter(|(of, _)| *of == function).map(|(_, topic)| topic);
        let read: HashSet<String> =
            begun.map(|((topic, _), _)| topic).chain(also).cloned().collect();
        committed.retain(|(topic, _), _| read.contains(topic));
        let mut lanes = Vec::new();
        for (place, next) in committed {
            let ends = match marks.get(&place) {
                Some(known) => *known,
                None => client.fetch_watermarks(&place.0, place.1, patience.next())?,
            };
            marks.insert(place.clone(), ends);
            lanes.push(lane_of(place.0, place.1, next, ends));
        }
        all.push(FunctionLanes { function, members, lanes });
    }
    for function in &mut all {
        find_oldest_if_allowed(config, &mut function.lanes, patience);
    }
    Ok(all)
}

fn time_of(record: &BorrowedMessage<'_>) -> Option<DateTime<Utc>> {
    Record::at_millis(record.partition(), record.offset(), record.timestamp().to_millis()).at
}
