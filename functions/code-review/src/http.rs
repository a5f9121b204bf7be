//! `POST /review`: the same events for direct callers.

use std::sync::Arc;

use agents::Direct;
use axum::{extract::State, routing::post};
use domain::{
    agent::{Agent, AnsweredBy},
    text::{Code, TopicName},
};
use events::{
    question_answered::{Details, ReviewReport},
    review_requested::ReviewRequested,
};
use runtime::{
    Endpoint, Services,
    web::{Json, Problem},
};
use serde::{Deserialize, Serialize};

use crate::spec::NAME;

pub(crate) fn routes(services: &Arc<Services>) -> [Endpoint; 1] {
    [("/review", post(review).with_state(Arc::clone(services)))]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewRequest {
    code: Code,
    topic: Option<TopicName>,
}

#[derive(Debug, Serialize)]
struct ReviewResponse {
    #[serde(flatten)]
    report: ReviewReport,
    answered_by: AnsweredBy,
}

async fn review(
    State(services): State<Arc<Services>>,
    Json(request): Json<ReviewRequest>,
) -> Result<Json<ReviewResponse>, Problem> {
    let direct = Direct {
        agent: Agent::CodeReview,
        question: "What could be better?".to_owned(),
        code: Some(request.code),
        error: None,
        topic: request.topic,
        level: Default::default(),
        hint_level: None,
        exercise_id: None,
        student_id: None,
    };
    let answered = agents::ask(&services, NAME, direct, ReviewRequested).await?;
    match answered.answer.details {
        Some(Details::Review(report)) => {
            Ok(Json(ReviewResponse { report, answered_by: answered.answered_by }))
        }
        _ => Err(Problem::field("code", "a program: this is empty")),
    }
}
