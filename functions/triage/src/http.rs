//! `POST /triage`: the same decision, for direct callers.

use std::sync::Arc;

use axum::{extract::State, routing::post};
use domain::text::{Code, ErrorText, Question, TopicName};
use events::question_routed::Routing;
use ids::UserId;
use runtime::{
    Endpoint, Services,
    web::{Json, Problem},
};
use serde::Deserialize;
use uuid::Uuid;

use crate::classify::{Context, classify};

pub(crate) fn routes(services: &Arc<Services>) -> [Endpoint; 1] {
    [("/triage", post(triage).with_state(Arc::clone(services)))]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriageRequest {
    question: Question,
    code: Option<Code>,
    error: Option<ErrorText>,
    student_id: Option<UserId>,
    #[serde(default)]
    context: PageContext,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageContext {
    topic_id: Option<TopicName>,
    exercise_id: Option<Uuid>,
}

async fn triage(
    State(services): State<Arc<Services>>,
    Json(request): Json<TriageRequest>,
) -> Result<Json<Routing>, Problem> {
    let failed_recently = match request.student_id {
        None => false,
        Some(student) => {
            let mut conn = services.store.connection().await?;
            !storage::executions::recent_error_types(&mut conn, student, 1).await?.is_empty()
        }
    };
    Ok(Json(classify(&Context {
        question: request.question.as_str(),
        code: request.code.as_ref().map(|code| code.as_str()),
        error: request.error.as_ref().map(|error| error.as_str()),
        topic: request.context.topic_id.as_ref().map(|topic| topic.as_str()),
        in_exercise: request.context.exercise_id.is_some(),
        failed_recently,
    })))
}
