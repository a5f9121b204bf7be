//! Concepts: explains an idea at the student's level.
//!
//! In: `question.routed.v1`; with a model also `model.requested.v1`, `model.finished.v1` and `execution.finished.v1` of
//! the examples that it has run, and of the student's program where that is to be explained. Out: `question.answered.v1`. The course's own answer is made first, and given whenever
//! the model has none that passes every check. If the course does not cover an idea, the answer says so and names the
//! nearest topics. Fails only if the database is away.

pub mod cases;
mod decide;
pub mod explain;
mod http;
mod program;
mod spec;

use std::sync::Arc;

use agents::Handlers;
use events::question_routed::QuestionRouted;
use runtime::{Function, Services, config::Settings};

pub use self::decide::Concepts;
pub use self::spec::SPEC;

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let concepts = Handlers::<Concepts>::new(settings, services);
    let function = Function::new(&SPEC)
        .decides(concepts.begin::<QuestionRouted>())
        .decides(concepts.continue_after_runs())
        .serves_internal(http::routes(services));
    concepts.ask_model(function)
}
