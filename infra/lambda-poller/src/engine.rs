//! What to do next with the records of a mapping: a state machine over values, without I/O and without a clock.
//!
//! A lane is a partition; its records are handled in their order. Records that are taken from lanes become a [`Part`],
//! which stays until all of them are done: invoked, invoked again in whole or in pieces, delivered to the on-failure
//! destination. Parts with a lane in common are worked on one after the other, all others at once, so no lane waits
//! for another one.

mod failure;
mod forming;
mod lane;
mod part;
mod policy;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(crate) use self::{
    failure::{Condition, Failure},
    lane::{LaneView, Stage},
    policy::Policy,
};
use self::{
    lane::Lane,
    part::{Part, State},
};
use crate::{
    answer::Verdict,
    record::{NO_TIMESTAMP, Record},
};

/// What is to be done outside.
#[derive(Debug)]
pub(crate) enum Action {
    /// Invoke the function, then call [`Engine::answered`].
    Invoke {
        /// The part.
        part: u64,
        /// Its records: those of each lane in their order.
        records: Vec<Arc<Record>>,
    },
    /// Send them to the on-failure destination, then call [`Engine::delivered`].
    Deliver {
        /// The part.
        part: u64,
        /// What is sent.
        failure: Failure,
    },
    /// They are given up, and there is no destination: only a log line remains.
    Discard(Failure),
    /// Fetch a lane from this offset on, then call [`Engine::sought`].
    Seek {
        /// The lane.
        partition: i32,
        /// The next record wanted.
        offset: i64,
    },
}

/// Whether one invocation is permitted although its lanes are paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    No,
    Any,
    Lane(i32),
}

/// The state of a mapping.
#[derive(Debug)]
pub(crate) struct Engine {
    policy: Policy,
    lanes: BTreeMap<i32, Lane>,
    /// In the order of their precedence.
    parts: Vec<Part>,
    next_part: u64,
    /// Whether lanes that are assigned later are paused, too.
    is_paused: bool,
    /// Whether lanes were paused when they were revoked: they may come back.
    revoked: BTreeMap<i32, bool>,
    step: Step,
}

impl Engine {
    /// A mapping without lanes.
    #[must_use]
    pub(crate) const fn new(policy: Policy, is_paused: bool) -> Self {
        Self {
            policy,
            lanes: BTreeMap::new(),
            parts: Vec::new(),
            next_part: 0,
            is_paused,
            revoked: BTreeMap::new(),
            step: Step::No,
        }
    }

    /// A partition is this poller's from now on; `next` is its next record, if that is known.
    pub(crate) fn assigned(&mut self, partition: i32, next: Option<i64>) {
        let is_paused = self.revoked.remove(&partition).unwrap_or(self.is_paused);
        self.lanes.entry(partition).or_insert_with(|| Lane::new(next, is_paused));
    }

    /// A partition is somebody else's: what is not done is done there.
    pub(crate) fn revoked(&mut self, partition: i32) {
        if let Some(lane) = self.lanes.remove(&partition) {
            self.revoked.insert(partition, lane.is_paused);
        }
        self.forget_parts_of(partition);
    }

    /// All partitions are somebody else's, or will be assigned again.
    pub(crate) fn revoked_all(&mut self) {
        let partitions: Vec<i32> = self.lanes.keys().copied().collect();
        for partition in partitions {
            self.revoked(partition);
        }
    }

    fn forget_parts_of(&mut self, partition: i32) {
        for part in &mut self.parts {
            part.forget(partition);
        }
        self.parts.retain(|part| part.is_running() || !part.records.is_empty());
    }

    /// A record has come.
    pub(crate) fn arrived(&mut self, record: Record, now_ms: i64) {
        if let Some(lane) = self.lanes.get_mut(&record.partition) {
            lane.push(record, now_ms);
        }
    }

    /// A record has come that the filter leaves out.
    pub(crate) fn left_out(&mut self, partition: i32, offset: i64) {
        if let Some(lane) = self.lanes.get_mut(&partition) {
            lane.pass(offset);
        }
    }

    /// No further invocations for a lane, or for all.
    pub(crate) fn pause(&mut self, partition: Option<i32>) {
        self.set_paused(partition, true);
    }

    /// Goes on with a lane, or with all; also tries again what could not be delivered.
    pub(crate) fn resume(&mut self, partition: Option<i32>) {
        self.set_paused(partition, false);
        for part in &mut self.parts {
            if partition.is_none_or(|lane| part.has(lane)) {
                part.try_delivery_again();
            }
        }
    }

    fn set_paused(&mut self, partition: Option<i32>, is_paused: bool) {
        // A step that was not used is not for a later pause.
        self.step = Step::No;
        match partition {
            None => {
                self.is_paused = is_paused;
                self.revoked.clear();
            }
            Some(partition) if self.revoked.contains_key(&partition) => {
                self.revoked.insert(partition, is_paused);
            }
            Some(_) => {}
        }
        for (number, lane) in &mut self.lanes {
            if partition.is_none_or(|partition| partition == *number) {
                lane.is_paused = is_paused;
            }
        }
    }

    /// Permits one invocation of a paused lane, or of any. `false`: there is no such paused lane.
    pub(crate) fn step(&mut self, partition: Option<i32>) -> bool {
        let mut lanes = self.lanes.iter();
        let is_there = lanes.any(|(number, lane)| {
            lane.is_paused && partition.is_none_or(|partition| partition == *number)
        });
        if is_there {
            self.step = partition.map_or(Step::Any, Step::Lane);
        }
        is_there
    }

    /// Goes on with a lane at another record, as soon as its invocation is over. `false`: there is no such lane.
    pub(crate) fn rewind(&mut self, partition: i32, offset: i64) -> bool {
        let Some(lane) = self.lanes.get_mut(&partition) else { return false };
        lane.rewind(offset);
        true
    }

    /// The records of a lane come from its new offset on.
    pub(crate) fn sought(&mut self, partition: i32) {
        if let Some(lane) = self.lanes.get_mut(&partition) {
            lane.sought();
        }
    }

    /// The function's answer to a part.
    pub(crate) fn answered(&mut self, id: u64, verdict: Verdict, now_ms: i64) {
        let Some(place) = self.place_of(id) else { return };
        let policy = &self.policy;
        let mut part = self.parts.remove(place);
        part.ended();
        let rest = part.after(verdict, policy, now_ms, &mut self.next_part);
        for part in rest.into_iter().rev().filter(|part| !part.records.is_empty()) {
            self.parts.insert(place, part);
        }
    }

    /// Whether the on-failure destination has taken a part.
    pub(crate) fn delivered(&mut self, id: u64, is_taken: bool, now_ms: i64) {
        let Some(place) = self.place_of(id) else { return };
        let part = &mut self.parts[place];
        part.ended();
        if is_taken || part.records.is_empty() {
            self.parts.remove(place);
        } else {
            part.not_delivered(&self.policy, now_ms);
        }
    }

    fn place_of(&self, id: u64) -> Option<usize> {
        self.parts.iter().position(|part| part.id == id)
    }

    /// What is to be done now.
    pub(crate) fn poll(&mut self, now_ms: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        self.seek(&mut actions);
        self.start(now_ms, &mut actions);
        while self.form(now_ms) {
            self.start(now_ms, &mut actions);
        }
        actions
    }

    fn seek(&mut self, actions: &mut Vec<Action>) {
        let running: BTreeSet<i32> = self.partitions_where(Part::is_running);
        let mut begun = Vec::new();
        for (partition, lane) in &mut self.lanes {
            if !running.contains(partition)
                && let Some(offset) = lane.begin_seek()
            {
                begun.push(*partition);
                actions.push(Action::Seek { partition: *partition, offset });
            }
        }
        for partition in begun {
            self.forget_parts_of(partition);
        }
    }

    fn partitions_where(&self, holds: impl Fn(&Part) -> bool) -> BTreeSet<i32> {
        self.parts.iter().filter(|part| holds(part)).flat_map(Part::partitions).collect()
    }

    /// Starts all parts that may start.
    fn start(&mut self, now_ms: i64, actions: &mut Vec<Action>) {
        let mut taken = BTreeSet::new();
        let mut place = 0;
        while let Some(part) = self.parts.get(place) {
            let partitions: BTreeSet<i32> = part.partitions().collect();
            if !part.is_running() && partitions.is_disjoint(&taken) {
                match part.state {
                    State::Ready if self.may_invoke(part, &partitions, now_ms) => {
                        if self.set_old_aside(place, now_ms) {
                            continue;
                        }
                        self.use_step(&partitions);
                        let part = &mut self.parts[place];
                        part.state = State::Invoking;
                        let records = part.records.clone();
                        actions.push(Action::Invoke { part: part.id, records });
                    }
                    State::Failed(condition) if now_ms >= part.not_before_ms => {
                        let failure = part.failure(condition);
                        if !self.policy.has_destination {
                            actions.push(Action::Discard(failure));
                            self.parts.remove(place);
                            continue;
                        }
                        let part = &mut self.parts[place];
                        part.state = State::Delivering(condition);
                        actions.push(Action::Deliver { part: part.id, failure });
                    }
                    State::Ready
                    | State::Failed(_)
                    | State::Held(_)
                    | State::Invoking
                    | State::Delivering(_) => {}
                }
            }
            taken.extend(partitions);
            place += 1;
        }
    }

    fn may_invoke(&self, part: &Part, partitions: &BTreeSet<i32>, now_ms: i64) -> bool {
        let lanes = || partitions.iter().filter_map(|partition| self.lanes.get(partition));
        self.running() < self.policy.concurrency
            && lanes().all(|lane| !lane.is_seeking())
            && (self.is_step(partitions)
                || now_ms >= part.not_before_ms && lanes().all(|lane| !lane.is_paused))
    }

    fn running(&self) -> usize {
        self.parts.iter().filter(|part| matches!(part.state, State::Invoking)).count()
    }

    /// Whether the step that was asked for may be this one.
    fn is_step(&self, partitions: &BTreeSet<i32>) -> bool {
        let is_paused = |partition| self.lanes.get(partition).is_some_and(|lane| lane.is_paused);
        match self.step {
            Step::No => false,
            Step::Any => partitions.iter().any(is_paused),
            Step::Lane(lane) => partitions.contains(&lane) && is_paused(&lane),
        }
    }

    fn use_step(&mut self, partitions: &BTreeSet<i32>) {
        if self.is_step(partitions) {
            self.step = Step::No;
        }
    }

    /// Puts records that are too old into a part of their own before this one. `true`: something has changed.
    fn set_old_aside(&mut self, place: usize, now_ms: i64) -> bool {
        let Some(limit_ms) = self.policy.record_age_limit_ms else { return false };
        let part = &mut self.parts[place];
        let is_old = |record: &Arc<Record>| {
            record.timestamp_ms != NO_TIMESTAMP
                && now_ms.saturating_sub(record.timestamp_ms) > limit_ms
        };
        let (old, rest): (Vec<_>, Vec<_>) = part.records.drain(..).partition(is_old);
        part.records = rest;
        if old.is_empty() {
            return false;
        }
        let state = State::Failed(Condition::RecordAgeExceeded);
        let aside = part.piece(&mut self.next_part, old, state);
        if part.records.is_empty() {
            self.parts.remove(place);
        }
        self.parts.insert(place, aside);
        true
    }

    /// When [`Engine::poll`] has something to do although nothing happens. `now_ms` is the time of the last poll: what was
    /// due then waits for something else.
    #[must_use]
    pub(crate) fn due_ms(&self, now_ms: i64) -> Option<i64> {
        let busy = self.partitions_where(|_| true);
        let windows = self
            .lanes
            .iter()
            .filter(|(partition, lane)| !lane.is_paused && !busy.contains(partition))
            .filter_map(|(_, lane)| lane.waiting_since_ms())
            .map(|since| since + self.policy.window_ms);
        let retries = self.parts.iter().filter(|part| part.waits()).map(|part| part.not_before_ms);
        windows.chain(retries).filter(|due_ms| *due_ms > now_ms).min()
    }

    /// The next record of each lane that is not done: what to commit.
    #[must_use]
    pub(crate) fn positions(&self) -> BTreeMap<i32, i64> {
        self.lanes
            .iter()
            .filter_map(|(partition, lane)| Some((*partition, self.position(*partition, lane)?)))
            .collect()
    }

    fn position(&self, partition: i32, lane: &Lane) -> Option<i64> {
        let outstanding = self.parts.iter().filter_map(|part| part.first_of(partition)).min();
        outstanding.or_else(|| lane.position())
    }

    /// The lanes there are.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = i32> {
        self.lanes.keys().copied()
    }

    /// Whether a lane has so much that no more need be fetched.
    #[must_use]
    pub(crate) fn is_full(&self, partition: i32) -> bool {
        self.lanes.get(&partition).is_some_and(|lane| lane.is_full(&self.policy))
    }

    /// Whether a lane needs records soon.
    #[must_use]
    pub(crate) fn is_low(&self, partition: i32) -> bool {
        self.lanes.get(&partition).is_some_and(|lane| lane.is_low(&self.policy))
    }

    /// All lanes as people see them.
    #[must_use]
    pub(crate) fn view(&self) -> Vec<LaneView> {
        self.lanes
            .iter()
            .map(|(partition, lane)| {
                let mut parts = self.parts.iter().filter(|part| part.has(*partition));
                let first = parts.next();
                lane.view(*partition, self.position(*partition, lane), first)
            })
            .collect()
    }
}
