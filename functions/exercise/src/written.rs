//! What a model has written: an exercise, or the solution of one from its task alone.

use agents::{Effect, Load, Next, Reply, Step};
use events::model_call::Task;
use exercises::{Fault, Report};
use ids::ExerciseId;
use tutor::{prompt, reply};

use crate::{
    assign::{continue_making, publish, vary},
    assignable::Assignable,
    make::Making,
    show,
    state::{Exercise, Writing},
};

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
                continue_making(Making::written(request, topic, id, written, difficulty))
            }
            Some(Err(withheld)) => vary(request, old).with(Effect::Withhold(withheld.to_string())),
            None => vary(request, old),
        }
    };
    Next::Load(Load::Exercise { id: like, then: Box::new(then) }).into()
}

/// Has the model's solution run, without which the exercise is not assigned.
pub(crate) fn solved(mut making: Making, text: Option<String>) -> Step<Exercise> {
    match text.map(|text| reply::solution(&text, prompt(Task::Solve))) {
        Some(Ok(read)) => {
            making.note_solution(read.solution);
            continue_making(making)
        }
        Some(Err(withheld)) => publish(making, &Report::of(Fault::Unsolved))
            .with(Effect::Withhold(withheld.to_string())),
        None => publish(making, &Report::of(Fault::Unsolved)),
    }
}
