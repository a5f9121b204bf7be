//! How far the consumer groups of functions have come.
//!
//! Who reads for a function names its groups: our own consumer has one for a function, a `KafkaSource` one for each
//! topic of it, and a mapping of AWS Lambda one for each topic and installation. What one of them has handled is handled
//! for all, since the function remembers it.

use std::collections::BTreeMap;

use environment::kafka_config::KafkaConfig;
use events::Topic;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use super::{
    patience::{Patience, REQUEST_LIMIT},
    topics::{TopicState, own_topics},
};
use crate::{access::Access, kafka};

/// What the names of all groups begin with.
const PREFIX: &str = "learnflow.";

/// A consumer group of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    name: String,
    pub(super) function: String,
    /// The only topic that it reads, if its name says so.
    topic: Option<String>,
    pub(super) members: usize,
}

impl Group {
    /// Reads a group's name: `learnflow.FUNCTION`, `learnflow.FUNCTION.TOPIC`, or `learnflow.STAGE.FUNCTION.TOPIC`.
    fn of(name: &str, members: usize) -> Option<Self> {
        let rest = name.strip_prefix(PREFIX)?;
        let before = |topic: &Topic| rest.strip_suffix(topic.name())?.strip_suffix('.');
        let of_topic = Topic::ALL.iter().find_map(|topic| Some((before(topic)?, topic.name())));
        let (function, topic) = match of_topic {
            Some((of, topic)) => (of.rsplit('.').next()?, Some(topic.to_owned())),
            None => (rest, None),
        };
        let is_function = !function.is_empty() && !function.contains('.');
        let (name, function) = (name.to_owned(), function.to_owned());
        is_function.then_some(Self { name, function, topic, members })
    }

    fn reads(&self, topic: &TopicState) -> bool {
        self.topic.as_ref().is_none_or(|only| *only == topic.name)
    }
}

/// The groups of all functions.
pub(super) fn all_groups(
    config: &KafkaConfig,
    patience: Patience,
) -> Result<Vec<Group>, KafkaError> {
    let client = kafka::viewer(config, None)?;
    let listed = client.fetch_group_list(None, patience.next())?;
    let groups = listed.groups().iter();
    Ok(groups.filter_map(|group| Group::of(group.name(), group.members().len())).collect())
}

/// A partition, and the first event of it that a function has not handled; `None`: it has handled none.
pub(super) type Committed = BTreeMap<(String, i32), Option<i64>>;

/// Up to where a function has handled the partitions of these topics.
pub(super) fn committed(
    config: &KafkaConfig,
    groups: &[Group],
    function: &str,
    topics: &[TopicState],
    patience: Patience,
) -> Result<Committed, KafkaError> {
    let mut committed = Committed::new();
    for topic in topics {
        committed.extend((0..).take(topic.partitions).map(|at| ((topic.name.clone(), at), None)));
    }
    for group in groups.iter().filter(|group| group.function == function) {
        let client = kafka::viewer(config, Some(&group.name))?;
        let mut partitions = TopicPartitionList::new();
        for topic in topics.iter().filter(|topic| group.reads(topic)) {
            for partition in (0..).take(topic.partitions) {
                partitions.add_partition(&topic.name, partition);
            }
        }
        if partitions.count() == 0 {
            continue;
        }
        for element in client.committed_offsets(partitions, patience.next())?.elements() {
            let place = (element.topic().to_owned(), element.partition());
            if let Offset::Offset(next) = element.offset()
                && let Some(known) = committed.get_mut(&place)
            {
                *known = (*known).max(Some(next));
            }
        }
    }
    Ok(committed)
}

/// How far a function has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLag {
    /// Events that it has not handled yet.
    pub waiting: i64,
    /// Whether it has ever handled one.
    pub has_begun: bool,
}

/// How far a function has come with these topics. Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn lag(
    config: &KafkaConfig,
    function: &str,
    topics: &[TopicState],
) -> Result<GroupLag, KafkaError> {
    let groups = all_groups(config, Patience::EACH)?;
    let committed = committed(config, &groups, function, topics, Patience::EACH)?;
    let client = kafka::viewer(config, None)?;
    let mut lag = GroupLag { waiting: 0, has_begun: false };
    for ((topic, partition), next) in &committed {
        let (start, end) = client.fetch_watermarks(topic, *partition, REQUEST_LIMIT)?;
        lag.has_begun |= next.is_some();
        lag.waiting += (end - next.unwrap_or(start)).max(0);
    }
    Ok(lag)
}

/// The consumer groups of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    /// The function.
    pub function: String,
    /// Members of its groups: instances or pollers, each for every group that it is in.
    pub members: usize,
    /// Events of the partitions of which it has handled any that it has not handled yet.
    pub lag: i64,
}

/// How far all functions have come that have a group. Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn groups(config: &KafkaConfig) -> Result<Vec<GroupState>, KafkaError> {
    let groups = all_groups(config, Patience::EACH)?;
    let topics = own_topics(config, Patience::EACH)?;
    let client = kafka::viewer(config, None)?;
    let state = |(function, members): (String, usize)| {
        let committed = committed(config, &groups, &function, &topics, Patience::EACH)?;
        let lag = lag_of_begun(&client, &committed)?;
        Ok(GroupState { function, members, lag })
    };
    members_of_all(&groups).into_iter().map(state).collect()
}

/// How many members the groups of each function have.
pub(super) fn members_of_all(groups: &[Group]) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for group in groups {
        *all.entry(group.function.clone()).or_default() += group.members;
    }
    all
}

/// How many members a function's groups have; none if nobody handles its events now. Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn members(config: &KafkaConfig, function: &str) -> Result<usize, KafkaError> {
    let groups = all_groups(config, Patience::EACH)?;
    Ok(members_of_all(&groups).remove(function).unwrap_or_default())
}

/// How many events wait in the partitions of which a function has handled any.
fn lag_of_begun(client: &BaseConsumer<Access>, committed: &Committed) -> Result<i64, KafkaError> {
    let mut lag = 0;
    for ((topic, partition), next) in committed {
        if let Some(next) = next {
            let (_, end) = client.fetch_watermarks(topic, *partition, REQUEST_LIMIT)?;
            lag += (end - next).max(0);
        }
    }
    Ok(lag)
}

#[cfg(test)]
mod tests {
    use super::Group;

    #[test]
    fn a_groups_name_tells_the_function_whoever_reads_for_it() {
        for (name, function, topic) in [
            ("learnflow.code-review", "code-review", None),
            ("learnflow.triage.learning.requests", "triage", Some("learning.requests")),
            ("learnflow.dev.triage.learning.requests", "triage", Some("learning.requests")),
        ] {
            let group = Group::of(name, 2).expect(name);
            assert_eq!((group.function.as_str(), group.topic.as_deref()), (function, topic));
        }
        for foreign in ["other.triage", "learnflow.", "learnflow.dev.triage", "triage"] {
            assert_eq!(Group::of(foreign, 1), None, "{foreign}");
        }
    }
}
