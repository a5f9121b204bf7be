//! Concepts: explains an idea at the student's level.
//!
//! In: `question.routed.v1`. Out: `question.answered.v1`. The answer comes from the curriculum; what
//! the curriculum does not hold is said to be missing, with the nearest topics. Cannot fail.

pub mod answer;
mod http;

use std::sync::Arc;

use domain::agent::{AnsweredBy, Author};
use events::{question_answered::QuestionAnswered, question_routed::QuestionRouted};
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;

/// The function as the runtime hosts it.
pub fn function(_: &mut Settings, _: &Arc<Services>) -> Function {
    Function::new("concepts", 8101).decides(Concepts).serves_internal(http::routes())
}

struct Concepts;

impl Decide for Concepts {
    type In = QuestionRouted;

    async fn handle(
        &self,
        received: Received<QuestionRouted>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let QuestionRouted { asked, routing, level, .. } = received.event.data;
        let answer = answer::answer(
            curriculum::embedded(),
            asked.question.as_str(),
            asked.topic.as_ref().map(|topic| topic.as_str()),
            level,
            routing.clarification.as_deref(),
        );
        Outgoing::none().with(&QuestionAnswered {
            query_id: asked.query_id,
            student_id: asked.student_id,
            agent: Author::Concepts,
            answered_by: AnsweredBy::Offline,
            routing,
            answer,
        })
    }
}
