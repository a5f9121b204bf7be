//! Who is told what, by which channel, and when. Pure.

mod hot_spot;

use chrono::{DateTime, Utc};
use domain::{
    local_time::Preferences,
    notification::{DELIVERY_LEASE, Route},
    struggle::Severity,
};
use events::{
    notification_made::Notification,
    struggle_detected::{AlertChange, StruggleDetected},
};
use ids::{AlertId, ClassId, DeliveryId, NotificationId, SubscriptionId, UserId};
use storage::{
    deliveries::NewDelivery,
    notifications::{Existing, Stored},
    subscriptions::Subscription,
};
use uuid::Uuid;

pub(crate) use self::hot_spot::{WINDOW as HOT_SPOT_WINDOW, hot_spot};
use crate::words;

/// Somebody who may be told.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    pub(crate) id: UserId,
    /// Those of their classes that the student is in.
    pub(crate) classes: Vec<ClassId>,
    pub(crate) preferences: Preferences,
    pub(crate) subscriptions: Vec<Subscription>,
    /// What they have been told about the alert.
    pub(crate) existing: Option<Existing>,
}

/// What there is to tell, before it is clear to whom.
#[derive(Debug, Clone)]
pub(crate) struct News {
    pub(crate) alert_id: Option<AlertId>,
    pub(crate) student_id: Option<UserId>,
    pub(crate) change: Option<AlertChange>,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) severity: Severity,
}

/// How a person is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) stored: Stored,
    /// Whether it is told only when it is stored for the first time; later it changes quietly.
    pub(crate) once: bool,
    /// Whether the front end is told at once.
    pub(crate) announced: bool,
    pub(crate) deliveries: Vec<PlannedDelivery>,
}

/// Something to be sent to the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedDelivery {
    pub(crate) new: NewDelivery,
    /// Whether it is sent now, and not by the periodic work.
    pub(crate) at_once: bool,
}

/// What a person is told of an event about an alert; `None` for what is no news to them. `cause` is the event's id.
pub(crate) fn about_alert(
    cause: Uuid,
    event: &StruggleDetected,
    recipient: &Recipient,
    now: DateTime<Utc>,
) -> Option<Told> {
    let (change, severity) = match (&recipient.existing, event.change) {
        (_, AlertChange::Unknown) => return None,
        // Its student has recovered. What was open before arrives late.
        (Some(existing), _) if existing.is_resolved => return None,
        (Some(existing), AlertChange::Resolved) => {
            // Whoever was told that it is urgent is told that it is over.
            (AlertChange::Resolved, existing.severity.max(event.severity))
        }
        (Some(existing), AlertChange::Opened | AlertChange::Updated) => {
            if event.severity <= existing.severity {
                return None;
            }
            (AlertChange::Updated, event.severity)
        }
        (None, AlertChange::Resolved) => (AlertChange::Resolved, event.severity),
        (None, AlertChange::Opened | AlertChange::Updated) => (AlertChange::Opened, event.severity),
    };
    let news = News {
        alert_id: Some(event.alert_id),
        student_id: Some(event.student_id),
        change: Some(change),
        title: words::title(event, change),
        text: words::text(event),
        severity,
    };
    let id = Uuid::new_v5(&event.alert_id.as_uuid(), recipient.id.as_uuid().as_bytes());
    let mut told = tell(cause, NotificationId::from_uuid(id), &news, recipient, now);
    if recipient.existing.is_none() && change == AlertChange::Resolved {
        // Nobody was told that there was anything. It is kept so that what was open before is no news when it comes.
        (told.stored.is_read, told.stored.is_shown) = (true, false);
        told.announced = false;
        told.deliveries.clear();
    }
    Some(told)
}

/// How a person is told.
pub(crate) fn tell(
    cause: Uuid,
    id: NotificationId,
    news: &News,
    recipient: &Recipient,
    now: DateTime<Utc>,
) -> Told {
    let admits = |subscription: &&Subscription| {
        let filter = &subscription.filter;
        subscription.disabled.is_none() && filter.admits(news.severity, &recipient.classes)
    };
    let mut in_app = recipient.subscriptions.iter().filter(|one| one.route == Route::InApp);
    let announced = in_app.clone().next().is_none() || in_app.any(|one| admits(&one));
    let existing = recipient.existing;
    let notification = Notification {
        id,
        title: news.title.clone(),
        text: news.text.clone(),
        severity: news.severity,
        alert_id: news.alert_id,
        change: news.change,
        student_id: news.student_id,
        created_at: existing.map_or(now, |existing| existing.created_at),
    };
    let senders = recipient.subscriptions.iter().filter(|one| one.route.channel().sends_each());
    let deliveries = senders.filter(admits).map(|subscription| {
        delivery(cause, &notification, subscription, recipient.preferences, now)
    });
    Told {
        deliveries: deliveries.collect(),
        once: false,
        announced,
        stored: Stored {
            user_id: recipient.id,
            classes: recipient.classes.clone(),
            // What has been shown is not taken away.
            is_shown: announced || existing.is_some_and(|existing| existing.is_shown),
            is_digest: false,
            is_read: false,
            updated_at: now,
            notification,
        },
    }
}

/// A delivery by a subscription: at once, or after the quiet hours, or when its target is tried again.
pub(crate) fn delivery(
    cause: Uuid,
    notification: &Notification,
    subscription: &Subscription,
    preferences: Preferences,
    now: DateTime<Utc>,
) -> PlannedDelivery {
    let after_quiet = preferences.end_of_quiet(now);
    let rested = subscription.retry_at.filter(|at| *at > now);
    let waits_until = after_quiet.max(rested);
    // What is queued behind a failing target could only wait there.
    let at_once = waits_until.is_none() && subscription.failures == 0;
    let lost_at = now + DELIVERY_LEASE;
    PlannedDelivery {
        at_once,
        new: NewDelivery {
            id: delivery_id(cause, subscription.id),
            subscription_id: subscription.id,
            notification_id: notification.id,
            change: notification.change,
            title: notification.title.clone(),
            text: notification.text.clone(),
            severity: notification.severity,
            next_attempt_at: if at_once { lost_at } else { waits_until.unwrap_or(now) },
        },
    }
}

/// The same for each time that an event is handled.
fn delivery_id(cause: Uuid, subscription: SubscriptionId) -> DeliveryId {
    DeliveryId::from_uuid(Uuid::new_v5(&cause, subscription.as_uuid().as_bytes()))
}

#[cfg(test)]
mod tests;
