//! An exercise has been made and verified.

use domain::difficulty::Difficulty;
use ids::{ExerciseId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient};

/// Emitted by the exercise agent, handled by progress. Since 0.4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExerciseGenerated {
    /// The exercise.
    pub exercise_id: ExerciseId,
    /// For whom it was made.
    pub student_id: UserId,
    /// The request that it answers.
    pub request_id: Uuid,
    /// The topic's slug.
    pub topic: String,
    /// How hard it is.
    #[serde(deserialize_with = "lenient::name")]
    pub difficulty: Difficulty,
    /// `variation` or `model`.
    pub source: String,
    /// Small mistakes that were tried on its tests, and those that they noticed.
    pub mutants: (u32, u32),
}

impl Event for ExerciseGenerated {
    const TYPE: &'static str = "exercise.generated.v1";
    const TOPIC: Topic = Topic::ExerciseGenerated;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }
}
