//! Exercises that a model writes, and solves from their task alone.

use agents::{Ask, Effect, Load, Next, Reply, Step};
use events::{model_call::Task, question_routed::QuestionRouted};
use exercises::{Fault, Report};
use ids::ExerciseId;
use serde::{Deserialize, Serialize};
use tutor::{prompt, reply};

use crate::{
    Asking, Exercise,
    assign::{self, Assignable, continue_making, publish, vary},
    make::Making,
    show,
};

/// A question for which a model writes an exercise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Writing {
    request: QuestionRouted,
    /// The exercise of the course that it should be like.
    like: ExerciseId,
}

/// Asks the model for an exercise like an old one.
pub(crate) fn ask(request: QuestionRouted, old: &Assignable) -> Step<Exercise> {
    let like = format!("{}\n\n{}", old.exercise.task, old.exercise.reference);
    // Whoever asks next is assigned the same exercise, so nobody's words are in what it is made of.
    let fields = [
        ("topic", old.topic.title.as_str()),
        ("lesson", old.topic.lesson.explanation.learning.as_str()),
        ("difficulty", old.exercise.difficulty.as_str()),
        ("like", like.as_str()),
    ];
    let state = Asking::Write(Box::new(Writing { request, like: old.id }));
    Next::Ask(Box::new(Ask::new(Task::Exercise, &fields, state))).into()
}

/// Has what the model has written verified.
pub(crate) fn verify(writing: Writing, text: Option<String>) -> Step<Exercise> {
    let Writing { request, like } = writing;
    let then = move |found: Option<_>| {
        let Some(old) = found.and_then(Assignable::of) else {
            let answer = show::nothing(curriculum::embedded());
            return Step::answer(Reply::offline(request.routing, answer));
        };
        match text.map(|text| reply::exercise(&text, prompt(Task::Exercise))) {
            Some(Ok(written)) => {
                let id = ExerciseId::from_uuid(request.asked.query_id.as_uuid());
                let topic = old.topic.slug.clone();
                let difficulty = old.exercise.difficulty;
                continue_making(Making::written(request, topic, id, (written, difficulty)))
            }
            Some(Err(withheld)) => vary(request, old).with(Effect::Withhold(withheld.to_string())),
            None => vary(request, old),
        }
    };
    Next::Load(Load::Exercise { id: like, then: Box::new(then) }).into()
}

/// Asks the model for a solution, from no more than a student sees.
pub(crate) fn ask_for_solution(making: Making) -> Step<Exercise> {
    let shown = exercises::set(making.id, &making.topic, &making.exercise);
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

/// Has the model's solution run, without which the exercise is not assigned.
pub(crate) fn solved(mut making: Making, text: Option<String>) -> Step<Exercise> {
    match text.map(|text| reply::solution(&text, prompt(Task::Solve))) {
        Some(Ok(read)) => {
            making.note_solution(read.solution);
            assign::continue_making(making)
        }
        Some(Err(withheld)) => publish(making, &Report::of(Fault::Unsolved))
            .with(Effect::Withhold(withheld.to_string())),
        None => publish(making, &Report::of(Fault::Unsolved)),
    }
}
