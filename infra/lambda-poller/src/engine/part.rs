//! Records that were taken from their lanes and are not done.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    failure::{Condition, DELIVERY_ATTEMPTS, Failure},
    policy::Policy,
};
use crate::{
    answer::{FunctionError, Verdict},
    record::Record,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It can be invoked.
    Ready,
    Invoking,
    /// It goes to the on-failure destination next.
    Failed(Condition),
    Delivering(Condition),
    /// The destination does not take it.
    Held(Condition),
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) id: u64,
    pub(super) records: Vec<Arc<Record>>,
    pub(super) state: State,
    pub(super) not_before_ms: i64,
    /// Lanes that were revoked or rewound meanwhile: their records are not ours any more.
    forgotten: BTreeSet<i32>,
    /// Invocations that came to the function.
    invocations: u32,
    /// Those that count for the mapping's limit.
    failures: u32,
    /// Failures in a row of whatever is tried, for the next pause.
    in_a_row: u32,
    error: Option<FunctionError>,
    trouble: Option<String>,
}

impl Part {
    pub(super) fn new(next_id: &mut u64, records: Vec<Arc<Record>>, state: State) -> Self {
        *next_id += 1;
        Self {
            id: *next_id,
            records,
            state,
            not_before_ms: 0,
            forgotten: BTreeSet::new(),
            invocations: 0,
            failures: 0,
            in_a_row: 0,
            error: None,
            trouble: None,
        }
    }

    /// A part with some of these records and the same history.
    pub(super) fn piece(&self, next_id: &mut u64, records: Vec<Arc<Record>>, state: State) -> Self {
        Self {
            not_before_ms: 0,
            invocations: self.invocations,
            failures: self.failures,
            error: self.error.clone(),
            trouble: self.trouble.clone(),
            ..Self::new(next_id, records, state)
        }
    }

    pub(super) const fn is_running(&self) -> bool {
        matches!(self.state, State::Invoking | State::Delivering(_))
    }

    /// Whether it is due at a time.
    pub(super) const fn waits(&self) -> bool {
        matches!(self.state, State::Ready | State::Failed(_)) && self.not_before_ms > 0
    }

    /// Its lanes, including those that were forgotten while it is running.
    pub(super) fn partitions(&self) -> impl Iterator<Item = i32> {
        self.records.iter().map(|record| record.partition)
    }

    pub(super) fn has(&self, partition: i32) -> bool {
        self.count_of(partition) > 0
    }

    pub(super) fn count_of(&self, partition: i32) -> usize {
        self.records.iter().filter(|record| record.partition == partition).count()
    }

    /// The lane's first record that is not done.
    pub(super) fn first_of(&self, partition: i32) -> Option<i64> {
        if self.forgotten.contains(&partition) {
            return None;
        }
        let of_lane = self.records.iter().filter(|record| record.partition == partition);
        of_lane.map(|record| record.offset).min()
    }

    /// Gives up a lane's records: at once, or as soon as what is running has ended.
    pub(super) fn forget(&mut self, partition: i32) {
        if self.is_running() {
            self.forgotten.insert(partition);
        } else {
            self.records.retain(|record| record.partition != partition);
        }
    }

    /// What was running has ended.
    pub(super) fn ended(&mut self) {
        let forgotten = std::mem::take(&mut self.forgotten);
        self.records.retain(|record| !forgotten.contains(&record.partition));
        self.state = match self.state {
            State::Delivering(condition) => State::Failed(condition),
            State::Ready | State::Invoking | State::Failed(_) | State::Held(_) => State::Ready,
        };
    }

    /// What remains to be done after an answer, in order.
    pub(super) fn after(
        mut self,
        verdict: Verdict,
        policy: &Policy,
        now_ms: i64,
        next_id: &mut u64,
    ) -> Vec<Self> {
        let can_be_split = self.records.len() > 1;
        match verdict {
            Verdict::Done => return Vec::new(),
            Verdict::Items(items) => {
                self.records.retain(|record| items.contains(&(record.partition, record.offset)));
                self.trouble = Some("the function reported failed records".to_owned());
                self.failed(policy, now_ms);
            }
            Verdict::Invalid(reason) => {
                self.trouble = Some(reason);
                self.failed(policy, now_ms);
            }
            Verdict::Error(error) => {
                self.error = Some(error);
                self.trouble = None;
                if policy.bisects && can_be_split {
                    self.invocations += 1;
                    return self.halves(next_id, policy, now_ms);
                }
                self.failed(policy, now_ms);
            }
            Verdict::TooLarge if can_be_split => return self.halves(next_id, policy, now_ms),
            Verdict::TooLarge => self.state = State::Failed(Condition::MaximumPayloadSizeExceeded),
            Verdict::NotInvoked(reason) => {
                self.trouble = Some(reason);
                self.wait(policy, now_ms);
            }
        }
        vec![self]
    }

    fn failed(&mut self, policy: &Policy, now_ms: i64) {
        self.invocations = self.invocations.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        if policy.retry_limit.is_some_and(|limit| self.failures > limit) {
            self.state = State::Failed(Condition::RetryAttemptsExhausted);
            self.in_a_row = 0;
            self.not_before_ms = 0;
        } else {
            self.wait(policy, now_ms);
        }
    }

    fn wait(&mut self, policy: &Policy, now_ms: i64) {
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.not_before_ms = now_ms.saturating_add(policy.wait_ms(self.in_a_row));
    }

    /// Two halves, the earlier records of each lane in the first one.
    fn halves(mut self, next_id: &mut u64, policy: &Policy, now_ms: i64) -> Vec<Self> {
        self.records.sort_by_key(|record| (record.partition, record.offset));
        let second = self.records.split_off(self.records.len() / 2);
        let first = std::mem::take(&mut self.records);
        [first, second]
            .into_iter()
            .map(|records| {
                let mut half = self.piece(next_id, records, State::Ready);
                half.not_before_ms = now_ms.saturating_add(policy.wait_ms(1));
                half
            })
            .collect()
    }

    pub(super) fn not_delivered(&mut self, policy: &Policy, now_ms: i64) {
        self.trouble = Some("the on-failure destination does not take it".to_owned());
        self.wait(policy, now_ms);
        if self.in_a_row >= DELIVERY_ATTEMPTS
            && let State::Failed(condition) = self.state
        {
            self.state = State::Held(condition);
        }
    }

    pub(super) fn try_delivery_again(&mut self) {
        if let State::Held(condition) = self.state {
            self.state = State::Failed(condition);
            self.in_a_row = 0;
            self.not_before_ms = 0;
        }
    }

    pub(super) fn failure(&self, condition: Condition) -> Failure {
        let mut lanes: BTreeMap<i32, Vec<Arc<Record>>> = BTreeMap::new();
        for record in &self.records {
            lanes.entry(record.partition).or_default().push(Arc::clone(record));
        }
        Failure {
            records: lanes.into_values().flatten().collect(),
            condition,
            invocations: self.invocations,
            error: self.error.clone(),
        }
    }

    pub(super) const fn invocations(&self) -> u32 {
        self.invocations
    }

    pub(super) fn error_text(&self) -> Option<String> {
        self.trouble.clone().or_else(|| self.error.as_ref().map(ToString::to_string))
    }
}
