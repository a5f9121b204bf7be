//! Splits a student's text into prose, code and Python's output.

use crate::pieces::{Part, pieces};

/// The parts of a text; each keeps the order of its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paste {
    /// Natural language, with the code inside of its sentences.
    pub prose: String,
    /// Python programs and sessions.
    pub code: String,
    /// Tracebacks.
    pub report: String,
}

/// Splits a text. A single line that could be a whole program stays prose: it may be what the question is about.
#[must_use]
pub fn split(text: &str) -> Paste {
    let mut paste = Paste::default();
    for piece in pieces(text) {
        let is_backtick = piece.part == Part::Mark && !piece.text.contains("```");
        let part = match piece.part {
            Part::Prose | Part::Inline => &mut paste.prose,
            Part::Mark if is_backtick => &mut paste.prose,
            Part::Code => &mut paste.code,
            Part::Report => &mut paste.report,
            Part::Output | Part::Command | Part::Foreign(_) | Part::Mark => continue,
        };
        let is_line = matches!(piece.part, Part::Code | Part::Report);
        if is_line && !part.is_empty() && !part.ends_with('\n') {
            part.push('\n');
        }
        part.push_str(piece.text);
    }
    for part in [&mut paste.prose, &mut paste.code, &mut paste.report] {
        part.truncate(part.trim_end().len());
        if !part.is_empty() {
            part.push('\n');
        }
    }
    if paste.code.is_empty() {
        paste.code = cell(&paste.report);
    }
    paste
}

/// The lines of the cell that a notebook's report shows, if it shows them from the first one on.
fn cell(report: &str) -> String {
    let Some((_, shown)) = report.split_once("Cell In[") else { return String::new() };
    let lines = shown.lines().skip(1).map_while(|line| {
        let line = line.trim_start_matches('-').trim_start_matches('>').trim_start();
        let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, text) = line.split_at(digits);
        Some((number.parse::<usize>().ok()?, text.strip_prefix(' ').unwrap_or(text)))
    });
    let lines: Vec<(usize, &str)> = lines.collect();
    let is_whole = lines.iter().enumerate().all(|(at, (number, _))| *number == at + 1);
    let text = lines.iter().map(|(_, text)| format!("{text}\n"));
    if is_whole { text.collect() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn code_and_a_traceback_are_separated_from_the_question() {
        let paste = split(
            "Why does this fail?\nxs = [1, 2]\nprint(xs[5])\n\nTraceback (most recent call last):\n  \
             File \"a.py\", line 2, in <module>\n    print(xs[5])\nIndexError: list index out of range\n\
             Please help.",
        );
        assert_eq!(paste.code, "xs = [1, 2]\nprint(xs[5])\n");
        assert!(
            paste.prose.starts_with("Why does this fail?")
                && paste.prose.ends_with("Please help.\n")
        );
        assert!(paste.report.starts_with("Traceback") && paste.report.ends_with("range\n"));
    }

    #[test]
    fn the_cell_of_a_notebook_is_a_program_if_it_is_shown_from_its_beginning() {
        let report = |first: u32| {
            let (a, b, c) = (first, first + 1, first + 2);
            format!(
                "why?\nNameError      Traceback (most recent call last)\nCell In[4], line {c}\n      {a} x = 0\n      \
                 {b} for y in [1]:\n----> {c}     print(z)\n\nNameError: name 'z' is not defined"
            )
        };
        let paste = split(&report(1));
        assert_eq!(paste.code, "x = 0\nfor y in [1]:\n    print(z)\n");
        assert_eq!(paste.prose, "why?\n");
        assert_eq!(split(&report(7)).code, "");
    }

    #[test]
    fn sentences_that_start_like_code_stay_prose() {
        let text = "if I use a list here is that ok\nfor loops confuse me a lot\n";
        assert_eq!(split(text).prose, text);
        assert_eq!(split("x = 3").prose, "x = 3\n");
    }
}
