//! Running a program: the request, and the result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::OneOfBuilder},
};

use crate::{
    text::{CallText, ClassName, ExpectedText, FileText, Source, Stdin, TestName},
    trace::Trace,
};

/// The longest that a program may run, in milliseconds of its own time: see [`Timeout`].
pub const MAX_TIMEOUT_MS: u16 = 5_000;
/// Files next to the program.
const MAX_FILES: usize = 20;
/// Test cases in one request: each runs the program once.
pub(crate) const MAX_TESTS: usize = 50;
/// Bytes of a program; over ten thousand lines.
pub const MAX_SOURCE_BYTES: usize = 256 << 10;
/// Bytes of a result on Kafka and in the database, as JSON.
pub const MAX_RESULT_BYTES: usize = 128 << 10;

/// A program and how to run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The source text, `main.py`.
    pub code: Source,
    /// Standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Stdin>,
    /// Files next to it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "files")]
    pub files: BTreeMap<FileName, FileText>,
    /// If there are any, the program runs once for each, in a fresh interpreter.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "tests")]
    pub tests: Vec<TestCase>,
    /// Wall time in milliseconds, for all tests together; at most, and by default, 5,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<Timeout>,
    /// Seeds everything random, so that runs are reproducible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Records the first 1,000 steps.
    #[serde(default)]
    pub trace: bool,
}

impl Program {
    /// The names of its fields.
    pub const FIELDS: [&str; 7] =
        ["code", "stdin", "files", "tests", "timeout_ms", "seed", "trace"];
}

impl TestCase {
    /// The names of its fields.
    pub const FIELDS: [&str; 6] = ["name", "stdin", "call", "raises", "hidden", "expected"];
}

/// One thing that a program must do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestCase {
    /// What is tested, as shown in the result.
    pub name: TestName,
    /// Standard input of this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Stdin>,
    /// A Python expression that is evaluated after the program was loaded as by `import`, such as `add(2, 3)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallText>,
    /// With `call` the class of the exception that it must raise; `expected` is ignored then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raises: Option<ClassName>,
    /// Whether the case is hidden from the program's author: see [`TestResult::of_hidden`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// With `call` the expected value as a Python expression, such as `5` or `[1, 2]`, evaluated before the program
    /// runs, all of them in at most 2 s of their own; without it the expected standard output.
    pub expected: ExpectedText,
}

/// A limit of a program's own time in milliseconds, 1 to [`MAX_TIMEOUT_MS`].
///
/// It passes on the processor and in waits that the program asked for, not while others have the processor; but after
/// twice the limit by the clock, the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u64", into = "u64")]
#[schema(value_type = u16, minimum = 1, maximum = 5000)]
pub struct Timeout(u16);

/// The name of a file next to the program: parts of letters, digits, `_`, `-` and `.`, with `/` between.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 100)]
pub struct FileName(String);

/// Why part of a program was refused. The message says what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// Zero, or more than the maximum.
    #[error("must be between 1 and {MAX_TIMEOUT_MS} milliseconds")]
    Timeout,
    /// A name that could lead elsewhere.
    #[error(
        "file names have letters, digits, \"_\", \"-\", \".\" and \"/\", at most 100 characters, and stay in the program's folder"
    )]
    FileName,
}

impl TryFrom<u64> for Timeout {
    type Error = ProgramError;

    fn try_from(milliseconds: u64) -> Result<Self, ProgramError> {
        u16::try_from(milliseconds)
            .ok()
            .filter(|value| (1..=MAX_TIMEOUT_MS).contains(value))
            .map(Self)
            .ok_or(ProgramError::Timeout)
    }
}

impl From<Timeout> for u64 {
    fn from(timeout: Timeout) -> Self {
        Self::from(timeout.0)
    }
}

impl TryFrom<String> for FileName {
    type Error = ProgramError;

    fn try_from(name: String) -> Result<Self, ProgramError> {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
        let part = |part: &str| {
            !part.is_empty() && part != "." && part != ".." && part.chars().all(allowed)
        };
        let ok = name.chars().count() <= 100 && name.split('/').all(part) && name != "main.py";
        if ok { Ok(Self(name)) } else { Err(ProgramError::FileName) }
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

fn files<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<FileName, FileText>, D::Error> {
    let files = BTreeMap::deserialize(deserializer)?;
    at_most(files.len(), MAX_FILES, "files")?;
    Ok(files)
}

fn tests<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<TestCase>, D::Error> {
    let tests = Vec::deserialize(deserializer)?;
    at_most(tests.len(), MAX_TESTS, "tests")?;
    Ok(tests)
}

fn at_most<E: serde::de::Error>(count: usize, max: usize, what: &str) -> Result<(), E> {
    if count > max {
        return Err(E::custom(format_args!("at most {max} {what} are accepted, got {count}")));
    }
    Ok(())
}

/// How a run ended. Decided by the host, so nothing that a program prints can change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The program reached its end, or exited with status 0.
    Ok,
    /// An exception that nothing caught.
    Error,
    /// It is not Python.
    SyntaxError,
    /// It exited with another status.
    Exit,
    /// It was still running when its time was up.
    Timeout,
    /// Of a test: it was stopped before it had had half of its time, because the machine was busy. The solution may be
    /// right.
    Busy,
    /// It needed more memory than it may use.
    MemoryLimit,
    /// It wrote more output than is allowed.
    OutputLimit,
    /// Calls, or data, nested too deep.
    Recursion,
    /// It waited for something that can never happen.
    Deadlock,
    /// It broke the interpreter.
    Aborted,
    /// Its source is longer than is accepted; nothing was run.
    SourceTooLarge,
    /// Our fault.
    Internal,
    /// Another verdict, of a later version.
    #[serde(other)]
    Unknown,
}

impl Verdict {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::SyntaxError => "syntax_error",
            Self::Exit => "exit",
            Self::Timeout => "timeout",
            Self::Busy => "busy",
            Self::MemoryLimit => "memory_limit",
            Self::OutputLimit => "output_limit",
            Self::Recursion => "recursion",
            Self::Deadlock => "deadlock",
            Self::Aborted => "aborted",
            Self::SourceTooLarge => "source_too_large",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it is the program's own: another run would end in the same way.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Internal | Self::Busy)
    }
}

/// One of a program's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard error.
    Stderr,
    /// Standard output; also any other name of a later version, since it is to be shown.
    #[serde(other)]
    Stdout,
}

/// Consecutive output to one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Written {
    /// Where it was written.
    pub stream: Stream,
    /// What was written; what is not UTF-8 is U+FFFD here.
    pub text: String,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileContent {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Base64(String),
    /// In another form, of a later version.
    #[serde(untagged)]
    Unknown(serde_json::Value),
}

/// Not derived: what a later version may add is not documented by this one.
impl PartialSchema for FileContent {
    fn schema() -> RefOr<Schema> {
        let form = |name| ObjectBuilder::new().property(name, String::schema()).required(name);
        let forms = OneOfBuilder::new().item(form("text")).item(form("base64"));
        forms
            .description(Some("What is in a file: text in UTF-8, or anything else in Base64."))
            .into()
    }
}

impl ToSchema for FileContent {}

/// Advice on an error for beginners, separate from Python's own message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Advice {
    /// A stable name for the kind of mistake, such as `name_error.typo`.
    pub rule: String,
    /// What happened, in the program's own names.
    pub what: String,
    /// Why it is a problem for Python.
    pub why: String,
    /// What to look at next: a question or a direction, not the corrected line.
    pub hint: String,
}

/// The prefix of the rules of [`Advice`] on a program whose functions could not be called at all: it asks for input
/// while it is loaded, or names them differently.
pub const NOT_TESTED: &str = "not_tested.";
/// The rule of [`Advice`] on a function that ends the program instead of returning a value.
pub const LEAVES: &str = "test.leaves";

/// Why a program did not reach its end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ExecutionError {
    /// The exception's class, or the name of the limit that it reached.
    #[serde(rename = "type")]
    pub kind: String,
    /// Python's message, or what was exceeded.
    pub message: String,
    /// The program's line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// In characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// After the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
    /// The function in which it happened; none at the top level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// As Python prints it; empty if Python could not.
    pub traceback: String,
    /// Advice for beginners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}

/// How a test case went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestResult {
    /// As the request named it.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// How the run of this case ended.
    pub verdict: Verdict,
    /// As in the request.
    pub expected: String,
    /// The actual value as Python writes it, or the standard output.
    pub actual: String,
    /// Why it has no value, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ExecutionError>,
    /// Why it could not be judged: `expected` is not a Python expression, for instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Wall time.
    pub duration_ms: u32,
}

impl TestResult {
    /// Whether it says something about the program.
    #[must_use]
    pub const fn is_judged(&self) -> bool {
        self.problem.is_none() && self.verdict.is_final()
    }

    /// What leaves the sandbox of a hidden case.
    ///
    /// The rule: of a hidden test only our own words are sent, out of a fixed list, and nothing that the program can
    /// choose. It has seen the values and can put them anywhere: into its output or return value, the class, message
    /// and line of an exception, the files that it writes, the time and the memory that it uses. The rule is applied
    /// where the program is run, so later readers of the result have nothing that could be shown by mistake. All that a
    /// program can choose is how it ends.
    #[must_use]
    pub fn of_hidden(self) -> Self {
        const UNKNOWN: &str = "what is expected could not be worked out";
        // `None` alone reveals nothing about the test: it is the result of a function without `return`.
        let is_none = self.verdict == Verdict::Ok && self.actual == NONE;
        Self {
            name: self.name,
            passed: self.passed,
            verdict: self.verdict,
            expected: String::new(),
            actual: if is_none { NONE.to_owned() } else { String::new() },
            error: None,
            problem: self.problem.map(|_| UNKNOWN.to_owned()),
            duration_ms: 0,
        }
    }
}

/// Whether a program passes a test case, and how it fails it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TestStatus)]
pub enum TestVerdict {
    /// As expected.
    #[serde(rename = "pass")]
    Passed,
    /// Another value, or other output.
    #[serde(rename = "wrong")]
    WrongAnswer,
    /// `None` was returned where a value was expected.
    NoneReturned,
    /// An exception.
    Exception,
    /// No end in time.
    Timeout,
    /// Too much memory.
    #[serde(rename = "memory")]
    MemoryLimit,
    /// Too much output.
    OutputLimit,
    /// It was not run.
    NotRun,
    /// A verdict of a later version; it is only read, never written.
    #[serde(skip_deserializing)]
    Unknown,
}

impl TestVerdict {
    /// Whether it passes.
    #[must_use]
    pub const fn is_passed(self) -> bool {
        matches!(self, Self::Passed)
    }
}

/// How Python writes `None`.
const NONE: &str = "None";

/// The result of a run. With tests, all fields but `tests` are those of the first case that did not pass, or of the
/// first case if all passed, hidden cases excepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionResult {
    /// How it ended.
    pub verdict: Verdict,
    /// As a shell would see it: 124 for a timeout, 134 and 137 for a crash and a lack of memory.
    pub exit_code: u8,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error, Python's traceback included.
    pub stderr: String,
    /// Both, in the order of writing.
    pub transcript: Vec<Written>,
    /// Whether something was cut off: output, files, or this result when it was sent.
    pub truncated: bool,
    /// What ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ExecutionError>,
    /// Files that it made or changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileContent>,
    /// One for each case of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<TestResult>,
    /// What it did, step by step, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// The program's own time as in [`Timeout`], of the run or of all cases that are not hidden.
    pub duration_ms: u32,
    /// Processor time.
    pub cpu_ms: u32,
    /// The most memory that it had, beyond the interpreter's own.
    pub memory_bytes: u64,
    /// The version of Python.
    pub python: String,
}

impl ExecutionResult {
    /// Whether every test could be judged: only then do they decide about a program.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.verdict.is_final() && self.tests.iter().all(TestResult::is_judged)
    }

    /// Whether a test was stopped early because the machine was busy.
    #[must_use]
    pub fn was_cut_short(&self) -> bool {
        self.tests.iter().any(|test| test.verdict == Verdict::Busy)
    }
}
