//! The connection pool and its timeouts.

use std::time::Duration;

use environment::config::DatabaseConfig;
use secrecy::ExposeSecret;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The longest wait for a free connection: students should read "try again" before they give up.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// The server's limit for one statement; every query has an index, so exceeding it is a fault.
const STATEMENT_LIMIT_MS: &str = "5000";
/// How long the server keeps an idle transaction open. If a process has vanished, its transaction would otherwise hold
/// its locks until TCP gives up, two hours by default: nobody could relay or sweep, and other instances would fail at
/// its event until it is given up, after 50 s. Longer than any handler may take.
const SILENCE_LIMIT_MS: &str = "20000";
/// The limit for a piece of work on the database, from waiting for a connection to the last statement. It ends what the
/// server's own limit cannot: waits on a silent network.
pub(crate) const WORK_LIMIT: Duration = Duration::from_secs(8);
/// How long a connection may take to answer a ping when it is returned to the pool. Otherwise it is closed, so that a
/// silent network never occupies the pool's slots.
const RETURN_LIMIT: Duration = Duration::from_secs(1);
/// Creates a pool with these settings; connections are opened on demand.
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
        // A dead connection is found by using it; a ping first would double every round trip.
        .test_before_acquire(false)
        // The pool also pings, but without a timeout.
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

/// Limits the time of work on the database. After a timeout the outcome is unknown: a commit may still have reached the
/// server.
///
/// # Errors
/// The work's own, or a timeout if the database is silent.
pub(crate) async fn bounded<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(WORK_LIMIT, work).await.unwrap_or_else(|_elapsed| Err(silent()))
}

/// The error for a database that does not answer in time.
pub(crate) fn silent() -> sqlx::Error {
    let kind = std::io::ErrorKind::TimedOut;
    sqlx::Error::Io(std::io::Error::new(kind, "the database does not answer"))
}
