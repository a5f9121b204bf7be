//! Group commit: units of work that are ready at the same time share a transaction and its cost.
//!
//! The cost of a small transaction is its begin, its commit and the flush to disk that the commit waits for. While one
//! group commits, new units gather for the next, so groups grow with the load; a single unit does not wait. Each unit
//! stays atomic and isolated from failures of others: a group is all or nothing, and when any of its units fails, the
//! group is rolled back and each unit runs in a transaction of its own.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use ids::EventId;
use parking_lot::Mutex;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use storage::inbox::Claim;
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::{
    arrival::Arrival,
    database::{LONG_IDLE, WORK_LIMIT, bounded, silent},
    failure::Failure,
    fault::FaultPoint,
    handler::{HandlerError, Outgoing},
    transaction::{CommitError, Transactions, stored},
};

/// Most units in a group: enough that begin, commit and flush cost little for each, few enough that the first does not
/// wait long for the last.
const GROUP_LIMIT: usize = 64;
/// Concurrent groups of one function. A second group begins only when enough units wait to fill it: otherwise they wait
/// for the end of the first and share one transaction. With 100 concurrent students that halves the commits.
const GROUPS_AT_ONCE: usize = 2;
/// The limit for all units of a group together. Beyond it one of them is waiting for something, and the others must not
/// wait with it.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// A function holds one connection between its groups, as long as all functions together hold at most one in this
/// number of the pool's connections.
const SHARE_OF_POOL: u32 = 3;
/// How long a connection is held at most, so that the pool can renew it.
const HELD_LIMIT: Duration = Duration::from_secs(600);

/// Work on the database that is done completely or not at all, with the events that it causes. It may run again after a
/// rollback.
pub trait UnitOfWork: Send + Sync + 'static {
    /// The result for the caller.
    type Output: Send;

    /// Does the work.
    fn run(
        &self,
        conn: &mut PgConnection,
    ) -> impl Future<Output = Result<(Self::Output, Outgoing), HandlerError>> + Send;
}

/// Where a unit of work comes from.
#[derive(Debug, Clone, Copy)]
pub struct WorkOrigin {
    /// The function that does the work.
    pub function: &'static str,
    /// The event or request that caused it; the ids of its outgoing events derive from it.
    pub cause: EventId,
    /// The student. The units of a group run in the order of their students' ids, so that all groups lock rows in the
    /// same order.
    pub student: Uuid,
    /// When the work began.
    pub now: DateTime<Utc>,
    /// How `cause` arrived, if it is an event: it must be handled only once, even if it is redelivered.
    pub arrival: Option<Arrival>,
}

/// The outcome of a unit in a group.
#[derive(Debug)]
pub(crate) enum UnitOutcome {
    /// The unit is committed.
    Committed,
    /// Its event was handled before.
    Duplicate,
    /// The group was rolled back: the unit must run in a transaction of its own.
    Undone,
    /// The commit was sent and not answered: it may or may not have happened.
    Unknown,
}

/// Why a group was not committed.
#[derive(Debug)]
enum GroupError {
    /// One of its events was handled before. That is rare, and checking each event first would cost every group a round
    /// trip.
    Repeated,
    Undone(Failure),
    Unknown(sqlx::Error),
}

impl From<Failure> for GroupError {
    fn from(failure: Failure) -> Self {
        Self::Undone(failure)
    }
}

impl From<sqlx::Error> for GroupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Undone(error.into())
    }
}

impl From<HandlerError> for GroupError {
    fn from(error: HandlerError) -> Self {
        Self::Undone(error.into())
    }
}

/// A unit with its output type erased.
pub(crate) trait AnyUnit: Send + Sync {
    fn run<'a>(
        &'a self,
        conn: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<Outgoing, HandlerError>>;
}

/// A unit that keeps its output for the caller.
pub(crate) struct WithOutput<W: UnitOfWork> {
    work: W,
    output: Mutex<Option<W::Output>>,
}

impl<W: UnitOfWork> WithOutput<W> {
    pub(crate) const fn new(work: W) -> Self {
        Self { work, output: Mutex::new(None) }
    }

    pub(crate) fn take(&self) -> Option<W::Output> {
        self.output.lock().take()
    }
}

impl<W: UnitOfWork> AnyUnit for WithOutput<W> {
    fn run<'a>(
        &'a self,
        conn: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<Outgoing, HandlerError>> {
        Box::pin(async move {
            let (output, outgoing) = self.work.run(conn).await?;
            *self.output.lock() = Some(output);
            Ok(outgoing)
        })
    }
}

struct Member {
    origin: WorkOrigin,
    unit: Arc<dyn AnyUnit>,
    span: Span,
    outcome: oneshot::Sender<UnitOutcome>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Member>,
    /// Groups in progress.
    running: usize,
    /// The connection of the last group, kept for the next one.
    idle: Option<Connection>,
}

/// A connection that is passed from one group to the next. From the pool each group would get another one, whose server
/// process has been idle for long, and the pool pings each returned connection twice.
struct Connection {
    conn: PoolConnection<Postgres>,
    since: Instant,
    used: Instant,
}

struct State {
    queues: HashMap<&'static str, Queue>,
    /// How many more connections may be held outside of the pool.
    places: u32,
}

/// The groups of all functions in a process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Groups {
    state: Arc<Mutex<State>>,
    /// Simulates a crash in tests: groups in progress are dropped in the middle of their work.
    killed: CancellationToken,
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Groups")
    }
}

impl Groups {
    /// Creates the groups for a pool with this number of connections.
    pub(crate) fn new(connections: u32) -> Self {
        let state = State { queues: HashMap::new(), places: connections / SHARE_OF_POOL };
        Self { state: Arc::new(Mutex::new(state)), killed: CancellationToken::new() }
    }

    pub(crate) fn kill(&self) {
        self.killed.cancel();
        self.release();
    }

    /// Returns all held connections to the pool, and holds none from now on.
    pub(crate) fn release(&self) {
        let mut state = self.state.lock();
        state.places = 0;
        let idle: Vec<_> =
            state.queues.values_mut().filter_map(|queue| queue.idle.take()).collect();
        drop(state);
        drop(idle);
    }

    /// Runs a unit in its function's next group.
    pub(crate) async fn run(
        &self,
        transactions: &Transactions,
        origin: WorkOrigin,
        unit: Arc<dyn AnyUnit>,
    ) -> UnitOutcome {
        let (sender, outcome) = oneshot::channel();
        let member = Member { origin, unit, span: Span::current(), outcome: sender };
        let starts = {
            let mut state = self.state.lock();
            let queue = state.queues.entry(origin.function).or_default();
            queue.waiting.push(member);
            let is_full = queue.waiting.len() >= GROUP_LIMIT;
            let starts = queue.running == 0 || (is_full && queue.running < GROUPS_AT_ONCE);
            queue.running += usize::from(starts);
            starts
        };
        if starts {
            let worker = Worker { groups: self.clone(), function: origin.function };
            let (killed, transactions) = (self.killed.clone(), transactions.clone());
            tokio::spawn(async move {
                // On the heap, since opening a connection over TLS may be part of it.
                killed.run_until_cancelled(Box::pin(worker.work(&transactions))).await
            });
        }
        // A dropped group sends nothing: its units then run in transactions of their own.
        outcome.await.unwrap_or(UnitOutcome::Undone)
    }
}

/// Commits the groups of one function until no unit waits.
struct Worker {
    groups: Groups,
    function: &'static str,
}

impl Worker {
    async fn work(self, transactions: &Transactions) {
        let mut conn = self.connection();
        loop {
            // Tasks that are ready now add their units first: a burst becomes one group instead of several.
            tokio::task::yield_now().await;
            let Some(group) = self.next() else { break };
            let outcomes = commit(transactions, self.function, &group, &mut conn).await;
            for (member, outcome) in group.into_iter().zip(outcomes) {
                // A caller that no longer listens was cut off, as by a crash.
                drop(member.outcome.send(outcome));
            }
        }
        if let Some(conn) = conn {
            self.hold(conn);
        }
    }

    /// The connection of the previous group, if it is held.
    fn connection(&self) -> Option<Connection> {
        let mut state = self.groups.state.lock();
        let conn = state.queues.get_mut(self.function)?.idle.take()?;
        state.places += 1;
        drop(state);
        // Of one that was idle for long the pool finds out whether it is alive.
        (conn.used.elapsed() < LONG_IDLE).then_some(conn)
    }

    /// Holds a connection for the next group, or returns it to the pool.
    fn hold(&self, mut conn: Connection) {
        conn.used = Instant::now();
        let mut state = self.groups.state.lock();
        let State { queues, places } = &mut *state;
        if let Some(queue) = queues.get_mut(self.function)
            && queue.idle.is_none()
            && *places > 0
            && conn.since.elapsed() < HELD_LIMIT
        {
            *places -= 1;
            queue.idle = Some(conn);
        }
    }

    fn next(&self) -> Option<Vec<Member>> {
        let mut state = self.groups.state.lock();
        let waiting = &mut state.queues.get_mut(self.function)?.waiting;
        if waiting.is_empty() {
            return None;
        }
        let size = waiting.len().min(GROUP_LIMIT);
        let mut group: Vec<Member> = waiting.drain(..size).collect();
        group.sort_by_key(|member| member.origin.student);
        Some(group)
    }
}

/// However it ends, another worker can take its place, and no unit is left waiting.
impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(queue) = self.groups.state.lock().queues.get_mut(self.function) {
            queue.running -= 1;
            if queue.running == 0 {
                queue.waiting.clear();
            }
        }
    }
}

/// Does a group's work, all or nothing; returns the outcome of each member.
async fn commit(
    transactions: &Transactions,
    function: &'static str,
    group: &[Member],
    conn: &mut Option<Connection>,
) -> Vec<UnitOutcome> {
    let mut handled = HashSet::new();
    let mut result = try_commit(transactions, function, group, conn, &handled).await;
    if let Err(GroupError::Repeated) = result {
        result = match find_handled(transactions, function, group).await {
            Ok(found) => {
                handled = found;
                try_commit(transactions, function, group, conn, &handled).await
            }
            Err(error) => Err(error.into()),
        };
    }
    if result.is_err() {
        // The pool checks whether the connection is still usable.
        *conn = None;
    }
    match result {
        Ok(()) => {
            let done =
                |is_new| if is_new { UnitOutcome::Committed } else { UnitOutcome::Duplicate };
            are_new(group, &handled).into_iter().map(done).collect()
        }
        Err(GroupError::Repeated) => group.iter().map(|_| UnitOutcome::Undone).collect(),
        Err(GroupError::Undone(failure)) => {
            tracing::debug!(function, ?failure, units = group.len(), "a group is undone");
            group.iter().map(|_| UnitOutcome::Undone).collect()
        }
        Err(GroupError::Unknown(error)) => {
            tracing::warn!(function, %error, units = group.len(), "the end of a commit is unknown");
            group.iter().map(|_| UnitOutcome::Unknown).collect()
        }
    }
}

/// For each member, whether its event is new: neither handled before nor a duplicate within the group, since an event
/// that was delivered twice at the same time is in it twice.
fn are_new(group: &[Member], handled: &HashSet<EventId>) -> Vec<bool> {
    let mut known = handled.clone();
    group
        .iter()
        .map(|Member { origin, .. }| origin.arrival.is_none() || known.insert(origin.cause))
        .collect()
}

/// The events of a group that were handled before.
async fn find_handled(
    transactions: &Transactions,
    function: &'static str,
    group: &[Member],
) -> sqlx::Result<HashSet<EventId>> {
    let events = group.iter().filter(|member| member.origin.arrival.is_some());
    let events: Vec<EventId> = events.map(|member| member.origin.cause).collect();
    let found = bounded(async {
        let mut conn = transactions.pool.acquire().await?;
        storage::inbox::handled(&mut conn, function, &events).await
    });
    Ok(found.await?.into_iter().collect())
}

async fn try_commit(
    transactions: &Transactions,
    function: &'static str,
    group: &[Member],
    conn: &mut Option<Connection>,
    handled: &HashSet<EventId>,
) -> Result<(), GroupError> {
    let conn = match conn {
        Some(conn) => conn,
        None => {
            let acquired = bounded(transactions.pool.acquire()).await?;
            let now = Instant::now();
            conn.insert(Connection { conn: acquired, since: now, used: now })
        }
    };
    let mut tx = bounded(transactions.begin_on(&mut conn.conn, function)).await?;
    let deadline = Instant::now() + TIME_LIMIT;
    let (mut handled_now, mut events) = (Vec::new(), Vec::new());
    for (Member { origin, unit, span, .. }, is_new) in group.iter().zip(are_new(group, handled)) {
        if !is_new {
            continue;
        }
        handled_now.extend(origin.arrival.map(|arrival| (origin.cause, arrival)));
        let run = AssertUnwindSafe(unit.run(tx.conn())).catch_unwind().instrument(span.clone());
        let outgoing = match tokio::time::timeout_at(deadline, run).await {
            Ok(Ok(outgoing)) => outgoing?,
            Ok(Err(_panic)) => {
                return Err(Failure::Retry(anyhow::anyhow!("a unit panicked")).into());
            }
            Err(elapsed) => return Err(Failure::Retry(elapsed.into()).into()),
        };
        transactions.faults.pass(function, FaultPoint::Handled).await;
        span.in_scope(|| events.extend(stored(function, origin.cause, outgoing, origin.now)));
    }
    // Only now, when it is known how long they took.
    let claims: Vec<Claim> =
        handled_now.iter().map(|(event, arrival)| arrival.claim(*event)).collect();
    match tokio::time::timeout(WORK_LIMIT, tx.commit_handled(&claims, events)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(CommitError::NotDone(error))) if storage::events::is_claimed(&error) => {
            Err(GroupError::Repeated)
        }
        Ok(Err(CommitError::NotDone(error))) => Err(error.into()),
        Ok(Err(CommitError::Unknown(error))) => Err(GroupError::Unknown(error)),
        Err(_elapsed) => Err(GroupError::Unknown(silent())),
    }
}
