//! Time and fresh ids.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

/// An advance by this much is a leap: what waits for a time is looked at again at once. Shorter than any interval that
/// people notice, and longer than the steps within an hour of work.
const LEAP: TimeDelta = TimeDelta::minutes(30);

/// The source of time: the system, a test, or a demonstration.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Stands still until it is advanced.
    Manual(Arc<Mutex<DateTime<Utc>>>),
    /// Goes like the machine's clock, but lags behind it until it is advanced: for a demonstration that lives through
    /// days in seconds. It never shows a time to come, so what was stored by it is sound when it has caught up.
    Lagging(Arc<Lag>),
}

/// How far a clock lags behind the machine's.
#[derive(Debug)]
pub struct Lag {
    by: Mutex<TimeDelta>,
    leaps: watch::Sender<()>,
}

/// Tells when a clock leaps.
#[derive(Debug)]
pub struct Leaps(Option<watch::Receiver<()>>);

impl Leaps {
    /// Completes when the clock has made a leap; never for one that does not.
    pub async fn next(&mut self) {
        if let Some(leaps) = &mut self.0
            && leaps.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

impl Clock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn manual(now: DateTime<Utc>) -> Self {
        Self::Manual(Arc::new(Mutex::new(now)))
    }

    /// A clock that lags behind the machine's.
    #[must_use]
    pub fn lagging(by: TimeDelta) -> Self {
        Self::Lagging(Arc::new(Lag { by: Mutex::new(by), leaps: watch::Sender::new(()) }))
    }

    /// By which processes watch each other: the machine's clock, unless a test moves it. A process does not die when a
    /// lagging clock leaps.
    #[must_use]
    pub fn of_processes(&self) -> Self {
        match self {
            Self::System | Self::Lagging(_) => Self::System,
            Self::Manual(_) => self.clone(),
        }
    }

    /// Tells when it leaps. Only a lagging clock does; a test triggers what it wants to see.
    #[must_use]
    pub fn leaps(&self) -> Leaps {
        Leaps(match self {
            Self::System | Self::Manual(_) => None,
            Self::Lagging(lag) => Some(lag.leaps.subscribe()),
        })
    }

    /// The time in whole microseconds, the database's precision.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the system")]
    pub fn now(&self) -> DateTime<Utc> {
        let now = match self {
            Self::System => Utc::now(),
            Self::Manual(now) => *now.lock(),
            Self::Lagging(lag) => Utc::now() - *lag.by.lock(),
        };
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// Advances a manual clock, or a lagging one as far as the machine's; has no effect on the system's.
    pub fn advance(&self, by: TimeDelta) {
        match self {
            Self::System => {}
            Self::Manual(now) => *now.lock() += by,
            Self::Lagging(lag) => {
                let mut left = lag.by.lock();
                *left = (*left - by).max(TimeDelta::zero());
                drop(left);
                if by >= LEAP {
                    lag.leaps.send_replace(());
                }
            }
        }
    }

    /// 32 random bytes for a token.
    ///
    /// # Errors
    /// The system has no randomness available.
    pub fn new_secret(&self) -> Result<[u8; 32], getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(secret)
    }

    /// A new UUIDv7.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    pub fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;
    use tokio::time::timeout;

    use super::Clock;

    #[test]
    fn a_lagging_clock_goes_on_and_never_overtakes_the_machines() {
        let clock = Clock::lagging(TimeDelta::days(2));
        let first = clock.now();
        let behind = Clock::System.now() - first;
        assert!(behind >= TimeDelta::days(2) && behind < TimeDelta::days(3), "{behind}");
        clock.advance(TimeDelta::days(1));
        assert!(clock.now() - first >= TimeDelta::days(1));
        clock.advance(TimeDelta::days(5));
        let before = Clock::System.now();
        let now = clock.now();
        assert!(before <= now && now <= Clock::System.now(), "it has caught up");
    }

    #[tokio::test]
    async fn only_long_advances_are_leaps() {
        const SHORT: Duration = Duration::from_millis(20);
        let clock = Clock::lagging(TimeDelta::days(2));
        let mut leaps = clock.leaps();
        clock.advance(TimeDelta::minutes(2));
        assert!(timeout(SHORT, leaps.next()).await.is_err(), "a step");
        clock.advance(TimeDelta::hours(9));
        assert!(timeout(SHORT, leaps.next()).await.is_ok(), "a leap, although nobody was waiting");
        assert!(timeout(SHORT, leaps.next()).await.is_err(), "it is told once");
        assert!(timeout(SHORT, Clock::System.leaps().next()).await.is_err());
    }
}
