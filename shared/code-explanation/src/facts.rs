//! What a trace says about lines and names.

use std::collections::BTreeMap;

use domain::trace::{Trace, TraceEvent, TraceFrame, TraceStep};

use crate::value::shown;

/// Most names of a frame that are looked at: as many as a trace has.
const NAMES: usize = 100;
/// The frame of the program's own lines.
const MODULE: &str = "<module>";

/// A function, as a trace names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) name: &'a str,
    /// From its first decorator to `def`.
    pub(crate) lines: (u32, u32),
}

/// A run, ordered by the calls of functions.
#[derive(Debug)]
pub(crate) struct Facts {
    calls: Vec<Call>,
    /// The names of the program itself at each step at which they are known, inside of calls, too.
    globals: Vec<BTreeMap<String, String>>,
    /// The characters of output before each step.
    written: Vec<u64>,
    /// Whether the run went on after the last step that is known.
    pub(crate) is_cut: bool,
}

/// One call of a function, or the program's own lines.
#[derive(Debug)]
pub(crate) struct Call {
    function: String,
    /// The line of the call's first step.
    line: u32,
    states: Vec<State>,
    /// What it gave back.
    pub(crate) returned: Option<String>,
}

/// One step of a call.
#[derive(Debug)]
struct State {
    /// Its position among all steps.
    at: usize,
    event: TraceEvent,
    line: u32,
    names: BTreeMap<String, String>,
}

/// The iterations of a loop when it was reached for the first time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Iterations {
    /// What each of the names was in each iteration.
    pub(crate) values: Vec<Vec<String>>,
    /// How often its body ran.
    pub(crate) count: usize,
    /// How often the loop was reached in this call.
    pub(crate) entries: usize,
}

impl Facts {
    pub(crate) fn read(trace: &Trace) -> Option<Self> {
        let mut calls: Vec<Call> = Vec::new();
        let mut stack: Vec<usize> = Vec::new();
        for (at, step) in trace.steps.iter().enumerate() {
            if step.event == TraceEvent::Call {
                stack.push(called(&mut calls, step));
            } else if stack.is_empty() {
                calls.push(Call::new(step));
                stack.push(calls.len() - 1);
            }
            let current = *stack.last()?;
            let call = calls.get_mut(current)?;
            if step.event == TraceEvent::Return {
                let is_raised = call.states.last().is_some_and(State::is_raised);
                let value = step.value.as_ref().filter(|_| !is_raised);
                call.returned = value.map(|value| shown(value, &step.heap));
                stack.pop();
            }
            call.states.push(State::of(at, step));
        }
        let written = trace.steps.iter().map(|step| step.written).collect();
        let globals = trace.steps.iter().filter_map(|step| {
            let outermost = step.frames.first().filter(|frame| frame.function == MODULE)?;
            Some(names(outermost, step))
        });
        (!calls.is_empty()).then_some(Self {
            calls,
            globals: globals.collect(),
            written,
            is_cut: trace.truncated,
        })
    }

    /// The calls of a function that begins on one of these lines: a decorator's, or its own.
    pub(crate) fn calls(&self, scope: Scope<'_>) -> impl Iterator<Item = &Call> {
        let is_it =
            move |call: &&Call| call.function == scope.name && within(call.line, scope.lines);
        self.calls.iter().filter(is_it)
    }

    /// The program's own lines, or the first call of a function.
    pub(crate) fn first(&self, scope: Option<Scope<'_>>) -> Option<&Call> {
        match scope {
            Some(scope) => self.calls(scope).next(),
            None => self.calls.iter().find(|call| call.function == MODULE),
        }
    }

    /// The values of a name of the program itself, or in the first call of a function, one after the other.
    pub(crate) fn history(&self, scope: Option<Scope<'_>>, name: &str) -> Vec<String> {
        match scope {
            None => history(self.globals.iter(), name),
            Some(_) => {
                let states = self.first(scope).into_iter().flat_map(|call| &call.states);
                history(states.map(|state| &state.names), name)
            }
        }
    }

    /// How often one of these lines was reached.
    pub(crate) fn visits(&self, lines: (u32, u32)) -> usize {
        let states = self.calls.iter().flat_map(|call| &call.states);
        states.filter(|state| state.event == TraceEvent::Line && within(state.line, lines)).count()
    }

    /// Where in the output each run of a line has written: first character and the one after the last. Runs in which
    /// another line has written, too, are left out.
    pub(crate) fn written(&self, lines: (u32, u32)) -> Vec<(u64, u64)> {
        let mut places = Vec::new();
        for call in &self.calls {
            for (at, state) in call.states.iter().enumerate() {
                let next = call.states.get(at + 1).filter(|next| {
                    !next.is_raised() && (!within(next.line, lines) || next.line == lines.0)
                });
                let is_begin = state.event == TraceEvent::Line && state.line == lines.0;
                let Some(next) = next.filter(|_| is_begin) else { continue };
                let before = self.written[state.at];
                if self.written[next.at - 1] == before {
                    places.push((before, self.written[next.at]));
                }
            }
        }
        places
    }

    /// What each call of a function gave back that ended on one of these lines.
    pub(crate) fn returned(&self, scope: Scope<'_>, lines: (u32, u32)) -> Vec<&str> {
        let ends = |call: &&Call| {
            let last = call.states.last();
            last.is_some_and(|last| last.event == TraceEvent::Return && within(last.line, lines))
        };
        let mut ended: Vec<&Call> = self.calls(scope).filter(ends).collect();
        ended.sort_by_key(|call| call.states.last().map(|last| last.at));
        ended.into_iter().filter_map(|call| call.returned.as_deref()).collect()
    }

    /// Of how many checks of a condition the block below it was run.
    pub(crate) fn taken(&self, test: (u32, u32), body: (u32, u32)) -> (usize, usize) {
        let (mut checked, mut taken) = (0, 0);
        for call in &self.calls {
            for (at, state) in call.states.iter().enumerate() {
                if state.event != TraceEvent::Line || state.line != test.0 {
                    continue;
                }
                let mut later = call.states[at + 1..].iter();
                let next = later.find(|next| !within(next.line, test) || next.line == test.0);
                let Some(next) = next.filter(|next| !next.is_raised()) else { continue };
                checked += 1;
                taken += usize::from(next.event == TraceEvent::Line && within(next.line, body));
            }
        }
        (checked, taken)
    }
}

/// The call that a step begins or, of a generator, continues.
fn called(calls: &mut Vec<Call>, step: &TraceStep) -> usize {
    let continues = calls.iter().rposition(|call| {
        let paused = call.states.last().filter(|last| last.event == TraceEvent::Return);
        call.function == step.function
            && call.line != step.line
            && paused.is_some_and(|last| last.line == step.line)
    });
    continues.unwrap_or_else(|| {
        calls.push(Call::new(step));
        calls.len() - 1
    })
}

const fn within(line: u32, (first, last): (u32, u32)) -> bool {
    first <= line && line <= last
}

/// The values of a frame's names, as Python writes them.
fn names(frame: &TraceFrame, step: &TraceStep) -> BTreeMap<String, String> {
    let locals = frame.locals.iter().take(NAMES);
    locals.map(|(name, value)| (name.clone(), shown(value, &step.heap))).collect()
}

/// The values of a name, one after the other.
fn history<'a>(
    steps: impl Iterator<Item = &'a BTreeMap<String, String>>,
    name: &str,
) -> Vec<String> {
    let mut values: Vec<String> = steps.filter_map(|names| names.get(name)).cloned().collect();
    values.dedup();
    values
}

impl State {
    fn of(at: usize, step: &TraceStep) -> Self {
        let names = step.frames.last().map(|frame| names(frame, step)).unwrap_or_default();
        Self { at, event: step.event, line: step.line, names }
    }

    fn is_raised(&self) -> bool {
        self.event == TraceEvent::Exception
    }
}

impl Call {
    fn new(step: &TraceStep) -> Self {
        let (function, line) = (step.function.clone(), step.line);
        Self { function, line, states: Vec::new(), returned: None }
    }

    /// A parameter's value at the beginning.
    pub(crate) fn argument(&self, name: &str) -> Option<&str> {
        self.states.first()?.names.get(name).map(String::as_str)
    }

    /// Whether an exception was raised in it, or went through it.
    pub(crate) fn is_raised(&self) -> bool {
        self.states.iter().any(State::is_raised)
    }

    /// The values that a name had after each run of a statement.
    pub(crate) fn after(&self, lines: (u32, u32), name: &str) -> Vec<String> {
        let mut values = Vec::new();
        for (at, state) in self.states.iter().enumerate() {
            if state.event != TraceEvent::Line || state.line != lines.0 {
                continue;
            }
            let mut later = self.states[at + 1..].iter();
            let next = later.find(|next| !within(next.line, lines) || next.line == lines.0);
            let next = next.filter(|next| !next.is_raised());
            values.extend(next.and_then(|next| next.names.get(name)).cloned());
        }
        values
    }

    /// The iterations of a loop with this header and body; `None` if they cannot be told apart.
    pub(crate) fn iterations(
        &self,
        header: u32,
        body: (u32, u32),
        names: &[&str],
    ) -> Option<Iterations> {
        if body.0 <= header {
            return None;
        }
        let is_line = |state: &&State| state.event == TraceEvent::Line;
        let lines: Vec<&State> = self.states.iter().filter(is_line).collect();
        let (mut values, mut count, mut entries) = (Vec::new(), 0, 0);
        let headers = (0..lines.len()).filter(|at| lines[*at].line == header);
        for at in headers {
            let before = at.checked_sub(1).map(|before| lines[before].line);
            let is_inside = before.is_some_and(|line| line == header || within(line, body));
            entries += usize::from(!is_inside);
            let next = lines.get(at + 1).filter(|next| within(next.line, body));
            let Some(next) = next.filter(|_| entries == 1) else { continue };
            count += 1;
            let known: Option<Vec<String>> =
                names.iter().map(|name| next.names.get(*name).cloned()).collect();
            values.extend(known);
        }
        (values.len() == count).then_some(Iterations { values, count, entries })
    }
}
