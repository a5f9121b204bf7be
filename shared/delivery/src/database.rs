//! The connection pool and its timeouts.

use std::time::Duration;

use environment::config::DatabaseConfig;
use secrecy::ExposeSecret;
use sqlx::{
    AssertSqlSafe, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The longest wait for a free connection: students should read "try again" before they give up.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// The server's limit for one statement; every query has an index, so exceeding it is a fault.
const STATEMENT_LIMIT_MS: u32 = 5_000;
/// How long the server keeps an idle transaction open. If a process has vanished, its transaction would otherwise hold
/// its locks until TCP gives up, two hours by default: nobody could relay or sweep, and other instances would fail at
/// its event until it is given up, after 50 s. Longer than any handler may take.
const SILENCE_LIMIT_MS: u32 = 20_000;
/// The limit for a piece of work on the database, from waiting for a connection to the last statement. It ends what the
/// server's own limit cannot: waits on a silent network.
pub(crate) const WORK_LIMIT: Duration = Duration::from_secs(8);
/// How long a connection may take to answer a ping, when it is returned to the pool or was idle for long. Otherwise it
/// is closed, so that a silent network never occupies the pool's slots.
const PING_LIMIT: Duration = Duration::from_secs(1);
/// How long a connection may have been idle to be used without a ping. A function that was frozen, or a network that
/// forgets, leaves connections that are dead without a sign.
pub(crate) const LONG_IDLE: Duration = Duration::from_secs(60);

/// Creates a pool with these settings; connections are opened on demand.
///
/// # Errors
/// The address is malformed.
pub fn pool(config: &DatabaseConfig) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = config.url.expose_secret().parse()?;
    // Nothing more in the first message: poolers take little else.
    let options = options.application_name("learnflow").extra_float_digits(None);
    Ok(PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(ACQUIRE_LIMIT)
        .after_connect(|conn, _| Box::pin(set_up(conn)))
        // A dead connection is found by using it; a ping first would double every round trip.
        .test_before_acquire(false)
        .before_acquire(|conn, used| {
            Box::pin(async move { Ok(used.idle_for < LONG_IDLE || is_alive(conn).await) })
        })
        // The pool also pings, but without a timeout.
        .after_release(|conn, _| Box::pin(async move { Ok(is_alive(conn).await) }))
        .connect_lazy_with(options))
}

/// What holds for all statements of a connection.
async fn set_up(conn: &mut PgConnection) -> sqlx::Result<()> {
    storage::plan_once(conn).await?;
    let limits = format!(
        "SET statement_timeout = {STATEMENT_LIMIT_MS}; \
         SET idle_in_transaction_session_timeout = {SILENCE_LIMIT_MS}"
    );
    sqlx::raw_sql(AssertSqlSafe(limits)).execute(conn).await.map(drop)
}

/// Whether a connection answers in time.
async fn is_alive(conn: &mut PgConnection) -> bool {
    let ping = tokio::time::timeout(PING_LIMIT, sqlx::Connection::ping(conn));
    ping.await.is_ok_and(|answered| answered.is_ok())
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
