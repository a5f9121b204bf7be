//! The programs of `QuixBugs`, each with a bug in one line, asked as a student would who has seen it go wrong.
//!
//! Most have tests with plain values: asked is by the first of them that goes wrong. Those that work with graphs and
//! linked lists have a program that prints: it is asked with it, and by what it should print.

use std::path::Path;

use code_execution::workers::Workers;
use domain::execution::{ExecutionResult, Verdict};
use serde_json::{Value, json};

use crate::{
    course,
    mistakes::{Bug, changed},
    sets::{SetError, files, read},
};

/// How a program shows that it is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// With another value than the expected one.
    Value,
    /// With an exception, or it does not end.
    NoValue,
    /// By what it prints.
    Output,
}

/// All programs whose bug shows.
pub(crate) async fn one_line(
    folder: &Path,
    workers: &Workers,
) -> Result<Vec<(Shows, Bug)>, SetError> {
    let mut bugs = Vec::new();
    for path in files(&folder.join("correct_python_programs"))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let tests = folder.join(format!("json_testcases/{name}.json"));
        let driver = folder.join(format!("correct_python_programs/{name}_test.py"));
        let buggy = folder.join(format!("python_programs/{name}.py"));
        if !buggy.exists() {
            continue;
        }
        let (code, all_corrected) = (without_text(&read(&buggy)?), read(&path)?);
        let corrected = without_text(&all_corrected);
        let versions = versions(&name, &all_corrected);
        let lines = versions.iter().flat_map(|version| changed(&code, version)).collect();
        let asked = if tests.exists() {
            called_wrong(&name, &code, &read(&tests)?, workers).await
        } else if driver.exists() {
            let node = read(&folder.join("correct_python_programs/node.py"))?;
            let driver = format!("\n{node}\n{}", without_imports(&read(&driver)?));
            prints_wrong([&code, &corrected].map(|code| format!("{code}{driver}")), workers).await
        } else {
            None
        };
        if let Some((shows, code, question)) = asked {
            bugs.push((shows, Bug { name, code, question, lines }));
        }
    }
    Ok(bugs)
}

/// A program without what is said about it below.
fn without_text(code: &str) -> String {
    let code = code.split("\n\"\"\"").next().unwrap_or_default().trim_end();
    format!("{code}\n")
}

/// The corrected program, and other corrections that stand below it.
fn versions(name: &str, corrected: &str) -> Vec<String> {
    let definition = format!("\ndef {name}(");
    let corrected = format!("\n{corrected}");
    let mut parts = corrected.split(&definition);
    let before = parts.next().unwrap_or_default();
    let of_function = |line: &&str| line.is_empty() || line.starts_with(' ');
    let bodies = parts.map(|part| {
        let mut lines = part.lines();
        let first = lines.next().unwrap_or_default();
        let rest: Vec<&str> = lines.take_while(of_function).collect();
        format!("{before}{definition}{first}\n{}\n", rest.join("\n"))
    });
    bodies.collect()
}

/// A module's statements as part of the program that it imports.
fn without_imports(module: &str) -> String {
    let lines = module.lines().filter(|line| !line.starts_with("from ."));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The program and a question about the first test that goes wrong.
async fn called_wrong(
    name: &str,
    code: &str,
    tests: &str,
    workers: &Workers,
) -> Option<(Shows, String, String)> {
    for case in tests.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let values = match &case[0] {
            Value::Array(values) => values.clone(),
            value => vec![value.clone()],
        };
        let call = match code.contains("yield ") {
            true => format!("list({})", called(name, &values)),
            false => called(name, &values),
        };
        let expected = python(&case[1]);
        let test = json!({ "name": "test", "call": call, "expected": expected });
        let result = run(&json!({ "code": code, "tests": [test] }), workers).await?;
        let Some(test) = result.tests.first().filter(|test| !test.passed) else { continue };
        let (shows, does) = match (test.verdict, &test.error) {
            (Verdict::Ok, _) => (Shows::Value, format!("gives `{}`", test.actual)),
            (Verdict::Timeout, _) => (Shows::NoValue, "never ends".to_owned()),
            (_, Some(error)) => {
                (Shows::NoValue, format!("ends with `{}: {}`", error.kind, error.message))
            }
            (_, None) => return None,
        };
        let question = format!("`{call}` {does}, but it should be `{expected}`.");
        return Some((shows, code.to_owned(), question));
    }
    None
}

/// A program that prints something else than the corrected one, and a question about it.
async fn prints_wrong(
    [code, corrected]: [String; 2],
    workers: &Workers,
) -> Option<(Shows, String, String)> {
    let expected = run(&json!({ "code": corrected }), workers).await?.stdout;
    let result = run(&json!({ "code": code }), workers).await?;
    let does = match (result.verdict, &result.error) {
        (Verdict::Ok, _) if result.stdout == expected => return None,
        (Verdict::Ok, _) => format!("It prints:\n\n```\n{}```", result.stdout),
        (Verdict::Timeout, _) => "It never ends.".to_owned(),
        (_, error) => {
            let error = error.as_ref()?;
            format!("It ends with `{}: {}`.", error.kind, error.message)
        }
    };
    let question = format!("{does}\n\nIt should print:\n\n```\n{expected}```");
    Some((Shows::Output, code, question))
}

async fn run(program: &Value, workers: &Workers) -> Option<ExecutionResult> {
    let program = serde_json::from_value(program.clone()).ok()?;
    Some(course::run_program(workers, &program).await)
}

fn called(function: &str, values: &[Value]) -> String {
    format!("{function}({})", values.iter().map(python).collect::<Vec<_>>().join(", "))
}

/// A value as Python writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(python).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
