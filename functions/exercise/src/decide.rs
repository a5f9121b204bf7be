//! What the exercise agent decides, as a state machine.

use agents::{Agent, Arrived, Begin, Step};
use chrono::{DateTime, Utc};
use domain::agent::Author;
use events::{
    exercise_requested::ExerciseRequested,
    model_call::{ExerciseModelFinished, ExerciseModelRequested},
    question_routed::QuestionRouted,
    submission_made::SubmissionMade,
};
use ids::ExerciseId;
use runtime::HandlerError;
use sqlx::PgConnection;
use storage::exercises::StoredExercise;

use crate::{
    assign,
    assignable::Assignable,
    choose::Intent,
    grading, help,
    state::{Asking, Exercise, Running},
    written,
};

/// A question about practising.
#[derive(Debug, Clone)]
pub struct Requested {
    /// The question.
    pub request: QuestionRouted,
    /// The exercise that is open.
    pub open: Option<StoredExercise<exercises::Exercise>>,
}

/// A solution that was handed in.
#[derive(Debug, Clone)]
pub struct HandedIn {
    /// The solution.
    pub made: SubmissionMade,
    /// Its exercise, if there still is one.
    pub exercise: Option<StoredExercise<exercises::Exercise>>,
}

impl Begin<ExerciseRequested> for Exercise {
    type Loaded = Requested;

    async fn load(
        ExerciseRequested(request): ExerciseRequested,
        _: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Requested, HandlerError> {
        let id = request.asked.exercise_id.map(ExerciseId::from_uuid);
        let open = agents::find_exercise(conn, id).await?;
        Ok(Requested { request, open })
    }

    fn begin(loaded: Requested, now: DateTime<Utc>) -> Step<Self> {
        let Requested { request, open } = loaded;
        let intent = Intent::of_question(request.asked.question.as_str(), &request.routing.signs);
        match (open.and_then(Assignable::of), intent) {
            (Some(open), Intent::Help) => help::give(request, open, now),
            (Some(open), Intent::Vary) => assign::vary(request, open),
            (Some(_), Intent::Another) | (None, _) => assign::next(request),
        }
    }
}

impl Begin<SubmissionMade> for Exercise {
    type Loaded = HandedIn;

    async fn load(
        made: SubmissionMade,
        _: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<HandedIn, HandlerError> {
        let exercise = agents::find_exercise(conn, Some(made.exercise_id)).await?;
        Ok(HandedIn { made, exercise })
    }

    fn begin(loaded: HandedIn, _: DateTime<Utc>) -> Step<Self> {
        grading::begin(loaded.made, loaded.exercise)
    }
}

impl Agent for Exercise {
    type Running = Running;
    type Asking = Asking;
    type ModelRequested = ExerciseModelRequested;
    type ModelFinished = ExerciseModelFinished;

    const AUTHOR: Author = Author::Exercise;
    const VERSION: u32 = 1;

    fn resume(arrived: Arrived<Self>, _: DateTime<Utc>) -> Step<Self> {
        match arrived {
            Arrived::Run { state: Running::Grading(grading), result } => {
                grading::finish(*grading, *result)
            }
            Arrived::Run { state: Running::Making(mut making), result } => {
                making.note(&result);
                assign::continue_making(*making)
            }
            Arrived::Model { state: Asking::Write(writing), text } => {
                written::verify(*writing, text)
            }
            Arrived::Model { state: Asking::Solve(making), text } => written::solved(*making, text),
        }
    }
}

#[cfg(test)]
mod tests;
