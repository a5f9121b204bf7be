//! Quizzes whose time is over and that their students have left.

use chrono::{DateTime, TimeDelta, Utc};
use runtime::{HandlerError, Outgoing, Periodic, Round, Schedule};
use sqlx::PgConnection;
use storage::quizzes;

use super::submit_locked;
use crate::spec::OVERDUE_QUIZZES;

/// A front end that is still open submits by itself and shows the result; it has this long.
const GRACE: TimeDelta = TimeDelta::minutes(1);
/// Most attempts in one round: each takes three statements.
const ATTEMPTS_AT_ONCE: i64 = 50;

/// Submits quizzes whose time is over, with what was answered in time.
pub(crate) struct SubmitOverdue;

impl Periodic for SubmitOverdue {
    const SCHEDULE: Schedule = OVERDUE_QUIZZES;

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        let overdue = quizzes::overdue(conn, now - GRACE, ATTEMPTS_AT_ONCE).await;
        let overdue = overdue.map_err(HandlerError::retry)?;
        let mut outgoing = Outgoing::none();
        for attempt in &overdue {
            outgoing = submit_locked(conn, attempt, outgoing, now).await?;
        }
        let has_more = i64::try_from(overdue.len()).is_ok_and(|count| count == ATTEMPTS_AT_ONCE);
        Ok(Round { outgoing, has_more })
    }
}
