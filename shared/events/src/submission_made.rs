//! A student has handed in a solution.

use domain::text::Code;
use ids::{ExerciseId, SubmissionId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic};

/// Emitted by the front doors, handled by the exercise agent. Since 0.4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubmissionMade {
    /// The solution's id, under which the grade is found.
    pub submission_id: SubmissionId,
    /// Who.
    pub student_id: UserId,
    /// The exercise.
    pub exercise_id: ExerciseId,
    /// The solution.
    pub code: Code,
}

impl Event for SubmissionMade {
    const TYPE: &'static str = "submission.made.v1";
    const TOPIC: Topic = Topic::ExerciseRequests;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.submission_id.as_uuid()
    }
}
