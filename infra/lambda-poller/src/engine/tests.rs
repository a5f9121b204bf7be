mod histories;

use std::{collections::BTreeMap, sync::Arc};

use super::{Action, Condition, Engine, Failure, Policy, Stage};
use crate::{
    answer::{FunctionError, Verdict},
    record::{Consumed, Record},
};

fn policy() -> Policy {
    Policy {
        batch_size: 4,
        window_ms: 500,
        records_limit: 1_000_000,
        lane_size: 10,
        concurrency: 100,
        bisects: false,
        retry_limit: None,
        record_age_limit_ms: None,
        has_destination: false,
        retry_wait_ms: 1_000,
        retry_wait_limit_ms: 30_000,
    }
}

fn record(partition: i32, offset: i64) -> Record {
    record_with(partition, offset, 0, 1)
}

fn record_with(partition: i32, offset: i64, timestamp_ms: i64, length: usize) -> Record {
    let consumed = Consumed {
        partition,
        offset,
        timestamp_ms,
        is_log_append_time: false,
        key: None,
        value: Some(vec![b'x'; length]),
        headers: vec![],
    };
    consumed.into_record("t").unwrap()
}

fn engine(policy: Policy, lanes: i32) -> Engine {
    let mut engine = Engine::new(policy, false);
    for lane in 0..lanes {
        engine.assigned(lane, Some(0));
    }
    engine
}

fn places(records: &[Arc<Record>]) -> Vec<(i32, i64)> {
    records.iter().map(|record| (record.partition, record.offset)).collect()
}

/// The only action, an invocation.
fn invoked(engine: &mut Engine, now_ms: i64) -> (u64, Vec<(i32, i64)>) {
    let mut actions = engine.poll(now_ms);
    assert_eq!(actions.len(), 1, "{actions:?}");
    match actions.remove(0) {
        Action::Invoke { part, records } => (part, places(&records)),
        other => panic!("not an invocation: {other:?}"),
    }
}

fn delivered(engine: &mut Engine, now_ms: i64) -> (u64, Failure) {
    let mut actions = engine.poll(now_ms);
    assert_eq!(actions.len(), 1, "{actions:?}");
    match actions.remove(0) {
        Action::Deliver { part, failure } => (part, failure),
        other => panic!("not a delivery: {other:?}"),
    }
}

fn error() -> Verdict {
    Verdict::Error(FunctionError {
        kind: "Unhandled".to_owned(),
        error_type: "E".to_owned(),
        message: "no".to_owned(),
        request_id: None,
    })
}

fn failed_items(items: &[(i32, i64)]) -> Verdict {
    Verdict::Items(items.iter().copied().collect())
}

#[test]
fn a_batch_is_full_or_its_window_is_over() {
    let mut engine = engine(policy(), 1);
    engine.arrived(record(0, 0), 100);
    assert!(engine.poll(599).is_empty());
    assert_eq!(engine.due_ms(599), Some(600));
    let (part, batch) = invoked(&mut engine, 600);
    assert_eq!(batch, [(0, 0)]);
    for offset in 1..6 {
        engine.arrived(record(0, offset), 610);
    }
    assert!(engine.poll(610).is_empty(), "one batch of a lane at a time");
    engine.answered(part, Verdict::Done, 620);
    assert_eq!(invoked(&mut engine, 620).1, [(0, 1), (0, 2), (0, 3), (0, 4)]);
    assert_eq!(engine.positions()[&0], 1);
}

#[test]
fn a_batch_has_records_of_several_lanes_and_these_wait_for_each_other_only_as_long_as_needed() {
    let mut engine = engine(policy(), 3);
    for (partition, offset) in [(0, 0), (1, 0), (1, 1), (0, 1)] {
        engine.arrived(record(partition, offset), 0);
    }
    let (first, batch) = invoked(&mut engine, 0);
    assert_eq!(batch, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    engine.arrived(record(2, 0), 1);
    assert_eq!(invoked(&mut engine, 501).1, [(2, 0)]);
    engine.answered(first, failed_items(&[(1, 1)]), 502);
    engine.arrived(record(0, 2), 502);
    assert_eq!(invoked(&mut engine, 1_002).1, [(0, 2)], "lane 0 goes on");
    assert_eq!(engine.positions(), BTreeMap::from([(0, 2), (1, 1), (2, 0)]));
    assert_eq!(invoked(&mut engine, 1_502).1, [(1, 1)]);
}

#[test]
fn a_batch_has_no_more_bytes_than_permitted() {
    let size = record_with(0, 0, 0, 1_000).size();
    let mut engine = engine(Policy { records_limit: 10 + 3 * size + 5, ..policy() }, 1);
    for offset in 0..4 {
        engine.arrived(record_with(0, offset, 0, 1_000), 0);
    }
    assert_eq!(invoked(&mut engine, 0).1.len(), 3);
}

#[test]
fn a_record_that_is_too_large_is_given_up_alone() {
    let limit = 10 + record_with(0, 0, 0, 1_000).size();
    let with = Policy { records_limit: limit, has_destination: true, ..policy() };
    let mut engine = engine(with, 1);
    engine.arrived(record_with(0, 0, 0, 1), 0);
    engine.arrived(record_with(0, 1, 0, 2_000), 0);
    engine.arrived(record_with(0, 2, 0, 1), 0);
    let (part, batch) = invoked(&mut engine, 500);
    assert_eq!(batch, [(0, 0)]);
    engine.answered(part, Verdict::Done, 500);
    let (part, failure) = delivered(&mut engine, 500);
    assert_eq!(failure.condition, Condition::MaximumPayloadSizeExceeded);
    assert_eq!((places(&failure.records), failure.invocations), (vec![(0, 1)], 0));
    engine.delivered(part, true, 501);
    assert_eq!(invoked(&mut engine, 501).1, [(0, 2)]);
}

#[test]
fn an_endpoint_that_refuses_the_size_gets_half_of_it() {
    let mut engine = engine(policy(), 1);
    engine.arrived(record(0, 0), 0);
    engine.arrived(record(0, 1), 0);
    let (part, _) = invoked(&mut engine, 500);
    engine.answered(part, Verdict::TooLarge, 500);
    let (part, batch) = invoked(&mut engine, 1_500);
    assert_eq!(batch, [(0, 0)]);
    engine.answered(part, Verdict::TooLarge, 1_500);
    assert!(matches!(&engine.poll(1_500)[..], [Action::Discard(_), Action::Invoke { .. }]));
}

#[test]
fn an_error_means_the_whole_batch_again_with_growing_pauses_and_without_end() {
    let mut engine = engine(policy(), 1);
    engine.arrived(record(0, 0), 0);
    engine.arrived(record(0, 1), 0);
    let mut now_ms = 500;
    for pause in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        let (part, batch) = invoked(&mut engine, now_ms);
        assert_eq!(batch, [(0, 0), (0, 1)]);
        engine.answered(part, error(), now_ms);
        assert_eq!(engine.due_ms(now_ms), Some(now_ms + pause));
        assert!(engine.poll(now_ms + pause - 1).is_empty());
        now_ms += pause;
    }
    assert_eq!(engine.positions()[&0], 0);
    let view = engine.view();
    assert_eq!((view[0].stage, view[0].invocations), (Stage::Retrying, 7));
    assert_eq!(view[0].error.as_deref(), Some("E: no"));
}

#[test]
fn the_first_attempt_does_not_count_as_a_retry() {
    let with = Policy { retry_limit: Some(2), has_destination: true, ..policy() };
    let mut engine = engine(with, 1);
    engine.arrived(record(0, 0), 0);
    let mut now_ms = 500;
    for _attempt in 0..3 {
        let (part, _) = invoked(&mut engine, now_ms);
        engine.answered(part, error(), now_ms);
        now_ms += 30_000;
    }
    let (part, failure) = delivered(&mut engine, now_ms);
    assert_eq!(failure.condition, Condition::RetryAttemptsExhausted);
    assert_eq!((failure.invocations, failure.error.is_some()), (3, true));
    assert_eq!(engine.positions()[&0], 0, "not done before the destination has it");
    engine.delivered(part, true, now_ms);
    assert_eq!(engine.positions()[&0], 1);
}

#[test]
fn without_a_destination_what_is_given_up_is_discarded() {
    let mut engine = engine(Policy { retry_limit: Some(0), ..policy() }, 1);
    engine.arrived(record(0, 0), 0);
    let (part, _) = invoked(&mut engine, 500);
    engine.answered(part, Verdict::Invalid("nonsense".to_owned()), 500);
    assert!(matches!(&engine.poll(500)[..], [Action::Discard(_)]));
    assert_eq!(engine.positions()[&0], 1);
}

#[test]
fn what_the_function_has_not_seen_costs_no_attempt() {
    let mut engine = engine(Policy { retry_limit: Some(0), ..policy() }, 1);
    engine.arrived(record(0, 0), 0);
    let mut now_ms = 500;
    for _attempt in 0..50 {
        let (part, _) = invoked(&mut engine, now_ms);
        engine.answered(part, Verdict::NotInvoked("away".to_owned()), now_ms);
        now_ms += 30_000;
    }
    let (part, _) = invoked(&mut engine, now_ms);
    engine.answered(part, Verdict::Done, now_ms);
    assert_eq!(engine.positions()[&0], 1);
}

#[test]
fn after_an_error_a_batch_is_halved_until_the_bad_record_is_alone() {
    let with = Policy { bisects: true, retry_limit: Some(1), ..policy() };
    let mut engine = engine(with, 1);
    for offset in 0..4 {
        engine.arrived(record(0, offset), 0);
    }
    let mut seen = Vec::new();
    let mut now_ms = 0;
    loop {
        now_ms += 30_000;
        let mut actions = engine.poll(now_ms);
        match actions.pop() {
            Some(Action::Invoke { part, records }) => {
                let offsets: Vec<i64> = records.iter().map(|record| record.offset).collect();
                let verdict = if offsets.contains(&2) { error() } else { Verdict::Done };
                seen.push(offsets);
                engine.answered(part, verdict, now_ms);
            }
            Some(Action::Discard(failure)) => {
                assert_eq!(failure.invocations, 4);
                seen.push(vec![-1]);
            }
            Some(other) => panic!("{other:?}"),
            None => break,
        }
    }
    let expected: [&[i64]; 6] = [&[0, 1, 2, 3], &[0, 1], &[2, 3], &[2], &[2], &[3]];
    let expected: Vec<Vec<i64>> = expected.iter().map(|offsets| offsets.to_vec()).collect();
    // The record that is given up leaves at the same moment at which the next one starts.
    let invocations: Vec<Vec<i64>> = seen.into_iter().filter(|offsets| offsets != &[-1]).collect();
    assert_eq!(invocations, expected);
    assert_eq!(engine.positions()[&0], 4);
}

#[test]
fn records_that_are_too_old_are_given_up_before_the_rest_is_invoked() {
    let with = Policy { record_age_limit_ms: Some(60_000), has_destination: true, ..policy() };
    let mut engine = engine(with, 1);
    engine.arrived(record_with(0, 0, 1_000, 1), 100_000);
    engine.arrived(record_with(0, 1, 99_000, 1), 100_000);
    engine.arrived(record_with(0, 2, -1, 1), 100_000);
    let (part, failure) = delivered(&mut engine, 100_500);
    assert_eq!(failure.condition, Condition::RecordAgeExceeded);
    assert_eq!(places(&failure.records), [(0, 0)]);
    engine.delivered(part, true, 100_500);
    let (part, batch) = invoked(&mut engine, 100_500);
    assert_eq!(batch, [(0, 1), (0, 2)]);
    engine.answered(part, error(), 100_500);
    let (part, failure) = delivered(&mut engine, 160_000);
    assert_eq!(places(&failure.records), [(0, 1)], "age counts while it is tried again, too");
    engine.delivered(part, true, 160_000);
    assert_eq!(invoked(&mut engine, 160_000).1, [(0, 2)], "no timestamp, no age");
}

#[test]
fn a_destination_that_takes_nothing_holds_the_lane_until_somebody_resumes_it() {
    let with = Policy { retry_limit: Some(0), has_destination: true, ..policy() };
    let mut engine = engine(with, 2);
    engine.arrived(record(0, 0), 0);
    let (part, _) = invoked(&mut engine, 500);
    engine.answered(part, error(), 500);
    let mut now_ms = 500;
    for _attempt in 0..super::failure::DELIVERY_ATTEMPTS {
        let (part, _) = delivered(&mut engine, now_ms);
        engine.delivered(part, false, now_ms);
        now_ms += 30_000;
    }
    assert!(engine.poll(now_ms).is_empty());
    assert_eq!((engine.view()[0].stage, engine.positions()[&0]), (Stage::Held, 0));
    engine.arrived(record(1, 0), now_ms);
    let (other, batch) = invoked(&mut engine, now_ms + 500);
    assert_eq!(batch, [(1, 0)], "other lanes go on");
    engine.answered(other, Verdict::Done, now_ms + 500);
    engine.resume(Some(0));
    let (part, _) = delivered(&mut engine, now_ms + 500);
    engine.delivered(part, true, now_ms + 500);
    assert_eq!(engine.positions()[&0], 1);
}

#[test]
fn a_paused_lane_is_not_invoked_but_by_steps() {
    let mut engine = engine(policy(), 2);
    assert!(!engine.step(None), "nothing is paused");
    engine.pause(Some(0));
    for offset in 0..6 {
        engine.arrived(record(0, offset), 0);
    }
    engine.arrived(record(1, 0), 0);
    assert_eq!(invoked(&mut engine, 500).1, [(1, 0)]);
    assert_eq!(engine.due_ms(500), None);
    assert!(!engine.step(Some(1)) && engine.step(Some(0)));
    let (part, batch) = invoked(&mut engine, 501);
    assert_eq!(batch.len(), 4);
    engine.answered(part, error(), 501);
    assert!(engine.poll(100_000).is_empty(), "a retry is an invocation");
    assert!(engine.step(None));
    let (part, batch) = invoked(&mut engine, 100_001);
    assert_eq!(batch.len(), 4);
    engine.answered(part, Verdict::Done, 100_001);
    assert!(engine.poll(100_002).is_empty());
    engine.resume(None);
    assert_eq!(invoked(&mut engine, 100_003).1, [(0, 4), (0, 5)]);
}

#[test]
fn a_step_waits_for_the_next_record() {
    let mut engine = engine(policy(), 0);
    engine.pause(None);
    engine.assigned(0, Some(0));
    assert!(engine.step(None));
    assert!(engine.poll(0).is_empty());
    engine.arrived(record(0, 0), 1);
    assert_eq!(invoked(&mut engine, 1).1, [(0, 0)], "and does not wait for the window");
}

#[test]
fn a_step_that_was_not_used_ends_with_the_pause() {
    let mut engine = engine(policy(), 1);
    engine.pause(None);
    assert!(engine.step(None));
    engine.resume(None);
    engine.pause(None);
    engine.arrived(record(0, 0), 0);
    assert!(engine.poll(9_000).is_empty());
}

#[test]
fn a_rewound_lane_starts_again_when_its_invocation_is_over() {
    let mut engine = engine(policy(), 2);
    for offset in 0..4 {
        engine.arrived(record(0, offset), 0);
    }
    let (part, _) = invoked(&mut engine, 0);
    engine.arrived(record(0, 4), 0);
    assert!(engine.rewind(0, 1) && !engine.rewind(7, 1));
    assert!(engine.poll(1_000).is_empty(), "the invocation is not over");
    engine.answered(part, failed_items(&[(0, 3)]), 1_000);
    let actions = engine.poll(1_000);
    assert!(matches!(&actions[..], [Action::Seek { partition: 0, offset: 1 }]), "{actions:?}");
    assert_eq!(engine.positions()[&0], 1);
    engine.arrived(record(0, 5), 1_000);
    assert!(engine.poll(9_000).is_empty(), "from before the seek");
    engine.sought(0);
    for offset in 1..5 {
        engine.arrived(record(0, offset), 9_000);
    }
    assert_eq!(invoked(&mut engine, 9_000).1, [(0, 1), (0, 2), (0, 3), (0, 4)]);
}

#[test]
fn a_lane_that_was_revoked_is_forgotten_and_comes_back_anew() {
    let mut engine = engine(policy(), 2);
    for (partition, offset) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        engine.arrived(record(partition, offset), 0);
    }
    let (part, _) = invoked(&mut engine, 0);
    engine.revoked(0);
    assert_eq!(engine.positions(), BTreeMap::from([(1, 0)]));
    engine.assigned(0, None);
    engine.arrived(record(0, 0), 0);
    assert!(engine.poll(600).is_empty(), "the function still has the lane's records");
    engine.answered(part, error(), 600);
    assert_eq!(invoked(&mut engine, 600).1, [(0, 0)]);
    assert_eq!(invoked(&mut engine, 1_600).1, [(1, 0), (1, 1)]);
}

#[test]
fn a_paused_lane_that_comes_back_is_still_paused() {
    let mut engine = engine(policy(), 2);
    engine.pause(Some(0));
    engine.revoked_all();
    engine.assigned(0, Some(0));
    engine.assigned(1, Some(0));
    let paused: Vec<bool> = engine.view().iter().map(|lane| lane.is_paused).collect();
    assert_eq!(paused, [true, false]);
}

#[test]
fn records_that_a_filter_leaves_out_are_done() {
    let mut engine = engine(policy(), 1);
    engine.left_out(0, 0);
    engine.arrived(record(0, 1), 0);
    engine.left_out(0, 2);
    assert_eq!(engine.positions()[&0], 1);
    let (part, _) = invoked(&mut engine, 500);
    engine.answered(part, Verdict::Done, 500);
    assert_eq!(engine.positions()[&0], 3);
}

#[test]
fn a_full_lane_says_so_until_half_of_it_is_gone() {
    let mut engine = engine(Policy { batch_size: 100, ..policy() }, 1);
    for offset in 0..199 {
        engine.arrived(record(0, offset), 0);
    }
    assert!(!engine.is_full(0) && !engine.is_low(0));
    engine.arrived(record(0, 199), 0);
    assert!(engine.is_full(0));
    let _batch = invoked(&mut engine, 0);
    assert!(engine.is_low(0) && !engine.is_full(0));
}
