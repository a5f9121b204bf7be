//! `POST /debug`: the same events for direct callers.

use std::sync::Arc;

use agents::Direct;
use axum::{extract::State, routing::post};
use domain::{
    agent::{Agent, AnsweredBy},
    hints::RUNGS,
    text::{Code, ErrorText},
};
use events::{
    debug_requested::DebugRequested,
    question_answered::{Details, Diagnosis},
};
use ids::UserId;
use runtime::{
    Endpoint, Services,
    web::{Json, Problem},
};
use serde::{Deserialize, Serialize};

use crate::spec::NAME;

pub(crate) fn routes(services: &Arc<Services>) -> [Endpoint; 1] {
    [("/debug", post(debug).with_state(Arc::clone(services)))]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DebugRequest {
    code: Code,
    error: Option<ErrorText>,
    hint_level: Option<u8>,
    student_id: Option<UserId>,
}

#[derive(Debug, Serialize)]
struct DebugResponse {
    #[serde(flatten)]
    diagnosis: Diagnosis,
    answered_by: AnsweredBy,
}

async fn debug(
    State(services): State<Arc<Services>>,
    Json(request): Json<DebugRequest>,
) -> Result<Json<DebugResponse>, Problem> {
    if request.hint_level.is_some_and(|level| !(1..=RUNGS).contains(&level)) {
        return Err(Problem::field("hint_level", format!("1 to {RUNGS}, or nothing")));
    }
    let direct = Direct {
        agent: Agent::Debug,
        question: "Why does my program not work?".to_owned(),
        code: Some(request.code),
        error: request.error,
        topic: None,
        level: Default::default(),
        hint_level: request.hint_level,
        exercise_id: None,
        student_id: request.student_id,
    };
    let answered = agents::ask(&services, NAME, direct, DebugRequested).await?;
    match answered.answer.details {
        Some(Details::Debug(diagnosis)) => {
            Ok(Json(DebugResponse { diagnosis, answered_by: answered.answered_by }))
        }
        _ => Err(Problem::field("error", "a report of Python's; this one is another language's")),
    }
}
