//! An exercise as students see it, without its solution and its hidden tests.

use events::question_answered::{AssignedExercise, VisibleTestCase};
use ids::ExerciseId;

use crate::exercise::Exercise;

/// The exercise without what a student may not see.
#[must_use]
pub fn assigned(id: ExerciseId, topic: &str, exercise: &Exercise) -> AssignedExercise {
    let visible = exercise.tests.iter().filter(|case| case.hidden.is_none());
    let tests: Vec<VisibleTestCase> = visible
        .map(|case| VisibleTestCase {
            call: case.call.clone(),
            stdin: case.stdin.clone(),
            expected: case.expected.clone(),
            raises: case.raises.clone(),
        })
        .collect();
    AssignedExercise {
        id,
        topic: topic.to_owned(),
        title: exercise.title.clone(),
        difficulty: exercise.difficulty,
        task: exercise.task.clone(),
        starter: exercise.starter.clone(),
        hidden_tests: u32::try_from(exercise.tests.len() - tests.len()).unwrap_or_default(),
        tests,
    }
}
