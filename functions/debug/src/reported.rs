//! The error that the student has seen, and whether a run shows it.

use domain::execution::ExecutionResult;
use events::question_routed::QuestionRouted;
use pasted_text::ErrorReport;

/// Whether the student has seen an error.
pub(crate) fn is_reported(request: &QuestionRouted) -> bool {
    request.asked.error.is_some() || report(request).is_some()
}

/// The error that the student has seen.
pub(crate) fn report(request: &QuestionRouted) -> Option<ErrorReport> {
    pasted_text::read_report(&said(request))
}

/// All that the student has written beside the program.
pub(crate) fn said(request: &QuestionRouted) -> String {
    let asked = &request.asked;
    [asked.error.as_ref().map_or("", |error| error.as_str()), asked.question.as_str()].join("\n")
}

/// Whether the tests end with the error that the student has seen, if there is one: else the program itself is run, to
/// see it there.
pub(crate) fn shows_report(request: &QuestionRouted, tested: &ExecutionResult) -> bool {
    let Some(report) = report(request).filter(|_| !tested.tests.is_empty()) else { return true };
    let errors = tested.tests.iter().filter_map(|test| test.error.as_ref());
    errors.into_iter().any(|error| error.kind == report.error_type)
}
