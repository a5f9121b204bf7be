//! The state of a Kafka cluster, for operators.

use std::time::Duration;

use environment::config::KafkaConfig;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use crate::kafka;

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
    let client: BaseConsumer = kafka::client(config).create()?;
    let metadata = client.fetch_metadata(None, REQUEST_LIMIT)?;
    let state = |topic: &rdkafka::metadata::MetadataTopic| TopicState {
        name: topic.name().to_owned(),
        partitions: topic.partitions().len(),
    };
    Ok(metadata.topics().iter().map(state).collect())
}

/// How many events of these topics a function's consumer group has not handled yet; `None` if it has never handled any.
/// Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn lag(
    config: &KafkaConfig,
    function: &str,
    topics: &[TopicState],
) -> Result<Option<i64>, KafkaError> {
    let group = format!("learnflow.{function}");
    let client: BaseConsumer = kafka::client(config).set("group.id", group).create()?;
    let mut partitions = TopicPartitionList::new();
    for topic in topics {
        for partition in (0..).take(topic.partitions) {
            partitions.add_partition(&topic.name, partition);
        }
    }
    let committed = client.committed_offsets(partitions, REQUEST_LIMIT)?;
    let (mut lag, mut has_begun) = (0, false);
    for element in committed.elements() {
        let (name, partition) = (element.topic(), element.partition());
        let (start, end) = client.fetch_watermarks(name, partition, REQUEST_LIMIT)?;
        let next = match element.offset() {
            Offset::Offset(offset) => {
                has_begun = true;
                offset
            }
            _ => start,
        };
        lag += (end - next).max(0);
    }
    Ok(has_begun.then_some(lag))
}
