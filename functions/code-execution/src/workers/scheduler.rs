//! Schedules the programs of one worker: new ones first, then quick ones, then the long ones one after the other (a
//! multilevel feedback queue).
//!
//! A program yields when its slice is over, enforced by the sandbox's clock; so this is a scheduler for futures that
//! knows how much processor time each has used.

use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use futures::{FutureExt as _, task::AtomicWaker};
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{mpsc, oneshot};

use super::protocol::{Answer, Task};
use crate::sandbox::{MAX_TIME_OF_VALUES, Ready, Run, Sandbox, Slice};

/// How long a program runs before another one's turn.
const SLICE: Duration = Duration::from_millis(4);
/// Processor time up to which a program is new, and up to which it is quick; one that has used more waits until no
/// other is ready.
const LEVELS: [Duration; 2] = [SLICE, Duration::from_millis(40)];

/// Every fourth turn goes to a long program, so that a crowd of new ones cannot starve it.
const SHARE_OF_LONG: u32 = 4;

/// A task, and where to send the answer.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) task: Task,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// Serves requests until all senders are gone.
pub(super) fn block_on(sandbox: &Sandbox, inbox: mpsc::UnboundedReceiver<Request>) {
    match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(serve(sandbox, inbox)),
        Err(error) => tracing::error!(%error, "the sandbox's thread cannot start"),
    }
}

/// Like [`block_on`], on the current runtime.
pub(super) async fn serve(sandbox: &Sandbox, mut inbox: mpsc::UnboundedReceiver<Request>) {
    let mut scheduler = Scheduler::new(sandbox);
    std::future::poll_fn(|context| scheduler.poll(context, &mut inbox)).await;
}

type Running<'s> = Pin<Box<dyn Future<Output = Answer> + 's>>;

struct Entry<'s> {
    future: Running<'s>,
    reply: oneshot::Sender<Answer>,
    cpu: Duration,
    deadline: Instant,
    waker: Waker,
}

/// The programs that were woken.
#[derive(Debug, Default)]
struct Woken {
    ids: Mutex<Vec<u64>>,
    scheduler: AtomicWaker,
}

struct Bell {
    id: u64,
    woken: Arc<Woken>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken.ids.lock().push(self.id);
        self.woken.scheduler.wake();
    }
}

struct Scheduler<'s> {
    sandbox: &'s Sandbox,
    slice: Slice,
    running: HashMap<u64, Entry<'s>>,
    /// The programs that are ready to run, by level.
    ready: [VecDeque<u64>; LEVELS.len() + 1],
    woken: Arc<Woken>,
    next_id: u64,
    picked: u32,
    /// An interpreter for the next program, started while there was nothing else to do.
    spare: Option<Ready>,
    closed: bool,
}

impl<'s> Scheduler<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        Self {
            sandbox,
            slice: Slice::new(),
            running: HashMap::new(),
            ready: Default::default(),
            woken: Arc::default(),
            next_id: 0,
            picked: 0,
            spare: None,
            closed: false,
        }
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        inbox: &mut mpsc::UnboundedReceiver<Request>,
    ) -> Poll<()> {
        self.woken.scheduler.register(context.waker());
        let started = Instant::now();
        loop {
            while let Poll::Ready(request) = inbox.poll_recv(context) {
                match request {
                    Some(request) => self.admit(request),
                    None => {
                        self.closed = true;
                        break;
                    }
                }
            }
            self.sort_woken();
            let Some(id) = self.next() else {
                if self.closed && self.running.is_empty() {
                    return Poll::Ready(());
                }
                self.prepare_spare();
                return Poll::Pending;
            };
            self.turn(id);
            // The runtime's timer wakes sleeping programs, so it needs its turn, too.
            if started.elapsed() >= SLICE {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    fn admit(&mut self, request: Request) {
        if matches!(request.task, Task::Ping) {
            // Answered between two turns, which shows that turns end.
            if request.reply.send(Answer::Pong).is_err() {
                tracing::debug!("nobody waits for this ping any more");
            }
            return;
        }
        let (sandbox, slice, spare) = (self.sandbox, self.slice.clone(), self.spare.take());
        let started = Instant::now();
        let deadline = started
            + match &request.task {
                Task::Run(job) => job.limit,
                Task::Values(_) | Task::Ping => MAX_TIME_OF_VALUES,
            };
        let future = async move {
            let ready = match spare {
                Some(ready) => Ok(ready),
                None => sandbox.prepare(slice).await,
            };
            match (ready, request.task) {
                (Ok(ready), Task::Run(job)) => {
                    Answer::Run(Box::new(Sandbox::run(ready, &job, started).await))
                }
                (Ok(ready), Task::Values(expressions)) => {
                    Answer::Values(Sandbox::values(ready, &expressions, started).await)
                }
                (Err(error), Task::Run(_)) => {
                    tracing::error!(%error, "an interpreter could not be made");
                    Answer::Run(Box::new(Run::not_run()))
                }
                (Ok(_), Task::Ping) => Answer::Pong,
                (Err(error), Task::Values(_) | Task::Ping) => {
                    tracing::error!(%error, "an interpreter could not be made");
                    // Empty: this says nothing about the expressions.
                    Answer::Values(Vec::new())
                }
            }
        };
        let id = self.next_id;
        self.next_id += 1;
        let waker = Waker::from(Arc::new(Bell { id, woken: Arc::clone(&self.woken) }));
        let entry = Entry {
            future: Box::pin(future),
            reply: request.reply,
            cpu: Duration::ZERO,
            deadline,
            waker,
        };
        self.running.insert(id, entry);
        self.put(0, id);
    }

    /// Queues woken programs by their level.
    fn sort_woken(&mut self) {
        let woken = std::mem::take(&mut *self.woken.ids.lock());
        for id in woken {
            let Some(entry) = self.running.get(&id) else { continue };
            let level = LEVELS.iter().filter(|level| entry.cpu >= **level).count();
            self.put(level, id);
        }
    }

    fn put(&mut self, level: usize, id: u64) {
        if let Some(queue) = self.ready.get_mut(level)
            && !queue.contains(&id)
        {
            queue.push_back(id);
        }
    }

    fn next(&mut self) -> Option<u64> {
        // A program whose time is up is stopped by its next turn, so it comes first.
        let now = Instant::now();
        let is_over = |id: &u64| self.running.get(id).is_some_and(|entry| now >= entry.deadline);
        for queue in &mut self.ready {
            if let Some(position) = queue.iter().position(is_over) {
                return queue.remove(position);
            }
        }
        self.picked = self.picked.wrapping_add(1);
        if self.picked.is_multiple_of(SHARE_OF_LONG) {
            self.ready.iter_mut().rev().find_map(VecDeque::pop_front)
        } else {
            self.ready.iter_mut().find_map(VecDeque::pop_front)
        }
    }

    fn turn(&mut self, id: u64) {
        let Some(entry) = self.running.get_mut(&id) else { return };
        let waker = entry.waker.clone();
        let mut context = Context::from_waker(&waker);
        if entry.reply.poll_closed(&mut context).is_ready() {
            self.running.remove(&id);
            return;
        }
        self.slice.end_at(Instant::now() + SLICE);
        let before = processor_time();
        let polled = entry.future.as_mut().poll(&mut context);
        entry.cpu += processor_time().saturating_sub(before);
        let Poll::Ready(mut answer) = polled else { return };
        let Some(entry) = self.running.remove(&id) else { return };
        if let Answer::Run(run) = &mut answer {
            run.cpu = entry.cpu;
        }
        if entry.reply.send(answer).is_err() {
            tracing::debug!("nobody waits for this program's result any more");
        }
    }

    fn prepare_spare(&mut self) {
        if self.spare.is_some() || self.closed {
            return;
        }
        // Starting an interpreter never waits, so one poll is enough.
        match self.sandbox.prepare(self.slice.clone()).now_or_never() {
            Some(Ok(ready)) => self.spare = Some(ready),
            Some(Err(error)) => tracing::warn!(%error, "no spare interpreter could be made"),
            None => {}
        }
    }
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
