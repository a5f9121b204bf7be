//! The messages between groups and their members.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;

/// A member's request to join.
#[derive(Debug, Clone)]
pub(crate) struct JoinRequest {
    pub(crate) member_id: String,
    /// The name that a static member keeps over restarts.
    pub(crate) instance: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: String,
    pub(crate) protocols: Protocols,
    /// Whether a new member first gets its id and joins again with it (KIP-394).
    pub(crate) id_required: bool,
    /// Whether a leader can be told that there is nothing to assign (KIP-814).
    pub(crate) can_skip_assignment: bool,
}

/// Names in a member's order of preference, with its metadata for each.
pub(crate) type Protocols = Vec<(String, Bytes)>;

#[derive(Debug, Clone)]
pub(crate) struct Joined {
    pub(crate) generation: i32,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) leader: String,
    pub(crate) member_id: String,
    /// Every member; for the leader only.
    pub(crate) members: Vec<JoinedMember>,
    pub(crate) skip_assignment: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct JoinedMember {
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) metadata: Bytes,
}

#[derive(Debug, Clone)]
pub(crate) struct Synced {
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) assignment: Bytes,
}

/// An error for one member, with the id that it should use.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: ResponseError,
    pub(crate) member_id: String,
}

pub(crate) type JoinAnswer = Result<Joined, Refusal>;
pub(crate) type SyncAnswer = Result<Synced, ResponseError>;

/// Who says something, and as of which generation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker<'a> {
    pub(crate) member_id: &'a str,
    pub(crate) instance: Option<&'a str>,
    pub(crate) generation: i32,
}

/// A group as tools see it.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) state: &'static str,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) members: Vec<DescribedMember>,
}

#[derive(Debug)]
pub(crate) struct DescribedMember {
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) metadata: Bytes,
    pub(crate) assignment: Bytes,
}
