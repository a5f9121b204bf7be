//! Measures the review with programs that strangers wrote.
//!
//! Of right ones none should be told an error (Refactory's course tasks, Exercism's references, `HumanEval`'s solutions);
//! of programs that each show one misconception (`McMiner`) the review should name it.
//!
//! The rule for misconceptions: one is named in a program if the review has a finding of one of the rules that
//! `labels/misconceptions.csv` gives for it, and it is named if that is so in more than half of its programs. Of
//! programs that the set calls harmful only those count, if there are any; a misconception matters if more than half of
//! its programs are harmful. Even numbers were unseen while the rules were written; their labels were written from
//! their descriptions. Rules that these descriptions suggested came after that look.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use analysis::review::{Severity, review};
use serde_json::Value;

use crate::quality::Share;

const LABELS: &str = include_str!("../labels/misconceptions.csv");
/// Tasks of Refactory by which the rules were made better, and the others.
const TASKS: [(&str, &[u8]); 2] =
    [("Refactory 1 to 3", &[1, 2, 3]), ("Refactory 4 and 5", &[4, 5])];
/// A folder's folders are followed so deep: Exercism's solutions are four levels down.
const DEPTH: usize = 6;

/// Why it cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum ProgramsError {
    /// The labels cannot be read.
    #[error("cannot read the labels of the misconceptions")]
    Labels(#[source] csv::Error),
    /// A file or folder.
    #[error("cannot read {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder has none of the sets.
    #[error("there are no programs in {0}")]
    Missing(PathBuf),
}

/// How the review does on right programs.
#[derive(Debug, Default)]
pub struct Right {
    /// Programs that are told no error.
    pub without_error: Share,
    /// Programs that are told neither an error nor an advice.
    pub without_advice: Share,
    /// The errors: where, and what.
    pub wrong: Vec<String>,
}

/// One misconception.
#[derive(Debug, Default)]
pub struct Misconception {
    /// Whether the rules were made with it.
    pub is_tuned: bool,
    /// Programs in which it is named.
    pub all: Share,
    /// Those that do harm.
    pub harmful: Share,
}

impl Misconception {
    /// Whether most of its programs are harmful.
    #[must_use]
    pub const fn matters(&self) -> bool {
        self.harmful.all * 2 > self.all.all
    }

    /// Whether it is named in most of its programs.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        let counted = if self.harmful.all > 0 { self.harmful } else { self.all };
        counted.right * 2 > counted.all
    }
}

/// How the review does.
#[derive(Debug, Default)]
pub struct Programs {
    /// For each set of right programs.
    pub right: BTreeMap<&'static str, Right>,
    /// For each misconception that programs show, by its number.
    pub misconceptions: BTreeMap<u32, Misconception>,
}

/// Reviews all programs of a folder that has some of these: `refactory/data` (its archive, unpacked), `python`
/// (Exercism), `human-eval/HumanEval.jsonl` (unpacked), `mcminer`.
///
/// # Errors
/// None of them is there, or one cannot be read.
pub fn measure(folder: &Path) -> Result<Programs, ProgramsError> {
    let mut found = Programs::default();
    for (name, tasks) in TASKS {
        for task in tasks {
            let path = folder.join(format!("refactory/data/question_{task}/code/correct"));
            files(&path, DEPTH, &mut |path| {
                let is_program = path.extension().is_some_and(|kind| kind == "py");
                count_right(&mut found, name, path, is_program)
            })?;
        }
    }
    files(&folder.join("python/exercises"), DEPTH, &mut |path| {
        let is_solution = path.ends_with("example.py") || path.ends_with("exemplar.py");
        count_right(&mut found, "Exercism", path, is_solution)
    })?;
    human_eval(&mut found, &folder.join("human-eval/HumanEval.jsonl"))?;
    misconceptions(&mut found, &folder.join("mcminer/dataset/corrupted_codes_best"))?;
    if found.right.is_empty() && found.misconceptions.is_empty() {
        return Err(ProgramsError::Missing(folder.to_owned()));
    }
    Ok(found)
}

/// Hands over all files below a folder, in the order of their names. One that is not there has none.
fn files(
    folder: &Path,
    depth: usize,
    with: &mut impl FnMut(&Path) -> Result<(), ProgramsError>,
) -> Result<(), ProgramsError> {
    let failed = |source| ProgramsError::Read { path: folder.to_owned(), source };
    if depth == 0 || !folder.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, depth - 1, with)?;
        } else {
            with(&path)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, ProgramsError> {
    fs::read_to_string(path).map_err(|source| ProgramsError::Read { path: path.to_owned(), source })
}

fn count_right(
    found: &mut Programs,
    set: &'static str,
    path: &Path,
    is_program: bool,
) -> Result<(), ProgramsError> {
    if is_program {
        right(found, set, &path.display().to_string(), &read(path)?);
    }
    Ok(())
}

fn right(found: &mut Programs, set: &'static str, name: &str, source: &str) {
    let findings = review(source).findings;
    let of = found.right.entry(set).or_default();
    let errors = findings.iter().filter(|finding| finding.rule.severity == Severity::Error);
    let told: Vec<String> = errors
        .map(|finding| {
            format!("{name}:{}: {}: {}", finding.line, finding.rule.name, finding.message)
        })
        .collect();
    of.without_error.count(told.is_empty());
    of.without_advice
        .count(findings.iter().all(|finding| finding.rule.severity == Severity::Style));
    of.wrong.extend(told);
}

fn human_eval(found: &mut Programs, path: &Path) -> Result<(), ProgramsError> {
    if !path.exists() {
        return Ok(());
    }
    for task in read(path)?.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let text = |key: &str| task[key].as_str().unwrap_or_default();
        let source = format!("{}{}", text("prompt"), text("canonical_solution"));
        right(found, "HumanEval", text("task_id"), &source);
    }
    Ok(())
}

fn misconceptions(found: &mut Programs, folder: &Path) -> Result<(), ProgramsError> {
    let mut labels = csv::Reader::from_reader(LABELS.as_bytes());
    let labels: Vec<(u32, String, String)> =
        labels.deserialize().collect::<Result<_, _>>().map_err(ProgramsError::Labels)?;
    files(folder, DEPTH, &mut |path| {
        let Ok(entry) = serde_json::from_str::<Value>(&read(path)?) else { return Ok(()) };
        let label = labels.iter().find(|(number, ..)| entry["misconception_id"] == *number);
        let Some((number, part, rules)) = label else { return Ok(()) };
        for program in entry["solutions"].as_array().into_iter().flatten() {
            let code = program["generated_code"].as_str().unwrap_or("NONE").trim_matches('\n');
            // Where the misconception cannot be shown, there is no program.
            if code.trim() == "NONE" {
                continue;
            }
            let findings = review(code).findings;
            let is_named = findings
                .iter()
                .any(|finding| rules.split('|').any(|rule| rule == finding.rule.name));
            let of = found.misconceptions.entry(*number).or_default();
            of.is_tuned = part == "tuned";
            of.all.count(is_named);
            if program["metadata"]["misconception_type"] == "harmful" {
                of.harmful.count(is_named);
            }
        }
        Ok(())
    })
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## Review of strangers' programs\n")?;
        writeln!(f, "| right programs | told no error | told no error or advice |\n|---|---|---|")?;
        for (set, right) in &self.right {
            writeln!(f, "| {set} | {} | {} |", right.without_error, right.without_advice)?;
        }
        writeln!(f, "\n| misconceptions | that matter, named | of all, named |\n|---|---|---|")?;
        for (name, is_tuned) in [("tuned on", true), ("unseen", false)] {
            let (mut matter, mut all) = (Share::default(), Share::default());
            for one in self.misconceptions.values().filter(|one| one.is_tuned == is_tuned) {
                all.count(one.is_named());
                if one.matters() {
                    matter.count(one.is_named());
                }
            }
            writeln!(f, "| {name} | {matter} | {all} |")?;
        }
        for wrong in self.right.values().flat_map(|right| &right.wrong) {
            writeln!(f, "\n- {wrong}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use analysis::review::RULES;

    #[test]
    fn labels_name_rules_of_the_review() {
        let words = super::LABELS.lines().skip(1).filter_map(|line| line.rsplit_once(','));
        let unknown: Vec<&str> = words
            .flat_map(|(_, rules)| rules.split('|'))
            .filter(|name| !name.is_empty() && !RULES.iter().any(|rule| rule.name == *name))
            .collect();
        assert_eq!(unknown, [""; 0]);
    }
}
