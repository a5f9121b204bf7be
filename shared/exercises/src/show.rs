//! An exercise as students see it, without its solution and its hidden tests.

use std::collections::BTreeSet;

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
    // Others are what hidden tests read.
    let texts: Vec<&str> = [exercise.task.as_str(), exercise.starter.as_str()]
        .into_iter()
        .chain(
            tests.iter().flat_map(|test| [test.call.as_deref(), test.stdin.as_deref()]).flatten(),
        )
        .collect();
    let in_a_name = |character: char| character.is_alphanumeric() || "._-/".contains(character);
    let words = texts.iter().flat_map(|text| text.split(|character| !in_a_name(character)));
    let named: BTreeSet<&str> = words.map(|word| word.trim_end_matches('.')).collect();
    let files = exercise.files.iter().filter(|(name, _)| named.contains(name.as_str()));
    let files = files.map(|(name, text)| (name.clone(), text.clone())).collect();
    AssignedExercise {
        id,
        topic: topic.to_owned(),
        title: exercise.title.clone(),
        difficulty: exercise.difficulty,
        task: exercise.task.clone(),
        starter: exercise.starter.clone(),
        files,
        hidden_tests: u32::try_from(exercise.tests.len() - tests.len()).unwrap_or_default(),
        tests,
    }
}
