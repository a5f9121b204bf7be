//! Deletes what is kept no longer, a little at a time, while the process runs.

use std::time::Duration;

use sqlx::PgPool;
use storage::retention::{self, RETENTIONS};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{Clock, metrics, process::chain, store::bounded};

/// How often old rows are looked for: they become old by the day, and an index finds none in no time.
const EVERY: Duration = Duration::from_secs(60);
/// Rows that one statement deletes: a few milliseconds of work.
const ROWS_AT_ONCE: i64 = 1_000;
/// Statements for one table in a round; what is left has the next round.
const STATEMENTS_A_ROUND: usize = 20;

/// Sweeps, and keeps the metrics small where nobody reads them, until `stop`.
pub(crate) async fn run(pool: PgPool, clock: Clock, stop: CancellationToken) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut upkeep = tokio::time::interval(metrics::UPKEEP_EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => {
                if let Err(error) = sweep(&pool, &clock).await {
                    tracing::warn!(error = %chain(&error), "cannot delete old rows");
                }
            }
            _ = upkeep.tick() => metrics::upkeep(),
            () = stop.cancelled() => return,
        }
    }
}

/// Erases what is left of erased requests, deletes old rows of every table, and returns how many. While somebody else does it, none.
pub(crate) async fn sweep(pool: &PgPool, clock: &Clock) -> sqlx::Result<u64> {
    bounded(async {
        let mut tx = pool.begin().await?;
        storage::erasure::finish(&mut tx, clock.now()).await?;
        tx.commit().await
    })
    .await?;
    let mut all = 0;
    for table in &RETENTIONS {
        for _ in 0..STATEMENTS_A_ROUND {
            let rows = bounded(async {
                let mut tx = pool.begin().await?;
                let rows = if retention::claim(&mut tx).await? {
                    retention::sweep(&mut tx, table, clock.now(), ROWS_AT_ONCE).await?
                } else {
                    0
                };
                tx.commit().await?;
                Ok(rows)
            });
            let rows = rows.await?;
            if rows == 0 {
                break;
            }
            tracing::info!(table = table.table, rows, "old rows deleted");
            all += rows;
        }
    }
    Ok(all)
}
