//! Schedules the programs of one worker: new ones first, then quick ones, then the long ones one after the other (a
//! multilevel feedback queue).
//!
//! A program yields when its slice is over, enforced by the sandbox's clock; so this is a scheduler for futures that
//! knows how much processor time each has used. A program's limit is one of its own time: while it could run but
//! another one or another process has the processor, its deadline moves.

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
use crate::sandbox::{MAX_TIME_OF_VALUES, Moment, Ready, Run, Sandbox};

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
    time: OwnTime,
    waker: Waker,
}

/// The time of one program.
struct OwnTime {
    started: Instant,
    limit: Duration,
    max_delay: Duration,
    /// How long it could run but did not.
    delayed: Duration,
    /// Since when it could run.
    ready_since: Instant,
    /// When its time is up; it knows this, too.
    deadline: Moment,
}

impl OwnTime {
    fn new(started: Instant, limit: Duration, max_delay: Duration) -> Self {
        let deadline = Moment::new(started);
        deadline.set(started + limit);
        let delayed = Duration::ZERO;
        Self { started, limit, max_delay, delayed, ready_since: started, deadline }
    }

    /// It could run for this long, and did not.
    fn delay(&mut self, by: Duration) {
        self.delayed += by;
        self.deadline.set(self.started + self.limit + self.delayed.min(self.max_delay));
    }

    /// Whether its next turn stops it.
    fn is_over(&self, now: Instant) -> bool {
        let waited = self.delayed + now.saturating_duration_since(self.ready_since);
        now >= self.started + self.limit + waited.min(self.max_delay)
    }

    /// The time that it took itself.
    fn own(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started).saturating_sub(self.delayed)
    }
}

/// The programs that were woken.
#[derive(Debug, Default)]
struct Woken {
    /// Each with the time at which it was woken.
    ids: Mutex<Vec<(u64, Instant)>>,
    scheduler: AtomicWaker,
}

struct Bell {
    id: u64,
    woken: Arc<Woken>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken.ids.lock().push((self.id, Instant::now()));
        self.woken.scheduler.wake();
    }
}

struct Scheduler<'s> {
    sandbox: &'s Sandbox,
    slice: Moment,
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
            slice: Moment::new(Instant::now()),
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
        let (limit, max_delay) = match &request.task {
            Task::Run(job) => (job.limit, job.max_delay),
            Task::Values(_) | Task::Ping => (MAX_TIME_OF_VALUES, MAX_TIME_OF_VALUES),
        };
        let time = OwnTime::new(Instant::now(), limit, max_delay);
        let deadline = time.deadline.clone();
        let future = async move {
            let ready = match spare {
                Some(ready) => Ok(ready),
                None => sandbox.prepare(slice).await,
            };
            match (ready, request.task) {
                (Ok(ready), Task::Run(job)) => {
                    Answer::Run(Box::new(Sandbox::run(ready, &job, deadline).await))
                }
                (Ok(ready), Task::Values(expressions)) => {
                    Answer::Values(Sandbox::values(ready, &expressions, deadline).await)
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
            time,
            waker,
        };
        self.running.insert(id, entry);
        self.put(0, id);
    }

    /// Queues woken programs by their level.
    fn sort_woken(&mut self) {
        let woken = std::mem::take(&mut *self.woken.ids.lock());
        for (id, at) in woken {
            let Some(entry) = self.running.get_mut(&id) else { continue };
            // One that yields is woken before its turn has ended.
            entry.time.ready_since = entry.time.ready_since.max(at);
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
        let is_over = |id: &u64| self.running.get(id).is_some_and(|entry| entry.time.is_over(now));
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
        let begun = Instant::now();
        entry.time.delay(begun.saturating_duration_since(entry.time.ready_since));
        self.slice.set(begun + SLICE);
        let before = processor_time();
        let polled = entry.future.as_mut().poll(&mut context);
        let used = processor_time().saturating_sub(before);
        let ended = Instant::now();
        entry.cpu += used;
        entry.time.delay(ended.saturating_duration_since(begun).saturating_sub(used));
        entry.time.ready_since = ended;
        let Poll::Ready(mut answer) = polled else { return };
        let Some(entry) = self.running.remove(&id) else { return };
        if let Answer::Run(run) = &mut answer {
            run.cpu = entry.cpu;
            run.delayed = entry.time.delayed;
            run.duration = entry.time.own(ended);
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
