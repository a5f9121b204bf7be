//! Triage: decides which agent a question is for.
//!
//! In: `question.asked.v1`; with a model also `model.requested.v1` and `model.finished.v1`. Out: the question
//! to its agent, or `question.answered.v1` where no agent is needed or none is there. A model is asked only
//! where words and context leave it open. Fails only if the database is away.

pub mod cases;
pub mod classify;
mod decide;
pub mod follow_up;
mod http;
mod patterns;
mod reply;
pub mod signs;

use std::sync::Arc;

use agents::{Beginning, Handlers};
use events::question_asked::QuestionAsked;
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;

pub use self::decide::{Loaded, Triage};

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let triage = Handlers::<Triage>::new(settings, services);
    let function = Function::new("triage", 8100)
        .decides(AnswerLost { begin: triage.begin() })
        .serves_internal(http::routes(services));
    triage.ask_model(function)
}

/// Answers lost questions with whatever comes next.
struct AnswerLost {
    begin: Beginning<Triage, QuestionAsked>,
}

impl Decide for AnswerLost {
    type In = QuestionAsked;

    async fn handle(
        &self,
        received: Received<QuestionAsked>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let lost = agents::answer_lost_drafts(conn, received.now).await?;
        self.begin.handle_with(lost, received, conn).await
    }
}
