//! A question that waits for its program to be run.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{agent::Author, execution::Program, text::Source};
use events::{
    envelope::derived_event_id,
    execution_requested::{ExecutionRequested, Purpose},
    question_routed::QuestionRouted,
};
use ids::{EventId, ExecutionId};
use runtime::{HandlerError, Outgoing};
use sqlx::PgConnection;
use storage::drafts;

/// When a draft counts as forgotten. A run takes 5 s at most; the rest is for queues and restarts.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// The program that a question is about, as its author had it: from its own field, or pasted into the
/// question.
#[must_use]
pub fn code(request: &QuestionRouted) -> Option<String> {
    let given = request.asked.code.as_ref().map(|code| code.as_str().to_owned());
    let pasted = || python::split(request.asked.question.as_str()).code;
    let code = given.filter(|code| !code.trim().is_empty()).unwrap_or_else(pasted);
    (!code.trim().is_empty()).then(|| python::clean_code(&code))
}

/// Keeps the question as a draft and asks for a run of its program; `None` if there is nothing to run.
///
/// # Errors
/// The database is away.
pub async fn request_run(
    conn: &mut PgConnection,
    (cause, agent): (EventId, Author),
    request: &QuestionRouted,
    now: DateTime<Utc>,
) -> Result<Option<Outgoing>, HandlerError> {
    let Some(code) = code(request).and_then(|code| Source::try_from(code).ok()) else {
        return Ok(None);
    };
    let run = derived_event_id(cause, agent.as_str(), 0).as_uuid();
    let run = ExecutionId::from_uuid(run);
    let body = serde_json::to_value(request).map_err(HandlerError::fail)?;
    let of = (request.asked.query_id, request.asked.student_id);
    drafts::insert(conn, run, of, agent, &body, (now, now + PATIENCE))
        .await
        .map_err(HandlerError::retry)?;
    let program = Program {
        code,
        stdin: None,
        files: Default::default(),
        tests: Vec::new(),
        timeout_ms: None,
        // What is said of a program must be true when it is run again.
        seed: Some(0),
        trace: false,
    };
    let student_id = request.asked.student_id;
    let requested =
        ExecutionRequested { execution_id: run, student_id, purpose: Purpose::Check, program };
    Outgoing::none().with(&requested).map(Some)
}

/// Takes the question that waits for this run; `None` if the run is another agent's, or the student's own.
///
/// # Errors
/// The database is away.
pub async fn take(
    conn: &mut PgConnection,
    run: ExecutionId,
    agent: Author,
) -> Result<Option<QuestionRouted>, HandlerError> {
    let draft = drafts::take(conn, run, agent).await.map_err(HandlerError::retry)?;
    draft.map(serde_json::from_value).transpose().map_err(HandlerError::fail)
}
