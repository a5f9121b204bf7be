//! Random histories: whatever happens, no record is lost, and none is passed over.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{engine, error, places, policy, record};
use crate::{
    answer::Verdict,
    engine::{Action, Engine, Policy},
};

/// What a function does next.
#[derive(Debug, Clone)]
enum Next {
    Arrive(i32),
    Answer(Choice),
    Deliver(bool),
    Pause(i32),
    Resume,
    Later(i64),
}

#[derive(Debug, Clone, Copy)]
enum Choice {
    Done,
    Error,
    SomeItems(u8),
    Invalid,
    NotInvoked,
    TooLarge,
}

fn choices() -> impl Strategy<Value = Choice> {
    prop_oneof![
        4 => Just(Choice::Done),
        1 => Just(Choice::Error),
        1 => any::<u8>().prop_map(Choice::SomeItems),
        1 => Just(Choice::Invalid),
        1 => Just(Choice::NotInvoked),
        1 => Just(Choice::TooLarge),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Next>> {
    let next = prop_oneof![
        6 => (0..4_i32).prop_map(Next::Arrive),
        6 => choices().prop_map(Next::Answer),
        2 => any::<bool>().prop_map(Next::Deliver),
        1 => (0..4_i32).prop_map(Next::Pause),
        1 => Just(Next::Resume),
        3 => (1..2_000_i64).prop_map(Next::Later),
    ];
    prop::collection::vec(next, 0..120)
}

/// Plays a mapping and holds it to its promises.
struct Play {
    engine: Engine,
    now_ms: i64,
    arrived: BTreeMap<i32, i64>,
    running: Vec<(u64, BTreeSet<(i32, i64)>)>,
    delivering: Vec<(u64, BTreeSet<(i32, i64)>)>,
    finished: BTreeSet<(i32, i64)>,
    /// Records that were part of an unsuccessful invocation.
    failed: BTreeSet<(i32, i64)>,
    batch_size: usize,
}

impl Play {
    fn new(policy: Policy) -> Self {
        Self {
            batch_size: policy.batch_size,
            engine: engine(policy, 4),
            now_ms: 0,
            arrived: BTreeMap::new(),
            running: vec![],
            delivering: vec![],
            finished: BTreeSet::new(),
            failed: BTreeSet::new(),
        }
    }

    fn poll(&mut self) {
        for action in self.engine.poll(self.now_ms) {
            match action {
                Action::Invoke { part, records } => {
                    assert!(records.len() <= self.batch_size && !records.is_empty());
                    let mut lanes: BTreeMap<i32, i64> = BTreeMap::new();
                    for (partition, offset) in places(&records) {
                        let last = lanes.insert(partition, offset);
                        assert!(last.is_none_or(|last| last < offset), "out of order");
                        assert!(!self.finished.contains(&(partition, offset)), "again");
                        for earlier in 0..offset {
                            let place = (partition, earlier);
                            let is_known = self.finished.contains(&place)
                                || self.failed.contains(&place)
                                || places(&records).contains(&place);
                            assert!(is_known, "{place:?} was passed over");
                        }
                    }
                    for (_, others) in self.running.iter().chain(&self.delivering) {
                        let is_shared = others.iter().any(|(lane, _)| lanes.contains_key(lane));
                        assert!(!is_shared, "a lane is in two invocations");
                    }
                    self.running.push((part, places(&records).into_iter().collect()));
                }
                Action::Deliver { part, failure } => {
                    self.delivering.push((part, places(&failure.records).into_iter().collect()));
                }
                Action::Discard(failure) => self.finish(places(&failure.records)),
                Action::Seek { .. } => panic!("nobody has asked for it"),
            }
        }
        for (partition, position) in self.engine.positions() {
            for offset in 0..position {
                assert!(self.finished.contains(&(partition, offset)), "committed too early");
            }
        }
    }

    fn finish(&mut self, records: impl IntoIterator<Item = (i32, i64)>) {
        for record in records {
            assert!(self.finished.insert(record), "{record:?} is done twice");
        }
    }

    fn answer(&mut self, choice: Choice) {
        let Some((part, records)) = self.running.pop() else { return };
        let verdict = match choice {
            Choice::Done => Verdict::Done,
            Choice::Error => error(),
            Choice::Invalid => Verdict::Invalid("nonsense".to_owned()),
            Choice::NotInvoked => Verdict::NotInvoked("away".to_owned()),
            Choice::TooLarge => Verdict::TooLarge,
            Choice::SomeItems(seed) => {
                let kept = usize::from(seed) % records.len();
                Verdict::Items(records.iter().copied().skip(kept).collect())
            }
        };
        match &verdict {
            Verdict::Done => self.finish(records),
            Verdict::Items(items) => {
                self.failed.extend(items);
                self.finish(records.difference(items).copied().collect::<Vec<_>>());
            }
            _ => self.failed.extend(records),
        }
        self.engine.answered(part, verdict, self.now_ms);
    }

    fn deliver(&mut self, is_taken: bool) {
        let Some((part, records)) = self.delivering.pop() else { return };
        if is_taken {
            self.finish(records);
        }
        self.engine.delivered(part, is_taken, self.now_ms);
    }

    fn next(&mut self, next: Next) {
        match next {
            Next::Arrive(partition) => {
                let offset = self.arrived.entry(partition).or_default();
                self.engine.arrived(record(partition, *offset), self.now_ms);
                *offset += 1;
            }
            Next::Answer(choice) => self.answer(choice),
            Next::Deliver(is_taken) => self.deliver(is_taken),
            Next::Pause(partition) => self.engine.pause(Some(partition)),
            Next::Resume => self.engine.resume(None),
            Next::Later(ms) => self.now_ms += ms,
        }
        self.poll();
    }

    /// From now on everything succeeds, so everything that has come must end.
    fn end(mut self) {
        let all: usize = self.arrived.values().map(|count| usize::try_from(*count).unwrap()).sum();
        for _round in 0..4 * all + 4 {
            self.next(Next::Resume);
            while !self.running.is_empty() || !self.delivering.is_empty() {
                self.next(Next::Answer(Choice::Done));
                self.next(Next::Deliver(true));
            }
            self.next(Next::Later(30_000));
        }
        assert_eq!(self.finished.len(), all, "a record is lost");
        assert!(self.arrived.iter().all(|(lane, end)| self.engine.positions()[lane] == *end));
    }
}

proptest! {
    #[test]
    fn no_record_is_lost_done_twice_or_passed_over_whatever_the_answers(
        steps in steps(),
        bisects in any::<bool>(),
        has_destination in any::<bool>(),
        retry_limit in prop::option::of(0..3_u32),
        concurrency in 1..5_usize,
    ) {
        let mut play = Play::new(Policy {
            bisects, has_destination, retry_limit, concurrency, ..policy()
        });
        for step in steps {
            play.next(step);
        }
        play.end();
    }

    #[test]
    fn without_failures_each_record_is_seen_once_in_order(lanes in prop::collection::vec(0..4_i32, 0..60)) {
        let mut play = Play::new(policy());
        for lane in lanes {
            play.next(Next::Arrive(lane));
        }
        play.end();
    }
}
