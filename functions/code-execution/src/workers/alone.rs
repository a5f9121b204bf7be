//! Programs whose worker was lost under them, run again where no other program is: if that worker is
//! lost, too, everybody knows whose fault it was.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use domain::execution::Verdict;
use tokio::sync::Mutex;

use super::{
    Command, not_run,
    process::{Lost, Process},
    protocol::{Answer, Task},
};
use crate::sandbox::{Raised, Run};

/// How long a program waits for those before it. A lost worker had up to 64 programs, most of which end at
/// once; what waits longer is left for another attempt of its own sender's.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// Worker processes that run one program at a time. They are started when the first one comes.
#[derive(Debug, Default)]
pub(super) struct Alone {
    processes: Vec<Mutex<Process>>,
    next: AtomicUsize,
}

impl Alone {
    pub(super) fn new(command: &Command, count: usize) -> Self {
        let process = |_| Mutex::new(Process::supervise(command.clone()));
        Self { processes: (0..count).map(process).collect(), next: AtomicUsize::new(0) }
    }

    /// `None` if nothing can be said of the task itself.
    pub(super) async fn ask(&self, task: Task, limit: Duration) -> Option<Answer> {
        let number = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(self.processes.len())?;
        let turn = self.processes.get(number)?.lock();
        let Ok(process) = tokio::time::timeout(MAX_WAIT, turn).await else {
            tracing::error!("a program could not be run again: too many others waited for it");
            return None;
        };
        let expressions = match &task {
            Task::Run(_) | Task::Ping => None,
            Task::Values(expressions) => Some(expressions.len()),
        };
        match process.ask(task, limit).await {
            Ok(answer) => Some(answer),
            Err(Lost::Start) => None,
            Err(lost) => {
                metrics::counter!("learnflow_sandbox_workers_lost_total").increment(1);
                tracing::error!(%lost, "a program has ended a worker process");
                Some(match expressions {
                    None => Answer::Run(Box::new(run_of(lost, limit))),
                    Some(count) => Answer::Values(vec![Err(lost.to_string()); count]),
                })
            }
        }
    }
}

/// What is told of a program that has taken its worker with it.
fn run_of(lost: Lost, limit: Duration) -> Run {
    let (verdict, exit_code) = match lost {
        Lost::Start | Lost::Ended => (Verdict::Aborted, 134),
        Lost::Memory => (Verdict::MemoryLimit, 137),
        Lost::Stuck => (Verdict::Timeout, 124),
    };
    let duration = if lost == Lost::Stuck { limit } else { Duration::ZERO };
    Run { verdict, exit_code, raised: Some(Raised::default()), duration, ..not_run() }
}

/// What is told of a program of which a worker cannot say how it went.
pub(super) fn untold() -> Run {
    let message = "what it has left behind is too large, or nested too deep, to be told".to_owned();
    let raised = Raised { message, ..Raised::default() };
    Run { verdict: Verdict::Aborted, exit_code: 134, raised: Some(raised), ..not_run() }
}
