//! A worker process as its host sees it: started, watched, and started again when it is lost.

use std::{
    collections::HashMap,
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
};

use super::protocol::{self, Answer, Done, Order, Task};

/// Time beyond a program's limit after which its worker is taken for stuck.
const GRACE: Duration = Duration::from_secs(3);
/// Pauses before a worker that was lost is started again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(5));

/// How to start a worker process.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The Python image.
    pub image: PathBuf,
}

type Pending = Arc<Mutex<HashMap<u64, oneshot::Sender<Answer>>>>;

/// One worker process.
#[derive(Debug)]
pub(super) struct Process {
    /// Holds what callers wait for, and what they do no longer: both are bounded by their turns.
    orders: mpsc::UnboundedSender<Order>,
    pending: Pending,
    next_id: AtomicU64,
    restart: Arc<tokio::sync::Notify>,
    supervisor: AbortHandle,
    /// 0 while there is none.
    process_id: Arc<AtomicU32>,
}

impl Process {
    /// Starts a worker process, and again whenever it ends.
    pub(super) fn supervise(command: Command) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let pending = Pending::default();
        let restart = Arc::new(tokio::sync::Notify::new());
        let process_id = Arc::new(AtomicU32::new(0));
        let watch = Watch {
            command,
            pending: Arc::clone(&pending),
            restart: Arc::clone(&restart),
            process_id: Arc::clone(&process_id),
        };
        let supervisor = tokio::spawn(watch.supervise(inbox)).abort_handle();
        Self { orders, pending, next_id: AtomicU64::new(0), restart, supervisor, process_id }
    }

    /// The process, while there is one.
    pub(super) fn id(&self) -> Option<u32> {
        Some(self.process_id.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }

    /// `None` if the worker was lost.
    pub(super) async fn ask(&self, task: Task, limit: Duration) -> Option<Answer> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        {
            // Both at once: a supervisor that gives up what is pending gives up its orders with it.
            let mut pending = self.pending.lock();
            pending.insert(id, reply);
            self.orders.send(Order::Do(id, task)).ok()?;
        }
        let _interest = Interest { id, pending: &self.pending, orders: &self.orders };
        match tokio::time::timeout(limit + GRACE, answer).await {
            Ok(answer) => answer.ok(),
            Err(_elapsed) => {
                tracing::error!("a worker process is stuck");
                self.restart.notify_one();
                None
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

/// Somebody waits for an answer; when not any more, the worker need not go on.
struct Interest<'p> {
    id: u64,
    pending: &'p Pending,
    orders: &'p mpsc::UnboundedSender<Order>,
}

impl Drop for Interest<'_> {
    fn drop(&mut self) {
        if self.pending.lock().remove(&self.id).is_some()
            && self.orders.send(Order::Cancel(self.id)).is_err()
        {
            tracing::debug!("a worker process has ended before it was told to");
        }
    }
}

/// What the supervisor of a process has.
struct Watch {
    command: Command,
    pending: Pending,
    restart: Arc<tokio::sync::Notify>,
    process_id: Arc<AtomicU32>,
}

impl Watch {
    async fn supervise(self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let mut pause = PAUSES.0;
        // Made when there is something to do: a host that never runs a program has no worker.
        while let Some(first) = inbox.recv().await {
            if let Err(error) = self.serve(first, &mut inbox, &mut pause).await {
                let program = self.command.program.display();
                tracing::error!(%error, %program, "a worker process was lost");
            }
            self.process_id.store(0, Ordering::Relaxed);
            {
                // Whoever waits is told by the end of its channel, and asks again; the next process
                // must not run for nobody what was meant for this one.
                let mut pending = self.pending.lock();
                pending.clear();
                while inbox.try_recv().is_ok() {}
            }
            tokio::time::timeout(pause, std::future::pending::<()>()).await.unwrap_or_default();
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// One life of the process.
    async fn serve(
        &self,
        first: Order,
        inbox: &mut mpsc::UnboundedReceiver<Order>,
        pause: &mut Duration,
    ) -> io::Result<()> {
        let mut child = start(&self.command)?;
        self.process_id.store(child.id().unwrap_or(0), Ordering::Relaxed);
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(mut stderr)) = pipes else {
            return Err(io::Error::other("it has no pipes"));
        };
        // A worker may write to no file, and the host's standard error can be one.
        tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::stderr()).await });
        let served = tokio::select! {
            sent = send(stdin, first, inbox) => sent,
            received = receive(stdout, &self.pending, pause) => received,
            () = self.restart.notified() => Err(io::Error::other("it was stuck")),
        };
        child.kill().await?;
        served
    }
}

fn start(command: &Command) -> io::Result<Child> {
    tokio::process::Command::new(&command.program)
        .args(&command.arguments)
        .arg(&command.image)
        // Secrets are in the environment, and none is a program's business.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

async fn send(
    mut stdin: ChildStdin,
    first: Order,
    inbox: &mut mpsc::UnboundedReceiver<Order>,
) -> io::Result<()> {
    let mut next = first;
    loop {
        protocol::write(&mut stdin, &next).await?;
        next = inbox.recv().await.ok_or_else(|| io::Error::other("nobody needs it"))?;
    }
}

async fn receive(
    mut stdout: ChildStdout,
    pending: &Pending,
    pause: &mut Duration,
) -> io::Result<()> {
    while let Some(Done(id, answer)) = protocol::read(&mut stdout).await? {
        *pause = PAUSES.0;
        let reply = pending.lock().remove(&id);
        if reply.is_some_and(|reply| reply.send(answer).is_err()) {
            tracing::debug!("nobody waits for this program any more");
        }
    }
    Err(io::Error::other("it ended"))
}
