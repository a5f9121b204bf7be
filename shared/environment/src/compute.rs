//! Runs CPU-bound work, such as hashing a password, away from the threads that serve requests.

use std::time::Duration;

use tokio::sync::Semaphore;

/// Most such work at once: more would starve everything else.
pub const AT_ONCE: usize = 2;
/// Most callers that wait; further ones are told to try again.
const WAITING_LIMIT: usize = 256;
/// The longest wait: after that, people have given up.
const WAIT_LIMIT: Duration = Duration::from_secs(5);

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);
static PLACES: Semaphore = Semaphore::const_new(WAITING_LIMIT);

/// Why work was not done.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// Too many wait already, or the wait was too long.
    #[error("too many computations wait for a turn")]
    Busy,
    /// The work panicked.
    #[error("a computation panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

/// Runs `work` on a thread of its own.
///
/// # Errors
/// There is too much to do already, or the work panicked.
pub async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ComputeError> {
    let place = PLACES.try_acquire().map_err(|_full| ComputeError::Busy)?;
    let turn = tokio::time::timeout(WAIT_LIMIT, TURNS.acquire()).await;
    let turn =
        turn.map_err(|_elapsed| ComputeError::Busy)?.map_err(|_closed| ComputeError::Busy)?;
    // Work that has begun cannot be stopped: it holds its permit to the end, even if the caller is gone.
    let done = tokio::task::spawn_blocking(move || {
        let _held = (place, turn);
        work()
    });
    done.await.map_err(ComputeError::Panicked)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::{AT_ONCE, run};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn work_of_callers_who_hang_up_still_counts_towards_the_limit() {
        let (started, starts) = mpsc::channel();
        let calls: Vec<_> = (0..4 * AT_ONCE)
            .map(|number| {
                let (open, gate) = mpsc::channel::<()>();
                let started = started.clone();
                let call = tokio::spawn(run(move || {
                    started.send(number).expect("the test listens");
                    assert!(gate.recv().is_err(), "goes on until the test lets go");
                }));
                (open, call)
            })
            .collect();
        for _ in 0..AT_ONCE {
            let number: usize = starts.recv().expect("it starts");
            calls[number].1.abort();
        }
        let next = starts.recv_timeout(Duration::from_millis(200));
        assert!(next.is_err(), "nobody gets the turn of work that goes on");
        drop(calls);
        assert!(run(|| true).await.is_ok_and(|done| done), "then there are turns again");
    }
}
