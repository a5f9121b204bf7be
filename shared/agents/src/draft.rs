//! A question that waits: for its program to be run, or for a model.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{agent::Author, execution::Program, text::Source};
use events::{
    envelope::derived_event_id,
    execution_requested::{ExecutionRequested, Purpose},
    question_routed::QuestionRouted,
};
use ids::{EventId, ExecutionId, QueryId, UserId};
use runtime::{HandlerError, Outgoing};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use storage::drafts::{self, Draft};
use uuid::Uuid;

/// When a draft counts as forgotten. A run takes 5 s at most and a model 10 s; the rest is for queues and
/// restarts.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// Whose work it is, and what it answers to.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The event that is handled.
    pub cause: EventId,
    /// The agent that goes on with it.
    pub agent: Author,
    /// The question.
    pub query: QueryId,
    /// Who asked it.
    pub student: UserId,
    /// Now.
    pub now: DateTime<Utc>,
}

impl Origin {
    /// The id of what this work waits for at `position` (from 0): the same on every rerun.
    pub(crate) fn id(&self, position: usize) -> Uuid {
        derived_event_id(self.cause, self.agent.as_str(), position).as_uuid()
    }

    /// Keeps what is needed to go on.
    pub(crate) async fn keep<T: Serialize + Sync>(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        body: &T,
        waits_for: Option<&[u8]>,
    ) -> Result<(), HandlerError> {
        let body = serde_json::to_value(body).map_err(HandlerError::fail)?;
        let draft = Draft {
            id,
            query: self.query,
            student: self.student,
            agent: self.agent,
            body: &body,
            waits_for,
            deadline_at: self.now + PATIENCE,
        };
        drafts::insert(conn, draft, self.now).await.map_err(HandlerError::retry)
    }
}

/// The program that a question is about, as its author had it: from its own field, or pasted into the
/// question.
#[must_use]
pub fn code(request: &QuestionRouted) -> Option<String> {
    let given = request.asked.code.as_ref().map(|code| code.as_str().to_owned());
    let pasted = || python::split(request.asked.question.as_str()).code;
    let code = given.filter(|code| !code.trim().is_empty()).unwrap_or_else(pasted);
    (!code.trim().is_empty()).then(|| python::clean_code(&code))
}

/// A program that an agent looks into, with nothing beside it. `None` if no program may be that long.
#[must_use]
pub fn plain_program(code: String) -> Option<Program> {
    Some(Program {
        code: Source::try_from(code).ok()?,
        stdin: None,
        files: Default::default(),
        tests: Vec::new(),
        timeout_ms: None,
        // What is said of a program must be true when it is run again.
        seed: Some(0),
        trace: false,
    })
}

/// Keeps what is needed to go on, and asks for a run.
///
/// # Errors
/// The database is away.
pub async fn request_run<T: Serialize + Sync>(
    conn: &mut PgConnection,
    origin: Origin,
    body: &T,
    program: Program,
) -> Result<Outgoing, HandlerError> {
    let run = origin.id(0);
    origin.keep(conn, run, body, None).await?;
    Outgoing::none().with(&ExecutionRequested {
        execution_id: ExecutionId::from_uuid(run),
        student_id: origin.student,
        request_id: Some(origin.query.as_uuid()),
        purpose: Purpose::Check,
        program,
    })
}

/// Takes the work that waits for this run; `None` if the run is another agent's, or the student's own.
///
/// # Errors
/// The database is away.
pub async fn take<T: DeserializeOwned>(
    conn: &mut PgConnection,
    run: ExecutionId,
    agent: Author,
) -> Result<Option<T>, HandlerError> {
    let draft = drafts::take(conn, run.as_uuid(), agent).await.map_err(HandlerError::retry)?;
    draft.map(serde_json::from_value).transpose().map_err(HandlerError::fail)
}
