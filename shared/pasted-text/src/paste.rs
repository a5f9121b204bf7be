//! Splits a student's text into prose, code and Python's output.

/// The parts of a text; each keeps the order of its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paste {
    /// Natural language.
    pub prose: String,
    /// Fenced blocks, and runs of two or more lines that look like code.
    pub code: String,
    /// Tracebacks.
    pub report: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prose,
    /// Inside a fence: always code.
    Fenced,
    /// Looks like code.
    CodeLike,
    Report,
}

/// Splits a text. A single line that merely looks like code stays prose: it may be a sentence.
#[must_use]
pub fn split(text: &str) -> Paste {
    let lines: Vec<(&str, Kind)> = classify(text);
    let is_code = |index: Option<usize>| {
        let line = index.and_then(|index| lines.get(index));
        line.is_some_and(|(_, kind)| matches!(kind, Kind::CodeLike | Kind::Fenced))
    };
    let mut paste = Paste::default();
    for (index, (line, kind)) in lines.iter().enumerate() {
        let has_neighbour = is_code(index.checked_sub(1)) || is_code(Some(index + 1));
        let part = match kind {
            Kind::Fenced => &mut paste.code,
            Kind::CodeLike if has_neighbour => &mut paste.code,
            Kind::Report => &mut paste.report,
            Kind::Prose | Kind::CodeLike => &mut paste.prose,
        };
        part.push_str(line);
        part.push('\n');
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

fn classify(text: &str) -> Vec<(&str, Kind)> {
    let (mut fenced, mut in_report) = (false, false);
    let mut lines = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        // A notebook writes the exception's class before it, and shows lines of the cell below.
        if trimmed.contains("Traceback (most recent call last)") || trimmed.starts_with("Cell In[")
        {
            in_report = true;
        }
        let is_last = crate::report::is_report_line(line);
        let kind = if in_report || is_last || trimmed.starts_with("File \"") {
            in_report = in_report && !is_last;
            Kind::Report
        } else if fenced {
            Kind::Fenced
        } else if looks_like_code(line) {
            Kind::CodeLike
        } else {
            Kind::Prose
        };
        lines.push((line, kind));
    }
    lines
}

fn looks_like_code(line: &str) -> bool {
    const STARTS: [&str; 14] = [
        "def ", "class ", "for ", "while ", "if ", "elif ", "else:", "import ", "from ", "print(",
        "return ", "try:", "except", "with ",
    ];
    let trimmed = line.trim_start().trim_start_matches(">>> ").trim_start_matches("... ");
    if trimmed.is_empty() {
        return false;
    }
    let indented = line.starts_with("    ") || line.starts_with('\t');
    let keyword = STARTS.iter().any(|start| trimmed.starts_with(start));
    // "for", "if", "while", "from" and "with" begin sentences too; a block's header ends in a colon.
    let sentence_like =
        trimmed.split_whitespace().count() > 3 && !trimmed.contains(['(', ':', '=']);
    let assignment = trimmed.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim_end_matches(['+', '-', '*', '/']).trim();
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.[]'\",".contains(c))
    });
    indented || (keyword && !sentence_like) || assignment
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
