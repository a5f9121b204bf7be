//! Exercises that a model writes, and solves from their task alone.

use agents::Origin;
use domain::agent::AnsweredBy;
use events::{
    model_call::{ExerciseModelRequested, Task},
    question_routed::QuestionRouted,
};
use exercises::{Fault, Report};
use ids::ExerciseId;
use runtime::{HandlerError, Outgoing};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tutor::{Tutor, prompt, reply};

use crate::{
    answered,
    make::Making,
    setting::{Ready, find, go_on, publish, vary},
    show,
};

/// What waits for a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Asked {
    /// A question for which an exercise is to be written.
    Write(Box<Wanted>),
    /// An exercise that is to be solved from its task alone.
    Solve(Box<Making>),
}

/// A question that waits for a model's exercise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Wanted {
    request: QuestionRouted,
    /// The exercise of the course that it should be like.
    like: ExerciseId,
}

/// Asks the model for an exercise like an old one.
pub(crate) async fn have_written(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    request: QuestionRouted,
    old: Ready,
) -> Result<Outgoing, HandlerError> {
    let like = format!("{}\n\n{}", old.exercise.task, old.exercise.reference);
    // Whoever asks next is set the same exercise, so nobody's words are in what it is made of.
    let fields = [
        ("topic", old.topic.title.as_str()),
        ("lesson", old.topic.lesson.explanation.learning.as_str()),
        ("difficulty", old.exercise.difficulty.as_str()),
        ("like", like.as_str()),
    ];
    let call = (Task::Exercise, fields.as_slice());
    let wanted = Asked::Write(Box::new(Wanted { request: request.clone(), like: old.id }));
    let requested =
        agents::request_model::<ExerciseModelRequested, _>(conn, tutor, origin, call, &wanted)
            .await?;
    match requested {
        Some(requested) => Outgoing::none().with(&requested),
        None => vary(conn, origin, request, old).await,
    }
}

/// Goes on with what the model has said.
pub(crate) async fn heard(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    (asked, text): (Asked, Option<String>),
) -> Result<Outgoing, HandlerError> {
    let mut making = match asked {
        Asked::Write(wanted) => return written(conn, tutor, origin, *wanted, text).await,
        Asked::Solve(making) => *making,
    };
    let read = text.map(|text| reply::solution(&text, prompt(Task::Solve)));
    match read {
        Some(Ok(read)) => {
            making.note_solution(read.solution);
            return go_on(conn, Some(tutor), origin, making).await;
        }
        Some(Err(withheld)) => tracing::warn!(%withheld, "the model's solution is withheld"),
        None => {}
    }
    publish(conn, origin, making, Report::of(Fault::Unsolved)).await
}

/// Has the model's exercise verified.
async fn written(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    wanted: Wanted,
    text: Option<String>,
) -> Result<Outgoing, HandlerError> {
    let Wanted { request, like } = wanted;
    let Some(old) = find(conn, like).await? else {
        return answered(request, AnsweredBy::Offline, show::nothing(curriculum::embedded()));
    };
    match text.map(|text| reply::exercise(&text, prompt(Task::Exercise))) {
        Some(Ok(written)) => {
            let id = ExerciseId::from_uuid(origin.query.as_uuid());
            let topic = old.topic.slug.clone();
            let making = Making::written(request, topic, id, (written, old.exercise.difficulty));
            go_on(conn, Some(tutor), origin, making).await
        }
        Some(Err(withheld)) => {
            tracing::warn!(%withheld, "the model's exercise is withheld");
            vary(conn, origin, request, old).await
        }
        None => vary(conn, origin, request, old).await,
    }
}

/// Asks the model for a solution, from no more than a student sees.
pub(crate) async fn have_solved(
    conn: &mut PgConnection,
    tutor: Option<&Tutor>,
    origin: Origin,
    making: &Making,
) -> Result<Option<ExerciseModelRequested>, HandlerError> {
    let Some(tutor) = tutor else { return Ok(None) };
    let set = exercises::set(making.id, &making.topic, &making.exercise);
    let examples = set.tests.iter().filter_map(|test| {
        Some(format!("{} is {}", test.call.as_deref()?, test.expected.as_deref()?))
    });
    let examples = examples.collect::<Vec<_>>().join("\n");
    let fields = [
        ("task", set.task.as_str()),
        ("starter", set.starter.as_str()),
        ("examples", examples.as_str()),
    ];
    let call = (Task::Solve, fields.as_slice());
    let asked = Asked::Solve(Box::new(making.clone()));
    agents::request_model(conn, tutor, origin, call, &asked).await
}
