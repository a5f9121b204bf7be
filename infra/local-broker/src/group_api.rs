//! The requests of group members.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse,
        LeaveGroupRequest, LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
        join_group_response::JoinGroupResponseMember, leave_group_response::MemberResponse,
    },
    protocol::StrBytes,
};

use crate::{
    call::{Call, Error},
    groups::NAME_LIMIT,
    membership::{JoinRequest, Joined, Refusal, Speaker},
    state::State,
};

/// The longest that a member may be silent: Kafka's `group.max.session.timeout.ms`.
const SESSION_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The longest that a group waits for its members to join again: far longer than a client's default, 5 minutes.
const REBALANCE_LIMIT: Duration = Duration::from_secs(60 * 60);

fn text(text: String) -> StrBytes {
    StrBytes::from_string(text)
}

pub(crate) fn code(result: Result<(), ResponseError>) -> i16 {
    result.map_or_else(|error| error.code(), |()| 0)
}

pub(crate) async fn join(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: JoinGroupRequest = call.request()?;
    let group_id = request.group_id.to_string();
    let response = JoinGroupResponse::default().with_generation_id(-1);
    let joined = match join_request(call, request) {
        Ok(join) => {
            let waiting = state.groups.lock().join(&group_id, join, Instant::now());
            // The sender is dropped when the member is removed while it waits.
            waiting.await.unwrap_or_else(|_| {
                Err(Refusal { code: ResponseError::UnknownMemberId, member_id: String::new() })
            })
        }
        Err(refusal) => Err(refusal),
    };
    let response = match joined {
        Ok(joined) => describe(call.version, joined),
        Err(refusal) => {
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
    };
    call.respond(&response)
}

pub(crate) const fn is_group_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_LIMIT
}

fn join_request(call: &Call, request: JoinGroupRequest) -> Result<JoinRequest, Refusal> {
    let millis = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let session_timeout = millis(request.session_timeout_ms);
    let rebalance_timeout =
        if call.version >= 1 { millis(request.rebalance_timeout_ms) } else { session_timeout };
    let member_id = request.member_id.to_string();
    let refused = |code| Err(Refusal { code, member_id: member_id.clone() });
    if !is_group_name(&request.group_id) {
        return refused(ResponseError::InvalidGroupId);
    }
    let instance = request.group_instance_id.as_deref().unwrap_or_default();
    if [&member_id, &call.client_id, instance].iter().any(|name| name.len() > NAME_LIMIT) {
        return refused(ResponseError::InvalidRequest);
    }
    if session_timeout.is_zero() || session_timeout > SESSION_LIMIT {
        return refused(ResponseError::InvalidSessionTimeout);
    }
    // Their own memory: parts of the request would keep all of it.
    let protocols = request.protocols.into_iter();
    let protocols = protocols.map(|p| (p.name.to_string(), Bytes::copy_from_slice(&p.metadata)));
    Ok(JoinRequest {
        member_id,
        instance: request.group_instance_id.map(|instance| instance.to_string()),
        client_id: call.client_id.clone(),
        client_host: call.client_host.clone(),
        session_timeout,
        rebalance_timeout: rebalance_timeout.min(REBALANCE_LIMIT),
        protocol_type: request.protocol_type.to_string(),
        protocols: protocols.collect(),
        id_required: call.version >= 4,
        can_skip_assignment: call.version >= 9,
    })
}

fn describe(version: i16, joined: Joined) -> JoinGroupResponse {
    let members = joined.members.into_iter().map(|member| {
        let described = JoinGroupResponseMember::default()
            .with_member_id(text(member.id))
            .with_metadata(member.metadata);
        if version >= 5 {
            described.with_group_instance_id(member.instance.map(text))
        } else {
            described
        }
    });
    let response = JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_name(Some(text(joined.protocol)))
        .with_leader(text(joined.leader))
        .with_member_id(text(joined.member_id))
        .with_skip_assignment(joined.skip_assignment)
        .with_members(members.collect());
    if version >= 7 {
        response.with_protocol_type(Some(text(joined.protocol_type)))
    } else {
        response
    }
}

pub(crate) async fn sync(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: SyncGroupRequest = call.request()?;
    let speaker = Speaker {
        member_id: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let assignments = request.assignments.iter();
    let assignments =
        assignments.map(|a| (a.member_id.to_string(), a.assignment.clone())).collect();
    let waiting = state.groups.lock().sync(&request.group_id, speaker, assignments, Instant::now());
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
    let speaker = Speaker {
        member_id: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let beaten = state.groups.lock().heartbeat(&request.group_id, speaker, Instant::now());
    call.respond(&HeartbeatResponse::default().with_error_code(code(beaten)))
}

pub(crate) fn leave(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: LeaveGroupRequest = call.request()?;
    let mut groups = state.groups.lock();
    let mut leave = |id: &str, instance: Option<&str>| {
        code(groups.leave(&request.group_id, id, instance, Instant::now()))
    };
    let response = LeaveGroupResponse::default();
    if call.version < 3 {
        return call.respond(&response.with_error_code(leave(&request.member_id, None)));
    }
    let members = request.members.iter().map(|member| {
        MemberResponse::default()
            .with_member_id(member.member_id.clone())
            .with_group_instance_id(member.group_instance_id.clone())
            .with_error_code(leave(&member.member_id, member.group_instance_id.as_deref()))
    });
    let members = members.collect();
    call.respond(&response.with_members(members))
}
