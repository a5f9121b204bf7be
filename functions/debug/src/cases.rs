//! The project's own broken programs, labelled with what is wrong.

use domain::execution::ExecutionResult;
use serde::Deserialize;

use crate::diagnosis::{Evidence, Finding, diagnose};

/// A broken program, or Python's report about one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The program, which is run.
    #[serde(default)]
    pub code: String,
    /// What was pasted instead.
    #[serde(default)]
    pub report: String,
    /// The exception's class, or the limit.
    pub error: String,
    /// The student's line, from 1, if it can be known.
    #[serde(default)]
    pub line: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    let text = include_str!("../cases/programs.toml");
    toml::from_str::<Cases>(text).expect("the report reads the file").cases
}

impl Case {
    /// What the agent finds, given the result of running the program.
    #[must_use]
    pub fn found(&self, run: Option<&ExecutionResult>) -> Finding {
        let report = pasted_text::read_report(&self.report);
        diagnose(&Evidence { code: &self.code, report: report.as_ref(), run, tests: None })
    }
}
