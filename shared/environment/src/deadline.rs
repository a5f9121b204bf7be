//! How long a request may take: a few seconds of work, plus declared waits.
//!
//! A silent database ends no wait by itself. Clients learn that soon, while other waits may be far longer: for a
//! model's answer, a program's end, a slow client's body.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// The longest time for the work of a request, without declared waits.
pub const WORK_LIMIT: Duration = Duration::from_secs(8);
/// The longest time for all declared waits together, so that no request lasts forever.
const ALLOWANCE_LIMIT: Duration = Duration::from_secs(120);

tokio::task_local! {
    static ALLOWED_MS: Arc<AtomicU64>;
}

/// Declares a wait: extends the current request's deadline by this time.
pub fn allow(more: Duration) {
    // Work outside of requests has its own limits.
    if let Ok(allowed) = ALLOWED_MS.try_with(Arc::clone) {
        allowed.fetch_add(ms(more.min(ALLOWANCE_LIMIT)), Ordering::Relaxed);
    }
}

/// A request took longer than allowed.
#[derive(Debug)]
pub struct Elapsed;

/// Runs a request until it is done, or until `limit` and the declared waits are over.
pub async fn keep<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    let started = Instant::now();
    let allowed = Arc::new(AtomicU64::new(0));
    let work = ALLOWED_MS.scope(Arc::clone(&allowed), work);
    tokio::pin!(work);
    let allowance = || Duration::from_millis(allowed.load(Ordering::Relaxed)).min(ALLOWANCE_LIMIT);
    loop {
        let given = allowance();
        match tokio::time::timeout_at(started + limit + given, &mut work).await {
            Ok(done) => return Ok(done),
            // The deadline was extended meanwhile.
            Err(_) if allowance() > given => {}
            Err(_) => return Err(Elapsed),
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::task::yield_now;

    use super::{allow, keep};

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn a_request_ends_when_its_time_is_over_and_not_while_it_has_said_that_it_waits() {
        assert!(keep(Duration::ZERO, pending::<()>()).await.is_err());
        assert!(keep(HOUR, yield_now()).await.is_ok());
        let waits = async {
            allow(HOUR);
            yield_now().await;
            allow(Duration::MAX);
            yield_now().await;
        };
        assert!(keep(Duration::ZERO, waits).await.is_ok());
    }
}
