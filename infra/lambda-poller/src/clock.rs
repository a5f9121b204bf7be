//! The time, and new ids.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// Milliseconds since 1970 that never go back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    began: Instant,
    began_ms: i64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for the time")]
    pub(crate) fn new() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), began_ms: whole_ms(since_1970) }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.began_ms.saturating_add(whole_ms(self.began.elapsed()))
    }

    /// The moment at which [`Clock::now_ms`] will be this.
    pub(crate) fn instant(&self, at_ms: i64) -> Instant {
        let later = u64::try_from(at_ms.saturating_sub(self.began_ms)).unwrap_or_default();
        self.began + Duration::from_millis(later)
    }
}

fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A new id.
#[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
pub(crate) fn new_id() -> String {
    Uuid::new_v4().to_string()
}
