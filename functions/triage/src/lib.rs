//! Triage: decides which agent a question is for.
//!
//! In: `question.asked.v1`. Out: `question.routed.v1` to the agent, or `question.answered.v1` where no
//! agent is needed or none is there. Fails only if the database is away.

pub mod classify;
mod http;
mod reply;

use std::sync::Arc;

use domain::agent::{Agent, AnsweredBy, Author};
use events::{
    debug_requested::DebugRequested,
    exercise_requested::ExerciseRequested,
    question_answered::QuestionAnswered,
    question_asked::QuestionAsked,
    question_routed::{QuestionRouted, Routing},
    review_requested::ReviewRequested,
};
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;

use crate::classify::{Context, classify};

/// Latest errors that are looked at and passed on.
const RECENT_ERRORS: i64 = 5;

/// The function as the runtime hosts it.
pub fn function(_: &mut Settings, services: &Arc<Services>) -> Function {
    Function::new("triage", 8100).decides(Triage).serves_internal(http::routes(services))
}

struct Triage;

impl Decide for Triage {
    type In = QuestionAsked;

    async fn handle(
        &self,
        received: Received<QuestionAsked>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let asked = received.event.data;
        let student = asked.student_id;
        let level =
            storage::progress::overall_level(conn, student).await.map_err(HandlerError::retry)?;
        let recent_errors = storage::executions::recent_error_types(conn, student, RECENT_ERRORS)
            .await
            .map_err(HandlerError::retry)?;
        let routing =
            asked.agent.map_or_else(|| classify(&context(&asked, &recent_errors)), chosen);
        let agent = routing.agent;
        let routed = QuestionRouted { asked, routing, level, recent_errors };
        match agent {
            Agent::Concepts => Outgoing::none().with(&routed),
            Agent::Debug => Outgoing::none().with(&DebugRequested(routed)),
            Agent::CodeReview => Outgoing::none().with(&ReviewRequested(routed)),
            Agent::Exercise => Outgoing::none().with(&ExerciseRequested(routed)),
            // The progress agent joins with its own function; until then triage says so.
            Agent::Progress | Agent::OffTopic => {
                Outgoing::none().with(&answer(routed.asked, routed.routing))
            }
        }
    }
}

fn context<'a>(asked: &'a QuestionAsked, recent_errors: &[String]) -> Context<'a> {
    Context {
        question: asked.question.as_str(),
        code: asked.code.as_ref().map(|code| code.as_str()),
        error: asked.error.as_ref().map(|error| error.as_str()),
        topic: asked.topic.as_ref().map(|topic| topic.as_str()),
        in_exercise: asked.exercise_id.is_some(),
        failed_recently: !recent_errors.is_empty(),
    }
}

/// The student has chosen the agent.
fn chosen(agent: Agent) -> Routing {
    let reasons = vec!["asked for directly".to_owned()];
    Routing { agent, confidence: 1.0, reasons, clarification: None }
}

fn answer(asked: QuestionAsked, routing: Routing) -> QuestionAnswered {
    QuestionAnswered {
        query_id: asked.query_id,
        student_id: asked.student_id,
        agent: Author::Triage,
        answered_by: AnsweredBy::Offline,
        answer: reply::reply(&asked, &routing),
        routing,
    }
}
