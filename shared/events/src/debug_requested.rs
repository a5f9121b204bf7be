//! Triage has sent a question to the debug agent.

use ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, question_routed::QuestionRouted};

/// Emitted by triage, handled by the debug agent. Since 0.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct DebugRequested(pub QuestionRouted);

impl Event for DebugRequested {
    const TYPE: &'static str = "debug.requested.v1";
    const TOPIC: Topic = Topic::DebugRequests;

    fn student_id(&self) -> UserId {
        self.0.student_id()
    }

    fn correlation_id(&self) -> Uuid {
        self.0.correlation_id()
    }
}
