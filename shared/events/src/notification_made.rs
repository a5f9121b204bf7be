//! A person has a new notification.

use chrono::{DateTime, Utc};
use domain::struggle::Severity;
use ids::{AlertId, NotificationId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient, struggle_detected::AlertChange};

/// A notification as its recipient sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// A few words.
    pub title: String,
    /// What it says.
    pub text: String,
    /// How urgent it is.
    #[serde(deserialize_with = "lenient::name")]
    pub severity: Severity,
    /// The alert that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_id: Option<AlertId>,
    /// What has happened to that alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<AlertChange>,
    /// The student that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student_id: Option<UserId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Emitted by notification, delivered by websocket. Since 0.6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationMade {
    /// The recipient, whose id is the partition key.
    pub user_id: UserId,
    /// The request that caused it.
    pub request_id: Uuid,
    /// The notification.
    pub notification: Notification,
}

impl Event for NotificationMade {
    const TYPE: &'static str = "notification.made.v1";
    const TOPIC: Topic = Topic::NotificationsMade;

    fn student_id(&self) -> UserId {
        self.user_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }

    /// The student, if it is about one: the recipient goes on to have what it says only as long as the student does.
    fn owner(&self) -> UserId {
        self.notification.student_id.unwrap_or(self.user_id)
    }
}
