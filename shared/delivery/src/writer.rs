//! Records how far this process has published what it commits.
//!
//! Marking each event as published would cost as much as storing it. Instead the process notes every second up to which
//! sequence all of its own events are on the broker, or left to a relay by name. When the writer has expired, a relay
//! looks at later events; those that were sent since the last note are sent once more, and every inbox drops the
//! duplicates.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use environment::Clock;
use parking_lot::Mutex;
use sqlx::{PgConnection, PgPool};
use storage::outbox;

use crate::database::bounded;

/// After this long without a note a writer has expired.
const SILENCE: TimeDelta = TimeDelta::seconds(10);
/// After this long without a note a process leaves its events to relays, since its writer may soon expire: it was
/// frozen, or the database is unavailable.
const STALE: TimeDelta = TimeDelta::seconds(5);
/// How often it writes a note while it commits, and otherwise.
const NOTE_EVERY: Duration = Duration::from_secs(1);
const IDLE_NOTE_EVERY: Duration = Duration::from_millis(2_500);
/// Longer than the server keeps any transaction open (`store`: 20 s idle, 5 s for a statement): transactions that had
/// begun when the writer expired have ended by then.
const SETTLED: TimeDelta = TimeDelta::seconds(30);

/// This process as a writer.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    state: Arc<Mutex<State>>,
    /// Locked while registering or writing a note.
    noting: Arc<tokio::sync::Mutex<()>>,
    pool: PgPool,
    clock: Clock,
}

#[derive(Debug, Default)]
struct State {
    /// Its id, while it is registered.
    id: Option<i64>,
    /// When it wrote its last note, by the clock that other processes see.
    noted_at: DateTime<Utc>,
    noted: Option<Instant>,
    noted_floor: i64,
    /// The highest sequence of an event that it has seen.
    seen: i64,
    /// For each commit that is in progress or not published: all its events have a higher sequence.
    open: BTreeMap<u64, i64>,
    next_ticket: u64,
}

impl State {
    fn floor(&self) -> i64 {
        // The oldest commit has the lowest sequence.
        self.open.first_key_value().map_or(self.seen, |(_, floor)| *floor)
    }

    fn noted(&mut self, now: DateTime<Utc>, floor: i64) {
        (self.noted_at, self.noted, self.noted_floor) = (now, Some(Instant::now()), floor);
    }
}

impl Writer {
    pub(crate) fn new(pool: PgPool, clock: Clock) -> Self {
        Self { state: Arc::default(), noting: Arc::default(), pool, clock }
    }

    /// Begins a commit. `None`: only a relay would publish its events.
    pub(crate) fn open(&self) -> Option<Ticket> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let writer = state.id.filter(|_| (now - state.noted_at).abs() < STALE)?;
        let number = state.next_ticket;
        state.next_ticket += 1;
        let floor = state.seen;
        state.open.insert(number, floor);
        Some(Ticket { writer, number, owner: self.clone(), is_open: AtomicBool::new(false) })
    }

    /// Leaves everything committed since the last note to relays, and continues as a new writer: for when an outcome is
    /// unknown.
    fn abandon(&self, writer: i64) {
        let mut state = self.state.lock();
        if state.id == Some(writer) {
            state.id = None;
            state.open.clear();
        }
    }

    /// Registers this process if necessary, and writes a note if it is due.
    pub(crate) async fn note(&self) -> sqlx::Result<()> {
        self.note_every(NOTE_EVERY).await
    }

    /// Writes a note at once if there is something new: for a process that may be frozen afterwards.
    pub(crate) async fn note_progress(&self) -> sqlx::Result<()> {
        self.note_every(Duration::ZERO).await
    }

    async fn note_every(&self, every: Duration) -> sqlx::Result<()> {
        let _alone = self.noting.lock().await;
        let now = self.clock.now();
        let due = {
            let state = self.state.lock();
            // While nothing is committed, only often enough not to expire.
            let every = if state.floor() == state.noted_floor { IDLE_NOTE_EVERY } else { every };
            let is_due = state.noted.is_none_or(|noted| noted.elapsed() >= every);
            // The monotonic clock may stand still while the process is frozen, so the wall clock is checked, too.
            let is_stale = (now - state.noted_at).abs() >= STALE;
            (state.id.is_none() || is_due || is_stale).then(|| (state.id, state.floor()))
        };
        let Some((id, floor)) = due else { return Ok(()) };
        if let Some(id) = id {
            let noted = bounded(async {
                let mut conn = self.pool.acquire().await?;
                outbox::note_alive(&mut conn, id, floor, now).await
            });
            if noted.await? {
                self.state.lock().noted(now, floor);
                return Ok(());
            }
            tracing::warn!("this writer has expired, a relay sends what it had committed");
            self.abandon(id);
        }
        let (id, floor) = bounded(async {
            let mut conn = self.pool.acquire().await?;
            outbox::register(&mut conn, now).await
        })
        .await?;
        let mut state = self.state.lock();
        state.id = Some(id);
        state.seen = state.seen.max(floor);
        state.noted(now, floor);
        Ok(())
    }

    /// Unregisters if everything is published; otherwise a relay takes over the rest.
    pub(crate) async fn leave(&self) -> sqlx::Result<()> {
        let id = {
            let mut state = self.state.lock();
            if state.open.is_empty() { state.id.take() } else { None }
        };
        let Some(id) = id else { return Ok(()) };
        bounded(async {
            let mut conn = self.pool.acquire().await?;
            outbox::unregister(&mut conn, id).await
        })
        .await
    }
}

/// A commit in progress, and then its events until they are published. Dropped before the commit, it was rolled back;
/// dropped afterwards, everything is published.
#[derive(Debug)]
pub(crate) struct Ticket {
    writer: i64,
    number: u64,
    owner: Writer,
    /// Whether its outcome is unknown.
    is_open: AtomicBool,
}

impl Ticket {
    pub(crate) const fn writer(&self) -> i64 {
        self.writer
    }

    /// The commit is being sent, up to the event with this sequence; until it is answered, it may or may not have
    /// happened.
    pub(crate) fn committing(&self, highest: i64) {
        self.is_open.store(true, Ordering::Release);
        let mut state = self.owner.state.lock();
        state.seen = state.seen.max(highest);
    }

    /// It is committed.
    pub(crate) fn committed(&self) {
        self.is_open.store(false, Ordering::Release);
    }

    /// Leaves its events to a relay, which must find them.
    pub(crate) fn abandon(&self) {
        self.is_open.store(true, Ordering::Release);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.is_open.load(Ordering::Acquire) {
            self.owner.abandon(self.writer);
        }
        self.owner.state.lock().open.remove(&self.number);
    }
}

/// Expires writers that have been silent for too long: their events are left to the relay.
pub(crate) async fn expire_writers(tx: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<()> {
    let expired = outbox::expire_writers(&mut *tx, now, now - SILENCE, now - SETTLED).await?;
    if expired > 0 {
        tracing::warn!(count = expired, "writers have expired, their events are left to the relay");
    }
    outbox::delay_unsent_of_last_version(tx, now).await?;
    Ok(())
}
