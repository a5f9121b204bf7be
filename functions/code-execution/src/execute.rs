//! From a program to its result: one run, or one run for each test.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use domain::execution::{
    Advice, ExecutionError, ExecutionResult, MAX_SOURCE_BYTES, MAX_TIMEOUT_MS, Program, Stream,
    TestCase, TestResult, Verdict,
};
use error_advice::Ending;

use crate::{
    recording,
    sandbox::{Evaluated, Job, Raised, Run, Stage},
    words,
    workers::{Busy, Turn, Workers},
};

/// The version of Python in the image; a test asks Python itself.
pub const PYTHON: &str = "3.14.0";
/// The time of hidden cases is rounded up to a multiple of this: a few steps within a program's limit, and a short wait
/// for a correct solution.
const HIDDEN_TIME_STEP: Duration = Duration::from_millis(250);

/// Runs a program at once, with its tests if it has any. A program that is not accepted is not run.
///
/// # Errors
/// All workers are full; nothing was run.
pub async fn execute(
    workers: &Workers,
    program: &Program,
    now: DateTime<Utc>,
) -> Result<ExecutionResult, Busy> {
    Ok(execute_in(workers.turn_at_once()?, program, now).await)
}

/// As [`execute`], for a caller that has a turn.
pub async fn execute_in(
    mut turn: Turn<'_>,
    program: &Program,
    now: DateTime<Utc>,
) -> ExecutionResult {
    let source = program.code.as_str();
    if source.len() > MAX_SOURCE_BYTES {
        return too_large(source.len());
    }
    let limit = program.timeout_ms.map_or_else(|| u64::from(MAX_TIMEOUT_MS), u64::from);
    let job = Job {
        // A byte order mark is an editor's, not the student's.
        source: source.strip_prefix('\u{feff}').unwrap_or(source).to_owned(),
        call: None,
        stdin: program.stdin.clone().map_or_else(String::new, String::from),
        files: program.files.iter().map(|(k, v)| (k.clone().into(), v.clone().into())).collect(),
        seed: program.seed,
        trace_steps: if program.trace { recording::STEPS } else { 0 },
        limit: Duration::from_millis(limit),
        // A student waits at most twice as long as the program may take, however busy the machine is.
        max_delay: Duration::from_millis(limit),
        now,
    };
    if program.tests.is_empty() {
        let stdin = job.stdin.clone();
        let run = turn.run(job).await;
        let time = Time { own: run.duration, delayed: run.delayed };
        return result(run, source, &stdin, time);
    }
    let Some(tested) = tested(&mut turn, &program.tests, &job).await else { return not_judged() };
    drop(turn);
    fill_up(tested.hidden_time).await;
    tested.into_result()
}

/// The results of the tests so far.
#[derive(Default)]
struct Tested {
    /// By the number of the case.
    graded: BTreeMap<usize, TestResult>,
    /// The case that is shown.
    shown: Option<ExecutionResult>,
    /// Whether a visible case has failed.
    failed: bool,
    shown_time: Duration,
    hidden_time: Duration,
    cpu_ms: u32,
    memory_bytes: u64,
}

impl Tested {
    fn note(&mut self, number: usize, hidden: bool, case: TestResult, result: ExecutionResult) {
        if hidden {
            self.graded.insert(number, case.of_hidden());
            return;
        }
        self.cpu_ms += result.cpu_ms;
        self.memory_bytes = self.memory_bytes.max(result.memory_bytes);
        if self.shown.is_none() || (!self.failed && !case.passed) {
            self.shown = Some(result);
        }
        self.failed |= !case.passed;
        self.graded.insert(number, case);
    }

    fn into_result(self) -> ExecutionResult {
        // With hidden cases only, nothing may be shown.
        let shown = self.shown.unwrap_or_else(|| ExecutionResult {
            error: None,
            exit_code: 0,
            ..not_run(Verdict::Ok, ExecutionError::default())
        });
        ExecutionResult {
            tests: self.graded.into_values().collect(),
            duration_ms: milliseconds(self.shown_time),
            cpu_ms: self.cpu_ms,
            memory_bytes: self.memory_bytes,
            ..shown
        }
    }
}

/// Runs each case in a fresh state; `tests` has at least one. `None`: they cannot be judged, which is our fault.
async fn tested(turn: &mut Turn<'_>, tests: &[TestCase], job: &Job) -> Option<Tested> {
    let mut expected = expected_values(turn, tests).await?;
    let mut cases: Vec<(usize, &TestCase)> = tests.iter().enumerate().collect();
    // Hidden ones last: otherwise the progress of later cases would reveal how long they took.
    cases.sort_by_key(|(_, test)| test.hidden);
    let mut tested = Tested::default();
    let mut spent = Time::default();
    for (number, test) in cases {
        let stdin = test.stdin.clone().map_or_else(|| job.stdin.clone(), String::from);
        let begun = Instant::now();
        let run = turn
            .run(Job {
                call: test.call.clone().map(String::from),
                stdin: stdin.clone(),
                trace_steps: if tested.failed || test.hidden { 0 } else { job.trace_steps },
                limit: job.limit.saturating_sub(spent.own).max(Duration::from_millis(1)),
                max_delay: job.max_delay.saturating_sub(spent.delayed),
                ..job.clone()
            })
            .await;
        if run.verdict == Verdict::Internal {
            return None;
        }
        spent.own += run.duration;
        spent.delayed += run.delayed;
        if test.hidden {
            tested.hidden_time += begun.elapsed();
        } else {
            tested.shown_time += run.duration;
        }
        let (actual, stage) = (run.value.clone(), run.stage);
        let mut result = result(run, &job.source, &stdin, spent);
        if result.verdict == Verdict::Timeout && spent.is_too_short(job.limit) {
            result.verdict = Verdict::Busy;
        }
        if let Some(error) = result.error.as_mut().filter(|_| test.call.is_some()) {
            let advice = words::of_test(stage, result.verdict, error, &job.source, &stdin);
            error.advice = advice.or_else(|| error.advice.take());
        }
        let case = grade(test, &result, actual, stage, expected.remove(&number));
        tested.note(number, test.hidden, case, result);
    }
    Some(tested)
}

/// The expected values of calls, by the number of the case, evaluated in an interpreter that never runs the student's
/// program.
async fn expected_values(
    turn: &mut Turn<'_>,
    tests: &[TestCase],
) -> Option<BTreeMap<usize, Result<Evaluated, String>>> {
    let has_value = |test: &TestCase| test.call.is_some() && test.raises.is_none();
    let calls = tests.iter().enumerate().filter(|(_, test)| has_value(test));
    let (numbers, expressions): (Vec<usize>, Vec<String>) =
        calls.map(|(number, test)| (number, test.expected.as_str().to_owned())).unzip();
    if expressions.is_empty() {
        return Some(BTreeMap::new());
    }
    Some(numbers.into_iter().zip(turn.values(expressions).await?).collect())
}

/// Waits until hidden cases have taken a whole number of [`HIDDEN_TIME_STEP`]: the response time must not reveal more
/// about them than the response does.
#[expect(clippy::disallowed_methods, reason = "the answer is delayed on purpose")]
async fn fill_up(taken: Duration) {
    let over = taken.as_millis() % HIDDEN_TIME_STEP.as_millis();
    if over > 0 {
        let over = Duration::from_millis(u64::try_from(over).unwrap_or_default());
        tokio::time::sleep(HIDDEN_TIME_STEP.saturating_sub(over)).await;
    }
}

fn grade(
    test: &TestCase,
    result: &ExecutionResult,
    actual: Option<Evaluated>,
    stage: Stage,
    expected: Option<Result<Evaluated, String>>,
) -> TestResult {
    let mut graded = TestResult {
        name: test.name.as_str().to_owned(),
        passed: false,
        verdict: result.verdict,
        expected: test.expected.as_str().to_owned(),
        actual: result.stdout.clone(),
        error: result.error.clone(),
        problem: None,
        duration_ms: result.duration_ms,
    };
    let ended_well = result.verdict == Verdict::Ok;
    if test.call.is_none() {
        graded.passed = ended_well && same_output(test.expected.as_str(), &result.stdout);
        return graded;
    }
    graded.actual = actual.as_ref().map_or_else(String::new, |value| value.text.clone());
    if let Some(class) = &test.raises {
        // Raised by the call: an exception that ends the program earlier is another mistake.
        let raised = result.error.as_ref().filter(|_| stage != Stage::Program);
        graded.passed = raised.is_some_and(|error| error.kind == class.as_str());
        return graded;
    }
    match (expected, actual) {
        (Some(Ok(expected)), Some(actual)) => {
            graded.passed = ended_well && expected.value.equals(&actual.value);
        }
        (Some(Err(problem)), _) => {
            graded.problem = Some(format!("`expected` cannot be evaluated: {problem}"));
        }
        (Some(Ok(_)) | None, _) => {}
    }
    graded
}

/// Compares lines, ignoring trailing white space of each line and of the output.
fn same_output(expected: &str, actual: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    lines(expected) == lines(actual)
}

/// The public result of a run; `time` is that of all runs which share its limit, to the end of this one.
fn result(run: Run, source: &str, stdin: &str, time: Time) -> ExecutionResult {
    let text = |stream: Stream| -> String {
        run.parts
            .iter()
            .filter(|part| part.stream == stream)
            .map(|part| part.text.as_str())
            .collect()
    };
    let (stdout, stderr) = (text(Stream::Stdout), text(Stream::Stderr));
    let error = run.raised.map(|raised| explained(raised, run.verdict, source, stdin, time));
    ExecutionResult {
        verdict: run.verdict,
        exit_code: run.exit_code,
        stdout,
        stderr,
        transcript: run.parts,
        truncated: run.truncated,
        error,
        files: run.files,
        tests: Vec::new(),
        // Made by the guest, so a hostile program can have made it invalid.
        trace: run.steps.and_then(|recording| recording::trace(&recording)),
        duration_ms: milliseconds(run.duration),
        cpu_ms: milliseconds(run.cpu),
        memory_bytes: run.memory_bytes,
        python: PYTHON.to_owned(),
    }
}

/// How long a program took, and how long it waited for others.
#[derive(Debug, Clone, Copy, Default)]
struct Time {
    own: Duration,
    delayed: Duration,
}

impl Time {
    /// A machine that is hardly busy is not worth a word.
    fn is_mostly_delay(self) -> bool {
        self.delayed > self.own
    }

    /// Whether nothing follows from a timeout. With half of its time or more a program had a fair chance: an endless
    /// loop is one on a busy machine, too.
    fn is_too_short(self, limit: Duration) -> bool {
        self.is_mostly_delay() && self.own < limit / 2
    }
}

fn explained(
    raised: Raised,
    verdict: Verdict,
    source: &str,
    stdin: &str,
    time: Time,
) -> ExecutionError {
    let mut error = ExecutionError {
        kind: raised.kind,
        message: raised.message,
        line: raised.line,
        column: raised.column,
        end_column: raised.end_column,
        function: raised.function,
        traceback: raised.traceback,
        advice: None,
    };
    let ending = match verdict {
        Verdict::Timeout => Ending::Timeout,
        Verdict::MemoryLimit => Ending::Memory,
        Verdict::OutputLimit => Ending::Output,
        Verdict::Recursion => Ending::Recursion,
        Verdict::Deadlock => Ending::Deadlock,
        Verdict::Aborted => Ending::Aborted,
        _ => Ending::Exception,
    };
    if let Some((kind, message)) = stopped(verdict, error.line, time) {
        if error.kind.is_empty() {
            kind.clone_into(&mut error.kind);
        }
        if error.message.is_empty() {
            error.message = message;
        }
    }
    let advice = error_advice::advise(&error_advice::Failure {
        ending,
        kind: &error.kind,
        bases: &raised.bases,
        message: &error.message,
        line: error.line,
        function: error.function.as_deref(),
        variables: &raised.variables,
        source,
        stdin,
    });
    error.advice = advice.map(|advice| Advice {
        rule: advice.rule.to_owned(),
        what: advice.what,
        why: advice.why,
        hint: advice.hint,
    });
    error
}

/// The name and the message of a limit that was reached without an exception.
fn stopped(verdict: Verdict, line: Option<u32>, time: Time) -> Option<(&'static str, String)> {
    let place = line.map_or_else(String::new, |line| format!(" on line {line}"));
    match verdict {
        Verdict::Timeout => {
            let doing = if place.is_empty() { " running" } else { &place };
            let own = time.own.as_secs_f64();
            let message = if time.is_mostly_delay() {
                let all = (time.own + time.delayed).as_secs_f64();
                format!(
                    "stopped after {all:.1} s, while it was{doing}; the machine is busy, and the program itself had only \
                     {own:.1} s"
                )
            } else {
                format!("stopped after {own:.1} s, while it was{doing}")
            };
            Some(("Timeout", message))
        }
        Verdict::MemoryLimit => {
            Some(("MemoryLimit", format!("needed more than 50 MB of memory{place}")))
        }
        Verdict::OutputLimit => {
            Some(("OutputLimit", format!("stopped after 128 KB of output{place}")))
        }
        Verdict::Recursion => {
            Some(("RecursionError", format!("calls or data nested too deeply{place}")))
        }
        Verdict::Deadlock => {
            Some(("Deadlock", format!("it waits for something that can never happen{place}")))
        }
        Verdict::Aborted => Some(("Aborted", format!("Python itself crashed{place}"))),
        Verdict::Internal => {
            Some(("Internal", "this is our fault, and it has been logged".to_owned()))
        }
        _ => None,
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn too_large(bytes: usize) -> ExecutionResult {
    let error = ExecutionError {
        kind: "SourceTooLarge".to_owned(),
        message: format!(
            "a program may have at most {MAX_SOURCE_BYTES} bytes, this one has {bytes}"
        ),
        ..ExecutionError::default()
    };
    not_run(Verdict::SourceTooLarge, error)
}

/// The result of a program that could not be run, or whose tests could not be judged, through our fault.
fn not_judged() -> ExecutionResult {
    let error = ExecutionError { kind: "Internal".to_owned(), ..ExecutionError::default() };
    not_run(Verdict::Internal, error)
}

/// The result of a program that was not run.
fn not_run(verdict: Verdict, error: ExecutionError) -> ExecutionResult {
    ExecutionResult {
        verdict,
        exit_code: 1,
        stdout: String::new(),
        stderr: String::new(),
        transcript: Vec::new(),
        truncated: false,
        error: Some(error),
        files: [].into(),
        tests: Vec::new(),
        trace: None,
        duration_ms: 0,
        cpu_ms: 0,
        memory_bytes: 0,
        python: PYTHON.to_owned(),
    }
}
