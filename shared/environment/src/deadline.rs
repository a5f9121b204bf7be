//! How long a request may take: a few seconds of work, and whatever it has said that it waits for.
//!
//! A database that has gone silent ends no wait by itself. Who asks learns that soon, though others are waited for
//! far longer: a model's answer, a program's end, a slow client's body.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// The longest that a request may be worked on, without what it waits for.
pub const WORK_LIMIT: Duration = Duration::from_secs(8);
/// The longest of all that it waits for together, so that nothing keeps it for ever.
const ALLOWANCE_LIMIT: Duration = Duration::from_secs(120);

tokio::task_local! {
    static ALLOWED_MS: Arc<AtomicU64>;
}

/// Gives the current request more time, since it waits for something that may take so long.
pub fn allow(more: Duration) {
    // Work that is no request has limits of its own.
    if let Ok(allowed) = ALLOWED_MS.try_with(Arc::clone) {
        allowed.fetch_add(ms(more.min(ALLOWANCE_LIMIT)), Ordering::Relaxed);
    }
}

/// A request has taken longer than it may.
#[derive(Debug)]
pub struct Elapsed;

/// Works on a request until it is done, or `limit` and what was allowed meanwhile are over.
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
            // More was allowed meanwhile.
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
