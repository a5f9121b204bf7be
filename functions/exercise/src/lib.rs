//! Exercise: gives something to practise.
//!
//! In: `exercise.requested.v1`. Out: `question.answered.v1`. The exercises are the course's, of which every
//! one is verified by `learnflow check-course`. Cannot fail.

pub mod choose;
mod http;
pub mod show;

use std::sync::Arc;

use domain::agent::{AnsweredBy, Author};
use events::{exercise_requested::ExerciseRequested, question_answered::QuestionAnswered};
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;

use crate::choose::Wish;

/// The function as the runtime hosts it.
pub fn function(_: &mut Settings, services: &Arc<Services>) -> Function {
    Function::new("exercise", 8105).decides(Exercise).serves_internal(http::routes(services))
}

struct Exercise;

impl Decide for Exercise {
    type In = ExerciseRequested;

    async fn handle(
        &self,
        received: Received<ExerciseRequested>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let request = received.event.data.0;
        let page = request.asked.topic.as_ref().map(|topic| topic.as_str());
        let course = curriculum::embedded();
        let wish = Wish::of_question(course, request.asked.question.as_str(), page, request.level);
        // Asking again is another event, and gives another exercise.
        let chosen = wish.choose(course, request.asked.query_id.as_uuid());
        Outgoing::none().with(&QuestionAnswered {
            query_id: request.asked.query_id,
            student_id: request.asked.student_id,
            agent: Author::Exercise,
            answered_by: AnsweredBy::Offline,
            routing: request.routing,
            answer: show::answer(course, &wish, chosen),
        })
    }
}
