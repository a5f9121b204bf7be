//! An exercise that can be assigned.

use curriculum::Topic;
use exercises::Exercise;
use ids::ExerciseId;
use storage::exercises::StoredExercise;

/// An exercise with its topic.
#[derive(Debug, Clone)]
pub(crate) struct Assignable {
    pub(crate) id: ExerciseId,
    pub(crate) topic: &'static Topic,
    pub(crate) exercise: Exercise,
}

impl Assignable {
    /// A stored exercise, unless its topic is no longer in the course.
    pub(crate) fn of(stored: StoredExercise<Exercise>) -> Option<Self> {
        let topic = curriculum::embedded().topic(&stored.topic)?;
        Some(Self { id: stored.id, topic, exercise: stored.body })
    }
}
