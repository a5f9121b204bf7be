//! The database's pool, and how long its answers are waited for.

use std::time::Duration;

use environment::config::DatabaseConfig;
use secrecy::ExposeSecret;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The longest wait for a free connection: a student should hear «try again» before they give up.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// The longest that the server works on one statement; every query has an index, so this is a fault.
const STATEMENT_LIMIT_MS: &str = "5000";
/// The longest that the server keeps a transaction whose process says nothing. One that has vanished would else hold
/// its locks until TCP gives up, two hours by default: nobody could relay or sweep, and whoever gets its event would
/// fail at it until it is given up, which takes 50 s. Longer than any handler may take.
const SILENCE_LIMIT_MS: &str = "20000";
/// The longest for a piece of work on the database, from waiting for a connection to its last statement: what the
/// server's own limit does not end, since nothing of it arrives any more.
pub(crate) const WORK_LIMIT: Duration = Duration::from_secs(8);
/// The longest that a connection may take to show that it is in order when it is given back. One that does not is
/// closed, so that a silent network never holds the pool's places.
const RETURN_LIMIT: Duration = Duration::from_secs(1);
/// A pool for these settings; connections are made when they are needed.
///
/// # Errors
/// The address is malformed.
pub fn pool(config: &DatabaseConfig) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = config.url.expose_secret().parse()?;
    let options = storage::planned(options).application_name("learnflow").options([
        ("statement_timeout", STATEMENT_LIMIT_MS),
        ("idle_in_transaction_session_timeout", SILENCE_LIMIT_MS),
        ("timezone", "UTC"),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(ACQUIRE_LIMIT)
        // A dead connection is found by using it; asking first would double every round trip.
        .test_before_acquire(false)
        // The pool asks, too, but waits for the answer as long as the network keeps silent.
        .after_release(|conn, _| {
            Box::pin(async move {
                tokio::time::timeout(RETURN_LIMIT, sqlx::Connection::ping(conn))
                    .await
                    .unwrap_or_else(|_elapsed| Err(silent()))
                    .map(|()| true)
            })
        })
        .connect_lazy_with(options))
}

/// Work on the database, within the longest that it may take. Its outcome is unknown beyond that: a commit may have
/// been the last thing to arrive.
///
/// # Errors
/// The work's own, or that the database has gone silent.
pub(crate) async fn bounded<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(WORK_LIMIT, work).await.unwrap_or_else(|_elapsed| Err(silent()))
}

/// The database has gone silent.
pub(crate) fn silent() -> sqlx::Error {
    let kind = std::io::ErrorKind::TimedOut;
    sqlx::Error::Io(std::io::Error::new(kind, "the database does not answer"))
}
