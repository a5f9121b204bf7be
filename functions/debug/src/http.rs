//! `POST /debug`: the same events for whoever asks directly.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use domain::{
    agent::{Agent, AnsweredBy},
    level::Level,
    text::{Code, ErrorText, Question},
};
use events::{
    Envelope,
    debug_requested::DebugRequested,
    question_answered::{Details, Diagnosis, QuestionAnswered},
    question_asked::QuestionAsked,
    question_routed::{QuestionRouted, Routing},
};
use ids::{EventId, QueryId, UserId};
use runtime::{
    HandlerError, Outgoing, Services,
    http::{Json, Problem},
};
use serde::{Deserialize, Serialize};

use crate::NAME;

/// How long an answer is waited for: a run takes 5 s at most.
const PATIENCE: Duration = Duration::from_secs(8);

pub(crate) fn routes(services: &Arc<Services>) -> Router {
    Router::new().route("/debug", post(debug)).with_state(Arc::clone(services))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DebugRequest {
    code: Code,
    error: Option<ErrorText>,
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
    let (id, now) = (services.clock.new_id(), services.clock.now());
    // Without a student there is no ladder to climb: each such request is a stranger's first.
    let student_id =
        request.student_id.unwrap_or_else(|| UserId::from_uuid(services.clock.new_id()));
    let question = Question::try_from("Why does my program not work?".to_owned());
    let asked = QuestionAsked {
        query_id: QueryId::from_uuid(id),
        student_id,
        question: question.map_err(|error| Problem::internal(&error))?,
        code: Some(request.code),
        error: request.error,
        topic: None,
        agent: Some(Agent::Debug),
        exercise_id: None,
    };
    let reasons = vec!["asked directly".to_owned()];
    let routing = Routing { agent: Agent::Debug, confidence: 1.0, reasons, clarification: None };
    let routed =
        QuestionRouted { asked, routing, level: Level::default(), recent_errors: Vec::new() };
    let waiter = services.replies.expect(id);
    let tx = services.store.begin(NAME).await?;
    let outgoing = Outgoing::none().with(&DebugRequested(routed)).map_err(unserializable)?;
    tx.commit(EventId::from_uuid(id), outgoing, now).await?;
    let answered = waiter.wait(PATIENCE).await.map(Envelope::<QuestionAnswered>::read);
    let Some(Ok(Envelope { data: answered, .. })) = answered else {
        let detail = "the program could not be looked into in time; try again";
        return Err(
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "late", detail.to_owned()).retry_after(5)
        );
    };
    let Some(Details::Debug(diagnosis)) = answered.answer.details else {
        return Err(Problem::field(
            "error",
            "a report of Python's; this one is another language's",
        ));
    };
    Ok(Json(DebugResponse { diagnosis, answered_by: answered.answered_by }))
}

fn unserializable(error: HandlerError) -> Problem {
    let (HandlerError::Retry(cause) | HandlerError::Fail(cause)) = error;
    Problem::internal(cause.as_ref())
}
