//! An exercise as a student gets it: nothing of its solution, nothing of its hidden tests.

use events::question_answered::{SetExercise, VisibleTestCase};
use ids::ExerciseId;

use crate::exercise::Exercise;

/// What may be seen of an exercise.
#[must_use]
pub fn set(id: ExerciseId, topic: &str, exercise: &Exercise) -> SetExercise {
    let visible = exercise.tests.iter().filter(|case| case.hidden.is_none());
    let tests: Vec<VisibleTestCase> = visible
        .map(|case| VisibleTestCase {
            call: case.call.clone(),
            stdin: case.stdin.clone(),
            expected: case.expected.clone(),
            raises: case.raises.clone(),
        })
        .collect();
    SetExercise {
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
