//! What the code-review agent decides, as a state machine.

use agents::{Agent, Arrived, Ask, Begin, Effect, Next, Reply, Run, Step, step::Fallback};
use analysis::review::review;
use chrono::{DateTime, Utc};
use domain::{agent::Author, execution::ExecutionResult};
use events::{
    activity_recorded::Activity,
    model_call::{ReviewModelFinished, ReviewModelRequested, Task},
    question_routed::QuestionRouted,
    review_requested::ReviewRequested,
};
use runtime::HandlerError;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tutor::{prompt, reply};

use crate::{check::Checking, report};

/// Reviews a program.
#[derive(Debug)]
pub struct CodeReview;

/// What is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Running {
    /// The student's program.
    Program(Box<QuestionRouted>),
    /// The program with a suggestion applied.
    Better(Box<Checking>),
}

impl Begin<ReviewRequested> for CodeReview {
    type Loaded = QuestionRouted;

    async fn load(
        ReviewRequested(request): ReviewRequested,
        _: DateTime<Utc>,
        _: &mut PgConnection,
    ) -> Result<QuestionRouted, HandlerError> {
        Ok(request)
    }

    fn begin(request: QuestionRouted, _: DateTime<Utc>) -> Step<Self> {
        match agents::code(&request).and_then(agents::plain_program) {
            Some(program) => {
                let state = Running::Program(Box::new(request));
                Next::Run(Box::new(Run { program, state, fallback: None })).into()
            }
            None => Step::answer(Reply::offline(request.routing, report::without_program())),
        }
    }
}

impl Agent for CodeReview {
    type Running = Running;
    type Asking = Checking;
    type ModelRequested = ReviewModelRequested;
    type ModelFinished = ReviewModelFinished;

    const AUTHOR: Author = Author::CodeReview;
    const VERSION: u32 = 1;

    fn resume(arrived: Arrived<Self>, _: DateTime<Utc>) -> Step<Self> {
        match arrived {
            Arrived::Run { state: Running::Program(request), result } => ask(*request, &result),
            Arrived::Run { state: Running::Better(mut checking), result } => {
                checking.note(&result);
                check_next(*checking)
            }
            Arrived::Model { state, text: None } => check_next(state),
            Arrived::Model { state: mut checking, text: Some(text) } => {
                let code = agents::code(&checking.request).unwrap_or_default();
                match reply::notes(&text, prompt(Task::Review), &code) {
                    Ok(notes) => {
                        checking.take_notes(notes, &code);
                        check_next(checking)
                    }
                    Err(withheld) => {
                        check_next(checking).with(Effect::Withhold(withheld.to_string()))
                    }
                }
            }
        }
    }
}

/// Reviews a program that was run, and asks a model what else there is to see.
fn ask(request: QuestionRouted, run: &ExecutionResult) -> Step<CodeReview> {
    let code = agents::code(&request).unwrap_or_default();
    let report = report::details(&review(&code), run);
    let checking = Checking::new(request, report, &code, run);
    let findings = checking.report.findings.iter();
    let findings: Vec<String> = findings
        .map(|finding| format!("line {}: {}", finding.line.unwrap_or_default(), finding.message))
        .collect();
    let findings = findings.join("\n");
    let question = checking.request.asked.question.as_str().to_owned();
    let fields =
        [("code", code.as_str()), ("findings", findings.as_str()), ("question", question.as_str())];
    let reply = reviewed(&checking);
    let mut ask = Ask::new(Task::Review, &fields, checking);
    ask.fallback = Some(Fallback { reply, shared: None });
    Next::Ask(Box::new(ask)).into()
}

/// Has the next suggestion run, or answers.
fn check_next(checking: Checking) -> Step<CodeReview> {
    let reply = reviewed(&checking);
    match checking.next().and_then(agents::plain_program) {
        Some(program) => {
            let state = Running::Better(Box::new(checking));
            Next::Run(Box::new(Run { program, state, fallback: Some(reply) })).into()
        }
        None => {
            let asked = &checking.request.asked;
            let activity = Activity::CodeReviewed {
                quality: checking.report.score,
                topic: asked.topic.as_ref().map(|topic| topic.as_str().to_owned()),
                exercise_id: asked.exercise_id,
            };
            Step::answer(reply).with(Effect::Record(activity))
        }
    }
}

/// The review so far.
fn reviewed(checking: &Checking) -> Reply {
    let code = agents::code(&checking.request).unwrap_or_default();
    let answer = report::compose(checking.report.clone(), &code);
    let routing = checking.request.routing.clone();
    if checking.with_model {
        Reply::by_model(routing, answer)
    } else {
        Reply::offline(routing, answer)
    }
}

#[cfg(test)]
mod tests;
