//! How long an operator waits for a cluster.

use std::time::{Duration, Instant};

/// The limit of each request: an operator waits for the answer.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// How long requests may take: each, and all together if that is bounded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// Only each request is bounded.
    pub(super) const EACH: Self = Self { until: None };

    pub(super) fn of(limit: Duration) -> Self {
        Self { until: Some(Instant::now() + limit) }
    }

    /// The limit of the next request.
    pub(super) fn next(self) -> Duration {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        left.unwrap_or(REQUEST_LIMIT).min(REQUEST_LIMIT)
    }
}
