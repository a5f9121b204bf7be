//! What consoles, notebooks, editors and terminals write around code.

use std::sync::LazyLock;

use regex::Regex;

use crate::patterns::pattern;

/// What follows the prompt of a console or a notebook: `>>> `, `In [3]: `.
pub(crate) fn after_prompt(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    let rest = trimmed.strip_prefix(">>>").or_else(|| after_cell(trimmed, "In ["))?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// What follows the prompt for another line of a block: `... `, `   ...: `.
pub(crate) fn after_dots(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("...")?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// `Out[3]: 5`.
pub(crate) fn is_result(line: &str) -> bool {
    after_cell(line.trim_start(), "Out[").is_some()
}

fn after_cell<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(name)?;
    rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').strip_prefix("]:")
}

static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?x)^\s*(?:
            (?:\(\S+\)\s*)?PS\ ?[A-Z]:[^>\n]*>          # PowerShell
            | (?:\(\S+\)\s*)?[A-Z]:\\[^>\n]*>           # the command prompt of Windows
            | (?:\(\S+\)\s*)?[\w.-]+@[\w.-]+[:\ ~][^$%\#\n]{0,80}[$%\#]\s  # Linux and macOS
            | \$\ \S | ➜\s | %\ python
            | !?(?:python|python3|py|ipython)(?:\ -\w)?\ [^\s]+\.py(?:\ \S+){0,4}\s*$
            | !?(?:python|python3|py)\ (?:-m\ \w+(?:\ \S+){0,4}|--version)\s*$
            | !?(?:pip|pip3|conda)\ install\ [\w.-]+\s*$
            | [%!](?:Run|run|pip|timeit|matplotlib)\b
            | (?:&\ )?"?(?:[A-Z]:[\\/]|/)[^\n]*python[\w.]*(?:\.exe)?"?\ "?[^\n]*\.py"?\s*$
            | =+\ ?RESTART\b | Process\ finished\ with\ exit\ code
        )"#,
    )
});

/// A line in a terminal or an editor that starts a program, or says that it has ended.
pub(crate) fn is_command(line: &str) -> bool {
    COMMAND.is_match(line)
}

/// Where a report begins in a line, if it does: at its head, at a frame, or at the class of its last line.
pub(crate) fn report_start(line: &str) -> Option<Start> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?x)
            (?P<head>(?:\b[A-Z]\w*(?:Error|Exception|Interrupt)\s+)?Traceback\ \(most\ recent\ call\ last\) | ^\s*Cell\ In\[ | ^\s*<ipython-input)
            | (?P<frame>\bFile\ "[^"\n]+",\ line\ \d+)
            | (?P<arrow>^-{2,}>\s*\d+)
            "#,
        )
    });
    let found = HEAD.captures(line)?;
    let at = found.get(0)?.start();
    let is_notebook = found.name("arrow").is_some()
        || found.name("head").is_some_and(|head| !head.as_str().starts_with("Traceback"));
    Some(Start { at, is_notebook })
}

/// The beginning of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) at: usize,
    pub(crate) is_notebook: bool,
}

/// A line that belongs to a report that has begun.
pub(crate) fn continues_report(line: &str, is_notebook: bool) -> bool {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?x)^\s*(?:
            File\ " | \^[\s^~]*$ | ~[\s^~]*$ | \[Previous\ line\ repeated
            | During\ handling\ of\ the\ above | The\ above\ exception\ was
            )| ^\ {2,}\S | ^\t"#,
        )
    });
    static NOTEBOOK: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^\s*(?:-*>?\s*\d+(?:\s|$)|<ipython|Cell In\[|[/~.\w\\: -]+\.py[:\s]|Input In \[|\.\.\. |-{10,}$)|\bin [\w.<>]+\(",
        )
    });
    LINE.is_match(line) || is_notebook && (line.trim().is_empty() || NOTEBOOK.is_match(line))
}

/// A line of dashes, as notebooks draw it above a report.
pub(crate) fn is_rule(line: &str) -> bool {
    let text = line.trim();
    text.len() >= 20 && text.bytes().all(|byte| byte == b'-')
}

/// Whether what follows a line of prose is a program's output.
pub(crate) fn introduces_output(line: &str) -> bool {
    static INTRODUCTION: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(outputs?|prints?|printed|results?|gives?|get|got|returns?|shows?|expect(ed|ing)?|instead of|should be|displays?)\b[^:\n]{0,40}:\s*$",
        )
    });
    INTRODUCTION.is_match(line)
}

/// Whether a line in the middle of a program's output is its author's own.
pub(crate) fn is_said(line: &str) -> bool {
    static SAID: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(why|i|i'?m|my|me|please|help|wrong|instead|error|doesn'?t|does not|how (do|can|to|come|should)|can (you|someone|anyone)|what (is|am|does|did) (wrong|happening|going|i|it|this|that))\b",
        )
    });
    line.split_whitespace().count() >= 2 && SAID.is_match(line)
}

#[cfg(test)]
mod tests {
    use super::is_command;

    #[test]
    fn commands_of_terminals_and_editors_are_known() {
        for line in [
            "$ python a.py",
            "PS C:\\Users\\ada> python a.py",
            "C:\\Users\\ada>python a.py",
            "ada@laptop:~/work$ python3 a.py",
            "(venv) PS C:\\work> py a.py",
            "python3 main.py",
            "pip install numpy",
            "/usr/bin/python3 /home/ada/a.py",
            "& C:/Python/python.exe c:/work/a.py",
            "= RESTART: C:/a.py =",
            "Process finished with exit code 1",
            "%Run a.py",
        ] {
            assert!(is_command(line), "{line}");
        }
        for line in ["python is hard", "x = 5 % python", "$5 is the price", "print(1)", "a: b"] {
            assert!(!is_command(line), "{line}");
        }
    }
}
