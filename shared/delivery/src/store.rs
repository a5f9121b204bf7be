//! The database, for the rest of the runtime and for HTTP endpoints.

use std::{sync::Arc, time::Duration};

use environment::{Clock, config::DatabaseConfig};
use ids::UserId;
use sqlx::{PgPool, Postgres, pool::PoolConnection};

use crate::{
    admissions::Admissions,
    database::{WORK_LIMIT, pool, silent},
    fault::Faults,
    group_commit::{AnyUnit, Groups, UnitOfWork, UnitOutcome, WithOutput, WorkOrigin},
    handler::HandlerError,
    keys::Keys,
    outbox::Outbox,
    transaction::{Transaction, Transactions},
};

/// The timeout of a probe: it is called often, and a slow answer is as good as none.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// Access to the database: plain connections to read, and transactions that publish what they emit.
#[derive(Debug, Clone)]
pub struct Store {
    transactions: Transactions,
    groups: Groups,
    admissions: Admissions,
}

impl Store {
    /// The pool.
    #[must_use]
    pub fn pool(&self) -> PgPool {
        self.transactions.pool.clone()
    }

    /// The keys with which events about people are sealed.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.transactions.keys
    }

    /// Who is still admitted with a valid token.
    #[must_use]
    pub const fn admissions(&self) -> &Admissions {
        &self.admissions
    }

    /// Looks again at what is remembered of a person: to be called after what ends an account or a session was committed.
    /// Other processes look within a minute.
    pub fn forget(&self, person: UserId) {
        self.transactions.keys.forget(person);
        self.admissions.forget(person);
    }

    /// A store for a pool; events that its transactions emit are published.
    #[must_use]
    pub fn new(pool: PgPool, outbox: Outbox, faults: Faults, clock: Clock) -> Self {
        let groups = Groups::new(pool.options().get_max_connections());
        let keys = Keys::new(pool.clone());
        let admissions = Admissions::new(pool.clone(), keys.clone(), clock.clone());
        let transactions = Transactions { pool, outbox: Some(outbox), faults, clock, keys };
        Self { transactions, groups, admissions }
    }

    /// Stops groups at once, in the middle of their work: simulates a crash in tests.
    pub fn kill(&self) {
        self.groups.kill();
    }

    /// Runs a unit in its function's next group.
    pub(crate) async fn run_in_group(
        &self,
        origin: WorkOrigin,
        unit: Arc<dyn AnyUnit>,
    ) -> UnitOutcome {
        self.groups.run(&self.transactions, origin, unit).await
    }

    /// A store for an operator's tool.
    ///
    /// # Errors
    /// The address is malformed.
    pub fn open(url: &str) -> sqlx::Result<Self> {
        let config = DatabaseConfig { url: url.into(), max_connections: 2 };
        let (pool, faults) = (pool(&config)?, Faults::default());
        let (keys, clock) = (Keys::new(pool.clone()), Clock::System);
        let admissions = Admissions::new(pool.clone(), keys.clone(), clock.clone());
        let transactions = Transactions { pool, outbox: None, faults, clock, keys };
        Ok(Self { transactions, groups: Groups::new(0), admissions })
    }

    /// Migrates the database.
    ///
    /// # Errors
    /// The database cannot be reached, or a migration fails.
    pub async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        storage::migrations::run(&self.transactions.pool).await
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.groups.release();
        self.transactions.pool.close().await;
    }

    /// A connection for single statements.
    ///
    /// # Errors
    /// The database cannot be reached, or all connections are in use.
    pub async fn connection(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        self.transactions.pool.acquire().await
    }

    /// Whether the database answers in time.
    ///
    /// # Errors
    /// It does not.
    pub async fn probe(&self) -> sqlx::Result<()> {
        let ask = async { storage::probe(&mut *self.connection().await?).await };
        tokio::time::timeout(PROBE_LIMIT, ask).await.unwrap_or_else(|_elapsed| Err(silent()))
    }

    /// Begins a transaction on behalf of `function`.
    ///
    /// # Errors
    /// The database cannot be reached, or all connections are in use.
    pub async fn begin(&self, function: &'static str) -> sqlx::Result<Transaction<'_>> {
        self.transactions.begin(function).await
    }

    /// Does a piece of work in a transaction that it may share with others of its function that are ready at the same
    /// time; if any of them fails, it gets a transaction of its own.
    ///
    /// # Errors
    /// The work's own, and the database's as [`HandlerError::Retry`]; nothing is done then.
    pub async fn transact<W: UnitOfWork>(
        &self,
        origin: WorkOrigin,
        work: W,
    ) -> Result<W::Output, HandlerError> {
        let unit = Arc::new(WithOutput::new(work));
        let shared: Arc<dyn AnyUnit> = Arc::<WithOutput<W>>::clone(&unit);
        let done = async {
            match self.run_in_group(origin, shared).await {
                UnitOutcome::Committed | UnitOutcome::Duplicate => return Ok(()),
                // A retry here could do it twice. A client that repeats the request with the same key gets its result.
                UnitOutcome::Unknown => return Err(HandlerError::retry(silent())),
                UnitOutcome::Undone => {}
            }
            let mut tx = self.begin(origin.function).await.map_err(HandlerError::retry)?;
            let outgoing = unit.run(tx.conn()).await?;
            tx.commit(origin.cause, outgoing, origin.now).await.map_err(HandlerError::retry)
        };
        tokio::time::timeout(WORK_LIMIT, done)
            .await
            .unwrap_or_else(|_elapsed| Err(HandlerError::retry(silent())))?;
        unit.take().ok_or_else(|| HandlerError::fail(NoOutput))
    }
}

/// A unit of work succeeded without an output: a bug of ours.
#[derive(Debug, thiserror::Error)]
#[error("a unit of work has no output")]
struct NoOutput;
