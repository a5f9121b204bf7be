//! Sending one notification to the outside: one call, with no transaction open, and then what became of it.

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, Utc};
use domain::notification::{Channel, Route};
use events::delivery_due::DeliveryDue;
use ids::{DeliveryId, SubscriptionId};
use runtime::{Act, HandlerError, Live, Outgoing, Received, Services, outbound::Outbound};
use sqlx::PgConnection;
use storage::{
    deliveries::{self, Attempt, Job},
    subscriptions,
};

use crate::{
    mail::Mailer,
    retry::{self, Failure, Plan},
    sns::Sns,
    webhook,
};

/// Sends what is due.
pub(crate) struct Deliver {
    pub(crate) services: Arc<Services>,
    pub(crate) senders: Senders,
}

/// Ways to the outside.
pub(crate) struct Senders {
    pub(crate) outbound: Outbound,
    pub(crate) sns: Sns,
    pub(crate) mailer: Option<Mailer>,
}

/// What became of a delivery.
pub(crate) struct Done {
    delivery: DeliveryId,
    subscription: SubscriptionId,
    /// Attempts before.
    attempts: u16,
    outcome: Outcome,
}

enum Outcome {
    Skipped,
    Postponed(DateTime<Utc>),
    GivenUp(String),
    Sent(Option<u16>),
    Failed(Failure),
}

impl Act for Deliver {
    type In = DeliveryDue;
    type Done = Done;

    async fn call(&self, received: Received<DeliveryDue>, _: &Live) -> Result<Done, HandlerError> {
        let due = &received.event.data;
        let DeliveryDue { delivery_id, subscription_id, attempts, .. } = *due;
        let done = |outcome| Done {
            delivery: delivery_id,
            subscription: subscription_id,
            attempts,
            outcome,
        };
        let job = {
            let conn = self.services.store.connection().await;
            let mut conn = conn.map_err(HandlerError::retry)?;
            let job = deliveries::job(&mut conn, delivery_id, received.now).await;
            job.map_err(HandlerError::retry)?
        };
        // Its subscription was deleted.
        let Some(job) = job else { return Ok(done(Outcome::Skipped)) };
        let outcome = match retry::plan(&job, due, received.now) {
            Plan::Skip => Outcome::Skipped,
            Plan::Postpone(until) => Outcome::Postponed(until),
            Plan::GiveUp(reason) => Outcome::GivenUp(reason),
            Plan::Send => match self.senders.send(&job, received.now).await {
                Ok(status) => Outcome::Sent(status),
                Err(failure) => Outcome::Failed(failure),
            },
        };
        count(job.route.channel(), &outcome);
        Ok(done(outcome))
    }

    async fn record(
        &self,
        done: &Done,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        store(done, now, conn).await.map_err(HandlerError::retry)?;
        Ok(Outgoing::none())
    }
}

impl Senders {
    async fn send(&self, job: &Job, now: DateTime<Utc>) -> Result<Option<u16>, Failure> {
        let started = Instant::now();
        let channel = job.route.channel();
        let sent = match (&job.route, &self.mailer) {
            (Route::Webhook(url), _) => webhook::send(&self.outbound, url, job, now).await,
            (Route::Sns(topic), _) => self.sns.publish(topic, job).await,
            (Route::Email | Route::EmailDigest, Some(mailer)) => mailer.send(job).await,
            (Route::Email | Route::EmailDigest, None) => {
                Err(never("this installation sends no e-mails"))
            }
            (Route::InApp | Route::Digest, _) => Err(never("this channel sends nothing")),
        };
        metrics::histogram!("learnflow_notification_send_seconds", "channel" => channel.as_str())
            .record(started.elapsed());
        if let Err(failure) = &sent {
            let (delivery, reason) = (job.id, &failure.reason);
            tracing::warn!(%delivery, channel = channel.as_str(), reason, "a notification was not sent");
        }
        sent
    }
}

fn never(reason: &str) -> Failure {
    Failure { reason: reason.to_owned(), is_final: true, ..Failure::default() }
}

fn count(channel: Channel, outcome: &Outcome) {
    let outcome = match outcome {
        Outcome::Skipped => "skipped",
        Outcome::Postponed(_) => "postponed",
        Outcome::GivenUp(_) => "given_up",
        Outcome::Sent(_) => "sent",
        Outcome::Failed(_) => "failed",
    };
    let channel = channel.as_str();
    metrics::counter!("learnflow_notification_deliveries_total", "channel" => channel, "outcome" => outcome)
        .increment(1);
}

async fn store(done: &Done, now: DateTime<Utc>, conn: &mut PgConnection) -> sqlx::Result<()> {
    let Done { delivery, subscription, attempts, outcome } = done;
    let (delivery, subscription, attempts) = (*delivery, *subscription, *attempts);
    let attempt = |response_status, error, next_attempt_at| Attempt {
        before: attempts,
        response_status,
        error,
        next_attempt_at,
    };
    match outcome {
        Outcome::Skipped => Ok(()),
        Outcome::Postponed(until) => deliveries::postpone(conn, delivery, *until).await,
        Outcome::GivenUp(reason) => {
            deliveries::record(conn, delivery, &attempt(None, Some(reason), None), now).await?;
            Ok(())
        }
        Outcome::Sent(status) => {
            deliveries::record(conn, delivery, &attempt(*status, None, None), now).await?;
            subscriptions::forget_failures(conn, subscription).await
        }
        Outcome::Failed(failure) => {
            // An id is random enough to spread what failed together.
            let (_, seed) = delivery.as_uuid().as_u64_pair();
            let again = retry::again(failure, attempts, now, seed);
            let failed = attempt(failure.status, Some(&failure.reason), again.delivery_at);
            if !deliveries::record(conn, delivery, &failed, now).await? {
                return Ok(());
            }
            if failure.is_gone {
                subscriptions::disable(conn, subscription, "its target is gone", now).await?;
            }
            subscriptions::note_failure(conn, subscription, again.target_at).await
        }
    }
}
