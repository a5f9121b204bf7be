//! Connections that are checked although no event comes: after a failure, for their end, or whether they are still
//! there.

use chrono::{DateTime, TimeDelta, Utc};
use events::connection_due::ConnectionDue;
use runtime::{HandlerError, Outgoing, Periodic, Round, Schedule};
use sqlx::PgConnection;
use storage::connections;

use crate::spec::DUE_CONNECTIONS;

/// Most connections in one round: an event each.
const AT_ONCE: i64 = 100;
/// When a connection is due again whose event is lost.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// Emits an event for each connection that is due: nothing is sent while a transaction is open.
pub(crate) struct WakeDue;

impl Periodic for WakeDue {
    const SCHEDULE: Schedule = DUE_CONNECTIONS;

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        let due = connections::take_due(conn, now, now + AGAIN, AT_ONCE).await;
        let due = due.map_err(HandlerError::retry)?;
        let has_more = i64::try_from(due.len()).is_ok_and(|count| count == AT_ONCE);
        let mut outgoing = Outgoing::none();
        for (connection_id, user_id) in due {
            let request_id = user_id.as_uuid();
            outgoing = outgoing.with(&ConnectionDue { connection_id, user_id, request_id })?;
        }
        Ok(Round { outgoing, has_more })
    }
}
