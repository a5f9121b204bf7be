//! The project's own labelled questions, and how well triage does on them.

use domain::agent::Agent;
use events::question_routed::Sign;
use serde::Deserialize;

use crate::classify::{Context, classify};

/// A question, and the agent that it belongs to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The question.
    pub text: String,
    /// The agent that it belongs to.
    pub agent: Agent,
    /// Code that came with it.
    #[serde(default)]
    code: Option<String>,
    /// The topic of the page.
    #[serde(default)]
    topic: Option<String>,
    /// Whether an exercise is open.
    #[serde(default)]
    in_exercise: bool,
    /// Whether a run failed recently.
    #[serde(default)]
    failed_recently: bool,
    /// Other signs that it shows.
    #[serde(default)]
    pub signals: Vec<Sign>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

fn read(text: &str) -> Vec<Case> {
    toml::from_str::<Cases>(text).expect("the tests read the files").cases
}

/// The questions on which the weights were tuned.
#[must_use]
pub fn tuned() -> Vec<Case> {
    read(include_str!("../cases/tuned.toml"))
}

/// Questions that were held out meanwhile.
#[must_use]
pub fn held_out() -> Vec<Case> {
    read(include_str!("../cases/held_out.toml"))
}

impl Case {
    /// Where triage sends it, and the signs that it finds.
    #[must_use]
    pub fn decided(&self) -> (Agent, Vec<Sign>) {
        let routing = classify(&Context {
            question: &self.text,
            code: self.code.as_deref(),
            error: None,
            topic: self.topic.as_deref(),
            in_exercise: self.in_exercise,
            failed_recently: self.failed_recently,
        });
        (routing.agent, routing.signs)
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, held_out, tuned};

    fn faults(cases: &[Case]) -> Vec<String> {
        let wrong = |case: &Case| {
            let (agent, mut signs) = case.decided();
            let mut expected = case.signals.clone();
            signs.sort_by_key(|sign| *sign as u8);
            expected.sort_by_key(|sign| *sign as u8);
            let fault =
                format!("{:?}: {agent:?} {signs:?}, not {:?} {expected:?}", case.text, case.agent);
            ((agent, &signs) != (case.agent, &expected)).then_some(fault)
        };
        cases.iter().filter_map(wrong).collect()
    }

    #[test]
    fn every_tuned_question_goes_where_it_belongs() {
        let faults = faults(&tuned());
        assert!(faults.is_empty(), "{} fault(s):\n{}", faults.len(), faults.join("\n"));
    }

    #[test]
    fn nine_in_ten_unseen_questions_do() {
        let (cases, faults) = (held_out(), faults(&held_out()));
        let most = cases.len() / 10;
        assert!(
            faults.len() <= most,
            "{} of {}:\n{}",
            faults.len(),
            cases.len(),
            faults.join("\n")
        );
    }
}
