//! One consumer group: a state machine over values.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::membership::{
    DescribedMember, Description, JoinAnswer, JoinRequest, Joined, JoinedMember, Protocols,
    Refusal, Speaker, SyncAnswer, Synced,
};

/// How long a new group waits for more members before its first assignment, so that a function's
/// instances that start together rebalance once.
const INITIAL_DELAY: Duration = Duration::from_millis(100);
/// Most members of a group.
const MEMBERS_LIMIT: usize = 1_000;

#[derive(Debug)]
struct Member {
    instance: Option<String>,
    client_id: String,
    client_host: String,
    session_timeout: Duration,
    rebalance_timeout: Duration,
    protocols: Protocols,
    assignment: Bytes,
    last_seen: Instant,
    joining: Option<oneshot::Sender<JoinAnswer>>,
    syncing: Option<oneshot::Sender<SyncAnswer>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There are no members.
    Empty,
    /// Members join until all have joined or the time is up.
    Preparing { not_before: Instant, deadline: Instant },
    /// The leader makes the assignment.
    Completing,
    /// All members have their assignments.
    Stable,
}

#[derive(Debug)]
pub(crate) struct Group {
    phase: Phase,
    generation: i32,
    protocol_type: String,
    protocol: String,
    leader: String,
    members: BTreeMap<String, Member>,
}

/// The outcome of a request to join.
pub(crate) enum Admission {
    /// It waits, under this id, until the rebalance is over.
    Waits(String),
    /// It is a member of the current generation.
    IsIn(Joined),
}

impl Group {
    pub(crate) const fn new() -> Self {
        Self {
            phase: Phase::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: String::new(),
            members: BTreeMap::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Decides about a request to join.
    pub(crate) fn admit(&mut self, join: JoinRequest, now: Instant) -> Result<Admission, Refusal> {
        let refuse = |code| Refusal { code, member_id: join.member_id.clone() };
        let place = join.instance.as_deref().and_then(|instance| self.place_of(instance));
        let is_new = join.member_id.is_empty();
        match (&join.instance, &place) {
            (Some(_), Some(current)) if !is_new && *current != join.member_id => {
                return Err(refuse(ResponseError::FencedInstanceId));
            }
            (Some(_), None) if !is_new => return Err(refuse(ResponseError::UnknownMemberId)),
            (None, _) if is_new && join.id_required => {
                let member_id = new_member_id(&join.client_id);
                return Err(Refusal { code: ResponseError::MemberIdRequired, member_id });
            }
            _ => {}
        }
        let current = place.as_deref().unwrap_or(&join.member_id);
        let others =
            self.members.iter().filter(|(id, _)| id.as_str() != current).map(|(_, m)| &m.protocols);
        let agrees = self.is_empty() || self.protocol_type == join.protocol_type;
        if !agrees || common_protocol(std::iter::once(&join.protocols).chain(others)).is_none() {
            return Err(refuse(ResponseError::InconsistentGroupProtocol));
        }
        if let Some(old) = place.filter(|_| is_new) {
            return Ok(self.replace(&old, join, now));
        }
        if let Some(member) = self.members.get_mut(&join.member_id) {
            let is_changed = member.protocols != join.protocols;
            member.update(&join, now);
            return Ok(self.rejoin(join.member_id, is_changed));
        }
        if self.members.len() >= MEMBERS_LIMIT {
            return Err(refuse(ResponseError::GroupMaxSizeReached));
        }
        let member_id = match (&join.instance, is_new) {
            (Some(instance), _) => new_member_id(instance),
            (None, true) => new_member_id(&join.client_id),
            (None, false) => join.member_id.clone(),
        };
        self.protocol_type.clone_from(&join.protocol_type);
        self.members.insert(member_id.clone(), Member::new(&join, now));
        Ok(Admission::Waits(member_id))
    }

    /// A current member joins again.
    fn rejoin(&self, member_id: String, is_changed: bool) -> Admission {
        let is_leader = member_id == self.leader;
        match self.phase {
            Phase::Completing if !is_changed => {}
            // A leader joins again because it has noticed a change.
            Phase::Stable if !is_changed && !is_leader => {}
            _ => return Admission::Waits(member_id),
        }
        Admission::IsIn(self.joined(&member_id))
    }

    /// A static member that was away, or another one of its name, takes its place: nobody else is affected, and the
    /// previous holder is fenced.
    fn replace(&mut self, old: &str, join: JoinRequest, now: Instant) -> Admission {
        let member_id = new_member_id(join.instance.as_deref().unwrap_or_default());
        let was_leader = old == self.leader;
        let mut member = Member::new(&join, now);
        if let Some(old) = self.members.remove(old) {
            member.assignment = old.assignment;
            let code = ResponseError::FencedInstanceId;
            if let Some(joining) = old.joining {
                answer(joining, Err(Refusal { code, member_id: String::new() }));
            }
            if let Some(syncing) = old.syncing {
                answer(syncing, Err(code));
            }
        }
        self.members.insert(member_id.clone(), member);
        if was_leader {
            self.leader.clone_from(&member_id);
        }
        if self.phase != Phase::Stable || self.next_protocol().as_ref() != Some(&self.protocol) {
            return Admission::Waits(member_id);
        }
        let mut joined = self.joined(&member_id);
        if was_leader && join.can_skip_assignment {
            joined.skip_assignment = true;
        } else {
            // It must not make an assignment, so an older client must not learn that it is the leader.
            joined.members.clear();
            if was_leader {
                old.clone_into(&mut joined.leader);
            }
        }
        Admission::IsIn(joined)
    }

    /// Lets an admitted member wait for the end of the rebalance, which starts if none is in progress.
    pub(crate) fn wait_to_join(
        &mut self,
        member_id: &str,
        sender: oneshot::Sender<JoinAnswer>,
        now: Instant,
    ) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.joining = Some(sender);
        }
        self.rebalance(now);
    }

    /// Starts a rebalance, unless one is in progress; members that wait for an assignment join again.
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
        self.phase = Phase::Preparing { not_before: now + delay, deadline: now + self.patience() };
    }

    /// How long to wait for members.
    fn patience(&self) -> Duration {
        let limits = self.members.values().map(|member| member.rebalance_timeout);
        limits.max().unwrap_or_default()
    }

    /// Ends the joining phase if possible.
    pub(crate) fn advance(&mut self, now: Instant) {
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            return;
        }
        let Phase::Preparing { not_before, deadline } = self.phase else { return };
        let all_there = self.members.values().all(|member| member.joining.is_some());
        if (all_there && now >= not_before) || now >= deadline {
            // A static member keeps its place until its session is over, however late it is.
            self.members.retain(|_, member| member.joining.is_some() || member.instance.is_some());
            // Without anybody who could lead, returning members would wait for an assignment forever.
            if !self.members.is_empty() && !self.members.values().any(|m| m.joining.is_some()) {
                self.phase = Phase::Preparing { not_before, deadline: now + self.patience() };
                return;
            }
            self.complete_join(now);
        }
    }

    fn complete_join(&mut self, now: Instant) {
        let Some(protocol) = self.next_protocol() else {
            self.phase = Phase::Empty;
            return;
        };
        self.generation = self.generation.wrapping_add(1).max(1);
        self.protocol = protocol;
        if self.members.get(&self.leader).is_none_or(|member| member.joining.is_none()) {
            let there = self.members.iter().find(|(_, member)| member.joining.is_some());
            self.leader = there.map(|(id, _)| id.clone()).unwrap_or_default();
        }
        self.phase = Phase::Completing;
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let joined = self.joined(&id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            if let Some(joining) = member.joining.take() {
                member.last_seen = now;
                answer(joining, Ok(joined));
            }
        }
    }

    /// A member's place in the current generation.
    fn joined(&self, member_id: &str) -> Joined {
        let members = self.members.iter().filter(|_| member_id == self.leader);
        let members = members.map(|(id, member)| JoinedMember {
            id: id.clone(),
            instance: member.instance.clone(),
            metadata: member.metadata(&self.protocol),
        });
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            member_id: member_id.to_owned(),
            members: members.collect(),
            skip_assignment: false,
        }
    }

    fn next_protocol(&self) -> Option<String> {
        common_protocol(self.members.values().map(|member| &member.protocols))
    }

    pub(crate) fn sync(
        &mut self,
        speaker: Speaker<'_>,
        assignments: Vec<(String, Bytes)>,
        sender: oneshot::Sender<SyncAnswer>,
        now: Instant,
    ) {
        if let Err(code) = self.check(speaker, now) {
            return answer(sender, Err(code));
        }
        let Some(member) = self.members.get_mut(speaker.member_id) else { return };
        match self.phase {
            Phase::Empty => answer(sender, Err(ResponseError::UnknownMemberId)),
            Phase::Preparing { .. } => answer(sender, Err(ResponseError::RebalanceInProgress)),
            Phase::Stable => {
                let assignment = member.assignment.clone();
                answer(sender, Ok(self.synced(assignment)));
            }
            Phase::Completing => {
                member.syncing = Some(sender);
                if speaker.member_id == self.leader {
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
                // Its own memory: a part of the leader's request would keep all of that.
                member.assignment = Bytes::copy_from_slice(&assignment);
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

    pub(crate) fn heartbeat(
        &mut self,
        speaker: Speaker<'_>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        self.check(speaker, now)?;
        match self.phase {
            Phase::Preparing { .. } => Err(ResponseError::RebalanceInProgress),
            Phase::Empty | Phase::Completing | Phase::Stable => Ok(()),
        }
    }

    /// Removes a member; a tool may name a static one by its instance alone.
    pub(crate) fn leave(
        &mut self,
        member_id: &str,
        instance: Option<&str>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        let member_id = match instance.map(|instance| self.place_of(instance)) {
            None => member_id.to_owned(),
            Some(None) => return Err(ResponseError::UnknownMemberId),
            Some(Some(current)) if member_id.is_empty() || current == member_id => current,
            Some(Some(_)) => return Err(ResponseError::FencedInstanceId),
        };
        self.members.remove(&member_id).ok_or(ResponseError::UnknownMemberId)?;
        self.rebalance(now);
        self.advance(now);
        Ok(())
    }

    /// Whether a member is who it claims to be now.
    pub(crate) fn check(
        &mut self,
        speaker: Speaker<'_>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        if let Some(instance) = speaker.instance {
            let current = self.place_of(instance).ok_or(ResponseError::UnknownMemberId)?;
            if current != speaker.member_id {
                return Err(ResponseError::FencedInstanceId);
            }
        }
        let member = self.members.get_mut(speaker.member_id);
        let member = member.ok_or(ResponseError::UnknownMemberId)?;
        member.last_seen = now;
        let is_current = speaker.generation == self.generation;
        if is_current { Ok(()) } else { Err(ResponseError::IllegalGeneration) }
    }

    pub(crate) fn expire(&mut self, now: Instant) {
        let before = self.members.len();
        self.members.retain(|id, member| {
            // A member that waits for us is alive, whoever else is late; but its client may be gone.
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

    /// The current id of a static member.
    fn place_of(&self, instance: &str) -> Option<String> {
        let mut members = self.members.iter();
        let found = members.find(|(_, member)| member.instance.as_deref() == Some(instance));
        found.map(|(id, _)| id.clone())
    }

    pub(crate) const fn state(&self) -> &'static str {
        match self.phase {
            Phase::Empty => "Empty",
            Phase::Preparing { .. } => "PreparingRebalance",
            Phase::Completing => "CompletingRebalance",
            Phase::Stable => "Stable",
        }
    }

    pub(crate) fn protocol_type(&self) -> &str {
        &self.protocol_type
    }

    pub(crate) fn describe(&self) -> Description {
        // Only then are the assignments settled.
        let is_stable = self.phase == Phase::Stable;
        let members = self.members.iter().map(|(id, member)| DescribedMember {
            id: id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: if is_stable { member.metadata(&self.protocol) } else { Bytes::new() },
            assignment: if is_stable { member.assignment.clone() } else { Bytes::new() },
        });
        Description {
            state: self.state(),
            protocol_type: self.protocol_type.clone(),
            protocol: if is_stable { self.protocol.clone() } else { String::new() },
            members: members.collect(),
        }
    }
}

impl Member {
    fn new(join: &JoinRequest, now: Instant) -> Self {
        let mut member = Self {
            instance: join.instance.clone(),
            client_id: join.client_id.clone(),
            client_host: join.client_host.clone(),
            session_timeout: Duration::ZERO,
            rebalance_timeout: Duration::ZERO,
            protocols: Protocols::new(),
            assignment: Bytes::new(),
            last_seen: now,
            joining: None,
            syncing: None,
        };
        member.update(join, now);
        member
    }

    fn update(&mut self, join: &JoinRequest, now: Instant) {
        self.session_timeout = join.session_timeout;
        self.rebalance_timeout = join.rebalance_timeout;
        self.protocols.clone_from(&join.protocols);
        self.last_seen = now;
    }

    fn metadata(&self, protocol: &str) -> Bytes {
        let named = self.protocols.iter().find(|(name, _)| name == protocol);
        named.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
    }
}

/// The first protocol in some member's order that all members support.
fn common_protocol<'a>(mut lists: impl Iterator<Item = &'a Protocols>) -> Option<String> {
    let first = lists.next()?;
    let rest: Vec<&Protocols> = lists.collect();
    let in_all = |name: &String| rest.iter().all(|list| list.iter().any(|(n, _)| n == name));
    first.iter().map(|(name, _)| name).find(|name| in_all(name)).cloned()
}

#[expect(clippy::disallowed_methods, reason = "a tool for local use: it has no runtime to ask")]
fn new_member_id(name: &str) -> String {
    format!("{name}-{}", Uuid::new_v4())
}

pub(crate) fn answer<T>(sender: oneshot::Sender<T>, value: T) {
    if sender.send(value).is_err() {
        tracing::debug!("a client did not wait for its answer");
    }
}
