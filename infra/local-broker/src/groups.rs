//! Consumer groups by name: Kafka's classic protocol, static members (KIP-345) included. Members that must wait get a
//! channel; the request that completes a phase answers all of them.

use std::{collections::HashMap, time::Instant};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::oneshot;

use crate::{
    group::{Admission, Group, answer},
    membership::{JoinAnswer, JoinRequest, Speaker, SyncAnswer},
};

/// Longest name of a group, a member or a client: real ones are far shorter, and they are stored.
pub(crate) const NAME_LIMIT: usize = 1_024;

/// All groups by name; one without members is removed.
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
        match group.admit(request, now) {
            Ok(Admission::Waits(member_id)) => group.wait_to_join(&member_id, sender, now),
            Ok(Admission::IsIn(joined)) => answer(sender, Ok(joined)),
            Err(refusal) => answer(sender, Err(refusal)),
        }
        group.advance(now);
        receiver
    }

    pub(crate) fn sync(
        &mut self,
        group_id: &str,
        speaker: Speaker<'_>,
        assignments: Vec<(String, Bytes)>,
        now: Instant,
    ) -> oneshot::Receiver<SyncAnswer> {
        let (sender, receiver) = oneshot::channel();
        match self.0.get_mut(group_id) {
            None => answer(sender, Err(ResponseError::UnknownMemberId)),
            Some(group) => group.sync(speaker, assignments, sender, now),
        }
        receiver
    }

    pub(crate) fn heartbeat(
        &mut self,
        group_id: &str,
        speaker: Speaker<'_>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        let group = self.0.get_mut(group_id).ok_or(ResponseError::UnknownMemberId)?;
        group.heartbeat(speaker, now)
    }

    pub(crate) fn leave(
        &mut self,
        group_id: &str,
        member_id: &str,
        instance: Option<&str>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        let group = self.0.get_mut(group_id).ok_or(ResponseError::UnknownMemberId)?;
        group.leave(member_id, instance, now)
    }

    /// Whether a member may commit offsets. A consumer outside any group commits with generation -1.
    pub(crate) fn may_commit(
        &mut self,
        group_id: &str,
        speaker: Speaker<'_>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        match self.0.get_mut(group_id) {
            Some(group) if !group.is_empty() => group.check(speaker, now),
            _ if speaker.generation < 0 => Ok(()),
            _ => Err(ResponseError::UnknownMemberId),
        }
    }

    /// Removes silent members and completes phases whose time is up.
    pub(crate) fn expire(&mut self, now: Instant) {
        for group in self.0.values_mut() {
            group.expire(now);
            group.advance(now);
        }
        self.0.retain(|_, group| !group.is_empty());
    }

    /// Every group that has members.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Group)> {
        self.0.iter().filter(|(_, group)| !group.is_empty())
    }

    /// The group, if it has members.
    pub(crate) fn get(&self, group_id: &str) -> Option<&Group> {
        self.0.get(group_id).filter(|group| !group.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use bytes::Bytes;

    use super::{Groups, JoinAnswer, JoinRequest, Speaker};
    use crate::membership::Joined;

    const GROUP: &str = "g";
    const SECOND: Duration = Duration::from_secs(1);

    fn join(member_id: &str, instance: Option<&str>) -> JoinRequest {
        JoinRequest {
            member_id: member_id.to_owned(),
            instance: instance.map(str::to_owned),
            client_id: "c".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            session_timeout: 60 * SECOND,
            rebalance_timeout: 5 * SECOND,
            protocol_type: "consumer".to_owned(),
            protocols: vec![("range".to_owned(), Bytes::from_static(b"m"))],
            id_required: false,
            can_skip_assignment: false,
        }
    }

    fn joined(mut receiver: tokio::sync::oneshot::Receiver<JoinAnswer>) -> Joined {
        receiver.try_recv().expect("an answer").expect("a place")
    }

    fn assign(groups: &mut Groups, joined: &Joined, instance: &str, now: Instant) -> Bytes {
        let speaker = Speaker {
            member_id: &joined.member_id,
            instance: Some(instance),
            generation: joined.generation,
        };
        let work = vec![(joined.member_id.clone(), Bytes::from_static(b"work"))];
        let mut synced = groups.sync(GROUP, speaker, work, now);
        synced.try_recv().expect("an assignment at once").expect("it is in").assignment
    }

    #[test]
    fn a_static_member_that_slept_through_a_rebalance_gets_work_again() {
        let mut groups = Groups::default();
        let start = Instant::now();
        let first = groups.join(GROUP, join("", Some("one")), start);
        groups.expire(start + SECOND);
        let first = joined(first);
        assert_eq!(assign(&mut groups, &first, "one", start + SECOND), "work");
        // Another one joins and hangs up; the first does not join again in time.
        drop(groups.join(GROUP, join("", None), start + 2 * SECOND));
        for seconds in 3..20 {
            groups.expire(start + seconds * SECOND);
        }
        let again = groups.join(GROUP, join(&first.member_id, Some("one")), start + 20 * SECOND);
        groups.expire(start + 21 * SECOND);
        let again = joined(again);
        assert_eq!(again.leader, again.member_id, "somebody makes the assignment");
        assert_eq!(assign(&mut groups, &again, "one", start + 21 * SECOND), "work");
    }
}
