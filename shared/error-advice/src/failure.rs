//! What is known about an error, and the advice about it.

use serde::{Deserialize, Serialize};

use crate::source;

/// A variable near the place of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The name of its type.
    pub kind: String,
    /// How many items it holds.
    pub length: Option<u32>,
    /// How Python writes it, for short values of built-in types.
    pub text: Option<String>,
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// An exception, or text that is not Python.
    Exception,
    /// It ran out of time.
    Timeout,
    /// It ran out of memory.
    Memory,
    /// It wrote too much output.
    Output,
    /// Calls or data nested too deep.
    Recursion,
    /// It waits for something that cannot happen.
    Deadlock,
    /// It broke the interpreter.
    Aborted,
}

/// All that is known about an error.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// How the program ended.
    pub ending: Ending,
    /// The exception's class; empty if there was none.
    pub kind: &'a str,
    /// Its base classes.
    pub bases: &'a [String],
    /// Its message.
    pub message: &'a str,
    /// The program's line, from 1.
    pub line: Option<u32>,
    /// The function in which it happened.
    pub function: Option<&'a str>,
    /// The variables that the line mentions.
    pub variables: &'a [Variable],
    /// The program.
    pub source: &'a str,
    /// Its standard input.
    pub stdin: &'a str,
}

/// The advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// A stable name for the kind of mistake.
    pub rule: &'static str,
    /// What happened.
    pub what: String,
    /// Why it is a problem for Python.
    pub why: String,
    /// What to look at next.
    pub hint: String,
    /// Where exactly, if a part of a line is to blame.
    pub place: Option<Place>,
}

impl Advice {
    /// The same for an error whose line is not known: it says nothing of a line.
    pub(crate) fn without_line(self) -> Self {
        let said = |text: &str| {
            let text = text.replace(" on some line", "").replace("On some line ", "");
            capital(&text.replace("some line", "your program").replace("Some line", "Your program"))
        };
        Self { what: said(&self.what), why: said(&self.why), hint: said(&self.hint), ..self }
    }
}

/// A part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// The first character, from 1.
    pub column: u32,
    /// How many characters.
    pub width: u32,
}

pub(crate) fn advice(
    rule: &'static str,
    what: impl Into<String>,
    why: impl Into<String>,
    hint: impl Into<String>,
) -> Option<Advice> {
    Some(Advice { rule, what: what.into(), why: why.into(), hint: hint.into(), place: None })
}

/// Advice for all errors whose message contains one of several parts. In its texts `{place}`, `{text}`, `{message}` and
/// `{kind}` stand for the line's number, the line, Python's message, and the type that the message names.
pub(crate) struct Rule {
    pub(crate) rule: &'static str,
    pub(crate) parts: &'static [&'static str],
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
    pub(crate) hint: &'static str,
}

/// The advice of the first rule that fits.
pub(crate) fn by_rules(rules: &[Rule], failure: &Failure<'_>) -> Option<Advice> {
    let fits = |rule: &&Rule| rule.parts.iter().any(|part| failure.message.contains(part));
    let rule = rules.iter().find(fits)?;
    let kind = article(quoted(failure.message).unwrap_or("value"));
    let filled = |text: &str| {
        let text = text.replace("{place}", &failure.place()).replace("{kind}", &kind);
        text.replace("{text}", failure.text()).replace("{message}", failure.message)
    };
    advice(rule.rule, capital(&filled(rule.what)), capital(&filled(rule.why)), rule.hint)
}

/// Classes of exceptions that are below another one which matters here.
const BASES: [(&str, &str); 15] = [
    ("IndentationError", "SyntaxError"),
    ("TabError", "SyntaxError"),
    ("ModuleNotFoundError", "ImportError"),
    ("FileNotFoundError", "OSError"),
    ("FileExistsError", "OSError"),
    ("IsADirectoryError", "OSError"),
    ("NotADirectoryError", "OSError"),
    ("PermissionError", "OSError"),
    ("ConnectionError", "OSError"),
    ("ConnectionRefusedError", "OSError"),
    ("TimeoutError", "OSError"),
    ("URLError", "OSError"),
    ("gaierror", "OSError"),
    ("JSONDecodeError", "ValueError"),
    ("UnicodeDecodeError", "ValueError"),
];

impl<'a> Failure<'a> {
    /// The program's line at which it happened.
    pub(crate) fn text(&self) -> &'a str {
        self.line.map_or("", |line| source::line(self.source, line)).trim()
    }

    /// "line 3", or "some line" if the line is unknown.
    pub(crate) fn place(&self) -> String {
        self.line.map_or_else(|| "some line".to_owned(), |line| format!("line {line}"))
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&'a Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Whether the exception is of this class or of one below it. A report that was pasted has no bases: those of
    /// Python's own classes are known.
    pub(crate) fn is(&self, class: &str) -> bool {
        let known = BASES.iter().find(|(kind, _)| *kind == self.kind).map(|(_, base)| *base);
        self.kind == class || known == Some(class) || self.bases.iter().any(|base| base == class)
    }
}

/// The first text in quotes; Python quotes names like this.
pub(crate) fn quoted(message: &str) -> Option<&str> {
    let start = message.find('\'')? + 1;
    let rest = message.get(start..)?;
    rest.get(..rest.find('\'')?)
}

/// Something is `None` that should not be.
pub(crate) fn none(failure: &Failure<'_>, name: Option<&str>) -> Option<Advice> {
    let what = name.map_or_else(
        || format!("On {} something is None where a value is needed.", failure.place()),
        |name| format!("`{name}` is None on {}.", failure.place()),
    );
    advice(
        "none_value",
        what,
        "A function without `return` returns None, and so do many methods that change their object, like sort and append.",
        "Which call gave it its value? Does that call return something, or does it only print or change something?",
    )
}

/// A type as a beginner calls it.
pub(crate) fn article(kind: &str) -> String {
    match kind {
        "str" => "a string (str)".to_owned(),
        "int" => "a whole number (int)".to_owned(),
        "float" => "a decimal number (float)".to_owned(),
        "NoneType" => "None".to_owned(),
        "builtin_function_or_method" | "function" | "method" => "a function".to_owned(),
        _ if kind.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

/// A name of the program or of Python, as one of them: "a `total`".
pub(crate) fn one(name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} `{name}`")
}

pub(crate) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
