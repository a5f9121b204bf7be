//! A review whose suggestions are being tested: each is run before it is shown.

use analysis::review::{Rewrite, rewrite};
use domain::execution::{ExecutionResult, Verdict};
use events::{
    question_answered::{ReviewFinding, ReviewReport, ReviewSeverity},
    question_routed::QuestionRouted,
};
use serde::{Deserialize, Serialize};
use tutor::reply::{ReviewNote, ReviewNotes};

use crate::report::{UP_FRONT, summary};

/// A review whose suggestions are being tested.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checking {
    /// The question.
    pub(crate) request: QuestionRouted,
    /// The findings so far.
    pub(crate) report: ReviewReport,
    /// What the program did.
    run: Run,
    /// Suggestions that were not tried yet, the next one last.
    untried: Vec<Trial>,
    /// Whether something that the model said is used.
    pub(crate) with_model: bool,
}

/// What a program did, as far as a rewritten one must do the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    verdict: Verdict,
    stdout: String,
}

/// A suggestion, and its finding.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trial {
    finding: ReviewFinding,
    program: String,
}

impl From<&ExecutionResult> for Run {
    fn from(result: &ExecutionResult) -> Self {
        Self { verdict: result.verdict, stdout: result.stdout.clone() }
    }
}

impl Checking {
    /// A review of a program that was run, with suggestions for the first findings.
    #[must_use]
    pub(crate) fn new(
        request: QuestionRouted,
        report: ReviewReport,
        code: &str,
        run: &ExecutionResult,
    ) -> Self {
        let first = report.findings.iter().take(UP_FRONT);
        let mut untried: Vec<Trial> = first
            .filter_map(|finding| {
                let Rewrite { before, after, program, .. } =
                    rewrite(code, &finding.rule, finding.line?)?;
                let finding =
                    ReviewFinding { before: Some(before), after: Some(after), ..finding.clone() };
                Some(Trial { finding, program })
            })
            .collect();
        // A program that did not reach its end has no behaviour to compare with.
        if run.verdict != Verdict::Ok || run.truncated {
            untried.clear();
        }
        Self { request, report, run: run.into(), untried, with_model: false }
    }

    /// Adds a model's note: it is shown only if its lines do the same.
    pub(crate) fn take_notes(&mut self, notes: ReviewNotes, code: &str) {
        self.report.praise = notes.praise;
        self.with_model = true;
        if self.run.verdict != Verdict::Ok {
            return;
        }
        let known = |note: &ReviewNote| {
            self.report.findings.iter().any(|finding| finding.line == Some(note.line))
        };
        let fresh = notes.notes.into_iter().filter(|note| !known(note));
        let trials: Vec<Trial> = fresh
            .map(|note| Trial {
                program: code.replacen(
                    note.before.trim_matches('\n'),
                    note.after.trim_matches('\n'),
                    1,
                ),
                finding: ReviewFinding {
                    line: Some(note.line),
                    severity: ReviewSeverity::Style,
                    rule: "model_note".to_owned(),
                    message: note.message,
                    why: note.why,
                    before: Some(note.before.trim_matches('\n').to_owned()),
                    after: Some(note.after.trim_matches('\n').to_owned()),
                },
            })
            .collect();
        self.untried.extend(trials);
    }

    /// The next program to be run, if there is one.
    #[must_use]
    pub(crate) fn next(&self) -> Option<String> {
        self.untried.last().map(|trial| trial.program.clone())
    }

    /// Records the run: a suggestion that does something else is not shown.
    pub(crate) fn note(&mut self, result: &ExecutionResult) {
        let Some(Trial { finding, .. }) = self.untried.pop() else { return };
        if Run::from(result) != self.run {
            return;
        }
        let same =
            |other: &&mut ReviewFinding| (&other.rule, other.line) == (&finding.rule, finding.line);
        match self.report.findings.iter_mut().find(same) {
            Some(known) => *known = finding,
            None => {
                self.report.findings.push(finding);
                self.report.summary = summary(&self.report.findings, self.run.verdict, false);
            }
        }
    }
}
