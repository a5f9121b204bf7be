//! Exercise: assigns exercises, helps with them, and grades submissions.
//!
//! In: `exercise.requested.v1`, `submission.made.v1`, and `execution.finished.v1` of the runs that it asked for; with a
//! model also `model.requested.v1` and `model.finished.v1`. Out: `question.answered.v1`, `submission.graded.v1`,
//! `exercise.generated.v1` and `activity.recorded.v1`. The course's exercises are verified by `learnflow check-course`;
//! those made here pass the same gates before they are assigned. Fails only if the database is away.

mod ask;
mod assign;
mod assignable;
pub mod choose;
mod decide;
mod grading;
pub mod help;
mod http;
pub mod make;
pub mod show;
mod spec;
mod state;
mod written;

use std::sync::Arc;

use agents::Handlers;
use events::{exercise_requested::ExerciseRequested, submission_made::SubmissionMade};
use runtime::{Function, Services, config::Settings};

pub use self::{
    spec::SPEC,
    state::{Asking, Exercise, Running},
};

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let exercise = Handlers::<Exercise>::new(settings, services);
    let function = Function::new(&SPEC)
        .decides(exercise.begin::<ExerciseRequested>())
        .decides(exercise.begin::<SubmissionMade>())
        .decides(exercise.continue_after_runs())
        .serves_internal(http::routes(services));
    exercise.ask_model(function)
}
