//! `learnflow run`: runs a program in the same sandbox as a student's.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, IsTerminal, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use code_execution::{execute::execute, workers::Workers};
use domain::{
    execution::{ExecutionError, ExecutionResult, Program, Stream},
    trace::{Trace, TraceObject, TraceStep, TraceValue},
};
use runtime::Clock;
use serde_json::json;

use crate::terminal::say;

/// The program, and what to show of its run.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The program.
    file: PathBuf,
    /// Files to put next to the program.
    files: Vec<PathBuf>,
    /// Show each step with its variables.
    #[arg(long)]
    trace: bool,
    /// Print the result as JSON, as `POST /execute` returns it.
    #[arg(long)]
    json: bool,
    /// Time limit in milliseconds, at most 5,000.
    #[arg(long)]
    timeout: Option<u64>,
    /// Seed for random numbers, to make runs reproducible.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) async fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let read = |path: &PathBuf| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let code = read(&arguments.file)?;
    let mut files = BTreeMap::new();
    for path in &arguments.files {
        let name = path.file_name().and_then(|name| name.to_str());
        files.insert(name.context("a file has no name")?.to_owned(), read(path)?);
    }
    let request = json!({
        "code": code,
        "stdin": input(&code)?,
        "files": files,
        "timeout_ms": arguments.timeout,
        "seed": arguments.seed,
        "trace": arguments.trace,
    });
    let program: Program = serde_json::from_value(request).context("it cannot be run")?;
    let workers = Workers::thread(code_execution::built_image())?;
    let result = execute(&workers, &program, Clock::System.now()).await?;
    if arguments.json {
        say(serde_json::to_string_pretty(&result)?);
        return Ok(ExitCode::from(result.exit_code));
    }
    show(&result)?;
    if let Some(trace) = &result.trace {
        show_steps(trace, &code)?;
    }
    Ok(ExitCode::from(result.exit_code))
}

/// The program's standard input. A terminal is read only if the program could ask for input.
fn input(code: &str) -> anyhow::Result<String> {
    let mut stdin = io::stdin();
    let mut text = String::new();
    if stdin.is_terminal() {
        if !code.contains("input") && !code.contains("stdin") {
            return Ok(text);
        }
        writeln!(io::stderr(), "The program's input, then Ctrl-D:")?;
    }
    stdin.read_to_string(&mut text).context("the input is not UTF-8")?;
    Ok(text)
}

fn show(result: &ExecutionResult) -> io::Result<()> {
    for part in &result.transcript {
        let bytes = part.text.as_bytes();
        match part.stream {
            Stream::Stdout => io::stdout().write_all(bytes)?,
            Stream::Stderr => io::stderr().write_all(bytes)?,
        }
    }
    io::stdout().flush()?;
    let Some(error) = &result.error else { return Ok(()) };
    let mut stderr = io::stderr();
    if error.traceback.is_empty() {
        let ExecutionError { kind, message, .. } = error;
        writeln!(stderr, "{kind}: {message}")?;
    }
    if let Some(advice) = &error.advice {
        writeln!(stderr, "\n{}\n{}\n{}", advice.what, advice.why, advice.hint)?;
    }
    Ok(())
}

/// Each step as a line: its position, and the variables of its innermost frame.
fn show_steps(trace: &Trace, code: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout();
    let lines: Vec<&str> = code.lines().collect();
    for (number, step) in trace.steps.iter().enumerate() {
        let line = usize::try_from(step.line)?;
        let text = lines.get(line.saturating_sub(1)).copied().unwrap_or_default().trim();
        let locals = step.frames.last().map(|frame| &frame.locals);
        let names = locals.into_iter().flatten();
        let shown: Vec<String> = names
            .map(|(name, value)| Ok(format!("{name}={}", summary(value, step)?)))
            .collect::<serde_json::Result<_>>()?;
        let (event, names) = (step.event.as_str(), shown.join(" "));
        writeln!(stdout, "{:>4} {event:<9} {line:>4} {text:<40} {names}", number + 1)?;
    }
    if trace.truncated {
        writeln!(stdout, "… and more steps")?;
    }
    Ok(())
}

/// A value in one line: an object's content, or its kind.
fn summary(value: &TraceValue, step: &TraceStep) -> serde_json::Result<String> {
    let object = match value {
        TraceValue::Object { r#ref } => step.heap.get(&r#ref.to_string()),
        _ => None,
    };
    Ok(match object {
        None => serde_json::to_string(value)?,
        Some(TraceObject { class, items: Some(items), .. }) => {
            format!("{class}{}", serde_json::to_string(items)?)
        }
        Some(TraceObject { kind, name: Some(name), .. }) => format!("<{} {name}>", kind.as_str()),
        Some(TraceObject { class, .. }) => format!("<{class}>"),
    })
}
