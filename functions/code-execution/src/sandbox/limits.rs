//! Limits on what a guest reports.
//!
//! The interpreter truncates its reports, but a program can make it report anything. So the host truncates them
//! again, out of the program's reach.

use serde::Deserialize;

use super::{
    bindings::Fault,
    job::{Evaluated, Raised},
};
use crate::values::Value;

/// Bytes of the name of a class, a function or a variable: 200 characters, as the interpreter truncates them.
pub(super) const MAX_NAME: usize = 1 << 10;
/// Bytes of a message, or of a value's text: 2,000 characters.
pub(super) const MAX_MESSAGE: usize = 8 << 10;
/// Bytes of a traceback: 16,000 characters.
const MAX_TRACEBACK: usize = 64 << 10;
/// Bytes of the text of a variable: 80 characters.
const MAX_VARIABLE: usize = 512;
/// Base classes of an exception.
const MAX_BASES: usize = 40;
/// Variables named in one line.
const MAX_VARIABLES: usize = 20;
/// Bytes of a value as JSON, or of all values that tests expect: a million characters.
pub(super) const MAX_VALUES: usize = 4 << 20;
/// Bytes of the recording of the steps: the interpreter stops at a little more than a million.
const MAX_STEPS: usize = 1 << 20;

/// The text, truncated to so many bytes.
pub(super) fn cut(text: &str, bytes: usize) -> String {
    // Copied, since truncating in place would keep all of it allocated.
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default().to_owned()
}

impl From<Fault> for Raised {
    fn from(fault: Fault) -> Self {
        let variables = fault.variables.into_iter().take(MAX_VARIABLES);
        let variable = |variable: super::bindings::Variable| error_advice::Variable {
            name: cut(&variable.name, MAX_NAME),
            kind: cut(&variable.kind, MAX_NAME),
            length: variable.length,
            text: variable.text.map(|text| cut(&text, MAX_VARIABLE)),
        };
        Self {
            kind: cut(&fault.kind, MAX_NAME),
            message: cut(&fault.message, MAX_MESSAGE),
            line: fault.line,
            column: fault.column,
            end_column: fault.end_column,
            function: fault.function.map(|function| cut(&function, MAX_NAME)),
            bases: fault.bases.iter().take(MAX_BASES).map(|base| cut(base, MAX_NAME)).collect(),
            traceback: cut(&fault.traceback, MAX_TRACEBACK),
            variables: variables.map(variable).collect(),
        }
    }
}

/// A value and its text, if they have the form that the guest's `values.py` writes, and are not too long.
pub(super) fn evaluated(json: &str) -> Option<Evaluated> {
    #[derive(Deserialize)]
    struct Reported {
        value: Value,
        text: String,
    }
    if json.len() > MAX_VALUES {
        return None;
    }
    let Reported { value, text } = serde_json::from_str(json).ok()?;
    Some(Evaluated { value, text: cut(&text, MAX_MESSAGE) })
}

/// The recording of the steps, if it is not too long. Whether it is one is seen where the steps are made from it.
pub(super) fn steps(recording: String) -> Option<String> {
    (recording.len() <= MAX_STEPS).then_some(recording)
}

#[cfg(test)]
mod tests {
    use super::{cut, evaluated};

    #[test]
    fn characters_are_never_cut_in_two() {
        assert_eq!((cut("aé", 2), cut("aé", 3)), ("a".to_owned(), "aé".to_owned()));
    }

    #[test]
    fn the_deepest_value_that_the_interpreter_reports_is_read() {
        // 40 levels of dictionaries, each three of JSON.
        let value = r#"{"dict":[["none","#.repeat(40) + r#"{"int":"1"}"# + &"]]}".repeat(40);
        assert!(evaluated(&format!(r#"{{"value":{value},"text":""}}"#)).is_some());
    }
}
