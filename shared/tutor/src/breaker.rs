//! A circuit breaker: a model that fails again and again is left alone for a while.

use chrono::{DateTime, TimeDelta, Utc};

/// Consecutive failures that open the breaker.
const FAILURES: u32 = 5;
/// How long the breaker is open before one question tries again.
const REST: TimeDelta = TimeDelta::seconds(30);

/// Whether a model may be asked.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: u32,
    /// When the next question may try; set while the breaker is open.
    try_at: Option<DateTime<Utc>>,
}

impl Breaker {
    /// Whether to ask now. While the breaker is open, one question in each pause is let through.
    pub fn lets_through(&mut self, now: DateTime<Utc>) -> bool {
        match self.try_at {
            None => true,
            Some(at) if now < at => false,
            Some(_) => {
                self.try_at = Some(now + REST);
                true
            }
        }
    }

    /// The model has answered.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
        self.try_at = None;
    }

    /// The model has not answered.
    pub fn failed(&mut self, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.try_at = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::Breaker;

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_closes_after_one_success() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed(now);
        }
        breaker.succeeded();
        for _ in 0..4 {
            breaker.failed(now);
            assert!(breaker.lets_through(now));
        }
        breaker.failed(now);
        assert!(!breaker.lets_through(now));
        let later = now + TimeDelta::seconds(30);
        assert!(breaker.lets_through(later), "one question tries it");
        assert!(!breaker.lets_through(later), "and only one");
        breaker.failed(later);
        assert!(!breaker.lets_through(later + TimeDelta::seconds(29)));
        assert!(breaker.lets_through(later + TimeDelta::seconds(30)));
        breaker.succeeded();
        assert!(breaker.lets_through(later));
    }
}
