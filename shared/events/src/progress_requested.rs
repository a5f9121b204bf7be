//! Triage has sent a question to the progress agent.

use ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, question_routed::QuestionRouted};

/// Emitted by triage, handled by the progress agent. Since 0.6.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ProgressRequested(pub QuestionRouted);

impl Event for ProgressRequested {
    const TYPE: &'static str = "progress.requested.v1";
    const TOPIC: Topic = Topic::ProgressEvents;

    fn student_id(&self) -> UserId {
        self.0.student_id()
    }

    fn correlation_id(&self) -> Uuid {
        self.0.correlation_id()
    }
}
