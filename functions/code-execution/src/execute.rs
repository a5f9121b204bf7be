//! From a program to its result: one run, or one run for each test.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::execution::{
    Advice, ExecutionError, ExecutionResult, MAX_SOURCE_BYTES, MAX_TIMEOUT_MS, Program, Stream,
    TestCase, TestResult, Verdict,
};
use python::advice::{self, Ending};

use crate::{
    sandbox::{Called, Job, Raised, Run},
    workers::{Busy, Workers},
};

/// The version of Python in the image; a test asks Python itself.
pub const PYTHON: &str = "3.14.0";
/// Steps that a trace has at most: as many as Python Tutor's.
pub const TRACE_STEPS: u32 = 1_000;

/// Runs a program, with its tests if it has any. A program that is not accepted is not run.
///
/// # Errors
/// All workers have as much as they take; nothing was run.
pub async fn execute(
    workers: &Workers,
    program: &Program,
    now: DateTime<Utc>,
) -> Result<ExecutionResult, Busy> {
    let source = program.code.as_str();
    if source.len() > MAX_SOURCE_BYTES {
        return Ok(too_large(source.len()));
    }
    let limit = program.timeout_ms.map_or_else(|| u64::from(MAX_TIMEOUT_MS), u64::from);
    let job = Job {
        // A byte order mark is an editor's, not the student's.
        source: source.strip_prefix('\u{feff}').unwrap_or(source).to_owned(),
        call: None,
        stdin: program.stdin.clone().map_or_else(String::new, String::from),
        files: program.files.iter().map(|(k, v)| (k.clone().into(), v.clone().into())).collect(),
        seed: program.seed,
        trace_steps: if program.trace { TRACE_STEPS } else { 0 },
        limit: Duration::from_millis(limit),
        now,
    };
    if program.tests.is_empty() {
        let stdin = job.stdin.clone();
        return Ok(result(workers.run(job).await?, source, &stdin));
    }
    tested(workers, &program.tests, job).await
}

/// Runs each case in a fresh state; `tests` has at least one.
async fn tested(workers: &Workers, tests: &[TestCase], job: Job) -> Result<ExecutionResult, Busy> {
    let mut expected = expected_values(workers, tests).await?.into_iter();
    let mut graded = Vec::new();
    let mut shown: Option<ExecutionResult> = None;
    let mut failed = false;
    let (mut left, mut cpu_ms, mut memory_bytes) = (job.limit, 0, 0);
    for test in tests {
        let stdin = test.stdin.clone().map_or_else(|| job.stdin.clone(), String::from);
        let run = workers
            .run(Job {
                call: test.call.clone().map(String::from),
                stdin: stdin.clone(),
                trace_steps: if failed { 0 } else { job.trace_steps },
                limit: left.max(Duration::from_millis(1)),
                ..job.clone()
            })
            .await?;
        left = left.saturating_sub(run.duration);
        let called = run.value.clone();
        let wanted = if test.call.is_some() { expected.next() } else { None };
        let result = result(run, &job.source, &stdin);
        cpu_ms += result.cpu_ms;
        memory_bytes = memory_bytes.max(result.memory_bytes);
        let case = grade(test, &result, called, wanted);
        if shown.is_none() || (!failed && !case.passed) {
            shown = Some(result);
        }
        failed |= !case.passed;
        graded.push(case);
    }
    let duration_ms = milliseconds(job.limit.saturating_sub(left));
    let shown = shown.unwrap_or_else(|| not_run(Verdict::Internal, ExecutionError::default()));
    Ok(ExecutionResult { tests: graded, duration_ms, cpu_ms, memory_bytes, ..shown })
}

/// What the calls should give, in their order. It is worked out by an interpreter that never meets the
/// student's program.
async fn expected_values(
    workers: &Workers,
    tests: &[TestCase],
) -> Result<Vec<Result<Called, String>>, Busy> {
    let calls = tests.iter().filter(|test| test.call.is_some());
    let expressions: Vec<String> = calls.map(|test| test.expected.as_str().to_owned()).collect();
    if expressions.is_empty() { Ok(Vec::new()) } else { workers.values(expressions).await }
}

fn grade(
    test: &TestCase,
    result: &ExecutionResult,
    called: Option<Called>,
    wanted: Option<Result<Called, String>>,
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
    graded.actual = called.as_ref().map_or_else(String::new, |called| called.text.clone());
    match (wanted, called) {
        (Some(Ok(wanted)), Some(called)) => {
            graded.passed = ended_well && wanted.value.equals(&called.value);
        }
        (Some(Err(problem)), _) => {
            graded.problem = Some(format!("«expected» is not a Python expression: {problem}"));
        }
        (Some(Ok(_)) | None, _) => {}
    }
    graded
}

/// Compares lines; white space at the end of a line, or of the output, is no difference.
fn same_output(expected: &str, actual: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    lines(expected) == lines(actual)
}

/// A run as its reader sees it.
#[must_use]
pub fn result(run: Run, source: &str, stdin: &str) -> ExecutionResult {
    let text = |wanted: Stream| -> String {
        run.parts
            .iter()
            .filter(|part| part.stream == wanted)
            .map(|part| part.text.as_str())
            .collect()
    };
    let (stdout, stderr) = (text(Stream::Stdout), text(Stream::Stderr));
    let after = run.duration;
    let error = run.raised.map(|raised| explained(raised, run.verdict, source, stdin, after));
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
        // Made by the guest, so a program that has taken it over can have broken it.
        trace: run.steps.and_then(|json| serde_json::from_str(&json).ok()),
        duration_ms: milliseconds(run.duration),
        cpu_ms: milliseconds(run.cpu),
        memory_bytes: run.memory_bytes,
        python: PYTHON.to_owned(),
    }
}

fn explained(
    raised: Raised,
    verdict: Verdict,
    source: &str,
    stdin: &str,
    after: Duration,
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
    if let Some((kind, message)) = stopped(verdict, error.line, after) {
        if error.kind.is_empty() {
            kind.clone_into(&mut error.kind);
        }
        if error.message.is_empty() {
            error.message = message;
        }
    }
    let told = advice::advise(&advice::Failure {
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
    error.advice = told.map(|told| Advice {
        rule: told.rule.to_owned(),
        what: told.what,
        why: told.why,
        hint: told.hint,
    });
    error
}

/// The name and the message of a limit that was met without an exception.
fn stopped(verdict: Verdict, line: Option<u32>, after: Duration) -> Option<(&'static str, String)> {
    let place = line.map_or_else(String::new, |line| format!(" on line {line}"));
    let seconds = after.as_secs_f64();
    match verdict {
        Verdict::Timeout => Some((
            "Timeout",
            format!(
                "stopped after {seconds:.1} s, while it was{}",
                if place.is_empty() { " running".to_owned() } else { place }
            ),
        )),
        Verdict::MemoryLimit => {
            Some(("MemoryLimit", format!("more than 50 MB were wanted{place}")))
        }
        Verdict::OutputLimit => {
            Some(("OutputLimit", format!("stopped after 128 KB of output{place}")))
        }
        Verdict::Recursion => {
            Some(("RecursionError", format!("calls or data nested too deep{place}")))
        }
        Verdict::Deadlock => {
            Some(("Deadlock", format!("it waits for something that can never happen{place}")))
        }
        Verdict::Aborted => Some(("Aborted", format!("Python itself crashed{place}"))),
        Verdict::Internal => Some(("Internal", "this is our fault, and it is logged".to_owned())),
        _ => None,
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn too_large(bytes: usize) -> ExecutionResult {
    let error = ExecutionError {
        kind: "SourceTooLarge".to_owned(),
        message: format!("a program may have {MAX_SOURCE_BYTES} bytes, this one has {bytes}"),
        ..ExecutionError::default()
    };
    not_run(Verdict::SourceTooLarge, error)
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
