//! Code review: says what a careful reader would say about a program that its author thinks is done.
//!
//! In: `review.requested.v1`, and `execution.finished.v1` of the runs that it asked for; with a model also
//! `model.requested.v1` and `model.finished.v1`. Out: `execution.requested.v1` to see what the program does, and
//! whether suggestions do the same; then `question.answered.v1` and `activity.recorded.v1`. Fails only if the database
//! is away.

pub mod cases;
mod check;
mod decide;
mod http;
pub mod report;
mod spec;

use std::sync::Arc;

use agents::Handlers;
use events::review_requested::ReviewRequested;
use runtime::{Function, Services, config::Settings};

pub use self::spec::SPEC;
pub use self::{
    check::Checking,
    decide::{CodeReview, Running},
};

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let review = Handlers::<CodeReview>::new(settings, services);
    let function = Function::new(&SPEC)
        .decides(review.begin::<ReviewRequested>())
        .decides(review.continue_after_runs())
        .serves_internal(http::routes(services));
    review.ask_model(function)
}
