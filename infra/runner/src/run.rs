//! `learnflow run`: a program, in the same sandbox as a student's.

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
use domain::execution::{ExecutionError, ExecutionResult, Program, Stream};
use runtime::Clock;
use serde_json::{Value, json};

/// The program, and what to show of its run.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The program.
    file: PathBuf,
    /// Files that it finds beside it.
    files: Vec<PathBuf>,
    /// Show each step with its variables.
    #[arg(long)]
    trace: bool,
    /// Print the result as JSON, as `POST /execute` gives it.
    #[arg(long)]
    json: bool,
    /// Milliseconds that it may take, at most 5,000.
    #[arg(long)]
    timeout: Option<u64>,
    /// Makes everything random repeat itself.
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
        crate::say(serde_json::to_string_pretty(&result)?);
        return Ok(ExitCode::from(result.exit_code));
    }
    show(&result)?;
    if let Some(trace) = &result.trace {
        show_steps(trace, &code)?;
    }
    Ok(ExitCode::from(result.exit_code))
}

/// What the program can read. A person is asked only if it could want to read something.
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

/// Each step as a line: where it is, and the variables of its innermost frame.
fn show_steps(trace: &Value, code: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    let lines: Vec<&str> = code.lines().collect();
    for (number, step) in trace["steps"].as_array().into_iter().flatten().enumerate() {
        let line = step["line"].as_u64().and_then(|line| usize::try_from(line).ok()).unwrap_or(0);
        let text = lines.get(line.saturating_sub(1)).copied().unwrap_or_default().trim();
        let frame = step["frames"].as_array().and_then(|frames| frames.last());
        let names = frame.and_then(|frame| frame["locals"].as_object());
        let shown = names.into_iter().flatten().map(|(name, value)| {
            let held = value["ref"].as_u64().map(|number| &step["heap"][number.to_string()]);
            format!("{name}={}", held.map_or_else(|| value.to_string(), summary))
        });
        let names = shown.collect::<Vec<_>>().join(" ");
        let event = step["event"].as_str().unwrap_or_default();
        writeln!(stdout, "{:>4} {event:<9} {line:>4} {text:<40} {names}", number + 1)?;
    }
    if trace["truncated"].as_bool() == Some(true) {
        writeln!(stdout, "… and more steps")?;
    }
    Ok(())
}

fn summary(object: &Value) -> String {
    match (object["items"].as_array(), object["name"].as_str()) {
        (Some(items), _) => {
            format!("{}{}", object["type"].as_str().unwrap_or(""), Value::from(items.clone()))
        }
        (None, Some(name)) => format!("<{} {name}>", object["kind"].as_str().unwrap_or("")),
        (None, None) => format!("<{}>", object["type"].as_str().unwrap_or("")),
    }
}
