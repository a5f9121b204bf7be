//! What triage decides, as a state machine.

use agents::{Agent, Arrived, Ask, Begin, Effect, Never, Next, Reply, Step, step::Destination};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    agent::{self, Author},
    level::Level,
};
use events::{
    model_call::{Task, TriageModelFinished, TriageModelRequested},
    question_asked::QuestionAsked,
    question_routed::{QuestionRouted, Routing},
};
use runtime::HandlerError;
use sqlx::PgConnection;
use storage::student_context::{self, AnsweredQuestion, ContextRequest};
use tutor::{prompt, reply as model_reply};

use crate::{
    classify::{Context, classify},
    follow_up,
    reply::reply,
};

/// Most recent errors that are considered and passed on.
const RECENT_ERRORS: i64 = 5;
/// How long a conversation is remembered.
const MEMORY: TimeDelta = TimeDelta::minutes(30);
/// The confidence of a model's classification: more than a guess, less than evidence.
const SAID_BY_MODEL: f64 = 0.75;

/// Decides which agent a question is for.
#[derive(Debug)]
pub struct Triage;

/// A question, with what is known about its author.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The question.
    pub asked: QuestionAsked,
    /// The student's overall level.
    pub level: Level,
    /// The types of the student's latest errors, newest first.
    pub recent_errors: Vec<String>,
    /// The earlier exchanges of the same conversation, newest first.
    pub before: Vec<AnsweredQuestion>,
}

impl Begin<QuestionAsked> for Triage {
    type Loaded = Loaded;

    async fn load(
        asked: QuestionAsked,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Loaded, HandlerError> {
        let request = ContextRequest {
            student: asked.student_id,
            query: asked.query_id,
            errors: RECENT_ERRORS,
            exchanges: if follow_up::may_follow(&asked) { follow_up::WINDOW } else { 0 },
            since: now - MEMORY,
        };
        let context = student_context::load(conn, request).await.map_err(HandlerError::retry)?;
        // Unreadable exchanges, and those before them, are not remembered: the question stands on its own.
        let readable = |exchange: Result<AnsweredQuestion, _>| {
            exchange.inspect_err(|error| tracing::warn!(%error, "an exchange cannot be read")).ok()
        };
        let before = context.before.into_iter().map_while(readable).collect();
        Ok(Loaded { asked, level: context.level, recent_errors: context.recent_errors, before })
    }

    fn begin(loaded: Loaded, _: DateTime<Utc>) -> Step<Self> {
        let Loaded { mut asked, level, recent_errors, before } = loaded;
        let (routing, follow_up) = match asked.agent {
            // The student has chosen the agent, so nothing is classified.
            Some(agent) => (chosen(agent), None),
            None => {
                let routing = classify(&context(&asked, &recent_errors));
                follow_up::follow(&mut asked, &before, routing)
            }
        };
        let routed = QuestionRouted { asked, routing, level, recent_errors, follow_up };
        if !is_open(&routed.routing) {
            return route(routed);
        }
        let code = agents::code(&routed).unwrap_or_default();
        let question = routed.asked.question.as_str().to_owned();
        let fields = [("question", question.as_str()), ("code", code.as_str())];
        Next::Ask(Box::new(Ask::new(Task::Classify, &fields, routed))).into()
    }
}

impl Agent for Triage {
    type Running = Never;
    type Asking = QuestionRouted;
    type ModelRequested = TriageModelRequested;
    type ModelFinished = TriageModelFinished;

    const AUTHOR: Author = Author::Triage;
    const VERSION: u32 = 1;

    fn resume(arrived: Arrived<Self>, _: DateTime<Utc>) -> Step<Self> {
        let (mut routed, text) = match arrived {
            Arrived::Run { state, .. } => match state {},
            Arrived::Model { state, text } => (state, text),
        };
        match text.map(|text| model_reply::classification(&text, prompt(Task::Classify))) {
            Some(Ok(said)) => {
                routed.routing.agent = said.agent;
                routed.routing.confidence = SAID_BY_MODEL;
                routed.routing.reasons.insert(0, format!("the model: {}", said.reason));
                routed.routing.clarification = None;
                route(routed)
            }
            Some(Err(withheld)) => route(routed).with(Effect::Withhold(withheld.to_string())),
            None => route(routed),
        }
    }
}

/// Whether words and context leave open which agent a question is for.
const fn is_open(routing: &Routing) -> bool {
    routing.clarification.is_some()
}

/// Sends a question to its agent, or answers it.
fn route(routed: QuestionRouted) -> Step<Triage> {
    let to = match routed.routing.agent {
        agent::Agent::Concepts => Destination::Concepts,
        agent::Agent::Debug => Destination::Debug,
        agent::Agent::CodeReview => Destination::CodeReview,
        agent::Agent::Exercise => Destination::Exercise,
        agent::Agent::Progress => Destination::Progress,
        agent::Agent::OffTopic | agent::Agent::Unknown => {
            let answer = reply(&routed.routing);
            return Step::answer(Reply::offline(routed.routing, answer));
        }
    };
    Next::Route { to, question: Box::new(routed) }.into()
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
fn chosen(agent: agent::Agent) -> Routing {
    let reasons = vec!["asked for directly".to_owned()];
    Routing {
        agent,
        confidence: 1.0,
        reasons,
        signs: Vec::new(),
        clarification: None,
        greeting: None,
    }
}

#[cfg(test)]
mod tests;
