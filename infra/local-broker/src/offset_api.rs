//! Committed offsets: stored, read, deleted.

use std::time::Instant;

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
        OffsetFetchRequest, OffsetFetchResponse, TopicName,
        offset_commit_request::OffsetCommitRequestPartition,
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic},
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
    },
    protocol::StrBytes,
};

use crate::{
    call::{Call, Error},
    group_api::{code, is_group_name},
    membership::Speaker,
    offsets::{Key, METADATA_LIMIT, Offset},
    state::State,
};

fn text(text: String) -> StrBytes {
    StrBytes::from_string(text)
}

pub(crate) fn commit(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: OffsetCommitRequest = call.request()?;
    let speaker = Speaker {
        member_id: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        generation: request.generation_id_or_member_epoch,
    };
    let allowed = if is_group_name(&request.group_id) {
        state.groups.lock().may_commit(&request.group_id, speaker, Instant::now())
    } else {
        Err(ResponseError::InvalidGroupId)
    };
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            let key = Key {
                group: request.group_id.to_string(),
                topic: topic.name.to_string(),
                partition: partition.partition_index,
            };
            let committed = allowed.and_then(|()| commit_one(state, key, &partition));
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code(committed))
        });
        let partitions = partitions.collect();
        OffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(partitions)
    });
    let topics = topics.collect();
    call.respond(&OffsetCommitResponse::default().with_topics(topics))
}

fn commit_one(
    state: &State,
    key: Key,
    partition: &OffsetCommitRequestPartition,
) -> Result<(), ResponseError> {
    if state.topics.lock().partition(&key.topic, key.partition).is_none() {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    let metadata = partition.committed_metadata.as_deref().unwrap_or_default().to_owned();
    if metadata.len() > METADATA_LIMIT {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    let offset = Offset { offset: partition.committed_offset, metadata };
    state.offsets.lock().commit(key, offset).map_err(|error| {
        tracing::error!(%error, "an offset cannot be stored");
        ResponseError::KafkaStorageError
    })
}

pub(crate) fn fetch(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: OffsetFetchRequest = call.request()?;
    let response = OffsetFetchResponse::default();
    if call.version < 8 {
        let wanted = request.topics.map(|topics| {
            topics.into_iter().map(|t| (t.name.to_string(), t.partition_indexes)).collect()
        });
        let topics =
            committed(state, &request.group_id, wanted).into_iter().map(|(name, found)| {
                let partitions = found.into_iter().map(|(index, offset, metadata)| {
                    OffsetFetchResponsePartition::default()
                        .with_partition_index(index)
                        .with_committed_offset(offset)
                        .with_metadata(Some(text(metadata)))
                });
                OffsetFetchResponseTopic::default()
                    .with_name(TopicName(text(name)))
                    .with_partitions(partitions.collect())
            });
        return call.respond(&response.with_topics(topics.collect()));
    }
    let groups = request.groups.into_iter().map(|group| {
        let wanted = group.topics.map(|topics| {
            topics.into_iter().map(|t| (t.name.to_string(), t.partition_indexes)).collect()
        });
        let topics = committed(state, &group.group_id, wanted).into_iter().map(|(name, found)| {
            let partitions = found.into_iter().map(|(index, offset, metadata)| {
                OffsetFetchResponsePartitions::default()
                    .with_partition_index(index)
                    .with_committed_offset(offset)
                    .with_metadata(Some(text(metadata)))
            });
            OffsetFetchResponseTopics::default()
                .with_name(TopicName(text(name)))
                .with_partitions(partitions.collect())
        });
        let topics = topics.collect();
        OffsetFetchResponseGroup::default().with_group_id(group.group_id).with_topics(topics)
    });
    call.respond(&response.with_groups(groups.collect()))
}

type Committed = Vec<(String, Vec<(i32, i64, String)>)>;

/// A group's committed offsets, -1 if there is none; `wanted` is `None` for all.
fn committed(state: &State, group: &str, wanted: Option<Vec<(String, Vec<i32>)>>) -> Committed {
    let offsets = state.offsets.lock();
    let wanted = wanted.unwrap_or_else(|| {
        let all = offsets.of_group(group);
        all.into_iter().map(|key| (key.topic, vec![key.partition])).collect()
    });
    let topics = wanted.into_iter().map(|(topic, partitions)| {
        let found = partitions.into_iter().map(|partition| {
            let key = Key { group: group.to_owned(), topic: topic.clone(), partition };
            match offsets.get(&key) {
                Some(stored) => (partition, stored.offset, stored.metadata.clone()),
                None => (partition, -1, String::new()),
            }
        });
        let found = found.collect();
        (topic, found)
    });
    topics.collect()
}

pub(crate) fn delete(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: OffsetDeleteRequest = call.request()?;
    let response = OffsetDeleteResponse::default();
    let group = request.group_id.as_str();
    if state.groups.lock().get(group).is_some() {
        // Which topics its members read is in their metadata, which the broker does not look into.
        return call.respond(&response.with_error_code(ResponseError::NonEmptyGroup.code()));
    }
    let mut offsets = state.offsets.lock();
    if offsets.of_group(group).is_empty() {
        return call.respond(&response.with_error_code(ResponseError::GroupIdNotFound.code()));
    }
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            let index = partition.partition_index;
            let forgotten = offsets.forget(|key| {
                key.group == group && key.topic == topic.name.as_str() && key.partition == index
            });
            let forgotten = forgotten.map(drop).map_err(|error| {
                tracing::error!(%error, "an offset cannot be removed");
                ResponseError::KafkaStorageError
            });
            OffsetDeleteResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(code(forgotten))
        });
        let partitions = partitions.collect();
        OffsetDeleteResponseTopic::default().with_name(topic.name).with_partitions(partitions)
    });
    let topics = topics.collect();
    call.respond(&response.with_topics(topics))
}
