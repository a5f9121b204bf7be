//! What no event triggers: deliveries whose time has come, and daily summaries.

use chrono::{DateTime, Utc};
use domain::notification::{Channel, DELIVERY_LEASE};
use events::{
    delivery_due::DeliveryDue,
    notification_made::{Notification, NotificationMade},
};
use ids::NotificationId;
use runtime::{HandlerError, Outgoing, Periodic, Round, Schedule};
use sqlx::PgConnection;
use storage::{
    deliveries,
    notifications::{self, Stored},
    subscriptions::{self, DueDigest},
};
use uuid::Uuid;

use crate::{decide, digest, retry, spec, tell};

/// Most deliveries in one round: some milliseconds each.
const DELIVERIES_AT_ONCE: i64 = 100;
/// Most daily subscriptions in one round: each reads a day.
const DIGESTS_AT_ONCE: i64 = 20;

/// Emits an event for each delivery that is due: after quiet hours, after a failure, or because its event was lost.
pub(crate) struct SendDue;

impl Periodic for SendDue {
    const SCHEDULE: Schedule = spec::DUE_DELIVERIES;

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        let found = deliveries::due(conn, now, DELIVERIES_AT_ONCE).await;
        let found = found.map_err(HandlerError::retry)?;
        let mut outgoing = Outgoing::none();
        for (due, later) in found.iter().zip(retry::due(&found, now)) {
            let until = later.unwrap_or(now + DELIVERY_LEASE);
            deliveries::postpone(conn, due.id, until).await.map_err(HandlerError::retry)?;
            if later.is_none() {
                outgoing = outgoing.with(&DeliveryDue {
                    delivery_id: due.id,
                    subscription_id: due.subscription_id,
                    attempts: due.attempts,
                    by_hand: false,
                    request_id: due.id.as_uuid(),
                })?;
            }
        }
        Ok(Round { outgoing, has_more: is_full(found.len(), DELIVERIES_AT_ONCE) })
    }
}

/// Sums up days.
pub(crate) struct SumUp;

impl Periodic for SumUp {
    const SCHEDULE: Schedule = spec::DIGESTS;

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        let due = subscriptions::due_digests(conn, now, DIGESTS_AT_ONCE).await;
        let due = due.map_err(HandlerError::retry)?;
        let mut outgoing = Outgoing::none();
        for one in &due {
            outgoing = sum_up(conn, one, outgoing, now).await?;
        }
        Ok(Round { outgoing, has_more: is_full(due.len(), DIGESTS_AT_ONCE) })
    }
}

fn is_full(count: usize, limit: i64) -> bool {
    i64::try_from(count).is_ok_and(|count| count == limit)
}

async fn sum_up(
    conn: &mut PgConnection,
    due: &DueDigest,
    outgoing: Outgoing,
    now: DateTime<Utc>,
) -> Result<Outgoing, HandlerError> {
    let subscription = &due.subscription;
    let (user, filter) = (subscription.user_id, &subscription.filter);
    let load = notifications::changed(conn, user, due.digested_until, now, digest::MOST);
    let mut day = load.await.map_err(HandlerError::retry)?;
    day.retain(|one| filter.admits(one.severity, &one.classes));
    let next = due.preferences.next_digest(now);
    let noted = subscriptions::note_digest(conn, subscription.id, now, next).await;
    noted.map_err(HandlerError::retry)?;
    let Some(digest) = digest::sum_up(&day) else { return Ok(outgoing) };
    // The same however often it is made.
    let cause = format!("{}", due.due_at.timestamp_micros());
    let id = Uuid::new_v5(&subscription.id.as_uuid(), cause.as_bytes());
    let notification = Notification {
        id: NotificationId::from_uuid(id),
        title: digest.title,
        text: digest.text,
        severity: digest.severity,
        alert_id: None,
        change: None,
        student_id: None,
        created_at: now,
    };
    let is_shown = subscription.route.channel() == Channel::Digest;
    let stored = Stored {
        user_id: user,
        notification,
        classes: Vec::new(),
        is_shown,
        is_digest: true,
        is_read: !is_shown,
        updated_at: now,
    };
    notifications::store(conn, &stored).await.map_err(HandlerError::retry)?;
    let notification = stored.notification;
    if is_shown {
        return outgoing.with(&NotificationMade { user_id: user, request_id: id, notification });
    }
    let planned = decide::delivery(id, &notification, subscription, due.preferences, now);
    tell::send(conn, &planned, id, outgoing, now).await
}
