//! The project's own labelled programs, and the review's findings in them.

use serde::Deserialize;

/// A program with the findings that it should have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it is about.
    pub about: String,
    /// What should be found, each as its line and the rule's name.
    pub finds: Vec<String>,
    /// The program.
    pub code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(rename = "program")]
    programs: Vec<Case>,
}

fn read(text: &str) -> Vec<Case> {
    toml::from_str::<Cases>(text).expect("the tests read the files").programs
}

/// The programs on which the rules were tuned.
#[must_use]
pub fn tuned() -> Vec<Case> {
    read(include_str!("../cases/tuned.toml"))
}

/// Programs on which no rule was tuned.
#[must_use]
pub fn held_out() -> Vec<Case> {
    read(include_str!("../cases/held_out.toml"))
}

impl Case {
    /// The review's findings, in the same form.
    #[must_use]
    pub fn found(&self) -> Vec<String> {
        let findings = analysis::review::review(&self.code).findings.into_iter();
        findings.map(|finding| format!("{} {}", finding.line, finding.rule.name)).collect()
    }
}
