//! Consumer groups: Kafka's classic protocol as a state machine over values. Members that must wait
//! get a channel; whoever completes a phase answers all of them.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::oneshot;
use uuid::Uuid;

/// How long a new group waits for more members before its first assignment, so that a function's
/// instances that start together rebalance once.
const INITIAL_DELAY: Duration = Duration::from_millis(100);
/// Most members of a group.
const MEMBERS_LIMIT: usize = 1_000;

#[derive(Debug, Clone)]
pub(crate) struct JoinRequest {
    pub(crate) member_id: String,
    pub(crate) client_id: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: String,
    /// Names in the member's order of preference, with its metadata for each.
    pub(crate) protocols: Vec<(String, Bytes)>,
    /// Whether a new member is first told its id and comes again with it (KIP-394).
    pub(crate) id_required: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Joined {
    pub(crate) generation: i32,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) leader: String,
    pub(crate) member_id: String,
    /// Every member's metadata; for the leader only.
    pub(crate) members: Vec<(String, Bytes)>,
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

type JoinAnswer = Result<Joined, Refusal>;
type SyncAnswer = Result<Synced, ResponseError>;

#[derive(Debug)]
struct Member {
    session_timeout: Duration,
    rebalance_timeout: Duration,
    protocols: Vec<(String, Bytes)>,
    assignment: Bytes,
    last_seen: Instant,
    joining: Option<oneshot::Sender<JoinAnswer>>,
    syncing: Option<oneshot::Sender<SyncAnswer>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nobody is in.
    Empty,
    /// Members join until all are there or the time is up.
    Preparing { not_before: Instant, deadline: Instant },
    /// The leader makes the assignment.
    Completing,
    /// Everyone works.
    Stable,
}

#[derive(Debug)]
struct Group {
    phase: Phase,
    generation: i32,
    protocol_type: String,
    protocol: String,
    leader: String,
    members: BTreeMap<String, Member>,
}

/// All groups by name.
#[derive(Debug, Default)]
pub(crate) struct Groups(HashMap<String, Group>);

impl Groups {
    pub(crate) fn join(
        &mut self,
        group_id: &str,
        request: JoinRequest,
        now: Instant,
    ) -> oneshot::Receiver<JoinAnswer> {
        let (sender, receiver) = oneshot::channel();
        let group = self.0.entry(group_id.to_owned()).or_insert_with(Group::new);
        if let Err((refusal, sender)) = group.join(request, sender, now) {
            answer(sender, Err(refusal));
        }
        group.advance(now);
        receiver
    }

    pub(crate) fn sync(
        &mut self,
        group_id: &str,
        member_id: &str,
        generation: i32,
        assignments: Vec<(String, Bytes)>,
        now: Instant,
    ) -> oneshot::Receiver<SyncAnswer> {
        let (sender, receiver) = oneshot::channel();
        match self.0.get_mut(group_id) {
            None => answer(sender, Err(ResponseError::UnknownMemberId)),
            Some(group) => group.sync(member_id, generation, assignments, sender, now),
        }
        receiver
    }

    pub(crate) fn heartbeat(
        &mut self,
        group_id: &str,
        member_id: &str,
        generation: i32,
        now: Instant,
    ) -> Result<(), ResponseError> {
        let group = self.0.get_mut(group_id).ok_or(ResponseError::UnknownMemberId)?;
        group.check(member_id, generation, now)?;
        match group.phase {
            Phase::Preparing { .. } => Err(ResponseError::RebalanceInProgress),
            Phase::Empty | Phase::Completing | Phase::Stable => Ok(()),
        }
    }

    pub(crate) fn leave(
        &mut self,
        group_id: &str,
        member_id: &str,
        now: Instant,
    ) -> Result<(), ResponseError> {
        let group = self.0.get_mut(group_id).ok_or(ResponseError::UnknownMemberId)?;
        group.members.remove(member_id).ok_or(ResponseError::UnknownMemberId)?;
        group.rebalance(now);
        group.advance(now);
        Ok(())
    }

    /// Whether a member may commit offsets. A consumer outside any group commits with generation -1.
    pub(crate) fn may_commit(
        &mut self,
        group_id: &str,
        member_id: &str,
        generation: i32,
        now: Instant,
    ) -> Result<(), ResponseError> {
        match self.0.get_mut(group_id) {
            Some(group) if !group.members.is_empty() => group.check(member_id, generation, now),
            _ if generation < 0 => Ok(()),
            _ => Err(ResponseError::UnknownMemberId),
        }
    }

    /// Removes silent members and completes phases whose time is up.
    pub(crate) fn expire(&mut self, now: Instant) {
        for group in self.0.values_mut() {
            group.expire(now);
            group.advance(now);
        }
        self.0.retain(|_, group| !group.members.is_empty());
    }
}

impl Group {
    fn new() -> Self {
        Self {
            phase: Phase::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: String::new(),
            members: BTreeMap::new(),
        }
    }

    fn join(
        &mut self,
        request: JoinRequest,
        sender: oneshot::Sender<JoinAnswer>,
        now: Instant,
    ) -> Result<(), (Refusal, oneshot::Sender<JoinAnswer>)> {
        let refusal = |code, member_id: &str| Refusal { code, member_id: member_id.to_owned() };
        if request.member_id.is_empty() && request.id_required {
            let id = new_member_id(&request.client_id);
            return Err((refusal(ResponseError::MemberIdRequired, &id), sender));
        }
        if !self.members.is_empty() && self.protocol_type != request.protocol_type
            || request.protocols.is_empty()
            || self.common_protocol(Some(&request)).is_none()
        {
            let code = ResponseError::InconsistentGroupProtocol;
            return Err((refusal(code, &request.member_id), sender));
        }
        if self.members.len() >= MEMBERS_LIMIT {
            return Err((refusal(ResponseError::GroupMaxSizeReached, &request.member_id), sender));
        }
        let member_id = if request.member_id.is_empty() {
            new_member_id(&request.client_id)
        } else {
            request.member_id
        };
        self.protocol_type = request.protocol_type;
        let member = self.members.entry(member_id).or_insert_with(|| Member {
            session_timeout: request.session_timeout,
            rebalance_timeout: request.rebalance_timeout,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            last_seen: now,
            joining: None,
            syncing: None,
        });
        member.session_timeout = request.session_timeout;
        member.rebalance_timeout = request.rebalance_timeout;
        member.protocols = request.protocols;
        member.last_seen = now;
        member.joining = Some(sender);
        self.rebalance(now);
        Ok(())
    }

    /// The first protocol in some member's order that all members support.
    fn common_protocol(&self, newcomer: Option<&JoinRequest>) -> Option<String> {
        let others = self
            .members
            .iter()
            .filter(|(id, _)| newcomer.is_none_or(|request| request.member_id != **id));
        let mut lists: Vec<&Vec<(String, Bytes)>> = newcomer.iter().map(|r| &r.protocols).collect();
        lists.extend(others.map(|(_, member)| &member.protocols));
        let (first, rest) = lists.split_first()?;
        let in_all = |name: &String| rest.iter().all(|list| list.iter().any(|(n, _)| n == name));
        first.iter().map(|(name, _)| name).find(|name| in_all(name)).cloned()
    }

    /// Starts a rebalance, unless one is going on; members that wait for an assignment join again.
    fn rebalance(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Preparing { .. }) {
            return;
        }
        for member in self.members.values_mut() {
            if let Some(syncing) = member.syncing.take() {
                answer(syncing, Err(ResponseError::RebalanceInProgress));
            }
        }
        let delay = if self.phase == Phase::Empty { INITIAL_DELAY } else { Duration::ZERO };
        let patience = self.members.values().map(|member| member.rebalance_timeout).max();
        let deadline = now + patience.unwrap_or_default();
        self.phase = Phase::Preparing { not_before: now + delay, deadline };
    }

    /// Ends the joining phase when it may end.
    fn advance(&mut self, now: Instant) {
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            return;
        }
        let Phase::Preparing { not_before, deadline } = self.phase else { return };
        let all_there = self.members.values().all(|member| member.joining.is_some());
        if (all_there && now >= not_before) || now >= deadline {
            self.members.retain(|_, member| member.joining.is_some());
            self.complete_join(now);
        }
    }

    fn complete_join(&mut self, now: Instant) {
        let Some(protocol) = self.common_protocol(None) else {
            self.phase = Phase::Empty;
            return;
        };
        self.generation += 1;
        self.protocol = protocol;
        if !self.members.contains_key(&self.leader) {
            self.leader = self.members.keys().next().cloned().unwrap_or_default();
        }
        self.phase = Phase::Completing;
        let metadata = |member: &Member| {
            let named = member.protocols.iter().find(|(name, _)| *name == self.protocol);
            named.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
        };
        let all: Vec<_> =
            self.members.iter().map(|(id, member)| (id.clone(), metadata(member))).collect();
        for (id, member) in &mut self.members {
            member.last_seen = now;
            let Some(joining) = member.joining.take() else { continue };
            let members = if *id == self.leader { all.clone() } else { Vec::new() };
            let joined = Joined {
                generation: self.generation,
                protocol_type: self.protocol_type.clone(),
                protocol: self.protocol.clone(),
                leader: self.leader.clone(),
                member_id: id.clone(),
                members,
            };
            answer(joining, Ok(joined));
        }
    }

    fn sync(
        &mut self,
        member_id: &str,
        generation: i32,
        assignments: Vec<(String, Bytes)>,
        sender: oneshot::Sender<SyncAnswer>,
        now: Instant,
    ) {
        if let Err(code) = self.check(member_id, generation, now) {
            return answer(sender, Err(code));
        }
        match self.phase {
            Phase::Empty => answer(sender, Err(ResponseError::UnknownMemberId)),
            Phase::Preparing { .. } => answer(sender, Err(ResponseError::RebalanceInProgress)),
            Phase::Stable => {
                let assignment =
                    self.members.get(member_id).map(|member| member.assignment.clone());
                answer(sender, Ok(self.synced(assignment.unwrap_or_default())));
            }
            Phase::Completing => {
                if let Some(member) = self.members.get_mut(member_id) {
                    member.syncing = Some(sender);
                }
                if member_id == self.leader {
                    self.assign(assignments);
                }
            }
        }
    }

    fn assign(&mut self, assignments: Vec<(String, Bytes)>) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
        }
        for (id, assignment) in assignments {
            if let Some(member) = self.members.get_mut(&id) {
                member.assignment = assignment;
            }
        }
        self.phase = Phase::Stable;
        let waiting: Vec<_> = self
            .members
            .values_mut()
            .filter_map(|member| Some((member.syncing.take()?, member.assignment.clone())))
            .collect();
        for (syncing, assignment) in waiting {
            answer(syncing, Ok(self.synced(assignment)));
        }
    }

    fn synced(&self, assignment: Bytes) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment,
        }
    }

    fn check(
        &mut self,
        member_id: &str,
        generation: i32,
        now: Instant,
    ) -> Result<(), ResponseError> {
        let member = self.members.get_mut(member_id).ok_or(ResponseError::UnknownMemberId)?;
        member.last_seen = now;
        if generation == self.generation { Ok(()) } else { Err(ResponseError::IllegalGeneration) }
    }

    fn expire(&mut self, now: Instant) {
        let before = self.members.len();
        self.members.retain(|id, member| {
            // A member that waits for us is there, whoever else is late; but its client may be gone.
            let gone = member.joining.as_ref().is_some_and(oneshot::Sender::is_closed);
            let waits = member.joining.is_some() || member.syncing.is_some();
            let silent = !waits && now > member.last_seen + member.session_timeout;
            if gone || silent {
                tracing::debug!(member = id, "a group member is gone");
            }
            !gone && !silent
        });
        if self.members.len() < before {
            self.rebalance(now);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a tool for local use: it has no runtime to ask")]
fn new_member_id(client_id: &str) -> String {
    format!("{client_id}-{}", Uuid::new_v4())
}

fn answer<T>(sender: oneshot::Sender<T>, value: T) {
    if sender.send(value).is_err() {
        tracing::debug!("a client did not wait for its answer");
    }
}
