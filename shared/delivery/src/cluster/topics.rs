//! The topics of a cluster.

use environment::kafka_config::KafkaConfig;
use events::Topic;
use rdkafka::{
    admin::{AdminOptions, OwnedResourceSpecifier, ResourceSpecifier},
    consumer::Consumer,
    error::KafkaError,
};

use super::patience::{Patience, REQUEST_LIMIT};
use crate::kafka;

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

/// Our topics on the cluster.
pub(super) fn own_topics(
    config: &KafkaConfig,
    patience: Patience,
) -> Result<Vec<TopicState>, KafkaError> {
    let mut topics = topics_in_time(config, patience)?;
    topics.retain(|state| Topic::ALL.iter().any(|topic| topic.name() == state.name));
    Ok(topics)
}
