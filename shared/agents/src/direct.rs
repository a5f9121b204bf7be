//! Agents' own HTTP endpoints: the same events for direct callers.

use std::time::Duration;

use axum::http::StatusCode;
use domain::{
    agent::Agent,
    level::Level,
    text::{Code, ErrorText, Question, TextError, TopicName},
};
use events::{
    Envelope, Event,
    question_answered::QuestionAnswered,
    question_asked::QuestionAsked,
    question_routed::{QuestionRouted, Routing},
};
use ids::{EventId, QueryId, UserId};
use runtime::{HandlerError, Outgoing, Services, web::Problem};
use uuid::Uuid;

/// How long to wait for an answer: longer than a model takes, which is given up after 20 s if nothing else is set, and
/// shorter than API Gateway waits, 30 s.
const PATIENCE: Duration = Duration::from_secs(25);
/// When to try again if that was not enough, in seconds.
const RETRY_SECONDS: u32 = 5;

/// A question that was not asked through the gateway.
#[derive(Debug)]
pub struct Direct {
    /// The agent that was asked.
    pub agent: Agent,
    /// The question.
    pub question: String,
    /// The program.
    pub code: Option<Code>,
    /// What came of running it.
    pub error: Option<ErrorText>,
    /// The topic that it belongs to.
    pub topic: Option<TopicName>,
    /// The level that it is written for.
    pub level: Level,
    /// The rung of the ladder of hints that is asked for, from 1.
    pub hint_level: Option<u8>,
    /// The exercise that it is about.
    pub exercise_id: Option<Uuid>,
    /// The program's author; without it each question counts as the first of an unknown student.
    pub student_id: Option<UserId>,
}

/// Sends the question to the agent's own topic, and waits for its answer.
///
/// # Errors
/// The database is unavailable, or the answer does not come in time.
pub async fn ask<E: Event>(
    services: &Services,
    function: &'static str,
    direct: Direct,
    event: fn(QuestionRouted) -> E,
) -> Result<QuestionAnswered, Problem> {
    let (id, now) = (services.clock.new_id(), services.clock.now());
    let stranger = || UserId::from_uuid(services.clock.new_id());
    let question = Question::try_from(direct.question)
        .map_err(|error: TextError| Problem::internal(&error))?;
    let asked = QuestionAsked {
        query_id: QueryId::from_uuid(id),
        student_id: direct.student_id.unwrap_or_else(stranger),
        question,
        code: direct.code,
        error: direct.error,
        topic: direct.topic,
        agent: Some(direct.agent),
        hint_level: direct.hint_level,
        exercise_id: direct.exercise_id,
    };
    let reasons = vec!["asked directly".to_owned()];
    let routing = Routing {
        agent: direct.agent,
        confidence: 1.0,
        reasons,
        signs: Vec::new(),
        clarification: None,
        greeting: None,
    };
    let routed = QuestionRouted {
        asked,
        routing,
        level: direct.level,
        recent_errors: Vec::new(),
        follow_up: None,
    };
    let tx = services.store.begin(function).await?;
    let outgoing = Outgoing::none().with(&event(routed)).map_err(unserializable)?;
    tx.commit(EventId::from_uuid(id), outgoing, now).await?;
    let waiter = services.stored_replies().expect::<QuestionAnswered>(id);
    match waiter.wait(PATIENCE).await.map(Envelope::<QuestionAnswered>::read) {
        Some(Ok(answered)) => Ok(answered.data),
        Some(Err(_)) | None => {
            let detail = "there was no answer in time; try again".to_owned();
            let late = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "late", detail);
            Err(late.retry_after(RETRY_SECONDS))
        }
    }
}

fn unserializable(error: HandlerError) -> Problem {
    let (HandlerError::Retry(cause) | HandlerError::Fail(cause)) = error;
    Problem::internal(cause.as_ref())
}
