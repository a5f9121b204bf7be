//! CPython in a WebAssembly sandbox: one fresh interpreter for each run, made from the memory image that
//! `build.rs` prepared.

mod bindings;
mod engine;
mod files;
mod frames;
mod job;
mod limits;
mod output;
mod pool;
mod run;
mod state;
mod stop;
mod wasi_files;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use domain::execution::Stream;
use rand::{SeedableRng as _, rngs::StdRng};
use wasmtime::{
    Engine, Store, UpdateDeadline,
    component::{Component, HasSelf, Linker, ResourceTable},
};
use wasmtime_wasi::{
    WasiCtxBuilder, WasiView as _,
    cli::{WasiCli, WasiCliView as _},
    clocks::{WasiClocks, WasiClocksView as _},
    p2::bindings::{cli, clocks, filesystem, io, random, sockets},
    p2::pipe::MemoryInputPipe,
    random::WasiRandom,
    sockets::{WasiSockets, WasiSocketsView as _},
};

use self::{
    bindings::{PythonPre, learnflow::sandbox::host},
    files::Files,
    frames::RuntimeAddress,
    output::Sink,
    state::{DeadlinePoll, HasDeadlinePoll, Memory, State},
    stop::Stop,
    wasi_files::{HasFiles, WasiFiles},
};
pub use self::{
    job::{Evaluated, Job, PROGRAM, Raised, Run, Stage},
    output::MAX_OUTPUT,
};
pub(crate) use self::{run::Ready, state::Moment};

/// Memory for the program, beyond what the interpreter and its library use when it starts.
pub const MAX_MEMORY: usize = 50 << 20;
/// How often a running program is interrupted: the precision of deadlines and slices.
const TICK: Duration = Duration::from_millis(2);
/// Most random bytes of one call; the interpreter asks for 256 at a time.
const MAX_RANDOM: u64 = 1 << 20;
/// Time for starting an interpreter, before any program.
const MAX_TIME_OF_START: Duration = Duration::from_secs(60);
/// Time for all expected values of a run's tests.
pub(crate) const MAX_TIME_OF_VALUES: Duration = Duration::from_secs(2);
/// Handles to files, streams and clocks that a program holds at once.
const MAX_RESOURCES: usize = 256;
/// All handles that the engine holds for a program: those, and those of files and listings.
const MAX_HANDLES: usize = 512;
/// Bytes that a program passes in one call: the longest value, all steps and a traceback are some 6 MB. A list can take
/// three times as much on the host as in the guest.
const MAX_CALL: usize = 8 << 20;

/// Why no program can be run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The image is missing, damaged, or of another build.
    #[error("the Python image {path} cannot be used")]
    Image {
        /// Where it should be.
        path: String,
        /// What is wrong with it.
        #[source]
        source: wasmtime::Error,
    },
    /// There is no memory or address space left for an interpreter.
    #[error("no interpreter can be started")]
    Start(#[source] wasmtime::Error),
}

/// The image, ready to start interpreters from.
pub struct Sandbox {
    engine: Engine,
    python: PythonPre<State>,
    runtime_address: Arc<RuntimeAddress>,
    stop: Arc<AtomicBool>,
    ticker: Option<thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Maps the image that this program was built with.
    ///
    /// # Errors
    /// The file is not that image.
    pub fn open(image: &Path) -> Result<Self, SandboxError> {
        let unusable = |source| SandboxError::Image { path: image.display().to_string(), source };
        let engine = Engine::new(&pool::config()).map_err(unusable)?;
        #[expect(unsafe_code, reason = "the image is code that we compiled, like this binary")]
        // SAFETY: `build.rs` made the file, and the engine refuses one of other settings or releases.
        let component = unsafe { Component::deserialize_file(&engine, image) }.map_err(unusable)?;
        let linker = linker(&engine).map_err(unusable)?;
        let python =
            linker.instantiate_pre(&component).and_then(PythonPre::new).map_err(unusable)?;
        let stop = Arc::new(AtomicBool::new(false));
        let ticker = tick(&engine, Arc::clone(&stop));
        Ok(Self { engine, python, runtime_address: Arc::default(), stop, ticker: Some(ticker) })
    }

    /// Starts an interpreter that waits for its program.
    pub(crate) async fn prepare(&self, slice: Moment) -> Result<Ready, SandboxError> {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let state = State {
            wasi: WasiCtxBuilder::new().build(),
            table,
            files: WasiFiles::new(Files::empty()),
            output: Arc::default(),
            memory: Memory::default(),
            deadline: Moment::new(Instant::now() + MAX_TIME_OF_START),
            slice,
            runtime_address: Arc::clone(&self.runtime_address),
            raised: None,
            stage: Stage::default(),
        };
        let mut store = Store::new(&self.engine, state);
        store.set_max_component_handles(MAX_HANDLES);
        store.set_hostcall_fuel(MAX_CALL);
        store.limiter(|state| &mut state.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            let state = context.data();
            let now = Instant::now();
            // First the slice: when the machine took the processor away in this turn, the deadline is moved after it.
            if state.slice.is_over(now) {
                Ok(UpdateDeadline::Yield(1))
            } else if state.deadline.is_over(now) {
                Err(Stop::Time.into())
            } else {
                Ok(UpdateDeadline::Continue(1))
            }
        });
        let python =
            self.python.instantiate_async(&mut store).await.map_err(SandboxError::Start)?;
        Ok(Ready { store, python })
    }

    /// Runs a program in an interpreter that waits for it, until `deadline` at most. How long it took is for the
    /// scheduler to say.
    pub(crate) async fn run(mut ready: Ready, job: &Job, deadline: Moment) -> Run {
        if let Err(error) = set_up(ready.store.data_mut(), job, deadline) {
            tracing::warn!(?error, "accepted files do not fit into the sandbox");
        }
        run::run(ready, job).await
    }

    /// Evaluates expressions that are not a student's.
    pub(crate) async fn values(
        mut ready: Ready,
        expressions: &[String],
        deadline: Moment,
    ) -> Vec<Result<Evaluated, String>> {
        ready.store.data_mut().memory.limit = MAX_MEMORY;
        ready.store.data_mut().deadline = deadline;
        let mut values = Vec::new();
        let mut left = limits::MAX_VALUES;
        for expression in expressions {
            match ready.python.call_value(&mut ready.store, expression).await {
                Ok(Ok(json)) => {
                    let too_large = || "its value is too large to be compared".to_owned();
                    let value = if json.len() <= left { limits::evaluated(&json) } else { None };
                    if value.is_some() {
                        left = left.saturating_sub(json.len());
                    }
                    values.push(value.ok_or_else(too_large));
                }
                Ok(Err(problem)) => values.push(Err(limits::cut(&problem, limits::MAX_MESSAGE))),
                Err(error) => {
                    values.push(Err(run::why_no_value(&error, ready.store.data())));
                    break;
                }
            }
        }
        // An instance that was stopped is not used again.
        values.resize(expressions.len(), Err("an earlier expression was stopped".to_owned()));
        values
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            ticker.thread().unpark();
            if ticker.join().is_err() {
                tracing::error!("the sandbox's clock had stopped");
            }
        }
    }
}

/// Sets up input, output, files and limits for the program.
fn set_up(
    state: &mut State,
    job: &Job,
    deadline: Moment,
) -> Result<(), filesystem::types::ErrorCode> {
    let mut wasi = WasiCtxBuilder::new();
    wasi.stdin(MemoryInputPipe::new(job.stdin.replace("\r\n", "\n")))
        .stdout(Sink { stream: Stream::Stdout, output: Arc::clone(&state.output) })
        .stderr(Sink { stream: Stream::Stderr, output: Arc::clone(&state.output) })
        .max_random_size(MAX_RANDOM)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    if let Some(seed) = job.seed {
        wasi.secure_random(StdRng::seed_from_u64(seed));
    }
    state.wasi = wasi.build();
    let mut given = job.files.clone();
    given.insert(PROGRAM.to_owned(), job.source.clone());
    let given = given.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    state.files = WasiFiles::new(Files::new(&given, files::since_1970(job.now))?);
    state.memory.limit = MAX_MEMORY;
    state.memory.peak = state.memory.base;
    state.deadline = deadline;
    Ok(())
}

/// WASI without a network, the host's file system, or endless waits.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    let l = &mut linker;
    io::error::add_to_linker::<State, HasTable>(l, |state| &mut state.table)?;
    io::streams::add_to_linker::<State, HasTable>(l, |state| &mut state.table)?;
    io::poll::add_to_linker::<State, HasDeadlinePoll>(l, |state| DeadlinePoll {
        table: &mut state.table,
        deadline: state.deadline.get(),
    })?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    filesystem::preopens::add_to_linker::<State, HasFiles>(l, State::files)?;
    filesystem::types::add_to_linker::<State, HasFiles>(l, State::files)?;
    random::random::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    random::insecure::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    // The interpreter imports them; they reach nothing.
    sockets::tcp::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::udp::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::udp_create_socket::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::instance_network::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<State, WasiSockets>(l, &options, State::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    host::add_to_linker::<State, HasSelf<State>>(l, |state| state)?;
    Ok(linker)
}

/// Names the resource table for the linker.
struct HasTable;

impl wasmtime::component::HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// Advances the engine's epoch, which interrupts its programs.
fn tick(engine: &Engine, stop: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let engine = engine.weak();
    thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            thread::park_timeout(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    })
}
