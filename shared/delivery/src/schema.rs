//! Whether the database is up to date; until then no events are handled.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use environment::chain;
use sqlx::PgPool;
use storage::migrations::{self, MINIMUM_VERSION};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::database::bounded;

/// How often a database that is not up to date is checked again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why the database cannot be used yet.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It does not answer.
    #[error("the database does not answer")]
    Away(#[source] sqlx::Error),
    /// It lacks migrations.
    #[error(
        "the database has {}, this program needs version {MINIMUM_VERSION}: run `learnflow migrate`",
        .0.map_or_else(|| "no schema yet".to_owned(), |version| format!("schema version {version}"))
    )]
    Old(Option<i64>),
}

/// The state of the database's schema. Once seen up to date, it stays so: migrations only go forward.
#[derive(Debug, Clone)]
pub struct Schema {
    pool: PgPool,
    is_current: Arc<AtomicBool>,
}

impl Schema {
    /// The schema of a pool's database.
    #[must_use]
    pub fn of(pool: PgPool) -> Self {
        Self { pool, is_current: Arc::default() }
    }

    /// Whether the database can be used.
    ///
    /// # Errors
    /// It is unavailable, or older than this program needs.
    pub async fn check(&self) -> Result<(), SchemaError> {
        if self.is_current.load(Ordering::Acquire) {
            return Ok(());
        }
        let version = bounded(async {
            let mut conn = self.pool.acquire().await?;
            migrations::version(&mut conn).await
        });
        let version = version.await.map_err(SchemaError::Away)?;
        if version.is_none_or(|version| version < MINIMUM_VERSION) {
            return Err(SchemaError::Old(version));
        }
        self.is_current.store(true, Ordering::Release);
        Ok(())
    }

    /// Waits until the database can be used; `false` if the process is stopped first.
    pub async fn wait(&self, stop: &CancellationToken) -> bool {
        let (mut attempts, mut logged) = (attempts(), String::new());
        while next(&mut attempts, stop).await {
            match self.check().await {
                Ok(()) => return true,
                Err(error) => tell(&mut logged, &error, "waiting for the database"),
            }
        }
        false
    }

    /// Migrates the database, retrying until that succeeds or the process is stopped.
    pub async fn migrate(&self, stop: &CancellationToken) {
        let (mut attempts, mut logged) = (attempts(), String::new());
        while next(&mut attempts, stop).await {
            match migrations::run(&self.pool).await {
                Ok(()) => return,
                Err(error) => {
                    tell(&mut logged, &error, "the database cannot be migrated, trying again");
                }
            }
        }
    }
}

fn attempts() -> Interval {
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    every
}

/// Waits for the next attempt; `false` if the process is stopped.
async fn next(attempts: &mut Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        _ = attempts.tick() => true,
    }
}

/// Logs a repeated error only once, until it changes.
fn tell(logged: &mut String, error: &dyn std::error::Error, what: &str) {
    let error = chain(error);
    if error != *logged {
        tracing::error!(%error, "{what}");
        *logged = error;
    }
}
