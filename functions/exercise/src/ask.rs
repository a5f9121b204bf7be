//! Asks a model for an exercise, or for the solution of one from its task alone.

use agents::{Ask, Next, Step};
use events::{model_call::Task, question_routed::QuestionRouted};

use crate::{
    assignable::Assignable,
    make::Making,
    state::{Asking, Exercise, Writing},
};

/// Asks the model for an exercise like an old one.
pub(crate) fn for_exercise(request: QuestionRouted, old: &Assignable) -> Step<Exercise> {
    let like = format!("{}\n\n{}", old.exercise.task, old.exercise.reference);
    // Other students are assigned the same exercise, so it is not made from anybody's words.
    let fields = [
        ("topic", old.topic.title.as_str()),
        ("lesson", old.topic.lesson.explanation.learning.as_str()),
        ("difficulty", old.exercise.difficulty.as_str()),
        ("like", like.as_str()),
    ];
    let state = Asking::Write(Box::new(Writing { request, like: old.id }));
    Next::Ask(Box::new(Ask::new(Task::Exercise, &fields, state))).into()
}

/// Asks the model for a solution, given only what a student sees.
pub(crate) fn for_solution(making: Making) -> Step<Exercise> {
    let shown = exercises::assigned(making.id, &making.topic, &making.exercise);
    let examples = shown.tests.iter().filter_map(|test| {
        Some(format!("{} is {}", test.call.as_deref()?, test.expected.as_deref()?))
    });
    let examples = examples.collect::<Vec<_>>().join("\n");
    let fields = [
        ("task", shown.task.as_str()),
        ("starter", shown.starter.as_str()),
        ("examples", examples.as_str()),
    ];
    let state = Asking::Solve(Box::new(making));
    Next::Ask(Box::new(Ask::new(Task::Solve, &fields, state))).into()
}
