//! The program that a question is about.

use domain::{execution::Program, text::Source};
use events::question_routed::QuestionRouted;

/// The program that a question is about, as its author had it: from its own field, or pasted into the
/// question.
#[must_use]
pub fn code(request: &QuestionRouted) -> Option<String> {
    let given = request.asked.code.as_ref().map(|code| code.as_str().to_owned());
    let pasted = || pasted_text::split(request.asked.question.as_str()).code;
    let code = given.filter(|code| !code.trim().is_empty()).unwrap_or_else(pasted);
    (!code.trim().is_empty()).then(|| pasted_text::clean_code(&code))
}

/// A run of a program alone, for an agent. `None` if the program is too long.
#[must_use]
pub fn plain_program(code: String) -> Option<Program> {
    Some(Program {
        code: Source::try_from(code).ok()?,
        stdin: None,
        files: Default::default(),
        tests: Vec::new(),
        timeout_ms: None,
        // What is said about a program must be true when it is run again.
        seed: Some(0),
        trace: false,
    })
}
