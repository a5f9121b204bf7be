//! Python's error reports: complete or partial tracebacks, or only their last line.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;
use serde::Serialize;

use crate::{
    marks, messages,
    patterns::pattern,
    shape::{Shape, shape},
};

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

/// The classes of exceptions, as their names end.
const CLASS: &str =
    r"(?:[a-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Iteration))";

static LAST_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?m)^[ \t`]*{CLASS}(?:[ \t]*:[ \t]*(.*?))?[ \t`\r]*$")));
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"\b{CLASS}[ \t]*:(?:[ \t]+(\S.*)|(['"].*))"#)));
static FRAME: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?m)\bFile "([^"\n]+)", line (\d+)"#));
static CELL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^-+>\s*(\d+)\s+(.*)$|^\s*Cell In\s?\[\d+\],? line (\d+)()"));
static OWN_CLASS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:(?:[a-z_]\w*\.)+[A-Z]\w*|[A-Z]\w*: .*)\s*$"));
/// Words with which a student goes on behind a message: none of CPython's messages has them.
static SAID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)[\s.,;!?(-]+(?:please|pls|plz|help|how (?:do|can|to|come|should)|why|what (?:does|do|is|am|should|can)|i(?:'m|’m)?(?: [a-z]+)|can you|could you|can (?:someone|anyone)|any (?:idea|help)|when i|but|my (?:code|program)|thanks|thank you|is there|this is|and (?:i|it|then))\b|[a-z'.)]\s+(?-i:And|Are|Can|Could|Do|Does|How|If|In|Is|It|So|The|This|What|When|Why) [a-z]",
    )
});

/// Finds the last error report in a text; with chained exceptions that is the one the student saw.
///
/// A report inside a sentence ("I get IndexError: list index out of range") counts if no line is one, and then CPython's own words without
/// a class ("it says list index out of range").
#[must_use]
pub fn read_report(text: &str) -> Option<ErrorReport> {
    let (error_type, message) = last_error(text)?;
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
        error_type,
        message,
        line: frame_line.or_else(|| part(1).or_else(|| part(3))?.parse().ok()),
        text: shown.map(str::to_owned),
    })
}

/// The class and the message of the last error in a text.
fn last_error(text: &str) -> Option<(String, String)> {
    let line = LAST_LINE.captures_iter(text).last();
    let quoted = || QUOTED.captures_iter(text).last();
    let Some(found) = line.or_else(quoted) else {
        let bare = messages::bare(text)?;
        return Some((bare.class.to_owned(), bare.message));
    };
    let rest = found.get(2).or_else(|| found.get(3)).map_or("", |rest| rest.as_str());
    let message = rest[..message_end(rest)].trim().trim_end_matches('`').trim_end();
    // Quotes that were lost are Python's own again.
    let is_damaged = !message.starts_with('\'') && !message.contains(" '");
    let written = messages::bare(message).filter(|bare| is_damaged && bare.start == 0);
    let message = written.map_or_else(|| message.to_owned(), |bare| bare.message);
    Some((found[1].to_owned(), message))
}

/// Where a message ends in the rest of its line: at the end of CPython's words, or where the student begins to speak.
fn message_end(rest: &str) -> usize {
    if let Some(end) = messages::length(rest) {
        let after = &rest[end..];
        let is_said = after.starts_with([' ', '.', ',', '!', '?', '`', '"'])
            && after.contains(char::is_alphabetic)
            && !after.starts_with(": ")
            && !after.starts_with(" (");
        let is_rest = after.trim().is_empty();
        if is_said || is_rest {
            return end;
        }
    }
    let said = SAID.find(rest).filter(|said| said.start() > 0);
    said.map_or(rest.len(), |said| {
        said.start()
            + usize::from(!said.as_str().starts_with([' ', '.', ',', ';', '!', '?', '(', '-']))
    })
}

/// The place of a report's last line in a line: from its class to the end of its message. In the middle of a line only
/// where the line is a sentence.
pub(crate) fn last_line(line: &str) -> Option<Range<usize>> {
    let found = LAST_LINE.captures(line);
    let is_line = found.is_some();
    let found = found.or_else(|| QUOTED.captures(line))?;
    let class = found.get(1)?;
    let is_sentence = || shape(line) == Shape::Other && !line.trim_start().starts_with("except");
    if !is_line && !is_sentence() {
        return None;
    }
    let rest = found.get(2).or_else(|| found.get(3));
    let end = rest.map_or_else(|| class.end(), |rest| rest.start() + message_end(rest.as_str()));
    // A module before the class belongs to it.
    let start = if is_line { 0 } else { found.get(0)?.start() };
    Some(start..end)
}

/// Whether a line ends a report with a class of the program's own.
pub(crate) fn is_own_last_line(line: &str) -> bool {
    OWN_CLASS.is_match(line)
}

/// The part of a line that is a report: without what its author has written before and behind it.
pub(crate) fn extent(line: &str) -> (usize, usize) {
    let last = last_line(line);
    if let Some(begin) = marks::report_start(line) {
        let is_first = line[..begin.at].trim_matches(['`', ' ', '\t']).is_empty();
        let end = last.filter(|last| last.start > begin.at).map_or(line.len(), |last| last.end);
        return (if is_first { 0 } else { begin.at }, end);
    }
    last.map_or((0, line.len()), |last| (last.start, last.end))
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
        check(
            "it says list object is not callable",
            "TypeError",
            "'list' object is not callable",
            None,
        );
        check(
            "NameError: name'x' is not defined\nhow come",
            "NameError",
            "name 'x' is not defined",
            None,
        );
        assert_eq!(read_report("what is an Error in python?"), None);
    }
}
