//! How an event came to a function, kept with the fact that it was handled: for operators (`learnflow trace`).

use std::time::Instant;

use chrono::{DateTime, Utc};
use environment::Clock;
use ids::EventId;
use storage::inbox::{Claim, Handling};

use crate::message::Record;

/// The arrival of an event: the beginning of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    record: Option<Record>,
    at: DateTime<Utc>,
    waited_ms: Option<i32>,
    began: Instant,
}

impl Arrival {
    /// The arrival of a record at this moment.
    pub(crate) fn now(record: Option<Record>, clock: &Clock) -> Self {
        // Records have the machine's time, also while a demonstration lives in the past.
        let sent_at = record.and_then(|record| record.at);
        let waited = sent_at.map(|sent_at| clock.of_processes().now() - sent_at);
        let waited_ms = waited.map(|waited| at_most(waited.num_milliseconds()));
        Self { record, at: clock.now(), waited_ms, began: Instant::now() }
    }

    /// The inbox row of the event, whose effects are stored now.
    pub(crate) fn claim(&self, event: EventId) -> Claim {
        let handling = Handling {
            partition: self.record.and_then(|record| i16::try_from(record.partition).ok()),
            offset: self.record.map(|record| record.offset),
            waited_ms: self.waited_ms,
            worked_us: Some(at_most(
                i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX),
            )),
        };
        Claim { event, at: self.at, handling }
    }
}

/// A duration as it is stored: none is negative, which clocks that differ can make it, and the longest count as many.
fn at_most(duration: i64) -> i32 {
    i32::try_from(duration.max(0)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use environment::Clock;
    use ids::EventId;
    use uuid::Uuid;

    use super::{Arrival, Record, at_most};

    #[test]
    fn a_wait_is_never_negative_and_unknown_without_a_time() {
        let event = EventId::from_uuid(Uuid::nil());
        let of =
            |record: Option<Record>| Arrival::now(record, &Clock::System).claim(event).handling;
        let ago = |ago: TimeDelta| {
            let at = Some(Clock::System.now() - ago);
            of(Some(Record { partition: 7, offset: 42, at }))
        };
        let handling = ago(TimeDelta::seconds(2));
        assert_eq!((handling.partition, handling.offset), (Some(7), Some(42)));
        assert!(handling.waited_ms.is_some_and(|ms| (2_000..60_000).contains(&ms)), "{handling:?}");
        assert_eq!(ago(TimeDelta::hours(-1)).waited_ms, Some(0), "a sender whose clock is ahead");
        let unknown = of(None);
        assert_eq!((unknown.partition, unknown.offset, unknown.waited_ms), (None, None, None));
        assert_eq!(at_most(i64::MAX), i32::MAX);
        assert_eq!(Record::at_millis(0, 0, Some(-1)).at, None, "a record without a time");
    }
}
