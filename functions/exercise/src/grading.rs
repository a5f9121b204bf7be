//! Grading what is handed in: run with all tests, told with what may be told of them.

use agents::Origin;
use curriculum::Exercise;
use domain::{execution::ExecutionResult, text::Source};
use events::{
    activity_recorded::{Activity, ActivityRecorded},
    submission_graded::{Feedback, SubmissionGraded},
    submission_made::SubmissionMade,
};
use exercises::{Before, Unjudged};
use ids::SubmissionId;
use runtime::{HandlerError, Outgoing};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::submissions::{self, Grade};

use crate::{Waiting, setting};

/// How often a solution is run whose tests cannot be judged, before it is said to be so: what a test expects is
/// worked out again each time, and may not be because much else is run at the moment.
const MAX_TRIES: u32 = 3;

/// A solution that is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Grading {
    made: SubmissionMade,
    topic: String,
    exercise: Exercise,
    /// How often its tests could not be judged.
    #[serde(default)]
    tries: u32,
}

impl Grading {
    pub(crate) const fn submission(&self) -> SubmissionId {
        self.made.submission_id
    }
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
    let grading =
        Grading { made, topic: ready.topic.slug.clone(), exercise: ready.exercise, tries: 0 };
    agents::request_run(conn, origin, &Waiting::Grading(Box::new(grading)), program).await
}

/// Grades a solution by what came of running it; without the truth there is no grade.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    origin: Origin,
    grading: Grading,
    run: &ExecutionResult,
) -> Result<Outgoing, HandlerError> {
    let (student_id, exercise_id) = (grading.made.student_id, grading.made.exercise_id);
    let record = submissions::record(conn, student_id, exercise_id).await;
    let record = record.map_err(HandlerError::retry)?;
    let before = Before {
        attempts: u32::try_from(record.attempts).unwrap_or(u32::MAX),
        failed: record.failed,
        best: record.best.and_then(|best| u8::try_from(best).ok()).unwrap_or_default(),
    };
    match exercises::grade(&grading.exercise, grading.made.code.as_str(), run, before) {
        Ok(feedback) => keep(conn, origin, &grading, (feedback, record.was_shown)).await,
        Err(unjudged) => again(conn, origin, grading, unjudged).await,
    }
}

/// Has a solution run once more, or says that it cannot be graded: that is no attempt of the student.
async fn again(
    conn: &mut PgConnection,
    origin: Origin,
    mut grading: Grading,
    unjudged: Unjudged,
) -> Result<Outgoing, HandlerError> {
    grading.tries += 1;
    let id = grading.made.submission_id;
    if grading.tries >= MAX_TRIES {
        tracing::error!(submission = %id, error = %unjudged, "a solution cannot be graded");
        submissions::give_up(conn, id, origin.now).await.map_err(HandlerError::retry)?;
        return Ok(Outgoing::none());
    }
    let source = Source::try_from(grading.made.code.as_str().to_owned())
        .map_err(|error| HandlerError::fail(Ungradable::Program(error)))?;
    let program = grading.exercise.program(source);
    agents::request_run(conn, origin, &Waiting::Grading(Box::new(grading)), program).await
}

/// Keeps a grade and tells it.
async fn keep(
    conn: &mut PgConnection,
    origin: Origin,
    grading: &Grading,
    (feedback, helped): (Feedback, bool),
) -> Result<Outgoing, HandlerError> {
    let Grading { made, topic, exercise, .. } = grading;
    let &SubmissionMade { submission_id, student_id, exercise_id, .. } = made;
    let json = serde_json::to_string(&feedback).map_err(HandlerError::fail)?;
    let grade = Grade {
        score: feedback.score,
        passed: feedback.passed,
        tested: feedback.tested,
        quality: feedback.quality,
        feedback: &json,
    };
    submissions::grade(conn, submission_id, grade, origin.now)
        .await
        .map_err(HandlerError::retry)?;
    let activity = Activity::ExerciseSubmitted {
        exercise_id,
        topic: topic.clone(),
        difficulty: exercise.difficulty,
        score: feedback.score,
        passed: feedback.passed,
        quality: feedback.quality,
        attempt: feedback.attempt,
        helped,
    };
    let request_id = submission_id.as_uuid();
    let graded = SubmissionGraded { submission_id, student_id, exercise_id, feedback };
    Outgoing::none().with(&graded)?.with(&ActivityRecorded { student_id, request_id, activity })
}
