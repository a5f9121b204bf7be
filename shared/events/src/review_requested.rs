//! Triage has sent a program to the code-review agent.

use ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, question_routed::QuestionRouted};

/// Emitted by triage, handled by the code-review agent. Since 0.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ReviewRequested(pub QuestionRouted);

impl Event for ReviewRequested {
    const TYPE: &'static str = "review.requested.v1";
    const TOPIC: Topic = Topic::CodeSubmissions;

    fn student_id(&self) -> UserId {
        self.0.student_id()
    }

    fn correlation_id(&self) -> Uuid {
        self.0.correlation_id()
    }
}
