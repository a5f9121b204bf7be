//! Code execution: runs a student's program in a sandbox.
//!
//! In: `execution.requested.v1`. Out: `execution.finished.v1` and `activity.recorded.v1`; the result of a student's own
//! run is stored with them. No program can make it fail; programs wait while all workers are full.

pub mod execute;
mod http;
mod recording;
pub mod sandbox;
mod settings;
mod spec;
pub mod values;
mod words;
pub mod workers;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::execution::{ExecutionResult, Program, Verdict};
use events::{
    activity_recorded::{Activity, ActivityRecorded},
    execution_finished::ExecutionFinished,
    execution_requested::{ExecutionRequested, Purpose, Work},
};
use ids::ExecutionId;
use runtime::{Act, Function, HandlerError, Live, Outgoing, Received, Services, config::Settings};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use storage::executions;

use self::workers::Workers;
pub use self::{
    settings::{WORKER_ARGUMENT, built_image, work_if_asked},
    spec::SPEC,
};

/// How long a program waits for its turn before it is put back at the end of the queue. It must begin in time to end
/// within the 60 s that the runtime gives a handler. The runtime handles up to 256 events at once, so one worker's
/// queue is up to four rounds of 64 programs, of at most 14 s each; those that get no turn in the first two go to the
/// end of the queue. The rest is for a program whose worker was lost and that is run again alone.
const MAX_WAIT: Duration = Duration::from_secs(25);

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let workers = settings::workers(settings).map(Arc::new);
    let function = Function::new(&SPEC);
    match workers {
        Some(workers) => function
            .serves_internal(http::routes(Arc::clone(&workers), Arc::clone(services)))
            .acts(CodeExecution { workers }),
        // The fault is recorded in the settings, and nothing starts with a faulty setting.
        None => function,
    }
}

struct CodeExecution {
    workers: Arc<Workers>,
}

/// The outcome of a request to run a program.
enum Done {
    /// It was run.
    Run { finished: Box<ExecutionFinished>, purpose: Purpose, activity: Activity },
    /// It got no turn in time and goes to the end of the queue.
    Again(ExecutionRequested),
}

impl Act for CodeExecution {
    type In = ExecutionRequested;
    type Done = Done;

    async fn call(
        &self,
        received: Received<ExecutionRequested>,
        _: &Live,
    ) -> Result<Done, HandlerError> {
        let Ok(turn) = tokio::time::timeout(MAX_WAIT, self.workers.turn()).await else {
            // Not a failed attempt: nothing is wrong with the program, and nothing was tried.
            tracing::warn!("no turn in time, the program goes to the end of the queue");
            return Ok(Done::Again(received.event.data));
        };
        let ExecutionRequested {
            execution_id,
            student_id,
            request_id,
            requester,
            purpose,
            work,
            program,
        } = received.event.data;
        let result = execute::execute_in(turn, &program, received.now).await;
        if result.verdict == Verdict::Internal {
            return Err(HandlerError::Retry(anyhow::anyhow!("the program could not be run")));
        }
        let activity = activity(execution_id, &program, work, &result);
        let result = result.trimmed();
        let finished =
            ExecutionFinished { execution_id, student_id, request_id, requester, result };
        Ok(Done::Run { finished: Box::new(finished), purpose, activity })
    }

    async fn record(
        &self,
        done: &Done,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        match done {
            Done::Again(requested) => Outgoing::none().with(requested),
            Done::Run { finished, purpose: Purpose::Check | Purpose::Unknown, .. } => {
                Outgoing::none().with(&**finished)
            }
            Done::Run { finished, purpose: Purpose::Run, activity } => {
                let ExecutionFinished { execution_id, result, .. } = &**finished;
                executions::record_result(conn, *execution_id, result, now)
                    .await
                    .map_err(HandlerError::retry)?;
                let activity = ActivityRecorded {
                    student_id: finished.student_id,
                    request_id: finished.execution_id.as_uuid(),
                    activity: activity.clone(),
                    done_at: None,
                };
                Outgoing::none().with(&**finished)?.with(&activity)
            }
        }
    }
}

/// Distinguishes programs: the beginning of a hash of the source and its input.
fn fingerprint(program: &Program) -> String {
    let mut hash = Sha256::new();
    hash.update(program.code.as_str());
    hash.update([0]);
    hash.update(program.stdin.as_ref().map(|stdin| stdin.as_str()).unwrap_or_default());
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn activity(
    execution_id: ExecutionId,
    program: &Program,
    work: Option<Work>,
    result: &ExecutionResult,
) -> Activity {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let passed = result.tests.iter().filter(|test| test.passed).count();
    Activity::CodeRun {
        execution_id,
        verdict: result.verdict,
        error_type: result.error.as_ref().map(|error| error.kind.clone()),
        tests: (!result.tests.is_empty()).then(|| (count(passed), count(result.tests.len()))),
        program: Some(fingerprint(program)),
        work,
    }
}
