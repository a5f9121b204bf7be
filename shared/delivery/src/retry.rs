//! How long to wait before the next attempt.

use std::time::Duration;

/// Most attempts at an event whose handler returns `Retry`; with the delays below they span 6 to 11 s.
pub(crate) const MAX_ATTEMPTS: u32 = 8;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// The delay after failed attempt number `attempt` (from 1): exponential, reduced by up to half by `jitter` (any
/// number), so that events that failed together are not retried together.
pub(crate) fn delay(attempt: u32, jitter: u64) -> Duration {
    let doubled = FIRST_DELAY.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let full = doubled.min(LONGEST_DELAY);
    let half_ms = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX).max(1);
    full - Duration::from_millis(jitter % half_ms)
}

/// Waits before the next attempt.
#[expect(clippy::disallowed_methods, reason = "the runtime's retry loop is the one place that may")]
pub(crate) async fn pause(attempt: u32, jitter: u64) {
    tokio::time::sleep(delay(attempt, jitter)).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MAX_ATTEMPTS, delay};

    #[test]
    fn delays_grow_to_a_bound_and_jitter_takes_at_most_half() {
        let full: Vec<u128> = (1..=MAX_ATTEMPTS).map(|n| delay(n, 0).as_millis()).collect();
        assert_eq!(full, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        for attempt in 1..100 {
            for jitter in [1, 49, 1_234, u64::MAX] {
                let waited = delay(attempt, jitter);
                assert!(waited > delay(attempt, 0) / 2 - Duration::from_millis(1));
                assert!(waited <= delay(attempt, 0));
            }
        }
    }
}
