//! Work that keeps a core busy, such as hashing a password, away from the threads that serve.

use tokio::sync::Semaphore;

use crate::http::Problem;

/// Such work at once: more would take the cores from everyone else.
const AT_ONCE: usize = 2;
/// Callers that may wait for a turn; whoever comes after them is told to try again.
const WAITING_LIMIT: usize = 256;
/// Seconds after which they may.
const RETRY_SECONDS: u32 = 2;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);
static PLACES: Semaphore = Semaphore::const_new(WAITING_LIMIT);

/// Runs `work` on a thread of its own.
///
/// # Errors
/// 503 if too many wait already; 500 if the work panicked.
pub async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let busy = || {
        let detail = "too many log in at this moment; try again";
        let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        Problem::new(status, "busy", detail).retry_after(RETRY_SECONDS)
    };
    let _place = PLACES.try_acquire().map_err(|_full| busy())?;
    let _turn = TURNS.acquire().await.map_err(|_closed| busy())?;
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
}
