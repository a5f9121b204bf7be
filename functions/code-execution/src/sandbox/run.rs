//! One program in one fresh interpreter.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::execution::{FileContent, Verdict};
use wasmtime::{Store, Trap, WasmCoreDump};
use wasmtime_wasi::I32Exit;

use super::{
    bindings::{Ending, Fault, Python},
    frames::{self, Frame},
    job::{Evaluated, Job, PROGRAM, Raised, Run},
    limits,
    state::State,
    stop::Stop,
};

/// Bytes of all files that are reported after a run; the rest are left out.
const MAX_REPORTED_FILES: usize = 256 << 10;

/// An interpreter that waits for its program.
pub(crate) struct Ready {
    pub(crate) store: Store<State>,
    pub(crate) python: Python,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("store", self.store.data()).finish_non_exhaustive()
    }
}

/// Runs `job`.
pub(crate) async fn run(mut ready: Ready, job: &Job) -> Run {
    let program = super::bindings::Program {
        source: job.source.clone(),
        call: job.call.clone(),
        seed: job.seed,
        trace_steps: job.trace_steps,
    };
    let result = ready.python.call_run(&mut ready.store, &program).await;
    let outcome = match result {
        Ok(outcome) => Outcome::of_guest(outcome, ready.store.data()),
        Err(error) => Outcome::of_stop(&error, &ready.store),
    };
    let state = ready.store.into_data();
    let (files, files_left_out) = changed_files(&state, &job.files);
    let output = std::mem::take(&mut *state.output.lock());
    let truncated = output.truncated || files_left_out;
    let memory = state.memory.peak.saturating_sub(state.memory.base);
    Run {
        verdict: outcome.verdict,
        exit_code: outcome.exit_code,
        parts: output.into_parts(),
        truncated,
        raised: outcome.raised,
        stage: state.stage,
        value: outcome.value,
        steps: outcome.steps,
        files,
        duration: Duration::ZERO,
        cpu: Duration::ZERO,
        delayed: Duration::ZERO,
        memory_bytes: memory as u64,
    }
}

/// The outcome of a run.
struct Outcome {
    verdict: Verdict,
    exit_code: u8,
    raised: Option<Raised>,
    value: Option<Evaluated>,
    steps: Option<String>,
}

impl Outcome {
    const fn new(verdict: Verdict, exit_code: u8, raised: Option<Raised>) -> Self {
        Self { verdict, exit_code, raised, value: None, steps: None }
    }

    /// The interpreter has returned and reported.
    fn of_guest(outcome: super::bindings::Outcome, state: &State) -> Self {
        let mut result = match outcome.ending {
            Ending::Completed | Ending::Exited(0) => Self::new(Verdict::Ok, 0, None),
            Ending::Exited(status) => Self::new(Verdict::Exit, status, None),
            Ending::Rejected(fault) => {
                let verdict = verdict_of(&fault, state).unwrap_or(Verdict::SyntaxError);
                Self::new(verdict, 1, Some(fault.into()))
            }
            Ending::Raised(fault) => {
                let verdict = verdict_of(&fault, state).unwrap_or(Verdict::Error);
                Self::new(verdict, 1, Some(fault.into()))
            }
        };
        result.value = outcome.value.and_then(|json| limits::evaluated(&json));
        result.steps = outcome.steps.and_then(limits::steps);
        result
    }

    /// The host has stopped it, or it has crashed.
    fn of_stop(error: &wasmtime::Error, store: &Store<State>) -> Self {
        let (frames, is_waiting) = post_mortem(error, store);
        let state = store.data();
        let (verdict, exit_code) = match error.downcast_ref::<Stop>() {
            Some(Stop::Time) => (Verdict::Timeout, 124),
            Some(Stop::OutputLimit) => (Verdict::OutputLimit, 1),
            Some(Stop::Exit(0)) => (Verdict::Ok, 0),
            Some(Stop::Exit(status)) => (Verdict::Exit, *status),
            None => match (error.downcast_ref::<I32Exit>(), error.downcast_ref::<Trap>()) {
                (Some(I32Exit(0)), _) => (Verdict::Ok, 0),
                (Some(I32Exit(status)), _) => {
                    (Verdict::Exit, u8::try_from(*status).unwrap_or(u8::MAX))
                }
                (None, Some(Trap::StackOverflow)) => (Verdict::Recursion, 134),
                (None, _) if state.memory.denied > 0 => (Verdict::MemoryLimit, 137),
                (None, _) if is_waiting => (Verdict::Deadlock, 124),
                (None, _) => (Verdict::Aborted, 134),
            },
        };
        if matches!(verdict, Verdict::Ok | Verdict::Exit) {
            return Self::new(verdict, exit_code, None);
        }
        let place = frames.iter().find(|frame| is_students(&frame.file));
        let (kind, line) = match &state.raised {
            Some((kind, line)) => (kind.clone(), *line),
            None => (String::new(), None),
        };
        let raised = Raised {
            kind,
            line: line.or_else(|| place?.line).filter(|line| *line > 0),
            function: place
                .map(|frame| limits::cut(&frame.function, limits::MAX_NAME))
                .filter(|function| function != "<module>"),
            ..Raised::default()
        };
        Self::new(verdict, exit_code, Some(raised))
    }
}

/// Why an expression that stopped its interpreter has no value.
pub(super) fn why_no_value(error: &wasmtime::Error, state: &State) -> String {
    let why = match error.downcast_ref::<Stop>() {
        Some(Stop::Time) => "it takes too long",
        Some(Stop::OutputLimit) => "it writes too much",
        Some(Stop::Exit(_)) => "it ends the program",
        None if state.memory.denied > 0 => "it needs too much memory",
        None => "it breaks Python itself",
    };
    why.to_owned()
}

/// Exceptions that stand for a limit.
fn verdict_of(fault: &Fault, state: &State) -> Option<Verdict> {
    let is = |name: &str| fault.kind == name || fault.bases.iter().any(|base| base == name);
    if is("RecursionError") {
        Some(Verdict::Recursion)
    } else if is("MemoryError") {
        // The parser raises it too, for text that is nested too deep.
        Some(if state.memory.denied == 0 && fault.line.is_none() {
            Verdict::Recursion
        } else {
            Verdict::MemoryLimit
        })
    } else {
        None
    }
}

/// Where the program was, and whether it was waiting for another thread, which cannot exist.
fn post_mortem(error: &wasmtime::Error, store: &Store<State>) -> (Vec<Frame>, bool) {
    let Some(dump) = error.downcast_ref::<WasmCoreDump>() else { return (Vec::new(), false) };
    let memories = dump.memories().iter().map(|memory| memory.data(store));
    let largest = memories.max_by_key(|memory| memory.len());
    let is_waiting = dump.frames().first().is_some_and(|frame| {
        // The C library traps where it would wait forever.
        frame.func_name().is_some_and(|name| name.starts_with("pthread_cond_"))
    });
    (
        largest
            .map(|memory| frames::read(memory, &store.data().runtime_address))
            .unwrap_or_default(),
        is_waiting,
    )
}

/// As `is_students` of the guest's `names.py`.
fn is_students(file: &str) -> bool {
    !file.starts_with("/usr/lib/python3.14/")
        && !file.starts_with('<')
        && !file.starts_with("/python/")
        && !file.starts_with("/0/")
}

/// Files that are new or different, and whether some were left out.
fn changed_files(
    state: &State,
    given: &BTreeMap<String, String>,
) -> (BTreeMap<String, FileContent>, bool) {
    let files = state.files.files.lock();
    let mut changed = BTreeMap::new();
    let (mut bytes, mut left_out) = (0, false);
    for (name, data) in files.all() {
        let unchanged = given.get(&name).is_some_and(|text| text.as_bytes() == data);
        if unchanged || name == PROGRAM || name.starts_with("__pycache__/") {
            continue;
        }
        bytes = name.len().saturating_add(data.len()).saturating_add(bytes);
        if bytes > MAX_REPORTED_FILES {
            left_out = true;
            continue;
        }
        let content = match std::str::from_utf8(data) {
            Ok(text) => FileContent::Text(text.to_owned()),
            Err(_not_text) => FileContent::Base64(BASE64_STANDARD.encode(data)),
        };
        changed.insert(name, content);
    }
    (changed, left_out)
}
