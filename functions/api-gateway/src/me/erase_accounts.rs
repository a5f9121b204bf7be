//! Periodic work: deleting what is stored about erased accounts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use runtime::{HandlerError, Outgoing, Periodic, Round, Schedule};
use sqlx::PgConnection;
use storage::{
    accounts::{self, Erased},
    personal_data,
};

/// Rows of each table that are deleted in one round: some milliseconds of work.
const ROWS_AT_ONCE: i64 = 200;
/// How long we keep looking for leftovers of an erased account: handlers that had begun before, with a key that they still
/// had, may have stored something.
const RACE_LIMIT: TimeDelta = TimeDelta::hours(1);
/// How often.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(1);
/// How long the id of an erased account is known as such: longer than an event about it, or a token, can be on its way.
const REMEMBERED: TimeDelta = TimeDelta::days(30);

/// Deletes what is stored about erased accounts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EraseAccounts;

impl Periodic for EraseAccounts {
    const SCHEDULE: Schedule = Schedule {
        name: "erase-accounts",
        // Whoever erases an account wants it gone; looking for one costs an index entry.
        every: Duration::from_secs(5),
    };

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        let has_more = erase_next(conn, now).await.map_err(HandlerError::retry)?;
        Ok(Round { outgoing: Outgoing::none(), has_more })
    }
}

/// Does a part of the work; `true` if there may be more.
async fn erase_next(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let Some(Erased { person, erased_at }) = accounts::next_to_erase(conn, now).await? else {
        return Ok(false);
    };
    if personal_data::erase_some(conn, person, ROWS_AT_ONCE, now).await? {
        let age = now - erased_at;
        if age < RACE_LIMIT {
            accounts::look_again(conn, person, now + LOOK_AGAIN).await?;
        } else if age < REMEMBERED {
            accounts::look_again(conn, person, erased_at + REMEMBERED).await?;
        } else {
            accounts::forget(conn, person).await?;
        }
    }
    Ok(true)
}
