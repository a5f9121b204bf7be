use chrono::{DateTime, TimeDelta, Utc};
use ids::EventId;
use storage::{
    dead_letters::DeadLetterRow,
    inbox::Handling,
    traces::{DelayRow, DeliveryRow, Done, EventRow},
};
use uuid::Uuid;

use super::{Rows, lay_out};
use crate::shape::{Hop, HopOutcome, Trace};

const REQUEST: Uuid = Uuid::from_u128(100);

fn id(number: u128) -> EventId {
    EventId::from_uuid(Uuid::from_u128(number))
}

/// A moment, in milliseconds after the question.
fn at(ms: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::milliseconds(ms)
}

/// An event that a function emits at this moment, caused by another one.
fn event(number: u128, by: &str, cause: u128, ms: i64) -> EventRow {
    EventRow {
        id: id(number),
        topic: format!("topic.{number}"),
        event_type: format!("type.{number}.v1"),
        source: format!("learnflow/{by}"),
        subject: Some(Uuid::from_u128(7)),
        caused_by: Some(id(cause)),
        occurred_at: at(ms),
        bytes: 10,
        data: None,
    }
}

/// A function's work on an event: when it begins, and for how many milliseconds it lasts.
fn handled(number: u128, function: &str, (ms, lasts): (i64, i32)) -> DeliveryRow {
    let handling = Handling {
        partition: Some(3),
        offset: Some(17),
        waited_ms: Some(1),
        worked_us: Some(lasts * 1_000),
    };
    let done = Some(Done { at: at(ms), handling });
    DeliveryRow { event: id(number), function: function.to_owned(), done, failed: 0 }
}

/// The gateway asks, triage routes, concepts answers.
fn question() -> Rows {
    Rows {
        events: vec![
            event(1, "api-gateway", 99, 0),
            event(2, "triage", 1, 10),
            event(3, "concepts", 2, 20),
        ],
        deliveries: vec![handled(1, "triage", (10, 4)), handled(2, "concepts", (20, 5))],
        ..Rows::default()
    }
}

fn traced(rows: &Rows) -> Trace {
    lay_out(REQUEST, rows).expect("there are events")
}

fn milliseconds(hop: &Hop) -> (Option<f64>, Option<f64>) {
    (hop.wait_ms, hop.work_ms)
}

#[test]
fn nothing_is_known_of_a_request_without_events() {
    assert_eq!(lay_out(REQUEST, &Rows::default()), None);
}

#[test]
fn the_hops_of_a_question_are_in_order_with_wait_and_work() {
    let trace = traced(&question());
    let ways: Vec<_> = trace
        .hops
        .iter()
        .map(|hop| (hop.emitted_by.as_str(), hop.function.as_deref(), hop.outcome))
        .collect();
    assert_eq!(
        ways,
        [
            ("api-gateway", Some("triage"), HopOutcome::Handled),
            ("triage", Some("concepts"), HopOutcome::Handled),
            ("concepts", None, HopOutcome::Unrecorded),
        ]
    );
    let [asked, routed, answered] = &trace.hops[..] else { panic!("{trace:?}") };
    assert_eq!((asked.partition, asked.offset, asked.attempts), (Some(3), Some(17), 1));
    assert_eq!(asked.caused_by, None, "a request caused it");
    assert_eq!(routed.caused_by, Some(id(1)));
    assert_eq!(milliseconds(asked), (Some(10.0), Some(4.0)));
    // It is stored at 14, when triage is done, though triage began at 10.
    assert_eq!(routed.emitted_at, at(14));
    assert_eq!(milliseconds(routed), (Some(6.0), Some(5.0)));
    assert_eq!((answered.emitted_at, milliseconds(answered)), (at(25), (None, None)));
    assert_eq!((trace.began_at, trace.ended_at), (at(0), at(25)));
    let sums = trace.sums;
    assert_eq!((sums.hops, sums.took_ms, sums.wait_ms, sums.work_ms), (3, 25.0, 16.0, 9.0));
}

#[test]
fn an_event_for_two_functions_is_two_hops() {
    let mut rows = question();
    rows.deliveries.push(handled(1, "progress", (11, 1)));
    let trace = traced(&rows);
    let of_first: Vec<_> =
        trace.hops.iter().filter(|hop| hop.event_id == id(1)).map(|hop| &hop.function).collect();
    assert_eq!(of_first, [&Some("triage".to_owned()), &Some("progress".to_owned())]);
}

#[test]
fn clocks_that_differ_make_no_negative_wait() {
    let mut rows = question();
    rows.deliveries[1] = handled(2, "concepts", (-50, 5));
    assert_eq!(traced(&rows).hops[1].wait_ms, Some(0.0));
}

#[test]
fn what_an_older_version_has_handled_has_no_place_and_no_work() {
    let mut rows = question();
    rows.deliveries[0].done = Some(Done { at: at(10), handling: Handling::default() });
    let trace = traced(&rows);
    assert_eq!((trace.hops[0].partition, milliseconds(&trace.hops[0])), (None, (Some(10.0), None)));
    assert_eq!(trace.hops[0].outcome, HopOutcome::Handled);
}

#[test]
fn attempts_are_counted_and_a_dead_letter_ends_its_hop() {
    let mut rows = question();
    rows.deliveries[0].failed = 2;
    rows.deliveries[1].failed = 3;
    rows.deliveries[1].done = None;
    let trace = traced(&rows);
    assert_eq!((trace.hops[0].outcome, trace.hops[0].attempts), (HopOutcome::Handled, 3));
    assert_eq!((trace.hops[1].outcome, trace.hops[1].attempts), (HopOutcome::Retrying, 3));
    assert_eq!((trace.sums.failed_attempts, trace.sums.given_up), (5, 0));

    rows.deliveries[1] = handled(2, "concepts", (90, 1));
    rows.deliveries[1].failed = 8;
    rows.events[2] = EventRow {
        topic: "dead.letters".to_owned(),
        event_type: "message.dead_lettered.v1".to_owned(),
        ..event(3, "concepts", 2, 90)
    };
    let letter = r#"{"function": "concepts", "origin": "topic.2-3@17", "reasons": ["too bad"],
                     "attempts": 8, "headers": [], "value_base64": "", "truncated": false}"#;
    rows.dead_letters = vec![DeadLetterRow {
        id: id(3),
        occurred_at: at(90),
        cause: Some(id(2)),
        data: serde_json::from_str(letter).expect("JSON"),
        replayed_at: None,
    }];
    let trace = traced(&rows);
    let [_, given_up] = &trace.hops[..] else { panic!("a dead letter is no hop: {trace:?}") };
    assert_eq!((given_up.outcome, given_up.attempts), (HopOutcome::GivenUp, 8));
    assert_eq!(
        (given_up.reasons.concat(), given_up.dead_letter_id),
        ("too bad".into(), Some(id(3)))
    );
    assert_eq!((trace.sums.failed_attempts, trace.sums.given_up), (10, 1));
}

#[test]
fn what_is_not_on_the_broker_says_so() {
    let mut rows = question();
    rows.delays = vec![DelayRow { event: id(3), parked: None }];
    assert_eq!(traced(&rows).hops[2].outcome, HopOutcome::Delayed);
    rows.delays[0].parked = Some("too large".to_owned());
    let trace = traced(&rows);
    assert_eq!((trace.hops[2].outcome, trace.sums.given_up), (HopOutcome::Parked, 1));
    assert_eq!(trace.hops[2].reasons, ["too large"]);
}
