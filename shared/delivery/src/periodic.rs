//! Periodic work, which no event triggers: run again and again by the tick of a long-running host, or by a schedule of
//! the cloud.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use environment::{Clock, chain};
use ids::EventId;
use sqlx::PgConnection;
use storage::periodic_runs;
use tokio::{task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    database::{WORK_LIMIT, bounded, silent},
    handler::{HandlerError, Outgoing},
    schema::Schema,
    store::Store,
};

/// Most rounds in one run; the next run continues with the rest.
const ROUNDS_LIMIT: usize = 20;

/// The name of a kind of periodic work, and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Its name, unique among all functions.
    pub name: &'static str,
    /// The time between the beginnings of two runs.
    pub every: Duration,
}

/// The result of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// Events to emit.
    pub outgoing: Outgoing,
    /// Whether another round would find more to do right now.
    pub has_more: bool,
}

/// Work without input: it looks in the database for what is to be done, and does it.
///
/// It may run at any time, and twice. Only one instance runs it at a time.
pub trait Periodic: Send + Sync + 'static {
    /// Its name and interval.
    const SCHEDULE: Schedule;

    /// Does a bounded part of the work in one transaction, and holds no lock for longer than a handler would.
    fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> impl Future<Output = Result<Round, HandlerError>> + Send;
}

/// A round in progress.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Round, HandlerError>> + Send + 'a>>;

/// Periodic work of any type.
pub trait AnyPeriodic: Send + Sync {
    /// Its name and interval.
    fn schedule(&self) -> Schedule;

    /// Like [`Periodic::run`].
    fn run<'a>(&'a self, now: DateTime<Utc>, conn: &'a mut PgConnection) -> Running<'a>;
}

impl<P: Periodic> AnyPeriodic for P {
    fn schedule(&self) -> Schedule {
        P::SCHEDULE
    }

    fn run<'a>(&'a self, now: DateTime<Utc>, conn: &'a mut PgConnection) -> Running<'a> {
        Box::pin(Periodic::run(self, now, conn))
    }
}

/// Why a run was interrupted; the next one continues.
#[derive(Debug, thiserror::Error)]
pub enum PeriodicError {
    /// There is no work of this name.
    #[error("there is no periodic work {0}")]
    Unknown(String),
    /// The database's own.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
    /// The work's own.
    #[error("a round failed")]
    Round(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<HandlerError> for PeriodicError {
    fn from(error: HandlerError) -> Self {
        let (HandlerError::Retry(error) | HandlerError::Fail(error)) = error;
        Self::Round(error.into())
    }
}

/// All periodic work of one function.
#[derive(Clone)]
pub struct PeriodicWork {
    function: &'static str,
    store: Store,
    clock: Clock,
    schema: Schema,
    all: Vec<Arc<dyn AnyPeriodic>>,
}

impl std::fmt::Debug for PeriodicWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.all.iter().map(|work| work.schedule().name);
        f.debug_list().entries(names).finish()
    }
}

impl PeriodicWork {
    /// All periodic work of `function`, done once the database is up to date.
    #[must_use]
    pub const fn new(
        function: &'static str,
        store: Store,
        clock: Clock,
        schema: Schema,
        all: Vec<Arc<dyn AnyPeriodic>>,
    ) -> Self {
        Self { function, store, clock, schema, all }
    }

    /// Runs each kind of work as often as its schedule says, on this instance or another, until `stop`.
    pub fn spawn(&self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        for work in &self.all {
            let (this, work, stop) = (self.clone(), Arc::clone(work), stop.clone());
            tasks.spawn(async move { this.tick(work.as_ref(), &stop).await });
        }
    }

    async fn tick(&self, work: &dyn AnyPeriodic, stop: &CancellationToken) {
        if !self.schema.wait(stop).await {
            return;
        }
        let Schedule { name, every } = work.schedule();
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut leaps = self.clock.leaps();
        // A new process runs it at once: the last run may be long ago.
        let mut is_due = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
                () = leaps.next() => {}
            }
            match self.run_if_due(work, is_due).await {
                Ok(()) => is_due = false,
                Err(error) => {
                    tracing::warn!(name, error = %chain(&error), "periodic work was interrupted");
                }
            }
        }
    }

    async fn run_if_due(&self, work: &dyn AnyPeriodic, is_due: bool) -> Result<(), PeriodicError> {
        let Schedule { name, every } = work.schedule();
        let claimed = bounded(async {
            let mut conn = self.store.connection().await?;
            let every = TimeDelta::from_std(every).unwrap_or(TimeDelta::MAX);
            periodic_runs::claim(&mut conn, name, self.clock.now(), every).await
        });
        if claimed.await? || is_due { self.rounds(work).await } else { Ok(()) }
    }

    /// Runs the work of this name now, triggered by an external schedule; all of it for `None`.
    ///
    /// # Errors
    /// There is no work of that name, or a round failed.
    pub async fn run(&self, name: Option<&str>) -> Result<(), PeriodicError> {
        let is_meant =
            |work: &dyn AnyPeriodic| name.is_none_or(|name| work.schedule().name == name);
        let chosen: Vec<_> =
            self.all.iter().filter(|work| is_meant(work.as_ref())).map(Arc::clone).collect();
        if let (Some(name), true) = (name, chosen.is_empty()) {
            return Err(PeriodicError::Unknown(name.to_owned()));
        }
        for work in chosen {
            self.rounds(work.as_ref()).await?;
        }
        Ok(())
    }

    async fn rounds(&self, work: &dyn AnyPeriodic) -> Result<(), PeriodicError> {
        for _ in 0..ROUNDS_LIMIT {
            let round = tokio::time::timeout(WORK_LIMIT, self.round(work));
            if !round.await.unwrap_or_else(|_elapsed| Err(silent().into()))? {
                break;
            }
        }
        Ok(())
    }

    /// Runs one round; `true` if there is more to do.
    async fn round(&self, work: &dyn AnyPeriodic) -> Result<bool, PeriodicError> {
        let now = self.clock.now();
        let mut tx = self.store.begin(self.function).await?;
        if !periodic_runs::lock(tx.conn(), work.schedule().name).await? {
            // Another instance is running it.
            return Ok(false);
        }
        let round = work.run(now, tx.conn()).await?;
        tx.commit(EventId::from_uuid(self.clock.new_id()), round.outgoing, now).await?;
        Ok(round.has_more)
    }
}
