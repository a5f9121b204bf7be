//! The database, as the rest of the runtime and the front doors use it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use environment::{Clock, config::DatabaseConfig, telemetry};
use events::envelope::derived_event_id;
use ids::EventId;
use secrecy::ExposeSecret;
use sqlx::{
    PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use storage::events::StoredEvent;
use uuid::Uuid;

use crate::{
    HandlerError, Outgoing,
    fault::{FaultPoint, Faults},
    group_commit::{AnyUnit, Groups, UnitOfWork, UnitOutcome, WithOutput, WorkOrigin},
    outbox::Outbox,
    writer::Ticket,
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
/// The longest for a probe: it is asked often, and a slow answer is as good as none.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

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

/// Access to the database: plain connections to read, and transactions that publish what they emit.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    /// Absent for an operator's tool, which publishes nothing: a relay finds what it emits.
    outbox: Option<Outbox>,
    groups: Groups,
    pub(crate) faults: Faults,
    clock: Clock,
}

impl Store {
    /// The pool behind it.
    #[must_use]
    pub fn pool(&self) -> PgPool {
        self.pool.clone()
    }

    /// The database behind a pool; what it emits is published.
    #[must_use]
    pub fn new(pool: PgPool, outbox: Outbox, faults: Faults, clock: Clock) -> Self {
        Self { pool, outbox: Some(outbox), groups: Groups::default(), faults, clock }
    }

    /// Stops shared transactions at once, in the middle of whatever they do: a crash, for tests.
    pub fn kill(&self) {
        self.groups.kill();
    }

    pub(crate) const fn groups(&self) -> &Groups {
        &self.groups
    }

    /// A database for an operator's tool.
    ///
    /// # Errors
    /// The address is malformed.
    pub fn open(url: &str) -> sqlx::Result<Self> {
        let config = DatabaseConfig { url: url.into(), max_connections: 2 };
        Ok(Self {
            pool: pool(&config)?,
            outbox: None,
            groups: Groups::default(),
            faults: Faults::default(),
            clock: Clock::System,
        })
    }

    /// Brings the database up to date.
    ///
    /// # Errors
    /// The database cannot be reached, or a migration fails.
    pub async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        storage::migrations::run(&self.pool).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// A connection for single statements.
    ///
    /// # Errors
    /// The database cannot be reached, or all connections are in use.
    pub async fn connection(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        self.pool.acquire().await
    }

    /// Whether the database answers, and soon.
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
        Ok(Transaction { tx: self.pool.begin().await?, store: self, function })
    }

    /// Does a piece of work in a transaction that it may share with others of its function which are ready at the same
    /// time; if any of them fails, it is done alone.
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
            match self.groups.run(self, origin, shared).await {
                UnitOutcome::Committed | UnitOutcome::Duplicate => return Ok(()),
                // Done again it would be done twice. Who asks again with the same key is told what has become of it.
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

/// A transaction is not known to be committed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// It was not: something failed before.
    #[error(transparent)]
    NotDone(sqlx::Error),
    /// Nobody knows: the commit was sent, and its answer did not come.
    #[error(transparent)]
    Unknown(sqlx::Error),
}

impl From<CommitError> for sqlx::Error {
    fn from(error: CommitError) -> Self {
        let (CommitError::NotDone(error) | CommitError::Unknown(error)) = error;
        error
    }
}

/// A unit of work has said that it is done, and has no output: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("a unit of work has no output")]
struct NoOutput;

/// A transaction whose events are published once it is committed. Dropped, it is rolled back.
#[derive(Debug)]
pub struct Transaction<'a> {
    tx: sqlx::Transaction<'a, Postgres>,
    store: &'a Store,
    function: &'static str,
}

impl Transaction<'_> {
    /// The connection, for storage functions.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Commits the state changes together with the events that they cause, then hands the events to
    /// the publisher. `cause` is the event or request that all of it answers to: the ids of the
    /// outgoing events derive from it.
    ///
    /// # Errors
    /// The database's own; nothing is done then.
    pub async fn commit(
        self,
        cause: EventId,
        outgoing: Outgoing,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let events = stored(self.function, cause, outgoing, now);
        Ok(self.commit_events(events).await?)
    }

    pub(crate) async fn commit_events(
        mut self,
        mut events: Vec<StoredEvent>,
    ) -> Result<(), CommitError> {
        let outbox = self.store.outbox.as_ref().filter(|_| !events.is_empty());
        let ticket = outbox.and_then(Outbox::open);
        let writer = ticket.as_ref().map(Ticket::writer);
        let now = self.store.clock.now();
        let kept = storage::events::insert_outgoing(&mut self.tx, &events, writer, now)
            .await
            .map_err(CommitError::NotDone)?;
        let Some(kept) = kept else {
            if let Some(ticket) = ticket {
                ticket.abandon();
            }
            return Err(CommitError::NotDone(taken_for_dead()));
        };
        if let Some(ticket) = &ticket {
            ticket.committing(kept.iter().map(|event| event.sequence).max().unwrap_or_default());
        }
        self.tx.commit().await.map_err(CommitError::Unknown)?;
        if let Some(ticket) = &ticket {
            ticket.committed();
        }
        if !events.is_empty() {
            self.store.faults.pass(self.function, FaultPoint::Committed).await;
        }
        if let (Some(outbox), Some(ticket)) = (outbox, ticket) {
            let sent: HashSet<Uuid> =
                kept.iter().filter(|event| event.is_sent).map(|event| event.id).collect();
            events.retain(|event| sent.contains(&event.id.as_uuid()));
            outbox.submit(self.function, events, ticket);
        }
        Ok(())
    }
}

/// The events of one unit of work, as they are kept.
pub(crate) fn stored(
    function: &'static str,
    cause: EventId,
    outgoing: Outgoing,
    now: DateTime<Utc>,
) -> Vec<StoredEvent> {
    let traceparent = telemetry::current_traceparent();
    let source = format!("learnflow/{function}");
    let drafts = outgoing.into_drafts().into_iter().enumerate();
    let events = drafts.map(|(position, draft)| StoredEvent {
        id: derived_event_id(cause, function, position),
        topic: draft.topic.to_owned(),
        partition_key: draft.subject.to_string(),
        event_type: draft.event_type.to_owned(),
        source: source.clone(),
        subject: Some(draft.subject.as_uuid()),
        correlation_id: draft.correlation_id,
        causation_id: Some(cause),
        traceparent: traceparent.clone(),
        data: draft.data,
        occurred_at: now,
    });
    events.collect()
}

/// Work on the database, within the longest that it may take. Its outcome is unknown beyond that: a commit may have
/// been the last thing to arrive.
///
/// # Errors
/// The work's own, or that the database has gone silent.
pub(crate) async fn bounded<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(WORK_LIMIT, work).await.unwrap_or_else(|_elapsed| Err(silent()))
}

/// Others have taken this process for dead, and publish for it: it goes on as another one.
fn taken_for_dead() -> sqlx::Error {
    let kind = std::io::ErrorKind::ConnectionAborted;
    sqlx::Error::Io(std::io::Error::new(kind, "this process was taken for dead"))
}

pub(crate) fn silent() -> sqlx::Error {
    let kind = std::io::ErrorKind::TimedOut;
    sqlx::Error::Io(std::io::Error::new(kind, "the database does not answer"))
}
