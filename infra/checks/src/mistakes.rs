//! Measures how often the debug agent finds the line of a mistake that ends no program: a wrong value.
//!
//! - Tutoring bugs (the Socratic debugging benchmark): asked as a student would who pastes the task with its examples, the
//!   first message of a dialogue, and the program. A line is right if the description of the bug or of its fixes names it;
//!   bugs of which they name none are left out.
//! - Bugs of one line (`QuixBugs`): a line is right if the corrected program has another one there, or if a line is
//!   missing beside it.
//! - Wrong solutions of course tasks (Refactory), every so many: asked by the task's tests. Whether the line is right is
//!   not known: a small change that makes all tests pass proves it; one that makes more of them pass makes it likely, and
//!   so does a line that runs in all tests that fail and in none that passes.
//! - How long the searches take is counted, too: a student waits for them.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    path::Path,
    sync::LazyLock,
};

use agents::{Agent as _, Arrived, Begin as _, Load, Next};
use analysis::Program;
use chrono::{DateTime, Utc};
use code_execution::workers::Workers;
use debug::{Debug, Loaded};
use domain::execution::Verdict;
use events::question_answered::{Answer, Details};
use futures::{StreamExt as _, stream};
use regex::Regex;
use serde_json::json;

use crate::{
    bug::Bug,
    course,
    one_line::{Shows, one_line},
    quality::Share,
    sets::{SetError, TASKS, files, read},
};

const DIALOGUES: &str = "socratic-debugging-benchmark/socratic_debugging_benchmark/v2_sigcse";
/// The parts of the dialogues: the first one is what we develop with, the other one stays unseen.
const DIALOGUE_PARTS: [&str; 2] = ["train", "testset"];
/// Wrong solutions of each task that are tried.
const SOLUTIONS: usize = 30;
/// Most runs for one question: the program's, the search's, and one more.
const RUNS: usize = 4;
/// Programs that run at the same time.
const AT_ONCE: usize = 2;

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\blines? (\d+)(?:(?:,| and|, and| to|-) ?(\d+))?").expect("it is a pattern")
});

/// How the agent does.
#[derive(Debug, Default)]
pub struct Mistakes {
    /// Bugs whose line is found, for each part of the sets.
    pub lines: Vec<(String, Share)>,
    /// Wrong solutions that a small change makes pass, and those of which at least a line is named.
    pub solutions: Vec<(String, Share, Share)>,
    /// How long each search took, in milliseconds.
    pub searches: Vec<u32>,
    /// What was not found.
    pub wrong: Vec<String>,
}

/// What the agent has found.
#[derive(Default)]
struct Found {
    line: Option<u32>,
    is_repaired: bool,
    searched: bool,
    search_ms: Option<u32>,
    said: String,
}

/// Measures what is in a folder that has the repositories of the sets.
///
/// # Errors
/// One of them is unreadable.
pub async fn measure(folder: &Path, workers: &Workers) -> Result<Mistakes, SetError> {
    let mut found = Mistakes::default();
    for part in DIALOGUE_PARTS {
        let bugs = tutoring(&folder.join(DIALOGUES).join(part))?;
        found.count(&format!("tutoring bugs, {part}"), bugs, workers).await;
    }
    let bugs = one_line(&folder.join("QuixBugs"), workers).await?;
    let mut parts = [Vec::new(), Vec::new()];
    // Every second one of those that show in the same way.
    for of in [Shows::Value, Shows::NoValue, Shows::Output] {
        let same = bugs.iter().filter(|(shows, _)| *shows == of);
        same.zip([0, 1].into_iter().cycle())
            .for_each(|((_, bug), part)| parts[part].push(bug.clone()));
    }
    for (name, bugs) in ["even", "odd"].into_iter().zip(parts) {
        found.count(&format!("bugs of one line, {name}"), bugs, workers).await;
    }
    for (name, tasks) in TASKS {
        let mut bugs = Vec::new();
        for task in tasks {
            bugs.extend(solutions(&folder.join(format!("refactory/data/question_{task}")))?);
        }
        let (mut repaired, mut located) = (Share::default(), Share::default());
        for (bug, of) in asked(bugs, workers).await.into_iter().filter(|(_, of)| of.searched) {
            found.searches.extend(of.search_ms);
            repaired.count(of.is_repaired);
            located.count(of.line.is_some());
            if of.line.is_none() {
                found.wrong.push(format!("{}: {}", bug.name, of.said));
            }
        }
        found.solutions.push((name.to_owned(), repaired, located));
    }
    Ok(found)
}

impl Mistakes {
    async fn count(&mut self, name: &str, bugs: Vec<Bug>, workers: &Workers) {
        let mut share = Share::default();
        for (bug, of) in asked(bugs, workers).await {
            self.searches.extend(of.search_ms);
            let is_right = of.line.is_some_and(|line| bug.lines.contains(&line));
            share.count(is_right);
            if !is_right {
                let Bug { name: bug, lines, .. } = &bug;
                self.wrong.push(format!("{name}: {bug}: {:?} for {lines:?}: {}", of.line, of.said));
            }
        }
        self.lines.push((name.to_owned(), share));
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Wrong values whose line is found:")?;
        self.lines.iter().try_for_each(|(name, share)| writeln!(f, "  {name}: {share}"))?;
        for (name, repaired, located) in &self.solutions {
            writeln!(f, "  {name}: {repaired} repaired, {located} at least located")?;
        }
        let mut searches = self.searches.clone();
        searches.sort_unstable();
        let part = |percent: usize| searches.get(searches.len() * percent / 100).copied();
        if let (Some(half), Some(most)) = (part(50), part(95)) {
            let count = searches.len();
            writeln!(f, "  {count} searches: p50 {half} ms, p95 {most} ms")?;
        }
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "  {}", wrong.replace('\n', " ")))
    }
}

async fn asked(bugs: Vec<Bug>, workers: &Workers) -> Vec<(Bug, Found)> {
    let asked = stream::iter(bugs).map(async |bug| {
        let found = ask(&bug, workers).await;
        (bug, found)
    });
    asked.buffered(AT_ONCE).collect().await
}

/// Asks the agent, and runs what it wants to have run.
async fn ask(bug: &Bug, workers: &Workers) -> Found {
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let id = "00000000-0000-0000-0000-000000000001";
    let request = json!({ "query_id": id, "student_id": id, "question": bug.question, "code": bug.code,
        "level": "learning", "routing": { "agent": "debug", "confidence": 1.0, "reasons": [] } });
    let Ok(request) = serde_json::from_value(request) else { return Found::default() };
    let mut step = Debug::begin(Loaded { request, exercise: None }, now);
    let mut found = Found::default();
    for _ in 0..RUNS {
        step = match step.next {
            Next::Run(run) => {
                let run = *run;
                let result = course::run_program(workers, &run.program).await;
                let answer = result.stdout.lines().next_back().unwrap_or_default();
                if run.program.code.as_str().starts_with("TASK = ") {
                    found.search_ms = Some(result.duration_ms);
                }
                found.searched |= !result.tests.is_empty() && result.verdict == Verdict::Ok;
                found.is_repaired |= answer.contains("\"mends_all\": true");
                Debug::resume(Arrived::Run { state: run.state, result: Box::new(result) }, now)
            }
            Next::Load(Load::Ladder { then, .. }) => then(None),
            Next::Ask(ask) => {
                if let Some(fallback) = ask.fallback {
                    found.note(&fallback.reply.answer);
                }
                return found;
            }
            Next::Answer(reply) => {
                found.note(&reply.answer);
                return found;
            }
            _ => return found,
        };
    }
    found
}

impl Found {
    fn note(&mut self, answer: &Answer) {
        if let Some(Details::Debug(diagnosis)) = &answer.details {
            self.line = diagnosis.error.line;
        }
        self.said = answer.content.chars().take(300).collect();
    }
}

/// The bugs of the dialogues, each once.
fn tutoring(folder: &Path) -> Result<Vec<Bug>, SetError> {
    let mut seen = HashSet::new();
    let mut bugs = Vec::new();
    for path in files(folder)? {
        let text = read(&path)?;
        let part = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            rest.split_once(&format!("</{name}>")).map(|(part, _)| part.trim_matches('\n'))
        };
        let (Some(task), Some(numbered), Some(dialogue)) =
            (part("problem"), part("bug_code"), part("dialogue"))
        else {
            continue;
        };
        let fixes = [part("bug_fixes"), part("bug_desc")].map(Option::unwrap_or_default).join("\n");
        let first = dialogue.lines().find_map(|line| line.strip_prefix("User: "));
        let code = without_numbers(numbered);
        let lines = named_lines(&fixes);
        if !lines.is_empty() && seen.insert(code.clone()) {
            bugs.push(Bug {
                name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                code,
                question: format!("{}\n\n{task}", first.unwrap_or_default()),
                lines,
            });
        }
    }
    Ok(bugs)
}

/// The program, whose lines are numbered in one of two ways: with a space after the number, or in columns.
fn without_numbers(numbered: &str) -> String {
    let after_number = |line: &str| {
        let rest = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        format!("{}\n", rest.strip_prefix(' ').unwrap_or(rest))
    };
    let from_column = |line: &str| format!("{}\n", line.get(3..).unwrap_or_default());
    let code: String = numbered.lines().map(after_number).collect();
    match Program::read(&code) {
        Ok(_) => code,
        Err(_) => {
            let other: String = numbered.lines().map(from_column).collect();
            if Program::read(&other).is_ok() { other } else { code }
        }
    }
}

fn named_lines(text: &str) -> BTreeSet<u32> {
    let numbers = LINE.captures_iter(text).flat_map(|found| {
        [found.get(1), found.get(2)].into_iter().flatten().filter_map(|n| n.as_str().parse().ok())
    });
    numbers.collect()
}

/// Wrong solutions of a task, spread evenly.
fn solutions(folder: &Path) -> Result<Vec<Bug>, SetError> {
    let mut tests = String::new();
    for path in files(&folder.join("ans"))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(number) = name.strip_prefix("input_") {
            let expected = read(&folder.join(format!("ans/output_{number}")))?;
            tests += &format!("{} should be {}\n", read(&path)?.trim(), expected.trim());
        }
    }
    let wrong = files(&folder.join("code/wrong"))?;
    let every = wrong.len().div_ceil(SOLUTIONS).max(1);
    let mut bugs = Vec::new();
    for path in wrong.iter().step_by(every) {
        bugs.push(Bug {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            code: read(path)?,
            question: format!("My solution is wrong. {tests}"),
            lines: BTreeSet::new(),
        });
    }
    Ok(bugs)
}

#[cfg(test)]
mod tests {
    use super::{named_lines, without_numbers};

    #[test]
    fn the_right_lines_are_read_from_the_sets() {
        assert_eq!(named_lines("On line 11, … lines 3 and 4"), [3, 4, 11].into());
        assert_eq!(without_numbers("9. if x:\n10.  y = 1"), "if x:\n y = 1\n");
        let in_columns = "8. if x:\n9.     z = 1\n10.    y = 1";
        assert_eq!(without_numbers(in_columns), "if x:\n    z = 1\n    y = 1\n");
    }
}
