//! The host's state of a running program, and its limits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use wasmtime::{
    ResourceLimiter, Result,
    component::{HasData, Resource, ResourceTable},
};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    p2::{DynPollable, bindings::io::poll},
};

use super::{
    bindings::learnflow::sandbox::host,
    frames::RuntimeAddress,
    job::Stage,
    limits,
    output::Output,
    pool,
    stop::Stop,
    wasi_files::{View, WasiFiles},
};

/// The memory that a program may use beyond the interpreter's own.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Bytes of the interpreter itself.
    pub(crate) base: usize,
    /// Most bytes beyond `base`.
    pub(crate) limit: usize,
    pub(crate) peak: usize,
    /// How often the limit refused a request.
    pub(crate) denied: u32,
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        if self.limit == 0 {
            // The interpreter is being instantiated.
            self.base = self.base.saturating_add(desired.saturating_sub(current));
            return Ok(true);
        }
        let allowed = desired <= self.base.saturating_add(self.limit);
        if allowed {
            self.peak = self.peak.max(desired);
        } else {
            self.denied = self.denied.saturating_add(1);
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= pool::TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        pool::PARTS as usize
    }

    fn tables(&self) -> usize {
        pool::PARTS as usize
    }

    fn memories(&self) -> usize {
        pool::PARTS as usize
    }
}

/// A moment that the scheduler sets and a run reads: when its turn ends, and when its time is up.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    origin: Instant,
    /// Nanoseconds after `origin`.
    after: Arc<AtomicU64>,
}

impl Moment {
    pub(crate) fn new(at: Instant) -> Self {
        Self { origin: at, after: Arc::default() }
    }

    pub(crate) fn set(&self, at: Instant) {
        let nanoseconds = at.saturating_duration_since(self.origin).as_nanos();
        self.after.store(u64::try_from(nanoseconds).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Instant {
        self.origin + Duration::from_nanos(self.after.load(Ordering::Relaxed))
    }

    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.get()
    }
}

/// The host's side of one instance.
pub(crate) struct State {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) files: WasiFiles,
    pub(crate) output: Arc<Mutex<Output>>,
    pub(crate) memory: Memory,
    pub(crate) deadline: Moment,
    pub(crate) slice: Moment,
    /// Where the interpreter's runtime is.
    pub(crate) runtime_address: Arc<RuntimeAddress>,
    /// The exception that ended the program, as soon as it is known, and its line.
    pub(crate) raised: Option<(String, Option<u32>)>,
    /// How far it got.
    pub(crate) stage: Stage,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl State {
    pub(crate) const fn files(&mut self) -> View<'_> {
        View { wasi: &mut self.files, table: &mut self.table }
    }
}

impl host::Host for State {
    fn raised(&mut self, kind: String, line: Option<u32>) -> Result<()> {
        self.raised = Some((limits::cut(&kind, limits::MAX_NAME), line));
        Ok(())
    }

    fn written(&mut self) -> Result<u32> {
        Ok(self.output.lock().stdout_characters())
    }

    fn calling(&mut self, left: bool) -> Result<()> {
        self.stage = Stage::Call { left };
        Ok(())
    }

    fn exit(&mut self, status: u8) -> Result<()> {
        Err(Stop::Exit(status).into())
    }
}

/// Names [`DeadlinePoll`] for the linker.
#[derive(Debug)]
pub(crate) struct HasDeadlinePoll;

impl HasData for HasDeadlinePoll {
    type Data<'a> = DeadlinePoll<'a>;
}

/// `wasi:io/poll` that gives up when the program's time is up: no epoch ends a wait.
#[derive(Debug)]
pub(crate) struct DeadlinePoll<'a> {
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) deadline: Instant,
}

impl DeadlinePoll<'_> {
    /// Where a program was can be found out only after it was stopped, not while it waits.
    async fn until_deadline<T>(
        deadline: Instant,
        wait: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        match tokio::time::timeout_at(deadline.into(), wait).await {
            Ok(result) => result,
            Err(_elapsed) => Err(Stop::Time.into()),
        }
    }
}

impl poll::Host for DeadlinePoll<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>> {
        let wait = poll::Host::poll(self.table, pollables);
        Self::until_deadline(self.deadline, wait).await
    }
}

impl poll::HostPollable for DeadlinePoll<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        let wait = poll::HostPollable::block(self.table, pollable);
        Self::until_deadline(self.deadline, wait).await
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> Result<bool> {
        poll::HostPollable::ready(self.table, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        poll::HostPollable::drop(self.table, pollable)
    }
}
