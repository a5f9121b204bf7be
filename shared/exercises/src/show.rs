//! An exercise as a student gets it: nothing of its solution, nothing of its hidden tests.

use curriculum::Exercise;
use events::question_answered::{SetExercise, VisibleTest};
use ids::ExerciseId;

/// What may be seen of an exercise.
#[must_use]
pub fn set(id: ExerciseId, topic: &str, exercise: &Exercise) -> SetExercise {
    let visible = exercise.tests.iter().filter(|check| check.hidden.is_none());
    let tests: Vec<VisibleTest> = visible
        .map(|check| VisibleTest {
            call: check.call.clone(),
            stdin: check.stdin.clone(),
            expected: check.expected.clone(),
            raises: check.raises.clone(),
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
