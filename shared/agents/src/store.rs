//! What agents read and write in the database besides drafts and answers.

use domain::hints::Ladder;
use events::submission_graded::SubmissionGraded;
use exercises::Exercise;
use ids::{ExerciseId, SubmissionId};
use runtime::HandlerError;
use sqlx::PgConnection;
use storage::{
    exercises::{self as stored, NewExercise, StoredExercise},
    hint_ladders,
    submissions::{self, Grade},
};

use crate::{
    draft::Origin,
    step::{Agent, ExerciseMade, Load, Step},
};

/// The position of generated exercises in lists: after the course's own.
const AFTER_THE_COURSE: i32 = 1_000_000;

/// Loads something and continues the decision.
pub(crate) async fn load<A: Agent>(
    conn: &mut PgConnection,
    origin: Origin,
    load: Load<A>,
) -> Result<Step<A>, HandlerError> {
    let student = origin.student;
    match load {
        Load::Exercise { id, then } => Ok(then(find_exercise(conn, Some(id)).await?)),
        Load::Ladder { problem, then } => {
            let ladder = hint_ladders::find(conn, student, &problem).await;
            Ok(then(ladder.map_err(HandlerError::retry)?))
        }
        Load::NextExercise { topic, difficulty, then } => {
            let next = stored::next_for(conn, student, topic.as_deref(), difficulty).await;
            Ok(then(next.map_err(HandlerError::retry)?))
        }
        Load::Made { ids, then } => {
            let ids: Vec<_> = ids.into_iter().map(ExerciseId::as_uuid).collect();
            let made = stored::made(conn, student, &ids).await;
            Ok(then(made.map_err(HandlerError::retry)?))
        }
        Load::Record { exercise, then } => {
            let record = submissions::record(conn, student, exercise).await;
            Ok(then(record.map_err(HandlerError::retry)?))
        }
    }
}

/// An exercise that can be assigned; `None` if there is none of this id.
///
/// # Errors
/// The database is unavailable.
pub async fn find_exercise(
    conn: &mut PgConnection,
    id: Option<ExerciseId>,
) -> Result<Option<StoredExercise<Exercise>>, HandlerError> {
    let Some(id) = id else { return Ok(None) };
    stored::find(conn, id).await.map_err(HandlerError::retry)
}

pub(crate) async fn ladder(
    conn: &mut PgConnection,
    origin: Origin,
    problem: &[u8],
    ladder: &Ladder,
) -> Result<(), HandlerError> {
    let stored = hint_ladders::store(conn, origin.student, problem, ladder).await;
    stored.map_err(HandlerError::retry)
}

pub(crate) async fn exercise(
    conn: &mut PgConnection,
    origin: Origin,
    made: &ExerciseMade,
) -> Result<(), HandlerError> {
    if let Some(faults) = &made.faults {
        tracing::warn!(source = made.source, faults, "an exercise did not pass the gates");
    }
    let exercise = NewExercise {
        id: made.id,
        topic: &made.topic,
        difficulty: made.exercise.difficulty,
        title: &made.exercise.title,
        task: &made.exercise.task,
        starter: &made.exercise.starter,
        body: &made.exercise,
        source: made.source,
        position: AFTER_THE_COURSE,
        variation_of: made.variation_of,
        faults: made.faults.as_deref(),
    };
    stored::upsert(conn, &exercise, origin.now).await.map_err(HandlerError::retry)
}

pub(crate) async fn assign(
    conn: &mut PgConnection,
    origin: Origin,
    exercise: ExerciseId,
) -> Result<(), HandlerError> {
    let assigned = stored::assign(conn, origin.student, exercise, origin.now).await;
    assigned.map_err(HandlerError::retry)
}

pub(crate) async fn grade(
    conn: &mut PgConnection,
    origin: Origin,
    graded: &SubmissionGraded,
) -> Result<(), HandlerError> {
    let feedback = &graded.feedback;
    let json = serde_json::to_string(feedback).map_err(HandlerError::fail)?;
    let grade = Grade {
        score: feedback.score,
        passed: feedback.passed,
        tested: feedback.tested,
        quality: feedback.quality,
        feedback: &json,
    };
    let stored = submissions::grade(conn, graded.submission_id, grade, origin.now).await;
    stored.map_err(HandlerError::retry)?;
    Ok(())
}

pub(crate) async fn give_up(
    conn: &mut PgConnection,
    origin: Origin,
    submission: SubmissionId,
) -> Result<(), HandlerError> {
    tracing::error!(%submission, "a solution cannot be graded");
    submissions::give_up(conn, submission, origin.now).await.map_err(HandlerError::retry)
}
