//! Debug: finds why a program fails, and gives one hint at a time.
//!
//! In: `debug.requested.v1`, and `execution.finished.v1` of the runs that it asked for; with a model also
//! `model.requested.v1` and `model.finished.v1`. Out: `execution.requested.v1` to see the program fail, then
//! `question.answered.v1`. A model may rephrase a hint, never give another one.
//! A question without a program and without an error message is answered from the course, as far as it can. Fails only
//! if the database is away.

pub mod cases;
mod decide;
pub mod diagnosis;
pub mod expected;
pub mod hint;
mod http;
mod pasted;
mod printed;
mod problem;
mod reported;
mod search;
mod spec;

use std::sync::Arc;

use agents::Handlers;
use events::debug_requested::DebugRequested;
use runtime::{Function, Services, config::Settings};

pub use self::decide::{Debug, Loaded};
pub use self::spec::SPEC;

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let debug = Handlers::<Debug>::new(settings, services);
    let function = Function::new(&SPEC)
        .decides(debug.begin::<DebugRequested>())
        .decides(debug.continue_after_runs())
        .serves_internal(http::routes(services));
    debug.ask_model(function)
}
