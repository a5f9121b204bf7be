//! Measures what is said of names without a value, and of pasted error messages, with wrong solutions of course tasks
//! (Refactory) that end with an exception when they are run with the task's tests.
//!
//! - A `NameError` or `UnboundLocalError` is named from the text if the review, which runs nothing, has a finding of one
//!   of `RULES` about the name in Python's message. A right solution in which it finds a name that never has a value is
//!   told something false.
//! - A traceback is read rightly if the debug agent, given the program and the traceback alone, names the class and the
//!   line that the run has shown.

use std::{fmt, path::Path};

use analysis::review::review;
use code_execution::workers::Workers;
use debug::cases::Case;
use domain::execution::{ExecutionError, ExecutionResult};
use futures::{StreamExt as _, stream};
use serde_json::json;

use crate::{
    course,
    quality::Share,
    sets::{SetError, TASKS, files, read},
};

/// What the review finds about names without a value.
const RULES: [&str; 4] =
    ["undefined_name", "local_before_value", "maybe_no_value", "result_not_stored"];
/// What it says of a name that has no value however the program runs.
const NEVER: [&str; 2] = ["undefined_name", "local_before_value"];
/// Programs that run at the same time.
const AT_ONCE: usize = 2;

/// How one part of the tasks does.
#[derive(Debug, Default)]
pub struct Part {
    /// `NameError`s whose name is found in the text.
    pub names: Share,
    /// `UnboundLocalError`s whose name is found in the text.
    pub unbound: Share,
    /// Right solutions that are told of no such name.
    pub right: Share,
    /// Tracebacks whose class and line are read.
    pub tracebacks: Share,
    /// What was not found, or is false.
    pub wrong: Vec<String>,
}

/// How both parts do.
#[derive(Debug, Default)]
pub struct Errors {
    /// The parts by their names.
    pub parts: Vec<(String, Part)>,
}

/// Runs all wrong solutions of a folder that has `refactory/data`.
///
/// # Errors
/// One of its files is unreadable.
pub async fn measure(folder: &Path, workers: &Workers) -> Result<Errors, SetError> {
    let mut found = Errors::default();
    for (name, tasks) in TASKS {
        let mut part = Part::default();
        for task in tasks {
            let folder = folder.join(format!("refactory/data/question_{task}"));
            let task = Task::read(&folder)?;
            for path in files(&folder.join("code/correct"))? {
                part.count_right(&path, &read(&path)?);
            }
            let mut wrong = Vec::new();
            for path in files(&folder.join("code/wrong"))? {
                let code = read(&path)?;
                wrong.push((path, code));
            }
            let runs = stream::iter(wrong).map(async |(path, code)| {
                let error = task.error(&code, workers).await;
                (path, code, error)
            });
            let runs: Vec<_> = runs.buffered(AT_ONCE).collect().await;
            for (path, code, error) in runs {
                if let Some(error) = error {
                    part.count(&path, code, &error);
                }
            }
        }
        found.parts.push((name.to_owned(), part));
    }
    Ok(found)
}

/// What all solutions of a task are run with.
struct Task {
    calls: Vec<String>,
    /// Names that the task gives to all solutions.
    given: String,
}

impl Task {
    fn read(folder: &Path) -> Result<Self, SetError> {
        let mut calls = Vec::new();
        for path in files(&folder.join("ans"))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("input_") {
                calls.push(read(&path)?.trim().to_owned());
            }
        }
        let given = folder.join("code/global.py");
        let given = if given.exists() { read(&given)? } else { String::new() };
        Ok(Self { calls, given })
    }

    /// The first exception that ends a solution in its tests.
    async fn error(&self, code: &str, workers: &Workers) -> Option<ExecutionError> {
        let tests = self
            .calls
            .iter()
            .map(|call| json!({ "name": "test", "call": call, "expected": "None" }))
            .collect::<Vec<_>>();
        let program = json!({ "code": format!("{code}\n{}", self.given), "tests": tests });
        let program = serde_json::from_value(program).ok()?;
        let result: ExecutionResult = course::run_program(workers, &program).await;
        result.tests.into_iter().find_map(|test| test.error)
    }
}

impl Part {
    fn count(&mut self, path: &Path, code: String, error: &ExecutionError) {
        let quoted = error.message.split('\'').nth(1).unwrap_or_default();
        let is_named = || {
            let quoted = format!("`{quoted}`");
            let about =
                |rule: &str, message: &str| RULES.contains(&rule) && message.contains(&quoted);
            review(&code).findings.iter().any(|found| about(found.rule.name, &found.message))
        };
        let share = match error.kind.as_str() {
            "NameError" => Some(&mut self.names),
            "UnboundLocalError" => Some(&mut self.unbound),
            _ => None,
        };
        if let Some(share) = share {
            let is_named = is_named();
            share.count(is_named);
            if !is_named {
                self.wrong.push(format!("{}: {} is not named", path.display(), error.message));
            }
        }
        let Some(line) = error.line.filter(|_| !error.traceback.is_empty()) else { return };
        let case = Case {
            code,
            report: error.traceback.clone(),
            error: error.kind.clone(),
            line: Some(line),
        };
        let finding = case.found(None);
        let is_read = finding.kind == error.kind && finding.line == Some(line);
        self.tracebacks.count(is_read);
        if !is_read {
            self.wrong.push(format!(
                "{}: {} on {:?}, not {} on {line}",
                path.display(),
                finding.kind,
                finding.line,
                error.kind
            ));
        }
    }

    fn count_right(&mut self, path: &Path, code: &str) {
        let findings = review(code).findings;
        let invented = findings.iter().find(|found| NEVER.contains(&found.rule.name));
        self.right.count(invented.is_none());
        self.wrong.extend(invented.map(|found| format!("{}: {}", path.display(), found.message)));
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Names without a value, and tracebacks:")?;
        for (name, part) in &self.parts {
            writeln!(
                f,
                "  {name}: NameError named from the text {}, UnboundLocalError {}, right programs told of none {}, \
                 class and line read from a traceback {}",
                part.names, part.unbound, part.right, part.tracebacks
            )?;
            part.wrong
                .iter()
                .try_for_each(|wrong| writeln!(f, "  - {}", wrong.replace('\n', " ")))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Part;
    use domain::execution::ExecutionError;
    use std::path::Path;

    fn error(kind: &str, message: &str) -> ExecutionError {
        let traceback = format!(
            "Traceback (most recent call last):\n  File \"/main.py\", line 2, in f\n    return total\n{kind}: {message}\n"
        );
        let (kind, message) = (kind.to_owned(), message.to_owned());
        ExecutionError { kind, message, line: Some(2), traceback, ..ExecutionError::default() }
    }

    #[test]
    fn a_name_counts_if_the_review_names_it() {
        let mut part = Part::default();
        let missing = error("NameError", "name 'total' is not defined");
        part.count(Path::new("a.py"), "def f(n):\n    return total\n".to_owned(), &missing);
        assert_eq!((part.names.right, part.names.all, part.tracebacks.right), (1, 1, 1));
        part.count(
            Path::new("b.py"),
            "total = 1\n\ndef f(n):\n    return total\n".to_owned(),
            &missing,
        );
        assert_eq!((part.names.right, part.names.all), (1, 2));
        assert!(part.wrong[0].contains("b.py"), "{:?}", part.wrong);
    }

    #[test]
    fn a_right_program_that_is_told_of_a_missing_name_is_told_something_false() {
        let mut part = Part::default();
        part.count_right(Path::new("a.py"), "def f(n):\n    return n\n");
        part.count_right(Path::new("b.py"), "def f(n):\n    return total\n");
        assert_eq!((part.right.right, part.right.all), (1, 2));
    }
}
