//! A student's mastery has changed, or the student gets a nudge.

use domain::level::Level;
use ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient};

/// A mastery score with its band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mastery {
    /// 0 to 100.
    pub score: u8,
    /// The band.
    #[serde(deserialize_with = "lenient::name")]
    pub level: Level,
}

/// Emitted by progress, delivered by the front doors. Since 0.6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgressUpdated {
    /// Whose.
    pub student_id: UserId,
    /// The request that changed it.
    pub request_id: Uuid,
    /// The topic's slug.
    pub topic: String,
    /// The topic's mastery.
    pub mastery: Mastery,
    /// The overall mastery.
    pub overall: Mastery,
}

impl Event for ProgressUpdated {
    const TYPE: &'static str = "progress.updated.v1";
    const TOPIC: Topic = Topic::LearningResponses;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }
}

/// A friendly word to a student, with a next step. Emitted by progress, delivered by the front doors. Since 0.6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NudgeGiven {
    /// To whom.
    pub student_id: UserId,
    /// The request that it follows.
    pub request_id: Uuid,
    /// One or two sentences.
    pub text: String,
    /// The topic's slug, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The exercise, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exercise_id: Option<Uuid>,
}

impl Event for NudgeGiven {
    const TYPE: &'static str = "nudge.given.v1";
    const TOPIC: Topic = Topic::LearningResponses;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }
}
