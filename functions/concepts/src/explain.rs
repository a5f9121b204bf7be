//! A model's explanation, whose examples are run before the student gets it.

use std::collections::BTreeSet;

use curriculum::Example;
use domain::execution::{ExecutionResult, Verdict};
use events::{
    question_answered::{self, Answer, Details, Explained},
    question_routed::QuestionRouted,
};
use serde::{Deserialize, Serialize};
use tutor::{guard, reply::Explanation};

use course_answers::answer::show_examples;

/// Most lines of a diagram: longer ones are unreadable.
const MAX_DIAGRAM_LINES: usize = 20;

/// A question that a model is asked, with the course's answer as the fallback.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Explaining {
    /// The question.
    pub request: QuestionRouted,
    /// The answer of the course.
    pub offline: Answer,
    /// The idea's name.
    pub idea: String,
    /// What is known about the program that is explained, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<String>,
}

/// An explanation whose examples are being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verifying {
    /// The question.
    #[serde(alias = "waiting")]
    pub question: Explaining,
    /// What the model has said.
    pub explanation: Explanation,
    /// What the first examples print; `None` for an example that fails.
    pub outputs: Vec<Option<String>>,
}

impl Verifying {
    /// Begins with the first example.
    #[must_use]
    pub const fn new(question: Explaining, explanation: Explanation) -> Self {
        Self { question, explanation, outputs: Vec::new() }
    }

    /// The next program to be run, if there is one.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        self.explanation.examples.get(self.outputs.len()).map(|example| example.code.clone())
    }

    /// Records the run.
    pub fn note(&mut self, run: &ExecutionResult) {
        let shown = run.verdict == Verdict::Ok
            && !run.truncated
            && !run.stdout.trim().is_empty()
            && !guard::breaks_out_of_fence(&run.stdout);
        self.outputs.push(shown.then(|| run.stdout.clone()));
    }

    /// The answer, with the examples that work; `None` if none does.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        let ran = self.explanation.examples.iter().zip(&self.outputs);
        let examples: Vec<Example> = ran
            .filter_map(|(example, output)| {
                Some(Example {
                    title: example.title.clone(),
                    code: example.code.clone(),
                    stdin: String::new(),
                    output: output.clone()?,
                    shows: Vec::new(),
                })
            })
            .collect();
        if examples.is_empty() {
            return None;
        }
        let explanation = &self.explanation;
        let said = explanation.explanation.trim();
        let mut content = match &self.question.facts {
            // What is known comes first, whatever the model says beside it.
            Some(_) => format!("{}\n\n**In other words**\n\n{said}", self.question.offline.content),
            None => format!("**{}**\n\n{said}", self.question.idea),
        };
        show_examples(&mut content, &examples);
        if !explanation.common_mistakes.is_empty() {
            content.push_str("\n\nWatch out for:");
            for mistake in &explanation.common_mistakes {
                content.push_str(&format!("\n- {}", mistake.trim()));
            }
        }
        let diagram = explanation.diagram.trim();
        let is_diagram =
            diagram.starts_with("flowchart") && diagram.lines().count() <= MAX_DIAGRAM_LINES;
        let diagram = is_diagram.then(|| diagram.to_owned());
        if let Some(diagram) = &diagram {
            content.push_str(&format!("\n\n```mermaid\n{diagram}\n```"));
        }
        let topic = self.question.offline.topics.first();
        let explained = Explained {
            concept: topic.unwrap_or(&self.question.idea).clone(),
            level: self.question.request.level,
            explanation: explanation.explanation.trim().to_owned(),
            common_mistakes: explanation.common_mistakes.clone(),
            diagram,
        };
        let example = |example: &Example| question_answered::Example {
            title: example.title.clone(),
            code: example.code.clone(),
            output: example.output.clone(),
        };
        Some(Answer {
            content,
            examples: examples.iter().map(example).collect(),
            details: Some(Details::Explanation(explained)),
            ..self.question.offline.clone()
        })
    }
}

impl Explaining {
    /// A number of the explanation that is neither in the program nor among what is known about it: nobody has seen it.
    #[must_use]
    pub fn invented(&self, explanation: &str) -> Option<String> {
        let facts = self.facts.as_ref()?;
        let numbers = |text: &str| -> BTreeSet<String> {
            let parts = text.split(|c: char| !c.is_ascii_digit());
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let known = numbers(&[facts, self.request.asked.question.as_str()].join(" "));
        numbers(explanation).into_iter().find(|number| !known.contains(number))
    }
}
