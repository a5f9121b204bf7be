//! What to tell a beginner whose program was ended by an error: what happened, in the program's own
//! names; why Python minds; and where to look next. Never the corrected line.
//!
//! The mistakes and their order of frequency: Python courses' error statistics, and the messages of
//! CPython 3.14 that go with them.
//!
//! Belongs here: what an error means, in words for beginners. Never here: how to teach (that is an agent's), or anything
//! that runs code.

mod absent;
mod exceptions;
mod failure;
mod limits;
mod source;
mod syntax;
mod type_error;

pub use failure::{Advice, Ending, Failure, Variable};
pub use source::line;

/// Says what is known about an error; `None` for one that only its author can explain.
#[must_use]
pub fn advise(failure: &Failure<'_>) -> Option<Advice> {
    match failure.ending {
        Ending::Exception => syntax::advise(failure)
            .or_else(|| absent::advise(failure))
            .or_else(|| exceptions::advise(failure)),
        _ => limits::advise(failure),
    }
}
