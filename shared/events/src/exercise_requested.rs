//! Triage has sent a wish for something to practise to the exercise agent.

use ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, question_routed::QuestionRouted};

/// Emitted by triage, handled by the exercise agent. Since 0.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ExerciseRequested(pub QuestionRouted);

impl Event for ExerciseRequested {
    const TYPE: &'static str = "exercise.requested.v1";
    const TOPIC: Topic = Topic::ExerciseRequests;

    fn student_id(&self) -> UserId {
        self.0.student_id()
    }

    fn correlation_id(&self) -> Uuid {
        self.0.correlation_id()
    }
}
