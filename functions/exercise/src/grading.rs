//! Grading what is handed in: run with all tests, told with what may be told of them.

use agents::Origin;
use chrono::{DateTime, Utc};
use curriculum::Exercise;
use domain::{execution::ExecutionResult, text::Source};
use events::{
    activity_recorded::{Activity, ActivityRecorded},
    submission_graded::SubmissionGraded,
    submission_made::SubmissionMade,
};
use exercises::Before;
use runtime::{HandlerError, Outgoing};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::submissions::{self, Grade};

use crate::{Waiting, setting};

/// A solution that is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Grading {
    made: SubmissionMade,
    topic: String,
    exercise: Exercise,
}

/// Why a solution cannot be graded.
#[derive(Debug, thiserror::Error)]
enum Ungradable {
    #[error("there is no exercise {0}")]
    NoExercise(ids::ExerciseId),
    #[error("the solution cannot be run")]
    Program(#[source] domain::text::TextError),
}

/// Has a solution run with the exercise's tests.
pub(crate) async fn begin(
    conn: &mut PgConnection,
    origin: Origin,
    made: SubmissionMade,
) -> Result<Outgoing, HandlerError> {
    let id = made.exercise_id;
    let Some(ready) = setting::find(conn, id).await? else {
        return Err(HandlerError::fail(Ungradable::NoExercise(id)));
    };
    let source = Source::try_from(made.code.as_str().to_owned())
        .map_err(|error| HandlerError::fail(Ungradable::Program(error)))?;
    let program = ready.exercise.program(source);
    let grading = Grading { made, topic: ready.topic.slug.clone(), exercise: ready.exercise };
    agents::request_run(conn, origin, &Waiting::Grading(Box::new(grading)), program).await
}

/// Grades a solution by what came of running it.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    grading: Grading,
    run: &ExecutionResult,
    now: DateTime<Utc>,
) -> Result<Outgoing, HandlerError> {
    let Grading { made, topic, exercise } = grading;
    let SubmissionMade { submission_id, student_id, exercise_id, code } = made;
    let record = submissions::record(conn, student_id, exercise_id).await;
    let record = record.map_err(HandlerError::retry)?;
    let before = Before {
        attempts: u32::try_from(record.attempts).unwrap_or(u32::MAX),
        failed: record.failed,
        best: record.best.and_then(|best| u8::try_from(best).ok()).unwrap_or_default(),
    };
    let feedback = exercises::grade(&exercise, code.as_str(), run, before);
    let json = serde_json::to_string(&feedback).map_err(HandlerError::fail)?;
    let grade = Grade {
        score: feedback.score,
        passed: feedback.passed,
        quality: feedback.quality,
        feedback: &json,
    };
    submissions::grade(conn, submission_id, grade, now).await.map_err(HandlerError::retry)?;
    let activity = Activity::ExerciseSubmitted {
        exercise_id,
        topic,
        difficulty: exercise.difficulty,
        score: feedback.score,
        passed: feedback.passed,
        quality: feedback.quality,
        attempt: feedback.attempt,
        helped: record.was_shown,
    };
    let request_id = submission_id.as_uuid();
    let graded = SubmissionGraded { submission_id, student_id, exercise_id, feedback };
    Outgoing::none().with(&graded)?.with(&ActivityRecorded { student_id, request_id, activity })
}
