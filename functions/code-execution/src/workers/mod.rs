//! Who runs programs: worker processes where the host is long-running, a worker thread under Lambda and
//! in tools.
//!
//! A worker is single-threaded: interpreters share a process's memory map, so threads of one process
//! slow each other down, and processes do not. It takes turns between its programs, so that a short one
//! never waits for a long one to end.

mod alone;
mod child;
mod process;
mod protocol;
mod scheduler;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use domain::execution::Verdict;
use tokio::sync::{mpsc, oneshot};

use self::{
    alone::Alone,
    process::{Lost, Process},
    protocol::{Answer, Task},
    scheduler::Request,
};
pub use self::{child::main, process::Command};
use crate::sandbox::{Called, Job, MAX_TIME_OF_VALUES, Run, Sandbox, SandboxError};

/// Programs that one worker runs at once. Each has at most 50 MB of its own; endless loops, the most
/// common ones that stay, have about one.
const MAX_RUNS: usize = 64;
/// All workers have as much as they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many programs are running; try again in a moment")]
pub struct Busy;

/// The workers of one host.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    /// For programs whose worker was lost under them: it may have been another's fault.
    alone: Alone,
}

#[derive(Debug)]
struct Worker {
    running: Arc<AtomicUsize>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Thread(mpsc::UnboundedSender<Request>),
    Process(Process),
}

impl Workers {
    /// One worker, in a thread of this process.
    ///
    /// # Errors
    /// The image cannot be used, or no thread started.
    pub fn thread(image: PathBuf) -> Result<Self, SandboxError> {
        let sandbox = Sandbox::open(&image)?;
        let (sender, inbox) = mpsc::unbounded_channel();
        thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || scheduler::block_on(&sandbox, inbox))
            .map_err(|error| SandboxError::Start(error.into()))?;
        Ok(Self { workers: vec![Worker::new(Place::Thread(sender))], alone: Alone::default() })
    }

    /// Worker processes, started again when they are lost.
    #[must_use]
    pub fn processes(command: &Command, count: usize) -> Self {
        let worker = |_| Worker::new(Place::Process(Process::supervise(command.clone())));
        let count = count.max(1);
        Self { workers: (0..count).map(worker).collect(), alone: Alone::new(command, count) }
    }

    /// The worker processes that there are at the moment.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        let processes = self.workers.iter().filter_map(|worker| match &worker.place {
            Place::Process(process) => process.id(),
            Place::Thread(_) => None,
        });
        processes.collect()
    }

    /// Runs a program. Dropping the future stops it.
    ///
    /// # Errors
    /// [`Busy`]; nothing was run.
    pub(crate) async fn run(&self, job: Job) -> Result<Run, Busy> {
        let limit = job.limit;
        match self.ask(&Task::Run(Box::new(job)), limit).await? {
            Some(Answer::Run(run)) => Ok(*run),
            Some(Answer::Untold) => Ok(alone::untold()),
            Some(Answer::Values(_)) | None => Ok(not_run()),
        }
    }

    /// The values of expressions that are not a student's.
    ///
    /// # Errors
    /// [`Busy`].
    pub(crate) async fn values(
        &self,
        expressions: Vec<String>,
    ) -> Result<Vec<Result<Called, String>>, Busy> {
        let count = expressions.len();
        match self.ask(&Task::Values(expressions), MAX_TIME_OF_VALUES).await? {
            Some(Answer::Values(values)) => Ok(values),
            Some(Answer::Untold) => {
                Ok(vec![Err("all values together are too large".to_owned()); count])
            }
            Some(Answer::Run(_)) | None => {
                Ok(vec![Err("it could not be worked out; try again".to_owned()); count])
            }
        }
    }

    async fn ask(&self, task: &Task, limit: Duration) -> Result<Option<Answer>, Busy> {
        let lost = {
            let worker = self
                .workers
                .iter()
                .min_by_key(|worker| worker.running.load(Ordering::Relaxed))
                .ok_or(Busy)?;
            let _turn = Turn::take(&worker.running).ok_or(Busy)?;
            match worker.ask(task.clone(), limit).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(lost) => lost,
            }
        };
        metrics::counter!("learnflow_sandbox_workers_lost_total").increment(1);
        let answer = self.alone.ask(task.clone(), limit).await;
        if answer.is_none() {
            tracing::error!(%lost, "a program could not be run: its worker was lost each time");
        }
        Ok(answer)
    }
}

impl Worker {
    fn new(place: Place) -> Self {
        Self { running: Arc::default(), place }
    }

    async fn ask(&self, task: Task, limit: Duration) -> Result<Answer, Lost> {
        match &self.place {
            Place::Process(process) => process.ask(task, limit).await,
            Place::Thread(sender) => {
                let (reply, answer) = oneshot::channel();
                sender.send(Request { task, reply }).map_err(|_ended| Lost::Ended)?;
                answer.await.map_err(|_ended| Lost::Ended)
            }
        }
    }
}

/// A place among the programs that a worker runs.
struct Turn(Arc<AtomicUsize>);

impl Turn {
    fn take(running: &Arc<AtomicUsize>) -> Option<Self> {
        let turn = Self(Arc::clone(running));
        // Counted first, so that two that ask at once cannot both have the last place.
        if running.fetch_add(1, Ordering::Relaxed) < MAX_RUNS { Some(turn) } else { None }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is told of a program that could not be run, which is logged where it is known.
fn not_run() -> Run {
    Run {
        verdict: Verdict::Internal,
        exit_code: 1,
        parts: Vec::new(),
        truncated: false,
        raised: None,
        value: None,
        steps: None,
        files: BTreeMap::new(),
        duration: Duration::ZERO,
        cpu: Duration::ZERO,
        memory_bytes: 0,
    }
}
