//! Measures the advice on syntax errors with the fixtures of friendly-traceback, each a file that Python cannot read.
//!
//! The rule: an advice is specific if its kind is one of those that `labels/syntax_fixtures.csv` gives for the fixture.
//! The labels were written from the fixtures' own descriptions of the cause, those of the unseen half before the advice
//! was looked at; a cause for which there is no kind has a label that no advice has, and counts as missed. Every second
//! fixture by name was used to develop, the others were not.

use std::{fmt, path::Path};

use code_execution::workers::Workers;
use futures::{StreamExt as _, stream};

use crate::{course, quality::Share};

/// Programs that run at the same time.
const AT_ONCE: usize = 8;

const LABELS: &str = include_str!("../labels/syntax_fixtures.csv");

/// Why it cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum SyntaxErrorsError {
    /// The labels cannot be read.
    #[error("cannot read the labels of the fixtures")]
    Labels(#[source] csv::Error),
    /// The folder has none of the fixtures.
    #[error("there is no fixture in {0}")]
    Missing(String),
}

/// How one half does.
#[derive(Debug, Default)]
pub struct Half {
    /// All fixtures that Python refuses.
    pub all: Share,
    /// Those on what a first course is about.
    pub first_course: Share,
    /// The others: the fixture, and the advice that it got.
    pub wrong: Vec<String>,
}

/// How the advice does.
#[derive(Debug, Default)]
pub struct SyntaxErrors {
    /// The fixtures that the advice was developed on.
    pub tuned: Half,
    /// The others.
    pub unseen: Half,
}

/// Runs all fixtures of a folder that has `tests/syntax`, and compares the kind of advice with the labels.
///
/// # Errors
/// The fixtures are not there.
pub async fn measure(folder: &Path, workers: &Workers) -> Result<SyntaxErrors, SyntaxErrorsError> {
    let mut labels = csv::Reader::from_reader(LABELS.as_bytes());
    let labels: Vec<(String, String, String, String)> =
        labels.deserialize().collect::<Result<_, _>>().map_err(SyntaxErrorsError::Labels)?;
    let fixtures = labels.into_iter().filter_map(|(name, rules, first_course, part)| {
        let source =
            std::fs::read_to_string(folder.join(format!("tests/syntax/{name}.py"))).ok()?;
        Some((name, rules, first_course == "yes", part == "tuned", source))
    });
    let fixtures: Vec<_> = fixtures.collect();
    if fixtures.is_empty() {
        return Err(SyntaxErrorsError::Missing(folder.display().to_string()));
    }
    let runs = stream::iter(fixtures).map(async |(name, rules, first_course, is_tuned, source)| {
        let run = course::run_code(workers, &source, "").await;
        let advice = run.error?.advice.map(|advice| advice.rule).unwrap_or_default();
        Some((name, rules, first_course, is_tuned, advice))
    });
    let runs: Vec<_> = runs.buffered(AT_ONCE).collect().await;
    let mut found = SyntaxErrors::default();
    for (name, rules, first_course, is_tuned, advice) in runs.into_iter().flatten() {
        let half = if is_tuned { &mut found.tuned } else { &mut found.unseen };
        let is_right = rules.split('|').any(|rule| rule == advice);
        half.all.count(is_right);
        if first_course {
            half.first_course.count(is_right);
        }
        if !is_right {
            half.wrong.push(format!("{name}: {advice}, not {rules}"));
        }
    }
    Ok(found)
}

impl fmt::Display for SyntaxErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, half) in [("developed on", &self.tuned), ("unseen", &self.unseen)] {
            writeln!(
                f,
                "| syntax-error fixtures with advice specific to the cause, {name} | {} | first course {} |",
                half.all, half.first_course
            )?;
            for wrong in &half.wrong {
                writeln!(f, "- {wrong}")?;
            }
        }
        Ok(())
    }
}
