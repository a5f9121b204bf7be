//! The exercise agent, and its state while it waits.

use events::{question_routed::QuestionRouted, submission_made::SubmissionMade};
use exercises::Exercise as Task;
use ids::ExerciseId;
use serde::{Deserialize, Serialize};

use crate::make::Making;

/// Assigns exercises, helps with them, and grades submissions.
#[derive(Debug)]
pub struct Exercise;

/// What is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Running {
    /// A solution that is graded.
    Grading(Box<Grading>),
    /// An exercise that is made.
    Making(Box<Making>),
}

/// What a model is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Asking {
    /// An exercise.
    Write(Box<Writing>),
    /// The solution of an exercise, from its task alone.
    Solve(Box<Making>),
}

/// A solution that is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grading {
    pub(crate) made: SubmissionMade,
    pub(crate) topic: String,
    pub(crate) exercise: Task,
    /// How often its tests could not be judged.
    #[serde(default)]
    pub(crate) tries: u32,
}

/// A question for which a model writes an exercise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Writing {
    pub(crate) request: QuestionRouted,
    /// The exercise of the course that it should be like.
    pub(crate) like: ExerciseId,
}
