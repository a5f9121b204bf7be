//! Measures how triage reads questions that strangers asked: first messages of tutoring dialogues (the Socratic
//! debugging benchmark), and questions to teaching assistants (CS1QA).

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use domain::agent::Agent;
use serde_json::Value;
use triage::classify::{Context, classify};

use crate::quality::Share;

/// Where the dialogues are: a file for each, in parts.
const DIALOGUES: &str = "socratic-debugging-benchmark/socratic_debugging_benchmark/v2_sigcse";
/// The parts of the dialogues: the first one is what we develop with, the other one stays unseen.
const DIALOGUE_PARTS: [&str; 2] = ["train", "testset"];
/// Where the questions are: a JSON object in each line, in parts.
const QUESTIONS: &str = "CS1QA/src/answer_retrieval";
const QUESTION_PARTS: [&str; 3] = ["q_train", "q_dev", "q_test"];

/// A set cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum QuestionsError {
    /// A file or folder.
    #[error("cannot read {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line that is no JSON.
    #[error("{path} has a line that is no JSON")]
    Line {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// How triage does, for each part of the sets.
#[derive(Debug, Default)]
pub struct Report {
    /// For each part of the dialogues: first messages that go to debug, with the program and without it.
    pub dialogues: Vec<(&'static str, Share, Share)>,
    /// For each part of the questions: those that are not sent away as off-topic, without anything attached.
    pub questions: Vec<(&'static str, Share)>,
    /// What went wrong.
    pub wrong: Vec<String>,
}

/// Measures what is in a folder that has the repositories of the sets.
///
/// # Errors
/// If a set is missing or unreadable.
pub fn measure(folder: &Path) -> Result<Report, QuestionsError> {
    let mut report = Report::default();
    for part in DIALOGUE_PARTS {
        let (mut with, mut without) = (Share::default(), Share::default());
        for dialogue in dialogues(&folder.join(DIALOGUES).join(part))? {
            let Dialogue { message, code } = &dialogue;
            for (share, code) in [(&mut with, Some(code.as_str())), (&mut without, None)] {
                let routing = classify(&Context { question: message, code, ..Context::default() });
                share.count(routing.agent == Agent::Debug);
                if routing.agent != Agent::Debug {
                    report.wrong.push(format!("{part}: {message:?} {}", routing.agent.as_str()));
                }
            }
        }
        report.dialogues.push((part, with, without));
    }
    for part in QUESTION_PARTS {
        let mut kept = Share::default();
        for question in asked(&folder.join(QUESTIONS).join(format!("{part}.jsonl")))? {
            let routing = classify(&Context { question: &question, ..Context::default() });
            kept.count(routing.agent != Agent::OffTopic);
            if routing.agent == Agent::OffTopic {
                report.wrong.push(format!("{part}: {question:?} off_topic"));
            }
        }
        report.questions.push((part, kept));
    }
    Ok(report)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "First messages of tutoring dialogues that go to debug:")?;
        for (part, with, without) in &self.dialogues {
            writeln!(f, "  {part}: {with} with the program, {without} without it")?;
        }
        writeln!(f, "Questions to teaching assistants that are not called off-topic:")?;
        for (part, kept) in &self.questions {
            writeln!(f, "  {part}: {kept}")?;
        }
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "  {wrong}"))
    }
}

/// The first message of a dialogue, and the program that it is about.
struct Dialogue {
    message: String,
    code: String,
}

fn read(path: &Path) -> Result<String, QuestionsError> {
    fs::read_to_string(path)
        .map_err(|source| QuestionsError::Read { path: path.to_owned(), source })
}

fn dialogues(folder: &Path) -> Result<Vec<Dialogue>, QuestionsError> {
    let unreadable = |source| QuestionsError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let texts: Result<Vec<String>, _> = paths.iter().map(|path| read(path)).collect();
    Ok(texts?.iter().filter_map(|text| dialogue(text)).collect())
}

/// `<bug_code>` has numbered lines; after `<dialogue>`, `User:` begins a message and a tag or `Assistant:` ends it.
fn dialogue(text: &str) -> Option<Dialogue> {
    let code = text.split_once("<bug_code>")?.1.split_once("</bug_code>")?.0;
    let unnumbered = |line: &str| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.strip_prefix(". ").or_else(|| rest.strip_prefix('.')).unwrap_or(rest).to_owned()
    };
    let code: Vec<String> = code.trim_matches('\n').lines().map(unnumbered).collect();
    let said = text.split_once("<dialogue>")?.1.split_once("User:")?.1;
    let ends = ["Assistant:", "User:", "<alt>", "</dialogue>"];
    let end = ends.iter().filter_map(|end| said.find(end)).min().unwrap_or(said.len());
    Some(Dialogue { message: said[..end].trim().to_owned(), code: code.join("\n") })
}

fn asked(path: &Path) -> Result<Vec<String>, QuestionsError> {
    let text = read(path)?;
    let mut questions = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line)
            .map_err(|source| QuestionsError::Line { path: path.to_owned(), source })?;
        questions.extend(value["text"].as_str().map(str::to_owned));
    }
    Ok(questions)
}

#[cfg(test)]
mod tests {
    use super::dialogue;

    #[test]
    fn a_dialogue_gives_its_first_message_and_its_program() {
        let text = "<bug_code>\n1. def f(n):\n2.   return n\n</bug_code>\n<dialogue>\nUser: It is wrong.\nAssistant: Why?\n</dialogue>";
        let dialogue = dialogue(text).unwrap();
        assert_eq!(dialogue.message, "It is wrong.");
        assert_eq!(dialogue.code, "def f(n):\n  return n");
    }
}
