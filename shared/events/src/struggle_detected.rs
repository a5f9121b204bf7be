//! An alert about a struggling student has been opened, has changed or is resolved.

use domain::struggle::{Evidence, Severity, Trigger};
use ids::{AlertId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient};

/// What has happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertChange {
    /// It is new.
    Opened,
    /// It has more evidence, or is more urgent.
    Updated,
    /// The student has recovered.
    Resolved,
    /// Something that a later version has.
    #[serde(other)]
    Unknown,
}

/// Emitted by progress, handled by notification. Since 0.6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StruggleDetected {
    /// The alert.
    pub alert_id: AlertId,
    /// Who struggles.
    pub student_id: UserId,
    /// The request that showed it.
    pub request_id: Uuid,
    /// The topic's slug, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The exercise, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exercise_id: Option<Uuid>,
    /// The rule.
    #[serde(deserialize_with = "lenient::name")]
    pub trigger: Trigger,
    /// How urgent it is.
    #[serde(deserialize_with = "lenient::name")]
    pub severity: Severity,
    /// What has happened to the alert.
    pub change: AlertChange,
    /// One sentence for a teacher: what, and since when.
    pub summary: String,
    /// The facts, newest last; at most ten.
    pub evidence: Vec<Evidence>,
}

impl Event for StruggleDetected {
    const TYPE: &'static str = "struggle.detected.v1";
    const TOPIC: Topic = Topic::StruggleDetected;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }
}
