//! Triage: decides which agent a question is for.
//!
//! In: `question.asked.v1`; with a model also `model.requested.v1` and `model.finished.v1`. Out: the question to its
//! agent, or `question.answered.v1` if no agent is needed or none exists. A model is asked only if words and context
//! leave it open. Fails only if the database is away.

pub mod cases;
pub mod classify;
mod decide;
pub mod follow_up;
mod http;
mod pleas;
mod reply;
pub mod signs;
mod spec;

use std::sync::Arc;

use agents::Handlers;
use chrono::{DateTime, Utc};
use events::question_asked::QuestionAsked;
use runtime::{Function, HandlerError, Periodic, Round, Schedule, Services, config::Settings};
use sqlx::PgConnection;

pub use self::{
    decide::{Loaded, Triage},
    spec::SPEC,
};

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let triage = Handlers::<Triage>::new(settings, services);
    let function = Function::new(&SPEC)
        .decides(triage.begin::<QuestionAsked>())
        .repeats(AnswerLost)
        .serves_internal(http::routes(services));
    triage.ask_model(function)
}

/// Answers questions whose run or model call was lost: nobody waits forever.
struct AnswerLost;

impl Periodic for AnswerLost {
    const SCHEDULE: Schedule = spec::LOST_DRAFTS;

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        agents::answer_lost_drafts(conn, now).await
    }
}
