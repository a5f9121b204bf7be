//! Cluster metadata: the broker and the topics.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest,
        FindCoordinatorResponse, MetadataRequest, MetadataResponse, TopicName,
        describe_cluster_response::DescribeClusterBroker,
        find_coordinator_response::Coordinator,
        metadata_response::{
            MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
        },
    },
    protocol::StrBytes,
};

use crate::{
    call::{Call, Error},
    configs::Configs,
    state::State,
    topics::{ChangeError, DEFAULT_PARTITIONS, Topic},
};

/// The one broker's id.
pub(crate) const NODE: BrokerId = BrokerId(1);
const CLUSTER: &str = "learnflow-local";

fn host_and_port(state: &State) -> (StrBytes, i32) {
    let host = StrBytes::from_string(state.advertised.ip().to_string());
    (host, i32::from(state.advertised.port()))
}

pub(crate) fn metadata(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: MetadataRequest = call.request()?;
    let mut topics = state.topics.lock();
    // Version 0 has no null: there an empty list means all.
    let wanted = request.topics.filter(|names| call.version > 0 || !names.is_empty());
    let described = match wanted {
        None => {
            let all = topics.iter();
            all.map(|(name, topic)| describe_topic(&topic_name(name), Ok(topic))).collect()
        }
        Some(names) => names
            .into_iter()
            .filter_map(|topic| topic.name)
            .map(|name| {
                let missing = topics.get(&name).is_none();
                let mut fault = None;
                if missing && request.allow_auto_topic_creation && call.version >= 4 {
                    fault = topics.create(&name, DEFAULT_PARTITIONS, Configs::new()).err();
                }
                describe_topic(&name, topics.get(&name).ok_or(fault))
            })
            .collect(),
    };
    let (host, port) = host_and_port(state);
    let broker =
        MetadataResponseBroker::default().with_node_id(NODE).with_host(host).with_port(port);
    call.respond(
        &MetadataResponse::default()
            .with_brokers(vec![broker])
            .with_controller_id(NODE)
            .with_cluster_id(Some(StrBytes::from_static_str(CLUSTER)))
            .with_topics(described),
    )
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// A topic, or the error.
fn describe_topic(
    name: &TopicName,
    topic: Result<&Topic, Option<ChangeError>>,
) -> MetadataResponseTopic {
    let described = MetadataResponseTopic::default().with_name(Some(name.clone()));
    let topic = match topic {
        Ok(topic) => topic,
        Err(fault) => {
            let code = match fault {
                Some(ChangeError::InvalidName) => ResponseError::InvalidTopicException,
                Some(ChangeError::TooManyPartitions) => ResponseError::PolicyViolation,
                _ => ResponseError::UnknownTopicOrPartition,
            };
            tracing::debug!(?fault, topic = %name.0, "a topic is not there");
            return described.with_error_code(code.code());
        }
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

pub(crate) fn describe(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    call.request::<DescribeClusterRequest>()?;
    let (host, port) = host_and_port(state);
    let broker =
        DescribeClusterBroker::default().with_broker_id(NODE).with_host(host).with_port(port);
    call.respond(
        &DescribeClusterResponse::default()
            .with_cluster_id(StrBytes::from_static_str(CLUSTER))
            .with_controller_id(NODE)
            .with_brokers(vec![broker]),
    )
}

/// Every group and every transaction is ours to coordinate.
pub(crate) fn find_coordinator(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: FindCoordinatorRequest = call.request()?;
    let (host, port) = host_and_port(state);
    let response = FindCoordinatorResponse::default();
    if call.version < 4 {
        return call.respond(&response.with_node_id(NODE).with_host(host).with_port(port));
    }
    let coordinators = request.coordinator_keys.into_iter().map(|key| {
        Coordinator::default()
            .with_key(key)
            .with_node_id(NODE)
            .with_host(host.clone())
            .with_port(port)
    });
    call.respond(&response.with_coordinators(coordinators.collect()))
}
