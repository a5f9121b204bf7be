//! The requests of group members, and their committed offsets.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        FindCoordinatorRequest, FindCoordinatorResponse, HeartbeatRequest, HeartbeatResponse,
        JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
        OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
        SyncGroupRequest, SyncGroupResponse, TopicName,
        find_coordinator_response::Coordinator,
        join_group_response::JoinGroupResponseMember,
        leave_group_response::MemberResponse,
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
    },
    protocol::StrBytes,
};

use crate::{
    State,
    admin::NODE,
    connection::{Call, Error},
    groups::JoinRequest,
};

fn text(text: String) -> StrBytes {
    StrBytes::from_string(text)
}

/// Every group and every transaction is ours to coordinate.
pub(crate) fn find_coordinator(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: FindCoordinatorRequest = call.request()?;
    let (host, port) = (text(state.address.ip().to_string()), i32::from(state.address.port()));
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

pub(crate) async fn join(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: JoinGroupRequest = call.request()?;
    let millis = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let session_timeout = millis(request.session_timeout_ms);
    let rebalance_timeout =
        if call.version >= 1 { millis(request.rebalance_timeout_ms) } else { session_timeout };
    let join = JoinRequest {
        member_id: request.member_id.to_string(),
        client_id: call.client_id.clone(),
        session_timeout,
        rebalance_timeout,
        protocol_type: request.protocol_type.to_string(),
        protocols: request
            .protocols
            .into_iter()
            .map(|p| (p.name.to_string(), p.metadata))
            .collect(),
        id_required: call.version >= 4,
    };
    let waiting = state.groups.lock().join(&request.group_id, join, Instant::now());
    let response = JoinGroupResponse::default().with_generation_id(-1);
    let response = match waiting.await {
        Ok(Ok(joined)) => {
            let members = joined.members.into_iter().map(|(id, metadata)| {
                JoinGroupResponseMember::default().with_member_id(text(id)).with_metadata(metadata)
            });
            let response = response
                .with_generation_id(joined.generation)
                .with_protocol_name(Some(text(joined.protocol)))
                .with_leader(text(joined.leader))
                .with_member_id(text(joined.member_id))
                .with_members(members.collect());
            if call.version >= 7 {
                response.with_protocol_type(Some(text(joined.protocol_type)))
            } else {
                response
            }
        }
        Ok(Err(refusal)) => {
            let response = response
                .with_error_code(refusal.code.code())
                .with_member_id(text(refusal.member_id));
            // Before version 7 the name must not be null.
            if call.version >= 7 {
                response
            } else {
                response.with_protocol_name(Some(StrBytes::default()))
            }
        }
        // The member was removed while it waited.
        Err(_) => response
            .with_error_code(ResponseError::UnknownMemberId.code())
            .with_protocol_name(Some(StrBytes::default())),
    };
    call.respond(&response)
}

pub(crate) async fn sync(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: SyncGroupRequest = call.request()?;
    let assignments =
        request.assignments.into_iter().map(|a| (a.member_id.to_string(), a.assignment)).collect();
    let waiting = state.groups.lock().sync(
        &request.group_id,
        &request.member_id,
        request.generation_id,
        assignments,
        Instant::now(),
    );
    let response = SyncGroupResponse::default();
    let response = match waiting.await.unwrap_or(Err(ResponseError::UnknownMemberId)) {
        Ok(synced) if call.version >= 5 => response
            .with_assignment(synced.assignment)
            .with_protocol_type(Some(text(synced.protocol_type)))
            .with_protocol_name(Some(text(synced.protocol))),
        Ok(synced) => response.with_assignment(synced.assignment),
        Err(code) => response.with_error_code(code.code()),
    };
    call.respond(&response)
}

pub(crate) fn heartbeat(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: HeartbeatRequest = call.request()?;
    let beaten = state.groups.lock().heartbeat(
        &request.group_id,
        &request.member_id,
        request.generation_id,
        Instant::now(),
    );
    call.respond(&HeartbeatResponse::default().with_error_code(code(beaten)))
}

pub(crate) fn leave(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: LeaveGroupRequest = call.request()?;
    let mut groups = state.groups.lock();
    let mut leave = |id: &str| code(groups.leave(&request.group_id, id, Instant::now()));
    let response = LeaveGroupResponse::default();
    if call.version < 3 {
        return call.respond(&response.with_error_code(leave(&request.member_id)));
    }
    let members = request.members.iter().map(|member| {
        MemberResponse::default()
            .with_member_id(member.member_id.clone())
            .with_group_instance_id(member.group_instance_id.clone())
            .with_error_code(leave(&member.member_id))
    });
    let members = members.collect();
    call.respond(&response.with_members(members))
}

pub(crate) fn commit_offsets(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: OffsetCommitRequest = call.request()?;
    let allowed = state.groups.lock().may_commit(
        &request.group_id,
        &request.member_id,
        request.generation_id_or_member_epoch,
        Instant::now(),
    );
    let mut offsets = state.offsets.lock();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            let committed = allowed.and_then(|()| {
                let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
                let (index, offset) = (partition.partition_index, partition.committed_offset);
                offsets.commit(&request.group_id, &topic.name, index, offset, metadata).map_err(
                    |error| {
                        tracing::error!(%error, "an offset cannot be kept");
                        ResponseError::KafkaStorageError
                    },
                )
            });
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

pub(crate) fn fetch_offsets(call: &mut Call, state: &State) -> Result<Bytes, Error> {
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

/// What a group has committed, -1 where nothing; `wanted` absent means everything there is.
fn committed(state: &State, group: &str, wanted: Option<Vec<(String, Vec<i32>)>>) -> Committed {
    let offsets = state.offsets.lock();
    let wanted = wanted.unwrap_or_else(|| {
        let all = offsets.of_group(group);
        all.into_iter().map(|(topic, partition)| (topic, vec![partition])).collect()
    });
    let topics = wanted.into_iter().map(|(topic, partitions)| {
        let found = partitions.into_iter().map(|index| match offsets.get(group, &topic, index) {
            Some((offset, metadata)) => (index, *offset, metadata.clone()),
            None => (index, -1, String::new()),
        });
        let found = found.collect();
        (topic, found)
    });
    topics.collect()
}

fn code(result: Result<(), ResponseError>) -> i16 {
    result.map_or_else(|error| error.code(), |()| 0)
}
