//! A topic's exercises and quiz.

use exercises::Template;
use schemars::JsonSchema;
use serde::Deserialize;

/// Exercises and questions of one topic.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Practice {
    /// The exercises, easiest first.
    #[serde(rename = "exercise")]
    pub exercises: Vec<Template>,
    /// The quiz.
    #[serde(rename = "question")]
    pub questions: Vec<Question>,
}

/// A question with one right answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question.
    pub ask: String,
    /// The program that it is about; then the answer is what that prints, or the exception that ends it.
    #[serde(default)]
    pub code: Option<String>,
    /// What is typed in while it runs.
    #[serde(default)]
    pub stdin: String,
    /// The right answer. Never leaves the server before it is requested.
    pub answer: String,
    /// Plausible wrong answers.
    pub wrong: Vec<String>,
    /// For each wrong answer, in their order, what a student believes who gives it: a false sentence. Never leaves the
    /// server before the quiz is submitted. `learnflow check-course` reports a question that lacks one.
    #[serde(default)]
    pub because: Vec<String>,
    /// Why the right answer is right.
    pub why: String,
}

impl Question {
    /// Whether it says of every wrong answer why a student would give it.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        self.because.len() == self.wrong.len()
            && self.because.iter().all(|reason| !reason.trim().is_empty())
    }
}
