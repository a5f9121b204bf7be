//! Python's error reports: tracebacks whole or cut, or just their last line.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

/// What an error report says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// The exception's class without its module: `KeyError`.
    pub error_type: String,
    /// What follows the class; empty if nothing does.
    pub message: String,
    /// The line of the innermost frame outside the standard library, from 1.
    pub line: Option<u32>,
}

static LAST_LINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^\s*(?:[a-z_][\w.]*\.)?([A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Iteration))(?::[ \t]*(.*))?\s*$",
    )
});
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b([A-Z]\w*(?:Error|Exception|Interrupt)):[ \t]+(\S.*)"));
static FRAME: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?m)^\s*File "([^"]+)", line (\d+)"#));
static CELL: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^-+>\s*(\d+)\s"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a literal that the tests compile")
}

/// Finds the last error report in a text; with chained exceptions that is the one the student saw.
/// A report inside a sentence («I get IndexError: list index out of range») counts if no line is one.
#[must_use]
pub fn read_report(text: &str) -> Option<ErrorReport> {
    let last =
        LAST_LINE.captures_iter(text).last().or_else(|| QUOTED.captures_iter(text).last())?;
    let own_frames = FRAME
        .captures_iter(text)
        .filter(|frame| !frame[1].contains("site-packages") && !frame[1].contains("/lib/python"));
    let frame_line = own_frames.last().and_then(|frame| frame[2].parse().ok());
    let cell_line = || CELL.captures_iter(text).last().and_then(|cell| cell[1].parse().ok());
    Some(ErrorReport {
        error_type: last[1].to_owned(),
        message: last.get(2).map(|text| text.as_str().trim().to_owned()).unwrap_or_default(),
        line: frame_line.or_else(cell_line),
    })
}

/// Whether a line ends a traceback.
pub(crate) fn is_report_line(line: &str) -> bool {
    LAST_LINE.is_match(line)
}

#[cfg(test)]
mod tests {
    use super::{ErrorReport, read_report};

    fn check(text: &str, error_type: &str, message: &str, line: Option<u32>) {
        let expected =
            ErrorReport { error_type: error_type.to_owned(), message: message.to_owned(), line };
        assert_eq!(read_report(text), Some(expected), "{text}");
    }

    #[test]
    fn a_traceback_gives_type_message_and_own_line() {
        check(
            "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    f()\n  \
             File \"a.py\", line 2, in f\n    return xs[9]\nIndexError: list index out of range",
            "IndexError",
            "list index out of range",
            Some(2),
        );
    }

    #[test]
    fn library_frames_are_not_the_students() {
        check(
            "  File \"/home/ada/a.py\", line 4, in <module>\n  File \"/usr/lib/python3.12/json/decoder.py\", line 355\n\
             json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
            "JSONDecodeError",
            "Expecting value: line 1 column 1 (char 0)",
            Some(4),
        );
    }

    #[test]
    fn chained_notebook_and_bare_reports_are_read() {
        check(
            "KeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\nValueError: no a",
            "ValueError",
            "no a",
            None,
        );
        check(
            "----> 2 print(x)\nNameError: name 'x' is not defined",
            "NameError",
            "name 'x' is not defined",
            Some(2),
        );
        check(
            "I get IndexError: list index out of range",
            "IndexError",
            "list index out of range",
            None,
        );
        check("KeyboardInterrupt", "KeyboardInterrupt", "", None);
        assert_eq!(read_report("what is an Error in python?"), None);
    }
}
