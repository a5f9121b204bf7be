//! Telling people: who they are and what they want is loaded, and what was decided is stored and emitted.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::local_time::Preferences;
use events::{
    delivery_due::DeliveryDue, notification_made::NotificationMade,
    struggle_detected::StruggleDetected,
};
use ids::{AlertId, ClassId, NotificationId, UserId};
use runtime::{Decide, HandlerError, Outgoing, Received};
use sqlx::PgConnection;
use storage::{
    class_alerts::{self, Crowd},
    class_teachers::{self, Teacher},
    deliveries, notifications, preferences,
    subscriptions::{self, Subscription},
};
use uuid::Uuid;

use crate::decide::{self, News, PlannedDelivery, Recipient, Told};

/// Tells the teachers of a student's classes about an alert.
pub(crate) struct TellTeachers;

impl Decide for TellTeachers {
    type In = StruggleDetected;

    async fn handle(
        &self,
        received: Received<StruggleDetected>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let (cause, alert) = (received.event.id.as_uuid(), received.event.data);
        let load = async {
            let teachers = class_teachers::teachers(conn, Some(alert.student_id), None).await?;
            let recipients = recipients(conn, teachers, Some(alert.alert_id)).await?;
            let crowds = crowds(conn, &alert, &recipients, received.now).await?;
            Ok::<_, sqlx::Error>((recipients, crowds))
        };
        let (recipients, crowds) = load.await.map_err(HandlerError::retry)?;
        let told: Vec<Told> = recipients
            .iter()
            .filter_map(|recipient| {
                decide::hot_spot(&alert, recipient, &crowds, received.now)
                    .or_else(|| decide::about_alert(cause, &alert, recipient, received.now))
            })
            .collect();
        store(conn, &told, alert.request_id, received.now).await
    }
}

/// In which of the student's classes others have the same alert.
async fn crowds(
    conn: &mut PgConnection,
    alert: &StruggleDetected,
    recipients: &[Recipient],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Crowd>> {
    let classes: BTreeSet<Uuid> = recipients
        .iter()
        .flat_map(|recipient| &recipient.classes)
        .map(|class| class.as_uuid())
        .collect();
    let classes: Vec<Uuid> = classes.into_iter().collect();
    let since = now - decide::HOT_SPOT_WINDOW;
    class_alerts::crowds(conn, &classes, alert.topic.as_deref(), alert.trigger, since).await
}

/// Whom something that is not an alert of ours is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Audience {
    /// A person, perhaps about a class of theirs.
    Person(UserId, Option<ClassId>),
    /// The teachers of a class.
    Teachers(ClassId),
}

/// Tells people something. Returns whether there is anybody to tell.
pub(crate) async fn publish(
    conn: &mut PgConnection,
    id: Uuid,
    audience: Audience,
    news: &News,
    now: DateTime<Utc>,
) -> Result<Option<Outgoing>, HandlerError> {
    let load = async {
        let people = match audience {
            Audience::Person(id, class) => {
                vec![Teacher { id, classes: class.into_iter().collect() }]
            }
            Audience::Teachers(class) => class_teachers::teachers(conn, None, Some(class)).await?,
        };
        recipients(conn, people, None).await
    };
    let recipients = load.await.map_err(HandlerError::retry)?;
    let told = recipients.iter().map(|recipient| {
        let own = Uuid::new_v5(&id, recipient.id.as_uuid().as_bytes());
        decide::tell(id, NotificationId::from_uuid(own), news, recipient, now)
    });
    let told: Vec<Told> = told.collect();
    if told.is_empty() {
        return Ok(None);
    }
    store(conn, &told, id, now).await.map(Some)
}

/// People with what they want, and what they were told about an alert.
async fn recipients(
    conn: &mut PgConnection,
    people: Vec<Teacher>,
    alert: Option<AlertId>,
) -> sqlx::Result<Vec<Recipient>> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = people.iter().map(|person| person.id.as_uuid()).collect();
    let preferences: HashMap<UserId, Preferences> =
        preferences::of_users(conn, &ids).await?.into_iter().collect();
    let mut subscribed: HashMap<UserId, Vec<Subscription>> = HashMap::new();
    for subscription in subscriptions::of_users(conn, &ids).await? {
        subscribed.entry(subscription.user_id).or_default().push(subscription);
    }
    let existing: HashMap<UserId, _> = match alert {
        Some(alert) => notifications::about_alert(conn, alert, &ids).await?.into_iter().collect(),
        None => HashMap::new(),
    };
    let recipient = |Teacher { id, classes }| Recipient {
        id,
        classes,
        preferences: preferences.get(&id).copied().unwrap_or_default(),
        subscriptions: subscribed.get(&id).cloned().unwrap_or_default(),
        existing: existing.get(&id).copied(),
    };
    Ok(people.into_iter().map(recipient).collect())
}

async fn store(
    conn: &mut PgConnection,
    told: &[Told],
    request_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Outgoing, HandlerError> {
    let mut outgoing = Outgoing::none();
    for Told { stored, once, announced, deliveries } in told {
        let is_new = notifications::store(conn, stored).await.map_err(HandlerError::retry)?;
        if *once && !is_new {
            continue;
        }
        if *announced {
            let (user_id, notification) = (stored.user_id, stored.notification.clone());
            outgoing = outgoing.with(&NotificationMade { user_id, request_id, notification })?;
        }
        for planned in deliveries {
            outgoing = send(conn, planned, request_id, outgoing, now).await?;
        }
    }
    Ok(outgoing)
}

/// Stores a delivery, and emits an event for it if it is sent at once.
pub(crate) async fn send(
    conn: &mut PgConnection,
    planned: &PlannedDelivery,
    request_id: Uuid,
    outgoing: Outgoing,
    now: DateTime<Utc>,
) -> Result<Outgoing, HandlerError> {
    let new = &planned.new;
    deliveries::insert(conn, new, now).await.map_err(HandlerError::retry)?;
    if !planned.at_once {
        return Ok(outgoing);
    }
    outgoing.with(&DeliveryDue {
        delivery_id: new.id,
        subscription_id: new.subscription_id,
        attempts: 0,
        by_hand: false,
        request_id,
    })
}
