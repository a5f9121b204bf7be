//! The programs of `QuixBugs`, each with a bug in one line, asked as a student would who has seen it go wrong.
//!
//! Most have tests with plain values: asked is by the first of them that goes wrong. Those that work with graphs and
//! linked lists have a program that prints: it is asked with it, and by what it should print.

use std::{collections::BTreeSet, path::Path};

use code_execution::workers::Workers;
use domain::execution::{ExecutionResult, Verdict};
use serde_json::{Value, json};

use crate::{
    bug::Bug,
    course,
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
        let own = changed(&code, &corrected);
        let others = versions(&name, &all_corrected);
        let others = others.iter().map(|version| changed(&code, version));
        // Another correction may change no more.
        let others = others.filter(|lines| lines.len() <= own.len()).flatten();
        let lines = own.iter().copied().chain(others).collect();
        let asked = if tests.exists() {
            called_wrong(&name, [&code, &corrected], &read(&tests)?, workers).await
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

/// The corrected program with each of the functions that stand below it, as other corrections, in place of its own.
fn versions(name: &str, all: &str) -> Vec<String> {
    let definition = format!("\ndef {name}(");
    let all = format!("\n{all}");
    let is_of_function = |line: &&str| line.is_empty() || line.starts_with(' ');
    let Some((before, rest)) = all.split_once(&definition) else { return Vec::new() };
    let (own, below) = rest.split_once("\n\"\"\"").unwrap_or((rest, ""));
    let after: Vec<&str> = own.lines().skip(1).skip_while(is_of_function).collect();
    let bodies = below.split(&definition).skip(1).map(|part| {
        let mut lines = part.lines();
        let first = lines.next().unwrap_or_default();
        let body: Vec<&str> = lines.take_while(is_of_function).collect();
        format!("{before}{definition}{first}\n{}\n{}\n", body.join("\n"), after.join("\n"))
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
    [code, corrected]: [&str; 2],
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
        let tested = async |code: &str, expected: &str| {
            let test = json!({ "name": "test", "call": call, "expected": expected });
            let result = run(&json!({ "code": code, "tests": [test] }), workers).await?;
            result.tests.into_iter().next()
        };
        // What is expected is what the corrected program gives: the tests are in JSON, which has no tuples.
        let mut expected = python(&case[1]);
        let right = tested(corrected, &expected).await?;
        if right.verdict != Verdict::Ok {
            continue;
        }
        if !right.passed {
            expected = right.actual;
        }
        let test = tested(code, &expected).await?;
        if test.passed {
            continue;
        }
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

/// The lines of a program that a corrected one does not have; where it only has more, those beside them. Comments and
/// empty lines do not count.
fn changed(code: &str, corrected: &str) -> BTreeSet<u32> {
    let (ours, theirs) = (numbered(code), numbered(corrected));
    // How many lines are the same from here on, at most.
    let mut same = vec![vec![0_usize; theirs.len() + 1]; ours.len() + 1];
    for (at, (_, line)) in ours.iter().enumerate().rev() {
        for (of, (_, other)) in theirs.iter().enumerate().rev() {
            same[at][of] = match line == other {
                true => same[at + 1][of + 1] + 1,
                false => same[at + 1][of].max(same[at][of + 1]),
            };
        }
    }
    let (mut at, mut of) = (0, 0);
    let (mut changed, mut beside) = (BTreeSet::new(), BTreeSet::new());
    while at < ours.len() || of < theirs.len() {
        if at < ours.len() && of < theirs.len() && ours[at].1 == theirs[of].1 {
            (at, of) = (at + 1, of + 1);
        } else if at < ours.len() && (of == theirs.len() || same[at + 1][of] >= same[at][of + 1]) {
            changed.insert(ours[at].0);
            at += 1;
        } else {
            let before = at.checked_sub(1).and_then(|before| ours.get(before));
            beside.extend(before.into_iter().chain(ours.get(at)).map(|(number, _)| *number));
            of += 1;
        }
    }
    if changed.is_empty() { beside } else { changed }
}

/// The lines that do something, with their numbers.
fn numbered(code: &str) -> Vec<(u32, &str)> {
    let lines = (1..).zip(code.lines().map(str::trim_end));
    lines.filter(|(_, line)| !line.is_empty() && !line.trim_start().starts_with('#')).collect()
}

#[cfg(test)]
mod tests {
    use super::{changed, versions};

    #[test]
    fn the_right_lines_are_those_that_a_correction_changes() {
        assert_eq!(changed("a\nb\nc\n", "a\nx\nc\n"), [2].into());
        assert_eq!(changed("a\nc\n", "a\nb\nc\n"), [1, 2].into());
        assert_eq!(changed("a\n# b\nc\n", "a\nc\n"), [].into());
        let all = "def f(n):\n    return 1\n\ndef g():\n    pass\n\"\"\"\ndef f(n):\n    return 2\n\"\"\"\n";
        let with_other = "\n\ndef f(n):\n    return 2\n\ndef g():\n    pass\n";
        let lines = |text: &str| {
            text.lines().filter(|l| !l.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let versions = versions("f", all);
        assert_eq!(
            versions.iter().map(|text| lines(text)).collect::<Vec<_>>(),
            [lines(with_other)]
        );
    }
}
