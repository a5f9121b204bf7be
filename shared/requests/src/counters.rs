//! Counting requests without a database call for each of them.
//!
//! Every instance counts its own requests and adds them to the shared counters several times a second, which also
//! returns what the others have counted. The first request after [`SYNC_EVERY`] does so: nothing runs in the
//! background, so it also works where an instance is frozen between requests. Within one instance a limit is exact;
//! with several, each can exceed it by what arrives in [`SYNC_EVERY`].

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use runtime::Store;
use storage::rate_limits::{self, Hits};

/// How often counts are added to the shared counters.
const SYNC_EVERY: TimeDelta = TimeDelta::milliseconds(50);
/// Most counters that are added in one statement.
const SYNC_LIMIT: usize = 1_000;
/// Most counters that an instance holds, some 10 MB; others in the same window are counted in the database.
const COUNTERS_LIMIT: usize = 100_000;

/// An instance's counters in the current window.
#[derive(Debug, Default)]
pub struct Counters(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    window: DateTime<Utc>,
    counters: HashMap<String, Counter>,
    /// Counters with hits that are not in the database yet.
    changed: Vec<String>,
    synced_at: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Counter {
    /// The count of all instances at the last synchronisation.
    common: i32,
    /// Hits counted here since then.
    own: i32,
}

impl State {
    /// Hits so far, this one included; `None` if there are too many counters for this one.
    fn count(&mut self, bucket: &str) -> Option<i32> {
        if self.counters.len() >= COUNTERS_LIMIT && !self.counters.contains_key(bucket) {
            return None;
        }
        let counter = self.counters.entry(bucket.to_owned()).or_default();
        if counter.own == 0 {
            self.changed.push(bucket.to_owned());
        }
        counter.own = counter.own.saturating_add(1);
        Some(counter.common.saturating_add(counter.own))
    }

    /// The hits to be added to the shared counters, if it is time.
    fn due(&mut self, now: DateTime<Utc>) -> Option<Vec<Hits>> {
        // A clock that was set back must not stop it.
        if (now - self.synced_at).abs() < SYNC_EVERY {
            return None;
        }
        self.synced_at = now;
        let many = self.changed.len().saturating_sub(SYNC_LIMIT);
        let due = self.changed.split_off(many).into_iter();
        Some(
            due.filter_map(|bucket| {
                let counter = self.counters.get_mut(&bucket)?;
                let hits = std::mem::take(&mut counter.own);
                counter.common = counter.common.saturating_add(hits);
                Some(Hits { bucket, hits })
            })
            .collect(),
        )
    }

    fn note(&mut self, known: Vec<Hits>) {
        for Hits { bucket, hits } in known {
            if let Some(counter) = self.counters.get_mut(&bucket) {
                counter.common = counter.common.max(hits);
            }
        }
    }
}

impl Counters {
    /// Counts a hit on a bucket in the window that begins at `window`; gives the hits in it so far, this one included.
    ///
    /// # Errors
    /// It was this request's turn to ask the database, which is unavailable.
    pub async fn hit(
        &self,
        store: &Store,
        bucket: &str,
        window: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> sqlx::Result<i32> {
        let (hits, due) = {
            let mut state = self.0.lock();
            if state.window != window {
                *state = State { window, ..State::default() };
            }
            (state.count(bucket), state.due(now))
        };
        if let (Some(hits), None) = (hits, &due) {
            return Ok(hits);
        }
        let mut conn = store.connection().await?;
        let Some(hits) = hits else { return rate_limits::hit(&mut conn, bucket, window).await };
        let due = due.unwrap_or_default();
        let known = rate_limits::add(&mut conn, &due, window).await?;
        let mut state = self.0.lock();
        if state.window != window {
            return Ok(hits);
        }
        state.note(known);
        Ok(state
            .counters
            .get(bucket)
            .map_or(hits, |counter| counter.common.saturating_add(counter.own)))
    }
}
