//! Programs that students write, and programs that nobody should: each with its expected verdict, and the conditions
//! that must hold after all of them.
//!
//! Rows are numbered, so that a failure names its row.

mod contract;
mod cpu;
mod curriculum;
mod events;
mod exits;
mod files;
pub(crate) mod grading;
mod hostile;
mod input;
mod memory;
mod output;
mod quality;
mod recursion;
mod search;
mod service;
mod source;
mod tamper;
mod trace;
mod unavailable;

use std::time::{Duration, Instant};

use code_execution::{execute::execute, workers::Workers};
use domain::execution::{ExecutionError, ExecutionResult, MAX_RESULT_BYTES, Program, Verdict};
use futures::{StreamExt as _, stream};
use runtime::Clock;
use serde_json::{Value, json};
use tests::worker_command;

/// Beyond a program's time limit. The aim is 300 ms, which the bench measures on an otherwise idle machine; here other
/// tests and builds may use the processors.
const GRACE_MS: u32 = 1_000;
/// Rows that run at the same time.
const AT_ONCE: usize = 4;
/// How long programs are run again that have not had the processor: other tests keep a machine busy for some seconds at
/// a time, but not for a minute.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program and its expected result.
#[derive(Debug)]
struct Row {
    number: &'static str,
    request: Value,
    verdicts: Vec<Verdict>,
    /// Texts that must appear somewhere: in the output, the error or the advice.
    says: Vec<&'static str>,
    stdout: Option<&'static str>,
}

/// The trace of a run, as JSON.
fn steps(result: &ExecutionResult) -> Value {
    serde_json::to_value(result.trace.as_ref().expect("a trace")).expect("JSON")
}

/// A program that must end with this verdict.
fn row(number: &'static str, code: impl Into<String>, verdict: Verdict) -> Row {
    let request = json!({ "code": code.into() });
    Row { number, request, verdicts: vec![verdict], says: Vec::new(), stdout: None }
}

/// A program that must end well and print exactly this.
fn prints(number: &'static str, code: impl Into<String>, stdout: &'static str) -> Row {
    Row { stdout: Some(stdout), ..row(number, code, Verdict::Ok) }
}

impl Row {
    /// Accepts another verdict, too.
    fn or(mut self, verdict: Verdict) -> Self {
        self.verdicts.push(verdict);
        self
    }

    fn says(mut self, text: &'static str) -> Self {
        self.says.push(text);
        self
    }

    fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.request[field] = value.into();
        self
    }

    /// A shorter limit, for programs that never end by themselves.
    fn limit(self, milliseconds: u32) -> Self {
        self.with("timeout_ms", milliseconds)
    }
}

fn workers() -> Workers {
    Workers::processes(&worker_command(), 1)
}

async fn run(workers: &Workers, request: &Value) -> ExecutionResult {
    let program: Program = serde_json::from_value(request.clone()).expect("a request");
    execute(workers, &program, Clock::System.now()).await.expect("the workers are not busy")
}

/// Runs one program with the defaults.
async fn run_code(code: &str) -> ExecutionResult {
    run(&workers(), &json!({ "code": code })).await
}

/// Runs and checks all rows, and checks that the workers are unharmed; lists all faults.
async fn check(rows: Vec<Row>) {
    let workers = workers();
    let mut outcomes = stream::iter(rows)
        .map(async |row| {
            let result = run(&workers, &row.request).await;
            (row, result)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut found = Vec::new();
    let until = Instant::now() + PATIENCE;
    for (row, result) in &mut outcomes {
        if !row.verdicts.contains(&result.verdict) && is_delayed(result) {
            let again = async || run(&workers, &row.request).await;
            *result = undelayed(until, again, is_delayed).await;
        }
        found.extend(faults(row, result));
    }
    let after = run(&workers, &json!({ "code": "print(1)" })).await;
    if after.verdict != Verdict::Ok || after.stdout != "1\n" {
        found.push(format!("afterwards print(1) gives {after:?}"));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Runs programs until they have had the processor, and no more after `until`.
async fn undelayed<T>(
    until: Instant,
    run: impl AsyncFn() -> T,
    is_delayed: impl Fn(&T) -> bool,
) -> T {
    loop {
        let outcome = run().await;
        if !is_delayed(&outcome) || Instant::now() > until {
            return outcome;
        }
    }
}

/// Whether a program was stopped because other tests and builds had the processor.
fn is_delayed(result: &ExecutionResult) -> bool {
    is_delay(result.error.as_ref())
}

fn is_delay(error: Option<&ExecutionError>) -> bool {
    error.is_some_and(|error| error.message.contains("the machine is busy"))
}

fn faults(row: &Row, result: &ExecutionResult) -> Vec<String> {
    let mut found = Vec::new();
    let text = format!("{}\n{}\n{:?}", result.stdout, result.stderr, result.error);
    if !row.verdicts.contains(&result.verdict) {
        found.push(format!("verdict {:?}, not {:?}", result.verdict, row.verdicts));
    }
    for part in &row.says {
        if !text.contains(part) {
            found.push(format!("it does not say \"{part}\""));
        }
    }
    if row.stdout.is_some_and(|stdout| stdout != result.stdout) {
        found.push("another output".to_owned());
    }
    let limit = row.request["timeout_ms"].as_u64().unwrap_or(5_000);
    if u64::from(result.duration_ms) > limit + u64::from(GRACE_MS) {
        found.push(format!("it ran for {} ms", result.duration_ms));
    }
    if result.stdout.len() + result.stderr.len() > 3 * MAX_RESULT_BYTES {
        found.push("more output than the cap".to_owned());
    }
    for secret in
        ["/0/", "\"/python/", "<frozen runner>/", "/root", "/home", "target/debug", "SECRET"]
    {
        if text.contains(secret) {
            found.push(format!("it shows \"{secret}\""));
        }
    }
    let shown: String = text.chars().take(1_500).collect();
    found.iter().map(|fault| format!("row {}: {fault}\n    {shown}", row.number)).collect()
}
