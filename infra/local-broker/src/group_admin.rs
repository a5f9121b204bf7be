//! Consumer groups as tools see them: listed, described, deleted.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
        GroupId, ListGroupsRequest, ListGroupsResponse,
        delete_groups_response::DeletableGroupResult,
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
        list_groups_response::ListedGroup,
    },
    protocol::StrBytes,
};

use crate::{
    call::{Call, Error},
    membership::Description,
    offsets::CommittedOffsets,
    state::State,
};

/// A group that has committed offsets and no members.
const EMPTY: &str = "Empty";
/// A group that does not exist.
const DEAD: &str = "Dead";
/// The type of groups without members: no others commit offsets.
const CONSUMERS: &str = "consumer";
/// The only kind of group here (KIP-848).
const CLASSIC: &str = "classic";

fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

fn is_known(offsets: &CommittedOffsets, group: &str) -> bool {
    offsets.groups().any(|known| known == group)
}

pub(crate) fn list(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: ListGroupsRequest = call.request()?;
    let mut groups: BTreeMap<String, (String, &'static str)> = BTreeMap::new();
    for group in state.offsets.lock().groups() {
        if !groups.contains_key(group) {
            groups.insert(group.to_owned(), (CONSUMERS.to_owned(), EMPTY));
        }
    }
    for (name, group) in state.groups.lock().iter() {
        groups.insert(name.clone(), (group.protocol_type().to_owned(), group.state()));
    }
    let wants = |filter: &[StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let listed = groups.into_iter().filter(|(_, (_, state))| {
        wants(&request.states_filter, state) && wants(&request.types_filter, CLASSIC)
    });
    let listed = listed.map(|(name, (protocol_type, state))| {
        let mut listed = ListedGroup::default()
            .with_group_id(GroupId(text(name)))
            .with_protocol_type(text(protocol_type));
        if call.version >= 4 {
            listed.group_state = StrBytes::from_static_str(state);
        }
        if call.version >= 5 {
            listed.group_type = StrBytes::from_static_str(CLASSIC);
        }
        listed
    });
    call.respond(&ListGroupsResponse::default().with_groups(listed.collect()))
}

pub(crate) fn describe(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: DescribeGroupsRequest = call.request()?;
    let described = request.groups.into_iter().map(|group| {
        let description = state.groups.lock().get(&group).map(|group| group.describe());
        match description {
            Some(description) => describe_one(group, description, call.version),
            None if is_known(&state.offsets.lock(), &group) => DescribedGroup::default()
                .with_group_id(group)
                .with_group_state(StrBytes::from_static_str(EMPTY))
                .with_protocol_type(StrBytes::from_static_str(CONSUMERS)),
            None => DescribedGroup::default()
                .with_group_id(group)
                .with_group_state(StrBytes::from_static_str(DEAD)),
        }
    });
    let described = described.collect();
    call.respond(&DescribeGroupsResponse::default().with_groups(described))
}

fn describe_one(id: GroupId, description: Description, version: i16) -> DescribedGroup {
    let members = description.members.into_iter().map(|member| {
        let described = DescribedGroupMember::default()
            .with_member_id(text(member.id))
            .with_client_id(text(member.client_id))
            .with_client_host(text(member.client_host))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment);
        if version >= 4 {
            described.with_group_instance_id(member.instance.map(text))
        } else {
            described
        }
    });
    DescribedGroup::default()
        .with_group_id(id)
        .with_group_state(StrBytes::from_static_str(description.state))
        .with_protocol_type(text(description.protocol_type))
        .with_protocol_data(text(description.protocol))
        .with_members(members.collect())
}

pub(crate) fn delete(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: DeleteGroupsRequest = call.request()?;
    let results = request.groups_names.into_iter().map(|name| {
        let code = match delete_one(state, &name) {
            Ok(()) => 0,
            Err(code) => code.code(),
        };
        DeletableGroupResult::default().with_group_id(name).with_error_code(code)
    });
    let results = results.collect();
    call.respond(&DeleteGroupsResponse::default().with_results(results))
}

fn delete_one(state: &State, name: &str) -> Result<(), ResponseError> {
    if state.groups.lock().get(name).is_some() {
        return Err(ResponseError::NonEmptyGroup);
    }
    match state.offsets.lock().forget(|key| key.group == name) {
        Ok(0) => Err(ResponseError::GroupIdNotFound),
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::error!(%error, "a group cannot be deleted");
            Err(ResponseError::KafkaStorageError)
        }
    }
}
