//! Rows in, hops out: pure.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use events::{Topic, dead_letter::DeadLetter};
use ids::EventId;
use runtime::replay;
use storage::{
    dead_letters::DeadLetterRow,
    traces::{DelayRow, DeliveryRow, EventRow},
};
use uuid::Uuid;

use crate::shape::{Hop, HopOutcome, Trace, TraceSums};

/// What the sources of our own events begin with.
const OUR_SOURCE: &str = "learnflow/";
/// The topic of dead letters: these are not hops of their own, but the ends of others.
const DEAD_LETTERS: &str = Topic::DeadLetters.name();

/// What is stored of a request.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Oldest first.
    pub(crate) events: Vec<EventRow>,
    pub(crate) deliveries: Vec<DeliveryRow>,
    pub(crate) delays: Vec<DelayRow>,
    pub(crate) dead_letters: Vec<DeadLetterRow>,
}

/// A dead letter, as far as a hop shows it.
struct Letter {
    id: EventId,
    event: EventId,
    function: String,
    attempts: u32,
    reasons: Vec<String>,
}

/// The trace of a request; `None` without events.
pub(crate) fn lay_out(request: Uuid, rows: &Rows) -> Option<Trace> {
    let first = rows.events.first()?;
    let found = letters(&rows.dead_letters);
    let letters: HashMap<(EventId, &str), &Letter> =
        found.iter().map(|letter| ((letter.event, &*letter.function), letter)).collect();
    let finished: HashMap<(EventId, &str), DateTime<Utc>> = rows
        .deliveries
        .iter()
        .filter_map(|delivery| {
            Some(((delivery.event, delivery.function.as_str()), finished_at(delivery)?))
        })
        .collect();
    let known: HashSet<EventId> = rows.events.iter().map(|event| event.id).collect();
    let mut hops = Vec::new();
    for event in rows.events.iter().filter(|event| event.topic != DEAD_LETTERS) {
        let mut hop = on_its_way(event, &known);
        // An event is stored with the work that emits it, which begins at the event's own time.
        let emitter = event.caused_by.and_then(|cause| finished.get(&(cause, &*hop.emitted_by)));
        hop.emitted_at = emitter.copied().unwrap_or(event.occurred_at).max(event.occurred_at);
        let before = hops.len();
        for delivery in rows.deliveries.iter().filter(|delivery| delivery.event == event.id) {
            hops.push(delivered(
                &hop,
                delivery,
                letters.get(&(event.id, delivery.function.as_str())).copied(),
            ));
        }
        if hops.len() == before {
            let delay = rows.delays.iter().find(|delay| delay.event == event.id);
            match delay.map(|delay| &delay.parked) {
                Some(Some(reason)) => {
                    hop.outcome = HopOutcome::Parked;
                    hop.reasons = vec![reason.clone()];
                }
                Some(None) => hop.outcome = HopOutcome::Delayed,
                None => {}
            }
            hops.push(hop);
        }
    }
    let ends = hops.iter().map(|hop| hop.finished_at.unwrap_or(hop.emitted_at));
    let ended_at = ends.max().unwrap_or(first.occurred_at);
    let sums = sums(&hops, ended_at - first.occurred_at);
    Some(Trace {
        correlation_id: request,
        subject: first.subject,
        began_at: first.occurred_at,
        ended_at,
        hops,
        sums,
        truncated: false,
        payloads: None,
    })
}

/// The dead letters that can be read; those whose content was erased cannot.
fn letters(rows: &[DeadLetterRow]) -> Vec<Letter> {
    let letters = rows.iter().filter_map(|row| {
        let DeadLetter { function, attempts, reasons, .. } = replay::read(row).ok()?;
        Some(Letter { id: row.id, event: row.cause?, function, attempts, reasons })
    });
    letters.collect()
}

fn on_its_way(event: &EventRow, known: &HashSet<EventId>) -> Hop {
    let emitted_by = event.source.strip_prefix(OUR_SOURCE).unwrap_or(&event.source);
    Hop {
        event_id: event.id,
        event_type: event.event_type.clone(),
        bytes: u64::try_from(event.bytes).unwrap_or_default(),
        emitted_by: emitted_by.to_owned(),
        caused_by: event.caused_by.filter(|cause| known.contains(cause)),
        emitted_at: event.occurred_at,
        topic: event.topic.clone(),
        partition: None,
        offset: None,
        function: None,
        outcome: HopOutcome::Unrecorded,
        started_at: None,
        finished_at: None,
        wait_ms: None,
        queue_ms: None,
        work_ms: None,
        attempts: 0,
        reasons: Vec::new(),
        dead_letter_id: None,
    }
}

/// The hop to a function that has handled the event, or tried to.
fn delivered(event: &Hop, delivery: &DeliveryRow, letter: Option<&Letter>) -> Hop {
    let failed = u32::try_from(delivery.failed).unwrap_or_default();
    let done = delivery.done;
    let handling = done.map(|done| done.handling).unwrap_or_default();
    let started_at = done.map(|done| done.at);
    Hop {
        partition: handling.partition,
        offset: handling.offset,
        function: Some(delivery.function.clone()),
        outcome: match (letter, done) {
            (Some(_), _) => HopOutcome::GivenUp,
            (None, Some(_)) => HopOutcome::Handled,
            (None, None) => HopOutcome::Retrying,
        },
        started_at,
        finished_at: finished_at(delivery),
        wait_ms: started_at.map(|at| millis(at - event.emitted_at)),
        queue_ms: handling.waited_ms.map(f64::from),
        work_ms: handling.worked_us.map(|us| f64::from(us) / 1e3),
        attempts: match letter {
            Some(letter) => letter.attempts,
            None => failed + u32::from(done.is_some()),
        },
        reasons: letter.map(|letter| letter.reasons.clone()).unwrap_or_default(),
        dead_letter_id: letter.map(|letter| letter.id),
        ..event.clone()
    }
}

/// When the effects of a delivery were stored.
fn finished_at(delivery: &DeliveryRow) -> Option<DateTime<Utc>> {
    let done = delivery.done?;
    let work = TimeDelta::microseconds(done.handling.worked_us.unwrap_or_default().into());
    Some(done.at + work)
}

/// Milliseconds; none is negative, which clocks that differ can make them.
fn millis(duration: TimeDelta) -> f64 {
    duration.to_std().unwrap_or_default().as_secs_f64() * 1e3
}

fn sums(hops: &[Hop], took: TimeDelta) -> TraceSums {
    let is_given_up = |hop: &&Hop| matches!(hop.outcome, HopOutcome::GivenUp | HopOutcome::Parked);
    let failed = |hop: &Hop| match hop.outcome {
        HopOutcome::Handled => hop.attempts.saturating_sub(1),
        _ => hop.attempts,
    };
    TraceSums {
        hops: count(hops.len()),
        took_ms: millis(took),
        wait_ms: hops.iter().filter_map(|hop| hop.wait_ms).sum(),
        work_ms: hops.iter().filter_map(|hop| hop.work_ms).sum(),
        failed_attempts: hops.iter().map(failed).sum(),
        given_up: count(hops.iter().filter(is_given_up).count()),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
