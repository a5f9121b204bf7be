//! The state of a Kafka cluster, for operators.

use std::time::Duration;

use environment::kafka_config::KafkaConfig;
use events::Topic;
use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminOptions, OwnedResourceSpecifier, ResourceSpecifier},
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use crate::{access::Access, kafka};

/// What the names of functions' groups begin with.
const GROUP_PREFIX: &str = "learnflow.";

/// The limit of each request: an operator waits for the answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);

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
