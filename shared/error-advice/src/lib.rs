//! Advice for a beginner whose program ended with an error: what happened, with the program's own names; why it is a
//! problem for Python; and where to look next. Never the corrected line.
//!
//! The mistakes and their order of frequency: Python courses' error statistics, and the messages of
//! CPython 3.14 that go with them.
//!
//! Belongs here: what an error means, in words for beginners. Never here: how to teach (that is an agent's), or anything
//! that runs code.

mod absent;
mod attributes;
mod exceptions;
mod failure;
mod limits;
mod names;
mod source;
mod syntax;
mod texts;
mod type_error;

#[cfg(test)]
mod tests;

pub use failure::{Advice, Ending, Failure, Place, Variable};
pub use source::{Loop, assigns, line, loops_around, names};

/// The advice on an error; `None` for one that only its author can explain.
#[must_use]
pub fn advise(failure: &Failure<'_>) -> Option<Advice> {
    let advice = match failure.ending {
        Ending::Exception => syntax::advise(failure)
            .or_else(|| absent::advise(failure))
            .or_else(|| exceptions::advise(failure)),
        _ => limits::advise(failure),
    }?;
    Some(if failure.line.is_some() { advice } else { advice.without_line() })
}

/// The advice on an exception of which no more is known than its report says.
#[must_use]
pub fn advise_on_report(
    kind: &str,
    message: &str,
    line: Option<u32>,
    source: &str,
) -> Option<Advice> {
    advise(&Failure {
        ending: Ending::Exception,
        kind,
        bases: &[],
        message,
        line,
        function: None,
        variables: &[],
        source,
        stdin: "",
    })
}
