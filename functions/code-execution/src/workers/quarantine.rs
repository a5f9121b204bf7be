//! Runs programs again whose worker was lost, each alone in a worker: if that worker is lost, too, it is the program's
//! fault.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use domain::execution::Verdict;
use tokio::sync::Mutex;

use super::{
    process::{Command, Lost, Process},
    protocol::{Answer, Task},
};
use crate::sandbox::{Raised, Run};

/// How long a program waits for those before it. A lost worker had up to 64 programs, most of which end at once; those
/// that wait longer are left to another attempt by their callers.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// Worker processes that run one program at a time. They are started when the first one comes.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    processes: Vec<Place>,
    next: AtomicUsize,
}

/// A process, with the permit to use it.
#[derive(Debug)]
struct Place {
    process: Process,
    turn: Mutex<()>,
}

impl Quarantine {
    pub(super) fn new(command: &Command, count: usize) -> Self {
        let place =
            |_| Place { process: Process::supervise(command.clone()), turn: Mutex::default() };
        Self { processes: (0..count).map(place).collect(), next: AtomicUsize::new(0) }
    }

    /// The current processes.
    pub(super) fn process_ids(&self) -> impl Iterator<Item = u32> {
        self.processes.iter().filter_map(|place| place.process.id())
    }

    /// `None` if the task was not done.
    pub(super) async fn ask(&self, task: Task, limit: Duration) -> Option<Answer> {
        let number = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(self.processes.len())?;
        let Place { process, turn } = self.processes.get(number)?;
        let Ok(_turn) = tokio::time::timeout(MAX_WAIT, turn.lock()).await else {
            tracing::error!("a program could not be run again: too many others waited for it");
            return None;
        };
        let is_program = matches!(&task, Task::Run(_));
        match process.ask(task, limit).await {
            Ok(answer) => Some(answer),
            Err(Lost::Start) => None,
            Err(lost) => {
                metrics::counter!("learnflow_sandbox_workers_lost_total").increment(1);
                tracing::error!(%lost, "a program killed a worker process");
                // No program is judged by unknown values.
                is_program.then(|| Answer::Run(Box::new(run_of(lost, limit))))
            }
        }
    }
}

/// The result of a program that killed its worker.
fn run_of(lost: Lost, limit: Duration) -> Run {
    let (verdict, exit_code) = match lost {
        Lost::Start | Lost::Ended => (Verdict::Aborted, 134),
        Lost::Memory => (Verdict::MemoryLimit, 137),
        Lost::Stuck => (Verdict::Timeout, 124),
    };
    let duration = if lost == Lost::Stuck { limit } else { Duration::ZERO };
    Run { verdict, exit_code, raised: Some(Raised::default()), duration, ..Run::not_run() }
}

/// The result of a program whose own result cannot be sent or read.
pub(super) fn unreadable() -> Run {
    let message = "its result is too large, or nested too deeply, to be sent".to_owned();
    let raised = Raised { message, ..Raised::default() };
    Run { verdict: Verdict::Aborted, exit_code: 134, raised: Some(raised), ..Run::not_run() }
}
