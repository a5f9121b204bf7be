//! Python's error reports: complete or partial tracebacks, or only their last line.

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
    /// That line's text, as the report shows it.
    pub text: Option<String>,
}

static LAST_LINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^\s*(?:[a-z_][\w.]*\.)?([A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Iteration))(?::[ \t]*(.*))?\s*$",
    )
});
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b([A-Z]\w*(?:Error|Exception|Interrupt)):[ \t]+(\S.*)"));
static FRAME: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?m)^\s*File "([^"]+)", line (\d+)"#));
static CELL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^-+>\s*(\d+)\s+(.*)$|^\s*Cell In\[\d+\],? line (\d+)()"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a literal that the tests compile")
}

/// Finds the last error report in a text; with chained exceptions that is the one the student saw.
/// A report inside a sentence ("I get IndexError: list index out of range") counts if no line is one.
#[must_use]
pub fn read_report(text: &str) -> Option<ErrorReport> {
    let last =
        LAST_LINE.captures_iter(text).last().or_else(|| QUOTED.captures_iter(text).last())?;
    let own_frames = FRAME
        .captures_iter(text)
        .filter(|frame| !frame[1].contains("site-packages") && !frame[1].contains("/lib/python"));
    let frame = own_frames.last();
    let frame_line = frame.as_ref().and_then(|frame| frame[2].parse().ok());
    let below = frame.as_ref().and_then(|frame| text[frame.get(0)?.end()..].lines().nth(1));
    let cell = CELL.captures_iter(text).last();
    let part =
        |index: usize| cell.as_ref().and_then(|cell| cell.get(index)).map(|part| part.as_str());
    let shown = below.or_else(|| part(2)).map(str::trim).filter(|text| !text.is_empty());
    Some(ErrorReport {
        error_type: last[1].to_owned(),
        message: last.get(2).map(|text| text.as_str().trim().to_owned()).unwrap_or_default(),
        line: frame_line.or_else(|| part(1).or_else(|| part(3))?.parse().ok()),
        text: shown.map(str::to_owned),
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
        let report = read_report(text).expect("there is a report");
        assert_eq!((report.error_type.as_str(), report.message.as_str()), (error_type, message));
        assert_eq!(report.line, line, "{text}");
    }

    #[test]
    fn the_line_is_known_by_its_text_as_well() {
        let text = |report: &str| read_report(report).and_then(|report: ErrorReport| report.text);
        let whole = "  File \"a.py\", line 3, in f\n    return xs[9]\n           ~~^^^\nIndexError: list index out of range";
        assert_eq!(text(whole).as_deref(), Some("return xs[9]"));
        assert_eq!(
            text("----> 2 print(x)\nNameError: name 'x' is not defined").as_deref(),
            Some("print(x)")
        );
        assert_eq!(text("KeyError: 'a'"), None);
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
