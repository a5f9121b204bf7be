//! The workers that run programs: processes where the host is long-running, a thread under Lambda and in tools.
//!
//! A worker is single-threaded: interpreters share a process's memory map, so threads of one process slow each other
//! down while processes do not. It takes turns between its programs, so that a short one never waits for a long one to
//! end.

mod child;
mod process;
mod protocol;
mod quarantine;
mod scheduler;

use std::{path::PathBuf, thread, time::Duration};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};

pub use self::{child::main, process::Command};
use self::{
    process::{Lost, Process},
    protocol::{Answer, Task},
    quarantine::Quarantine,
    scheduler::Request,
};
use crate::sandbox::{Evaluated, Job, MAX_TIME_OF_VALUES, Run, Sandbox, SandboxError};

/// Programs that one worker runs at once. Each has at most 50 MB of its own; endless loops, the most common
/// long-running ones, have about one.
const MAX_RUNS: usize = 64;
/// All workers are full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many programs are running; try again in a moment")]
pub struct Busy;

/// The workers of one host.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Place>,
    /// What each worker runs at the moment.
    running: Mutex<Vec<usize>>,
    /// Permits to begin: [`MAX_RUNS`] for each worker, granted first come, first served.
    turns: Semaphore,
    /// For programs whose worker was lost: it may have been another program's fault.
    quarantine: Quarantine,
}

/// A turn of one program. Its holder runs one task after the other, such as tests, without waiting in between.
#[derive(Debug)]
pub struct Turn<'w> {
    workers: &'w Workers,
    _permit: SemaphorePermit<'w>,
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
        Ok(Self::of(vec![Place::Thread(sender)], Quarantine::default()))
    }

    /// Worker processes, started again when they are lost.
    #[must_use]
    pub fn processes(command: &Command, count: usize) -> Self {
        let worker = |_| Place::Process(Process::supervise(command.clone()));
        let count = count.max(1);
        Self::of((0..count).map(worker).collect(), Quarantine::new(command, count))
    }

    fn of(workers: Vec<Place>, quarantine: Quarantine) -> Self {
        let running = Mutex::new(vec![0; workers.len()]);
        let turns = Semaphore::new(MAX_RUNS * workers.len());
        Self { workers, running, turns, quarantine }
    }

    /// The current worker processes, those in quarantine last.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        let processes = self.workers.iter().filter_map(|worker| match worker {
            Place::Process(process) => process.id(),
            Place::Thread(_) => None,
        });
        processes.chain(self.quarantine.process_ids()).collect()
    }

    /// Waits until a program may begin. First come, first served; the number of those waiting is bounded by what the
    /// callers handle at once.
    pub async fn turn(&self) -> Turn<'_> {
        let permit = self.turns.acquire().await.expect("the semaphore is never closed");
        Turn { workers: self, _permit: permit }
    }

    /// A turn, if a program may begin now and none waits.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn turn_at_once(&self) -> Result<Turn<'_>, Busy> {
        let permit = self.turns.try_acquire().map_err(|_none_free| Busy)?;
        Ok(Turn { workers: self, _permit: permit })
    }

    /// `None`: the task was not done, since no worker was available.
    async fn ask(&self, task: &Task, limit: Duration) -> Option<Answer> {
        let lost = {
            let place = Occupied::take(&self.running);
            let worker = self.workers.get(place.worker)?;
            match worker.ask(task.clone(), limit).await {
                Ok(answer) => return Some(answer),
                Err(lost) => lost,
            }
        };
        metrics::counter!("learnflow_sandbox_workers_lost_total").increment(1);
        let answer = self.quarantine.ask(task.clone(), limit).await;
        if answer.is_none() {
            tracing::error!(%lost, "a program could not be run: its worker was lost each time");
        }
        answer
    }
}

impl Turn<'_> {
    /// Runs a program. Dropping the future stops it.
    pub(crate) async fn run(&mut self, job: Job) -> Run {
        let limit = job.limit;
        match self.workers.ask(&Task::Run(Box::new(job)), limit).await {
            Some(Answer::Run(run)) => *run,
            Some(Answer::Unreadable) => quarantine::unreadable(),
            Some(Answer::Values(_) | Answer::Pong) | None => Run::not_run(),
        }
    }

    /// Evaluates expressions that are not a student's; `None` if that fails through our fault.
    pub(crate) async fn values(
        &mut self,
        expressions: Vec<String>,
    ) -> Option<Vec<Result<Evaluated, String>>> {
        let count = expressions.len();
        match self.workers.ask(&Task::Values(expressions), MAX_TIME_OF_VALUES).await {
            Some(Answer::Values(values)) if values.len() == count => Some(values),
            Some(Answer::Unreadable) => {
                Some(vec![Err("all values together are too large".to_owned()); count])
            }
            Some(Answer::Values(_) | Answer::Run(_) | Answer::Pong) | None => None,
        }
    }
}

impl Place {
    async fn ask(&self, task: Task, limit: Duration) -> Result<Answer, Lost> {
        match self {
            Self::Process(process) => process.ask(task, limit).await,
            Self::Thread(sender) => {
                let (reply, answer) = oneshot::channel();
                sender.send(Request { task, reply }).map_err(|_ended| Lost::Ended)?;
                answer.await.map_err(|_ended| Lost::Ended)
            }
        }
    }
}

/// A place among the programs that a worker runs.
struct Occupied<'w> {
    running: &'w Mutex<Vec<usize>>,
    worker: usize,
}

impl<'w> Occupied<'w> {
    /// Takes a place at the least busy worker. Only a holder of a turn does, for one task at a time, so that worker
    /// runs fewer than [`MAX_RUNS`].
    fn take(running: &'w Mutex<Vec<usize>>) -> Self {
        let mut counts = running.lock();
        let least = counts.iter().enumerate().min_by_key(|(_, count)| **count);
        let worker = least.map(|(worker, _)| worker).unwrap_or_default();
        if let Some(count) = counts.get_mut(worker) {
            *count += 1;
        }
        Self { running, worker }
    }
}

impl Drop for Occupied<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.running.lock().get_mut(self.worker) {
            *count -= 1;
        }
    }
}
