//! The host's side of a worker process: starts it, watches it, and restarts it when it is lost.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    process::{Child, ChildStdin, ChildStdout},
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::MissedTickBehavior,
};

use super::protocol::{self, Answer, Order, Task};

/// How often a busy worker is pinged.
const LIFE_CHECK: Duration = Duration::from_secs(1);
/// The longest that a ping may take; then the worker is stuck. It answers between two turns of 4 ms, so this allows for
/// a slow machine. How late a program ends shows nothing, since many can end at once or the machine can be busy.
const SILENCE: Duration = Duration::from_secs(10);
/// The same for a worker that is starting.
const START: Duration = Duration::from_secs(30);
/// Time beyond a program's limit after which its caller gives up, though the worker answers pings.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first pause before a lost worker is restarted; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a worker's memory is checked: in that time a program can fill some 200 MB.
const MEMORY_CHECK: Duration = Duration::from_millis(100);

/// How to start a worker process.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The Python image.
    pub image: PathBuf,
    /// Bytes of resident memory above which a worker is killed. Not a limit of the operating system: those count
    /// reserved memory, which is some hundred gigabytes, and not what is used.
    pub max_memory: u64,
}

/// Why the worker of a program was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// It could not start.
    #[error("it could not start")]
    Start,
    #[error("it ended")]
    Ended,
    #[error("it exceeded its memory limit")]
    Memory,
    #[error("it was stuck")]
    Stuck,
}

/// An order, and the task that it is about.
#[derive(Debug)]
struct TaskOrder {
    task_id: u64,
    order: Order,
}

type Pending = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<Answer, Lost>>>>>;

/// One worker process.
#[derive(Debug)]
pub(super) struct Process {
    /// Holds tasks and cancellations; both are bounded by the callers' turns.
    orders: mpsc::UnboundedSender<TaskOrder>,
    pending: Pending,
    next_id: AtomicU64,
    supervisor: AbortHandle,
    /// 0 while there is none.
    process_id: Arc<AtomicU32>,
}

impl Process {
    /// Starts a worker process, and restarts it whenever it ends.
    pub(super) fn supervise(command: Command) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let pending = Pending::default();
        let process_id = Arc::new(AtomicU32::new(0));
        let watch = Watch {
            command,
            orders: orders.downgrade(),
            pending: Arc::clone(&pending),
            process_id: Arc::clone(&process_id),
        };
        let supervisor = tokio::spawn(watch.supervise(inbox)).abort_handle();
        Self { orders, pending, next_id: AtomicU64::new(0), supervisor, process_id }
    }

    /// The process, while there is one.
    pub(super) fn id(&self) -> Option<u32> {
        Some(self.process_id.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }

    /// The answer to a task, unless the worker is lost meanwhile.
    pub(super) async fn ask(&self, task: Task, limit: Duration) -> Result<Answer, Lost> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        {
            // Under one lock: a supervisor that drops pending tasks also drops their orders.
            let mut pending = self.pending.lock();
            pending.insert(id, reply);
            self.orders
                .send(TaskOrder { task_id: id, order: Order::Do(task) })
                .map_err(|_ended| Lost::Start)?;
        }
        let _cancel = CancelOnDrop { id, pending: &self.pending, orders: &self.orders };
        match tokio::time::timeout(limit + PATIENCE, answer).await {
            Ok(answer) => answer.unwrap_or(Err(Lost::Start)),
            Err(_elapsed) if self.id().is_none() => Err(Lost::Start),
            Err(_elapsed) => Err(Lost::Stuck),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

/// Cancels a task when its caller stops waiting for the answer.
struct CancelOnDrop<'p> {
    id: u64,
    pending: &'p Pending,
    orders: &'p mpsc::UnboundedSender<TaskOrder>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.pending.lock().remove(&self.id).is_some()
            && self.orders.send(TaskOrder { task_id: self.id, order: Order::Cancel }).is_err()
        {
            tracing::debug!("a worker process ended before its task was cancelled");
        }
    }
}

/// The supervisor of a process.
struct Watch {
    command: Command,
    orders: mpsc::WeakUnboundedSender<TaskOrder>,
    pending: Pending,
    process_id: Arc<AtomicU32>,
}

impl Watch {
    async fn supervise(self, mut inbox: mpsc::UnboundedReceiver<TaskOrder>) {
        let mut pause = FIRST_PAUSE;
        // Started when there is something to do: a host that never runs a program has no worker.
        while let Some(first) = inbox.recv().await {
            let mut ready = false;
            let Err(error) = self.serve(first, &mut inbox, &mut ready).await;
            let lost = error.get_ref().and_then(|inner| inner.downcast_ref::<Lost>().copied());
            let lost = if ready { lost.unwrap_or(Lost::Ended) } else { Lost::Start };
            let program = self.command.program.display();
            tracing::error!(%error, %program, "a worker process was lost");
            self.process_id.store(0, Ordering::Relaxed);
            {
                // Callers ask again, so the next process must not run this one's orders.
                let mut pending = self.pending.lock();
                for (_, reply) in pending.drain() {
                    if reply.send(Err(lost)).is_err() {
                        tracing::debug!("nobody waits for this program any more");
                    }
                }
                while inbox.try_recv().is_ok() {}
            }
            // One that had started was lost through a program.
            pause = if ready { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            tokio::time::timeout(pause, std::future::pending::<()>()).await.unwrap_or_default();
        }
    }

    /// Runs the process once; returns why it ended.
    async fn serve(
        &self,
        first: TaskOrder,
        inbox: &mut mpsc::UnboundedReceiver<TaskOrder>,
        ready: &mut bool,
    ) -> Result<Infallible, io::Error> {
        let mut child = start(&self.command)?;
        let id = child.id().unwrap_or(0);
        self.process_id.store(id, Ordering::Relaxed);
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(mut stderr)) = pipes else {
            return Err(io::Error::other("it has no pipes"));
        };
        // A worker may not write to files, and the host's standard error can be one.
        tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::stderr()).await });
        let served = tokio::select! {
            sent = send(stdin, first, inbox, &self.pending) => sent,
            received = receive(stdout, &self.pending, ready) => received,
            () = self.silent() => Err(io::Error::other(Lost::Stuck)),
            () = outgrown(id, self.command.max_memory) => Err(io::Error::other(Lost::Memory)),
        };
        child.kill().await?;
        served
    }

    /// Waits until the process is busy and does not answer pings. Callers may give up before that, so it is checked
    /// here.
    async fn silent(&self) {
        let mut clock = tokio::time::interval(LIFE_CHECK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut allowed = START;
        loop {
            clock.tick().await;
            let answer = {
                let mut pending = self.pending.lock();
                let Some(orders) = self.orders.upgrade().filter(|_| !pending.is_empty()) else {
                    continue;
                };
                let (reply, answer) = oneshot::channel();
                let ping = TaskOrder { task_id: protocol::PING, order: Order::Do(Task::Ping) };
                if orders.send(ping).is_err() {
                    continue;
                }
                pending.insert(protocol::PING, reply);
                answer
            };
            if tokio::time::timeout(allowed, answer).await.is_err() {
                return;
            }
            allowed = SILENCE;
        }
    }
}

/// Waits until a process exceeds its memory limit.
async fn outgrown(id: u32, most: u64) {
    let mut clock = tokio::time::interval(MEMORY_CHECK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let page = rustix::param::page_size() as u64;
    loop {
        clock.tick().await;
        // In pages: total size, then resident size.
        let figures = std::fs::read_to_string(format!("/proc/{id}/statm")).unwrap_or_default();
        let resident = figures.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        if resident.is_some_and(|pages| pages.saturating_mul(page) > most) {
            return;
        }
    }
}

fn start(command: &Command) -> io::Result<Child> {
    tokio::process::Command::new(&command.program)
        .args(&command.arguments)
        .arg(&command.image)
        // The environment has secrets, and programs must not see them.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

async fn send(
    mut stdin: ChildStdin,
    first: TaskOrder,
    inbox: &mut mpsc::UnboundedReceiver<TaskOrder>,
    pending: &Pending,
) -> io::Result<Infallible> {
    let mut next = first;
    loop {
        let TaskOrder { task_id, order } = &next;
        match protocol::frame(*task_id, order) {
            Ok(frame) => protocol::write(&mut stdin, &frame).await?,
            Err(error) => {
                tracing::error!(%error, "a program cannot be sent to a worker process");
                answer(pending, *task_id, Answer::Unreadable);
            }
        }
        next = inbox.recv().await.ok_or_else(|| io::Error::other("it is not needed any more"))?;
    }
}

async fn receive(
    mut stdout: ChildStdout,
    pending: &Pending,
    ready: &mut bool,
) -> io::Result<Infallible> {
    while let Some((id, read)) = protocol::read(&mut stdout).await? {
        *ready = true;
        match read {
            _ if id == protocol::READY => {}
            Ok(read) => answer(pending, id, read),
            Err(error) => {
                tracing::error!(%error, "the result of a program cannot be read");
                answer(pending, id, Answer::Unreadable);
            }
        }
    }
    Err(io::Error::other(Lost::Ended))
}

fn answer(pending: &Pending, id: u64, answer: Answer) {
    let reply = pending.lock().remove(&id);
    if reply.is_some_and(|reply| reply.send(Ok(answer)).is_err()) {
        tracing::debug!("nobody waits for this program any more");
    }
}
