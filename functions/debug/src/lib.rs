//! Debug: finds why a program fails, and gives one hint at a time.
//!
//! In: `debug.requested.v1`, and `execution.finished.v1` of the runs that it asked for. Out:
//! `execution.requested.v1` to see the program fail, then `question.answered.v1`. What waits for a run is
//! a draft in the database. Fails only if the database is away.

pub mod diagnosis;
pub mod hint;
mod http;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    agent::{AnsweredBy, Author},
    execution::ExecutionResult,
    hints::{self, Ladder, Step},
};
use events::{
    debug_requested::DebugRequested,
    execution_finished::ExecutionFinished,
    question_answered::{Answer, Details, DiagnosedError, Diagnosis, Hint, QuestionAnswered},
    question_routed::QuestionRouted,
};
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use storage::hint_ladders;

use crate::diagnosis::{Evidence, Finding, diagnose};

/// The function's name.
const NAME: &str = "debug";

/// The function as the runtime hosts it.
pub fn function(_: &mut Settings, services: &Arc<Services>) -> Function {
    Function::new(NAME, 8104).decides(Begin).decides(Finish).serves_internal(http::routes(services))
}

/// Asks for a run of the program, or answers at once if there is none.
struct Begin;

impl Decide for Begin {
    type In = DebugRequested;

    async fn handle(
        &self,
        received: Received<DebugRequested>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let request = received.event.data.0;
        let of = (received.event.id, Author::Debug);
        match agents::request_run(conn, of, &request, received.now).await? {
            Some(outgoing) => Ok(outgoing),
            None => answer(conn, request, None, received.now).await,
        }
    }
}

/// Answers when the program has been run.
struct Finish;

impl Decide for Finish {
    type In = ExecutionFinished;

    async fn handle(
        &self,
        received: Received<ExecutionFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let ExecutionFinished { execution_id, result, .. } = received.event.data;
        match agents::take(conn, execution_id, Author::Debug).await? {
            Some(request) => answer(conn, request, Some(result), received.now).await,
            None => Ok(Outgoing::none()),
        }
    }
}

async fn answer(
    conn: &mut PgConnection,
    request: QuestionRouted,
    run: Option<ExecutionResult>,
    now: DateTime<Utc>,
) -> Result<Outgoing, HandlerError> {
    let code = agents::code(&request).unwrap_or_default();
    let asked = &request.asked;
    let said = [asked.error.as_ref().map_or("", |error| error.as_str()), asked.question.as_str()]
        .join("\n");
    if let Some(language) = python::foreign_language(&said) {
        return answered(request, of_another_language(language));
    }
    let report = python::read_report(&said);
    let evidence = Evidence { code: &code, report: report.as_ref(), run: run.as_ref() };
    let finding = diagnose(&evidence);
    let problem = problem(&finding, &code, asked.exercise_id.map(|id| id.to_string()));
    let attempt = Sha256::digest(code.as_bytes());
    let before =
        hint_ladders::find(conn, asked.student_id, &problem).await.map_err(HandlerError::retry)?;
    let first = hints::first_rung(&finding.kind, request.level);
    let (step, ladder) = hints::climb(before, first, &attempt, now);
    hint_ladders::store(conn, asked.student_id, &problem, &ladder)
        .await
        .map_err(HandlerError::retry)?;
    answered(request, compose(&finding, step, &ladder, &code))
}

fn answered(request: QuestionRouted, answer: Answer) -> Result<Outgoing, HandlerError> {
    Outgoing::none().with(&QuestionAnswered {
        query_id: request.asked.query_id,
        student_id: request.asked.student_id,
        agent: Author::Debug,
        answered_by: AnsweredBy::Offline,
        routing: request.routing,
        answer,
    })
}

/// What tells one problem from another: the exercise, the kind of mistake, and the line's text, which
/// stays when lines above it are added.
fn problem(finding: &Finding, code: &str, exercise: Option<String>) -> Vec<u8> {
    let line = finding.line.map(|line| python::advice::line(code, line));
    let text = format!(
        "{}\n{}\n{}",
        exercise.unwrap_or_default(),
        finding.rule,
        line.unwrap_or_default().trim()
    );
    Sha256::digest(text.as_bytes()).to_vec()
}

fn compose(finding: &Finding, step: Step, ladder: &Ladder, code: &str) -> Answer {
    let rung = ladder.rung;
    let text = hint::hint(finding, rung, code);
    let mut content = finding.what.clone();
    if let Some(number) = finding.line {
        let line = python::advice::line(code, number).trim();
        if !line.is_empty() {
            content.push_str(&format!("\n\n```text\nline {number}: {line}\n```"));
        }
    }
    if let Some(note) = &finding.note {
        content.push_str(&format!("\n\n{note}"));
    }
    if step != Step::Enough {
        content.push_str(&format!("\n\n**Hint {rung} of {}.** {text}", hints::RUNGS));
    }
    if let Some(about) = hint::about_the_step(step, rung) {
        content.push_str(&format!("\n\n{about}"));
    }
    let details = Details::Debug(Diagnosis {
        error: DiagnosedError {
            kind: finding.kind.clone(),
            message: finding.message.clone(),
            line: finding.line,
        },
        cause: finding.what.clone(),
        misconception: hint::misconception(&finding.rule).map(str::to_owned),
        hint: Hint { level: rung, of: hints::RUNGS, text },
    });
    let topics = vec!["debugging".to_owned()];
    let related = vec!["exception-types".to_owned()];
    Answer { content, examples: Vec::new(), topics, related, details: Some(details) }
}

fn of_another_language(language: &str) -> Answer {
    let content = format!(
        "This looks like an error of {language}. I teach Python, so I could only guess at it. If it came from \
         a Python program, paste that program and the whole message."
    );
    Answer { content, examples: Vec::new(), topics: Vec::new(), related: Vec::new(), details: None }
}
