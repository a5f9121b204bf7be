//! Deletes old rows, a few at a time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use environment::Clock;
use sqlx::PgConnection;
use storage::{
    erasure, periodic_runs,
    retention::{self, Part, RETENTIONS},
};

use crate::{
    database::bounded,
    handler::{HandlerError, Outgoing},
    periodic::{Periodic, Round, Schedule},
    store::Store,
};

/// Rows that one statement deletes: a few milliseconds of work.
const ROWS_AT_ONCE: i64 = 1_000;

/// Erases the rest of erased requests, and deletes old rows of every table (`storage::retention`).
#[derive(Debug, Clone, Copy)]
pub struct Sweep;

impl Periodic for Sweep {
    const SCHEDULE: Schedule = Schedule {
        name: "sweep",
        // Rows age by the day; each round looks at another part of the large tables.
        every: Duration::from_secs(60),
    };

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        let (_, has_more) = sweep(conn, now, Part::OfMinute).await.map_err(HandlerError::retry)?;
        Ok(Round { outgoing: Outgoing::none(), has_more })
    }
}

/// One round: the number of deleted rows, and whether there may be more.
async fn sweep(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    part: Part,
) -> sqlx::Result<(u64, bool)> {
    erasure::finish(conn, now).await?;
    let (mut all, mut has_more) = (0, false);
    for table in &RETENTIONS {
        let rows = retention::sweep(conn, table, now, ROWS_AT_ONCE, part).await?;
        if rows > 0 {
            tracing::info!(table = table.table, rows, "old rows deleted");
        }
        // Nothing is left in a part that was completed; looking at another one right away does no harm.
        has_more |= i64::try_from(rows).is_ok_and(|rows| rows >= ROWS_AT_ONCE);
        all += rows;
    }
    Ok((all, has_more))
}

impl Store {
    /// Deletes all old rows, and returns their number; 0 while another instance is sweeping.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn sweep(&self, clock: &Clock) -> sqlx::Result<u64> {
        let (mut all, mut number, mut parts) = (0, 0, 1);
        loop {
            let swept = bounded(async {
                let mut tx = self.pool().begin().await?;
                let swept = if periodic_runs::lock(&mut tx, Sweep::SCHEDULE.name).await? {
                    parts = retention::most_parts(&mut tx).await?;
                    sweep(&mut tx, clock.now(), Part::Number(number)).await?
                } else {
                    (0, false)
                };
                tx.commit().await?;
                Ok(swept)
            });
            let (rows, has_more) = swept.await?;
            all += rows;
            number += 1;
            if !has_more && number >= parts {
                return Ok(all);
            }
        }
    }
}
