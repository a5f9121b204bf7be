//! A partition, and what waits in it.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    part::{Part, State},
    policy::Policy,
};
use crate::record::Record;

/// Fewer than this many waiting records never count as full.
const FULL_FROM: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seek {
    No,
    /// It begins when no invocation with the lane is running.
    Wanted(i64),
    /// What comes until it ends is from before.
    Begun,
}

#[derive(Debug)]
struct Waiting {
    record: Arc<Record>,
    since_ms: i64,
}

#[derive(Debug)]
pub(super) struct Lane {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The next record to come; unknown until one has come.
    next: Option<i64>,
    pub(super) is_paused: bool,
    seek: Seek,
}

impl Lane {
    pub(super) const fn new(next: Option<i64>, is_paused: bool) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, next, is_paused, seek: Seek::No }
    }

    /// Whether a record at this offset is expected: neither one from before a seek, nor one that came before.
    fn expects(&self, offset: i64) -> bool {
        self.seek != Seek::Begun && self.next.is_none_or(|next| offset >= next)
    }

    pub(super) fn push(&mut self, record: Record, now_ms: i64) {
        if self.expects(record.offset) {
            self.next = Some(record.offset + 1);
            self.bytes += record.size();
            self.waiting.push_back(Waiting { record: Arc::new(record), since_ms: now_ms });
        }
    }

    pub(super) fn pass(&mut self, offset: i64) {
        if self.expects(offset) {
            self.next = Some(offset + 1);
        }
    }

    pub(super) const fn rewind(&mut self, offset: i64) {
        self.seek = Seek::Wanted(offset);
    }

    pub(super) fn is_seeking(&self) -> bool {
        self.seek != Seek::No
    }

    pub(super) fn begin_seek(&mut self) -> Option<i64> {
        let Seek::Wanted(offset) = self.seek else { return None };
        self.waiting.clear();
        self.bytes = 0;
        self.next = Some(offset);
        self.seek = Seek::Begun;
        Some(offset)
    }

    pub(super) fn sought(&mut self) {
        if self.seek == Seek::Begun {
            self.seek = Seek::No;
        }
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty() && !self.is_seeking()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) const fn waiting_bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn waiting_since_ms(&self) -> Option<i64> {
        self.has_waiting().then(|| self.waiting.front().map(|first| first.since_ms)).flatten()
    }

    pub(super) fn next_size(&self) -> Option<usize> {
        self.waiting.front().map(|first| first.record.size())
    }

    pub(super) fn take(&mut self) -> Option<Arc<Record>> {
        let first = self.waiting.pop_front()?;
        self.bytes -= first.record.size();
        Some(first.record)
    }

    /// The first record that waits, else the next one to come.
    pub(super) fn position(&self) -> Option<i64> {
        self.waiting.front().map(|first| first.record.offset).or(self.next)
    }

    pub(super) fn is_full(&self, policy: &Policy) -> bool {
        self.waiting.len() >= (2 * policy.batch_size).max(FULL_FROM)
            || self.bytes >= policy.records_limit
    }

    pub(super) fn is_low(&self, policy: &Policy) -> bool {
        self.waiting.len() <= policy.batch_size.max(FULL_FROM / 2)
            && self.bytes <= policy.records_limit / 2
    }

    pub(super) fn view(
        &self,
        partition: i32,
        position: Option<i64>,
        part: Option<&Part>,
    ) -> LaneView {
        LaneView {
            partition,
            position,
            end: None,
            waiting: self.waiting.len(),
            in_progress: part.map_or(0, |part| part.count_of(partition)),
            is_paused: self.is_paused,
            stage: part.map_or(Stage::Idle, |part| match part.state {
                State::Invoking => Stage::Invoking,
                State::Ready if part.invocations() == 0 => Stage::Waiting,
                State::Ready => Stage::Retrying,
                State::Failed(_) | State::Delivering(_) => Stage::Failing,
                State::Held(_) => Stage::Held,
            }),
            invocations: part.map_or(0, Part::invocations),
            error: part.and_then(Part::error_text),
        }
    }
}

/// What happens in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Nothing, or records are gathered.
    Idle,
    /// A batch waits for its first invocation.
    Waiting,
    /// The function is working.
    Invoking,
    /// A batch is tried again soon.
    Retrying,
    /// Records are on their way to the on-failure destination.
    Failing,
    /// The on-failure destination does not take them, and nothing happens until the lane is resumed.
    Held,
}

/// A lane as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LaneView {
    /// The partition.
    pub(crate) partition: i32,
    /// The next record that is not done.
    pub(crate) position: Option<i64>,
    /// Where the next record of a producer goes.
    pub(crate) end: Option<i64>,
    /// Records that have been fetched and wait for a batch.
    pub(crate) waiting: usize,
    /// Records of the batch in progress.
    pub(crate) in_progress: usize,
    /// Whether it is paused.
    pub(crate) is_paused: bool,
    /// What happens.
    pub(crate) stage: Stage,
    /// How often the function was invoked with the batch in progress.
    pub(crate) invocations: u32,
    /// What went wrong last, as long as it is not over.
    pub(crate) error: Option<String>,
}

impl LaneView {
    /// How many offsets it is behind.
    #[must_use]
    pub(crate) fn lag(&self) -> Option<i64> {
        Some((self.end? - self.position?).max(0))
    }
}
