//! Topics and their settings: what there is, making, changing, deleting.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest,
        DeleteTopicsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, MetadataRequest,
        MetadataResponse, TopicName,
        create_topics_response::CreatableTopicResult,
        delete_topics_response::DeletableTopicResult,
        describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult},
        incremental_alter_configs_response::AlterConfigsResourceResponse,
        metadata_response::{
            MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
        },
    },
    protocol::StrBytes,
};

use crate::{
    State,
    connection::{Call, Error},
    topics::{CreateError, DEFAULT_PARTITIONS, Topic},
};

/// The one broker's id.
pub(crate) const NODE: BrokerId = BrokerId(1);
/// The resource type of a topic (Kafka's `ConfigResource.Type`).
const TOPIC_RESOURCE: i8 = 2;
/// The source of a value that was set on a topic (Kafka's `ConfigSource`).
const DYNAMIC_TOPIC_CONFIG: i8 = 1;
/// The operation that removes a value (KIP-339); 0 sets one.
const DELETE: i8 = 1;

pub(crate) fn metadata(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: MetadataRequest = call.request()?;
    let mut topics = state.topics.lock();
    // Version 0 has no null: there an empty list means all.
    let wanted = request.topics.filter(|names| call.version > 0 || !names.is_empty());
    let described = match wanted {
        None => topics.iter().map(|(name, topic)| describe_topic(name, Some(topic))).collect(),
        Some(names) => names
            .into_iter()
            .filter_map(|topic| topic.name)
            .map(|name| {
                let missing = topics.get(&name).is_none();
                if missing
                    && request.allow_auto_topic_creation
                    && call.version >= 4
                    && let Err(error) = topics.create(&name, DEFAULT_PARTITIONS, BTreeMap::new())
                {
                    tracing::debug!(?error, topic = %name.0, "a topic is not made by itself");
                }
                describe_topic(&name, topics.get(&name))
            })
            .collect(),
    };
    let broker = MetadataResponseBroker::default()
        .with_node_id(NODE)
        .with_host(StrBytes::from_string(state.address.ip().to_string()))
        .with_port(i32::from(state.address.port()));
    call.respond(
        &MetadataResponse::default()
            .with_brokers(vec![broker])
            .with_controller_id(NODE)
            .with_cluster_id(Some(StrBytes::from_static_str("learnflow-local")))
            .with_topics(described),
    )
}

fn describe_topic(name: &str, topic: Option<&Topic>) -> MetadataResponseTopic {
    let described = MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_string(name.to_owned()))));
    let Some(topic) = topic else {
        return described.with_error_code(ResponseError::UnknownTopicOrPartition.code());
    };
    let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
    let partitions = (0..count).map(|index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(NODE)
            .with_leader_epoch(0)
            .with_replica_nodes(vec![NODE])
            .with_isr_nodes(vec![NODE])
    });
    described.with_partitions(partitions.collect())
}

pub(crate) fn create_topics(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: CreateTopicsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let mut results = Vec::new();
    for topic in request.topics {
        let configs = topic.configs.iter().filter_map(|config| {
            Some((config.name.to_string(), config.value.as_ref()?.to_string()))
        });
        let created = if request.validate_only {
            Ok(uuid::Uuid::nil())
        } else {
            topics.create(&topic.name, topic.num_partitions, configs.collect())
        };
        let result = CreatableTopicResult::default()
            .with_name(topic.name)
            .with_num_partitions(topic.num_partitions)
            .with_replication_factor(1);
        results.push(match created {
            Ok(id) => result.with_topic_id(id),
            Err(error) => {
                let (code, message) = describe_create_error(&error);
                result
                    .with_error_code(code.code())
                    .with_error_message(Some(StrBytes::from_static_str(message)))
            }
        });
    }
    call.respond(&CreateTopicsResponse::default().with_topics(results))
}

fn describe_create_error(error: &CreateError) -> (ResponseError, &'static str) {
    match error {
        CreateError::Exists => (ResponseError::TopicAlreadyExists, "the topic exists already"),
        CreateError::InvalidName => {
            (ResponseError::InvalidTopicException, "a name is 1 to 249 of a-z A-Z 0-9 . _ -")
        }
        CreateError::InvalidPartitions => {
            (ResponseError::InvalidPartitions, "a topic has 1 to 256 partitions here")
        }
        CreateError::Io(source) => {
            tracing::error!(error = %source, "a topic cannot be made");
            (ResponseError::KafkaStorageError, "its files cannot be made")
        }
    }
}

pub(crate) fn delete_topics(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: DeleteTopicsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let results = request.topic_names.into_iter().map(|name| {
        let code = match topics.delete(&name) {
            Ok(true) => 0,
            Ok(false) => ResponseError::UnknownTopicOrPartition.code(),
            Err(error) => {
                tracing::error!(%error, "a topic cannot be deleted");
                ResponseError::KafkaStorageError.code()
            }
        };
        DeletableTopicResult::default().with_name(Some(name)).with_error_code(code)
    });
    let results = results.collect();
    call.respond(&DeleteTopicsResponse::default().with_responses(results))
}

pub(crate) fn describe_configs(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: DescribeConfigsRequest = call.request()?;
    let topics = state.topics.lock();
    let results = request.resources.into_iter().map(|resource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        if resource.resource_type != TOPIC_RESOURCE {
            return result;
        }
        let Some(topic) = topics.get(&resource.resource_name) else {
            return result.with_error_code(ResponseError::UnknownTopicOrPartition.code());
        };
        let configs = topic.configs.iter().map(|(name, value)| {
            DescribeConfigsResourceResult::default()
                .with_name(StrBytes::from_string(name.clone()))
                .with_value(Some(StrBytes::from_string(value.clone())))
                .with_config_source(DYNAMIC_TOPIC_CONFIG)
        });
        result.with_configs(configs.collect())
    });
    let results = results.collect();
    call.respond(&DescribeConfigsResponse::default().with_results(results))
}

pub(crate) fn alter_configs(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: IncrementalAlterConfigsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let mut responses = Vec::new();
    for resource in request.resources {
        let mut code = 0;
        for config in &resource.configs {
            let value = config.value.as_deref().filter(|_| config.config_operation != DELETE);
            let changed = match resource.resource_type {
                TOPIC_RESOURCE if request.validate_only => Ok(true),
                TOPIC_RESOURCE => topics.configure(&resource.resource_name, &config.name, value),
                _ => Ok(false),
            };
            match changed {
                Ok(true) => {}
                Ok(false) => code = ResponseError::UnknownTopicOrPartition.code(),
                Err(error) => {
                    tracing::error!(%error, "a setting cannot be kept");
                    code = ResponseError::KafkaStorageError.code();
                }
            }
        }
        responses.push(
            AlterConfigsResourceResponse::default()
                .with_error_code(code)
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name),
        );
    }
    call.respond(&IncrementalAlterConfigsResponse::default().with_responses(responses))
}
