//! Grading submissions: run with all tests, and reported without the hidden tests' secrets.

use agents::{Effect, Load, Next, Run, Step};
use domain::{execution::ExecutionResult, text::Source};
use events::{
    activity_recorded::Activity,
    submission_graded::{Feedback, SubmissionGraded},
    submission_made::SubmissionMade,
};
use exercises::Before;
use exercises::Exercise as Task;
use runtime::HandlerError;
use storage::{exercises::StoredExercise, submissions::Record};

use crate::state::{Exercise, Grading, Running};

/// How often a solution whose tests cannot be judged is run before it is reported as ungraded. Expected values are
/// evaluated again each time, which can fail while the sandbox is busy.
const MAX_TRIES: u32 = 3;

/// Why a solution cannot be graded.
#[derive(Debug, thiserror::Error)]
enum Ungradable {
    #[error("there is no exercise {0}")]
    NoExercise(ids::ExerciseId),
    #[error("the solution cannot be run")]
    Program(#[source] domain::text::TextError),
}

/// Has a solution run with the exercise's tests.
pub(crate) fn begin(
    made: SubmissionMade,
    exercise: Option<StoredExercise<Task>>,
) -> Step<Exercise> {
    let found = exercise.filter(|found| curriculum::embedded().topic(&found.topic).is_some());
    match found {
        Some(found) => run(Grading { made, topic: found.topic, exercise: found.body, tries: 0 }),
        None => {
            let error = Ungradable::NoExercise(made.exercise_id);
            Next::Fail(HandlerError::fail(error)).into()
        }
    }
}

fn run(grading: Grading) -> Step<Exercise> {
    match Source::try_from(grading.made.code.as_str().to_owned()) {
        Ok(source) => {
            let program = grading.exercise.program(source);
            let state = Running::Grading(Box::new(grading));
            Next::Run(Box::new(Run { program, state, fallback: None })).into()
        }
        Err(error) => Next::Fail(HandlerError::fail(Ungradable::Program(error))).into(),
    }
}

/// Grades a solution by its run; if a test could not be judged, there is no grade.
pub(crate) fn finish(grading: Grading, run: ExecutionResult) -> Step<Exercise> {
    Next::Load(Load::Record {
        exercise: grading.made.exercise_id,
        then: Box::new(move |record| judge(grading, &run, record)),
    })
    .into()
}

fn judge(mut grading: Grading, run: &ExecutionResult, record: Record) -> Step<Exercise> {
    let before = Before {
        attempts: u32::try_from(record.attempts).unwrap_or(u32::MAX),
        failed: record.failed,
        best: record.best.and_then(|best| u8::try_from(best).ok()).unwrap_or_default(),
    };
    match exercises::grade(&grading.exercise, grading.made.code.as_str(), run, before) {
        Ok(feedback) => tell(&grading, feedback, record.was_shown),
        Err(_unjudged) => {
            grading.tries += 1;
            if grading.tries >= MAX_TRIES {
                return Next::GiveUp(grading.made.submission_id).into();
            }
            self::run(grading)
        }
    }
}

/// Reports a grade. `helped`: the solution had been shown in pieces.
fn tell(grading: &Grading, feedback: Feedback, helped: bool) -> Step<Exercise> {
    let Grading { made, topic, exercise, .. } = grading;
    let activity = Activity::ExerciseSubmitted {
        exercise_id: made.exercise_id,
        topic: topic.clone(),
        difficulty: exercise.difficulty,
        score: feedback.score,
        passed: feedback.passed,
        quality: feedback.quality,
        attempt: feedback.attempt,
        helped,
        tested: feedback.tested,
    };
    let graded = SubmissionGraded {
        submission_id: made.submission_id,
        student_id: made.student_id,
        exercise_id: made.exercise_id,
        feedback,
    };
    Step::from(Next::Grade(Box::new(graded))).with(Effect::Record(activity))
}
