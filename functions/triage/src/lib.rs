//! Triage: decides which agent a question is for.
//!
//! In: `question.asked.v1`; with a model also `model.requested.v1` and `model.finished.v1`. Out: the question
//! to its agent, or `question.answered.v1` where no agent is needed or none is there. A model is asked only
//! where words and context leave it open. Fails only if the database is away.

pub mod cases;
pub mod classify;
pub mod follow_up;
mod http;
mod patterns;
mod reply;
pub mod signs;
mod spec;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{Agent, AnsweredBy, Author};
use events::{
    debug_requested::DebugRequested,
    exercise_requested::ExerciseRequested,
    model_call::{Task, TriageModelFinished, TriageModelRequested},
    question_answered::QuestionAnswered,
    question_asked::QuestionAsked,
    question_routed::{QuestionRouted, Routing},
    review_requested::ReviewRequested,
};
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;
use tutor::{Tutor, prompt, reply as model_reply};

pub use self::spec::SPEC;
use crate::classify::{Context, classify};

/// Latest errors that are looked at and passed on.
const RECENT_ERRORS: i64 = 5;

/// Forgotten questions that are answered with a new one.
const FORGOTTEN_AT_ONCE: i64 = 5;
/// How long a conversation is remembered.
const MEMORY: TimeDelta = TimeDelta::minutes(30);
/// How sure a model's word makes, where nothing else has: more than a guess, less than evidence.
const SAID_BY_MODEL: f64 = 0.75;

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let tutor = agents::tutor(settings, services);
    let function = Function::new(&SPEC)
        .decides(Triage { tutor: tutor.clone() })
        .serves_internal(http::routes(services));
    agents::with_model::<TriageModelRequested, _, _>(function, tutor, |tutor| Hear { tutor })
}

struct Triage {
    tutor: Option<Arc<Tutor>>,
}

impl Decide for Triage {
    type In = QuestionAsked;

    async fn handle(
        &self,
        received: Received<QuestionAsked>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let mut asked = received.event.data.clone();
        let student = asked.student_id;
        let level =
            storage::progress::overall_level(conn, student).await.map_err(HandlerError::retry)?;
        let recent_errors = storage::executions::recent_error_types(conn, student, RECENT_ERRORS)
            .await
            .map_err(HandlerError::retry)?;
        let routing =
            asked.agent.map_or_else(|| classify(&context(&asked, &recent_errors)), chosen);
        let since = received.now - MEMORY;
        let before =
            storage::conversations::before(conn, asked.query_id, since, follow_up::WINDOW).await;
        let before = before.map_err(HandlerError::retry)?;
        let (routing, follow_up) = match asked.agent {
            // Whom the student has chosen, and what they have sent, is what they want.
            Some(_) => (routing, None),
            None => follow_up::follow(&mut asked, &before, routing),
        };
        let routed = QuestionRouted { asked, routing, level, recent_errors, follow_up };
        let forgotten = answer_forgotten(conn, received.now).await?;
        let Some(tutor) = self.tutor.as_deref().filter(|_| is_open(&routed.routing)) else {
            return route(forgotten, routed);
        };
        let of = (routed.asked.query_id, routed.asked.student_id);
        let origin = agents::origin(&received, Author::Triage, of);
        let code = agents::code(&routed).unwrap_or_default();
        let fields = [("question", routed.asked.question.as_str()), ("code", code.as_str())];
        let call = (Task::Classify, fields.as_slice());
        let requested =
            agents::request_model::<TriageModelRequested, _>(conn, tutor, origin, call, &routed)
                .await?;
        match requested {
            Some(requested) => forgotten.with(&requested),
            None => route(forgotten, routed),
        }
    }
}

/// Takes the model's word where the question left it open.
struct Hear {
    tutor: Arc<Tutor>,
}

impl Decide for Hear {
    type In = TriageModelFinished;

    async fn handle(
        &self,
        received: Received<TriageModelFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let finished = received.event.data.0.clone();
        let of = (finished.query_id, finished.student_id);
        let origin = agents::origin(&received, Author::Triage, of);
        let taken =
            agents::take_answer::<QuestionRouted>(conn, &self.tutor, origin, finished).await?;
        let Some((mut routed, text)) = taken else { return Ok(Outgoing::none()) };
        match text.map(|text| model_reply::classification(&text, prompt(Task::Classify))) {
            Some(Ok(said)) => {
                routed.routing.agent = said.agent;
                routed.routing.confidence = SAID_BY_MODEL;
                routed.routing.reasons.insert(0, format!("the model: {}", said.reason));
                routed.routing.clarification = None;
            }
            Some(Err(withheld)) => tracing::warn!(%withheld, "the model's choice is not taken"),
            None => {}
        }
        route(Outgoing::none(), routed)
    }
}

/// Whether words and context leave open where a question belongs.
const fn is_open(routing: &Routing) -> bool {
    routing.clarification.is_some()
}

/// Answers questions whose run or model call was lost: nobody waits for ever.
async fn answer_forgotten(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Outgoing, HandlerError> {
    let forgotten = storage::drafts::take_forgotten(conn, now, FORGOTTEN_AT_ONCE).await;
    let mut outgoing = Outgoing::none();
    for (query_id, student_id) in forgotten.map_err(HandlerError::retry)? {
        tracing::warn!(%query_id, "a question was forgotten");
        outgoing = outgoing.with(&QuestionAnswered {
            query_id,
            student_id,
            agent: Author::Triage,
            answered_by: AnsweredBy::Offline,
            routing: chosen(Agent::OffTopic),
            answer: reply::lost(),
        })?;
    }
    Ok(outgoing)
}

/// Sends a question to its agent, after what is to be emitted anyway.
fn route(outgoing: Outgoing, routed: QuestionRouted) -> Result<Outgoing, HandlerError> {
    match routed.routing.agent {
        Agent::Concepts => outgoing.with(&routed),
        Agent::Debug => outgoing.with(&DebugRequested(routed)),
        Agent::CodeReview => outgoing.with(&ReviewRequested(routed)),
        Agent::Exercise => outgoing.with(&ExerciseRequested(routed)),
        // The progress agent joins with its own function; until then triage says so.
        Agent::Progress | Agent::OffTopic | Agent::Unknown => {
            outgoing.with(&answer(routed.asked, routed.routing))
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
    Routing { agent, confidence: 1.0, reasons, signs: Vec::new(), clarification: None }
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
