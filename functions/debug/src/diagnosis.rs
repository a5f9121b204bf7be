//! Finds what is wrong with a program, from running it and from what its author saw.

use analysis::review::{Finding as Reading, Severity, review};
use domain::execution::{ExecutionError, ExecutionResult, NOT_TESTED, TestResult, Verdict};
use error_advice::{Loop, Place, advise_on_report};
use exercises::{Exercise, TestCase};
use pasted_text::ErrorReport;

use crate::printed;

/// Most characters of a quoted value.
const SHOWN_CHARS: usize = 200;
/// Most lines of a program's output that are quoted.
const SHOWN_LINES: usize = 8;

/// What is no mistake by itself, and often one where a program does not do what it should.
const SUSPICIOUS: [&str; 8] = [
    "input_as_number",
    "missing_return",
    "unreachable",
    "may_skip_items",
    "may_go_too_far",
    "loop_runs_once",
    "unused_value",
    "self_assignment",
];

/// All that is known.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The program, cleaned; empty if there is none.
    pub code: &'a str,
    /// What its author saw.
    pub report: Option<&'a ErrorReport>,
    /// The result of running it, with the tests if there are some.
    pub run: Option<&'a ExecutionResult>,
    /// What it should do.
    pub tests: Option<Tests<'a>>,
}

/// What a program should do.
#[derive(Debug, Clone, Copy)]
pub enum Tests<'a> {
    /// The tests of the exercise that it is written for.
    Exercise(&'a Exercise),
    /// What its author expects.
    Author(&'a [TestCase]),
}

impl<'a> Tests<'a> {
    const fn cases(self) -> &'a [TestCase] {
        match self {
            Self::Exercise(exercise) => exercise.tests.as_slice(),
            Self::Author(cases) => cases,
        }
    }
}

/// What is wrong, with the program's own names; never what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable name for the kind of mistake.
    pub rule: String,
    /// The exception's class or the limit; empty if nothing ended the program.
    pub kind: String,
    /// Python's message.
    pub message: String,
    /// The student's line, from 1, as Python says.
    pub line: Option<u32>,
    /// The part of a line that is to blame, if that is known better.
    pub place: Option<Place>,
    /// What happened.
    pub what: String,
    /// Why it is a problem for Python.
    pub why: String,
    /// What to look at next.
    pub next: String,
    /// How it is known, if that is not obvious.
    pub note: Option<String>,
}

impl Finding {
    /// Whether something is wrong with the program: only then does a hint help.
    #[must_use]
    pub fn is_a_fault(&self) -> bool {
        !matches!(self.rule.as_str(), "all_pass" | "nothing_to_see" | "not_judged")
    }
}

/// Finds what is wrong.
#[must_use]
pub fn diagnose(evidence: &Evidence<'_>) -> Finding {
    let ran = ended(evidence);
    match (ran, evidence.report) {
        // Seen by both, or only by us: the run knows the line and the values.
        (Some(ran), report)
            if report.is_none_or(|report| report.error_type == ran.error.kind)
                && !(waits_for_input(ran.error) && report.is_none()) =>
        {
            of_run(ran, evidence)
        }
        (_, Some(report)) => of_report(report, evidence),
        (Some(_), None) => needs_input(evidence),
        (None, None) => match (evidence.tests, evidence.run) {
            (Some(tests), Some(run)) => of_tests(tests, run),
            _ => of_output(evidence),
        },
    }
}

/// How a program or a test ended.
#[derive(Clone, Copy)]
struct Ended<'a> {
    verdict: Verdict,
    error: &'a ExecutionError,
}

/// What ended the program or the first visible test that fails: some tests expect an exception.
fn ended<'a>(evidence: &Evidence<'a>) -> Option<Ended<'a>> {
    let run = evidence.run?;
    let (verdict, error) = match evidence.tests {
        None => (run.verdict, run.error.as_ref()),
        Some(tests) => {
            let (_, test) = failing_and_shown(tests.cases(), run)?;
            (test.verdict, test.error.as_ref())
        }
    };
    Some(Ended { verdict, error: error? })
}

fn waits_for_input(error: &ExecutionError) -> bool {
    let not_tested =
        error.advice.as_ref().is_some_and(|advice| advice.rule.starts_with(NOT_TESTED));
    error.kind == "EOFError" && !not_tested
}

/// The first visible test that is known to fail.
fn failing_and_shown<'a>(
    cases: &'a [TestCase],
    run: &'a ExecutionResult,
) -> Option<(&'a TestCase, &'a TestResult)> {
    let mut tests = cases.iter().zip(&run.tests);
    tests.find(|(check, test)| fails(test) && check.hidden.is_none())
}

const fn fails(test: &TestResult) -> bool {
    !test.passed && test.is_judged()
}

fn of_run(ended: Ended<'_>, evidence: &Evidence<'_>) -> Finding {
    let Ended { verdict, error } = ended;
    let error = error.clone();
    let place = place_of(&error, evidence);
    let (rule, what, why, next) = match error.advice {
        Some(advice) => (advice.rule, advice.what, advice.why, advice.hint),
        None => unknown(&error.kind, &error.message, error.line),
    };
    let why = if rule.starts_with("none_value") {
        format!("{why}{}", gives_none(evidence.code))
    } else {
        why
    };
    let note = (evidence.report.is_none() && verdict != Verdict::SyntaxError)
        .then(|| "I ran your program to find this.".to_owned());
    let is_endless = verdict == Verdict::OutputLimit;
    let around = error.line.filter(|_| is_endless).and_then(|line| {
        let mut loops = error_advice::loops_around(evidence.code, line).into_iter();
        loops.find(|around| around.header.starts_with("while"))
    });
    if let Some(Loop { line: number, header, .. }) = around {
        return Finding {
            rule: "limit.while".to_owned(),
            kind: error.kind,
            message: error.message,
            line: Some(number),
            place: None,
            what: format!("Your program was still in the loop that begins on line {number} when I stopped it."),
            why: format!("Python checks `{header}` again after every iteration. As long as the condition is True, there is another iteration."),
            next: "Which names are in that condition? Which line inside the loop changes one of them, and is that line ever reached?".to_owned(),
            note,
        };
    }
    Finding {
        rule,
        place,
        kind: error.kind,
        message: error.message,
        line: error.line,
        what,
        why,
        next,
        note,
    }
}

/// Where a text that is not Python goes wrong: the result of a run has the words of the advice only.
fn place_of(error: &ExecutionError, evidence: &Evidence<'_>) -> Option<Place> {
    let is_of_text = matches!(error.kind.as_str(), "SyntaxError" | "IndentationError" | "TabError");
    let advice = is_of_text
        .then(|| advise_on_report(&error.kind, &error.message, error.line, evidence.code));
    advice.flatten()?.place
}

/// Where a `None` in the program may come from, as a sentence.
fn gives_none(code: &str) -> String {
    const SOURCES: [&str; 3] = ["missing_return", "prints_instead_of_returns", "in_place_result"];
    let found = review(code).findings;
    let source = found.into_iter().find(|finding| SOURCES.contains(&finding.rule.name));
    source.map(|finding| format!(" {}", finding.message)).unwrap_or_default()
}

fn of_report(report: &ErrorReport, evidence: &Evidence<'_>) -> Finding {
    let line = locate(report, evidence.code);
    let advice = advise_on_report(&report.error_type, &report.message, line, evidence.code);
    let place = advice.as_ref().and_then(|advice| advice.place);
    let (rule, what, why, next) = match advice {
        Some(advice) => (advice.rule.to_owned(), advice.what, advice.why, advice.hint),
        None => unknown(&report.error_type, &report.message, line),
    };
    let note = match evidence.run {
        None => "If you paste the program too, I can point to the line.".to_owned(),
        Some(_) => match ended(evidence) {
            None => {
                "When I ran your program, this error did not happen, so the input or the program \
                     must have been different."
                    .to_owned()
            }
            Some(Ended { error, .. }) if error.kind == "EOFError" => {
                "I could not run your program up to that line, because it asks for input."
                    .to_owned()
            }
            Some(Ended { error, .. }) => {
                format!("When I ran your program, it ended with a different error: {}.", error.kind)
            }
        },
    };
    Finding {
        rule,
        kind: report.error_type.clone(),
        message: report.message.clone(),
        line,
        place,
        what,
        why,
        next,
        note: Some(note),
    }
}

/// The line of the program that a report means: by its text, since only part of the program may have been pasted.
fn locate(report: &ErrorReport, code: &str) -> Option<u32> {
    let count = u32::try_from(code.lines().count()).unwrap_or(u32::MAX);
    let by_text = report.text.as_deref().and_then(|text| {
        let mut same = (1..).zip(code.lines()).filter(|(_, line)| line.trim() == text);
        let first = same.next().map(|(number, _): (u32, &str)| number);
        let is_at_its_number = report.line.is_some_and(|line| {
            (1..).zip(code.lines()).any(|(n, t)| n == line && t.trim() == text)
        });
        if is_at_its_number { report.line } else { first }
    });
    by_text.or_else(|| report.line.filter(|line| code.is_empty() || *line <= count))
}

fn unknown(kind: &str, message: &str, line: Option<u32>) -> (String, String, String, String) {
    let place = line.map(|line| format!(" on line {line}")).unwrap_or_default();
    let said = if message.is_empty() { String::new() } else { format!(" and says: {message}") };
    (
        "unknown".to_owned(),
        format!("Python stopped with {kind}{place}{said}."),
        "I have no explanation for this error, so read its message carefully.".to_owned(),
        "Which values does that line use? Print them on the line above, and compare them with what you expect."
            .to_owned(),
    )
}

/// The output of a program that reached its end, or the beginning of it.
fn ran_well(run: &ExecutionResult) -> String {
    let lines: Vec<&str> = run.stdout.lines().take(SHOWN_LINES).collect();
    let shown = format!("```text\n{}\n```", lines.join("\n"));
    match run.stdout.trim() {
        "" => "Your program runs without an error and prints nothing.".to_owned(),
        _ if prints_none(run) => {
            format!("Your program runs without an error, and None is printed:\n\n{shown}")
        }
        _ => format!("Your program runs without an error and prints:\n\n{shown}"),
    }
}

fn prints_none(run: &ExecutionResult) -> bool {
    run.stdout.lines().any(|line| line.trim() == "None")
}

/// A mistake that a careful reader finds, if running the program shows none.
fn of_reading(code: &str) -> Option<Finding> {
    let found = review(code).findings;
    let is_mistake = |finding: &&Reading| {
        finding.rule.severity == Severity::Error || SUSPICIOUS.contains(&finding.rule.name)
    };
    let read = found.iter().find(is_mistake)?;
    let line = read.line;
    Some(Finding {
        rule: format!("reading.{}", read.rule.name),
        kind: String::new(),
        message: String::new(),
        line: Some(line),
        place: None,
        what: format!("When I read your program, I noticed line {line}."),
        why: read.rule.why.to_owned(),
        next: format!(
            "Go through your program with pen and paper until you get to line {line}: what happens there, and is \
             that what you want?"
        ),
        note: None,
    })
}

fn needs_input(evidence: &Evidence<'_>) -> Finding {
    let line = ended(evidence).and_then(|ended| ended.error.line);
    let place = line.map(|line| format!(" on line {line}")).unwrap_or_default();
    if let Some(read) = of_reading(evidence.code) {
        let waits =
            format!("Your program waits for input{place}, and I do not know what you typed.");
        return Finding { what: format!("{waits} {}", read.what), ..read };
    }
    Finding {
        rule: "needs_input".to_owned(),
        kind: String::new(),
        message: String::new(),
        line,
        place: None,
        what: format!("Your program waits for input{place}, and I do not know what you typed."),
        why: "Up to that line it runs without an error; what happens then depends on the input."
            .to_owned(),
        next: "Tell me what you typed, what came out, and what you expected instead.".to_owned(),
        note: None,
    }
}

/// A solution that reaches its end with a wrong result.
fn of_tests(tests: Tests<'_>, run: &ExecutionResult) -> Finding {
    let failing = tests.cases().iter().zip(&run.tests).find(|(_, test)| fails(test));
    let shown = failing_and_shown(tests.cases(), run);
    let (why, note) = match tests {
        Tests::Exercise(exercise) => {
            (exercise.hints.join(" "), "I ran your solution with the tests of the exercise.")
        }
        Tests::Author(_) => {
            (String::new(), "I ran your program to compare it with what you expect.")
        }
    };
    let finding = |rule: &str, message: String, what: String, next: String| Finding {
        rule: rule.to_owned(),
        kind: String::new(),
        message,
        line: None,
        place: None,
        what,
        why: why.clone(),
        next,
        note: Some(note.to_owned()),
    };
    match (shown, failing) {
        (Some((check, result)), _) => {
            let (about, what) = shown_values(check, result, tests);
            let next = match &check.call {
                Some(call) => format!("Go through `{call}` by hand"),
                None => "Go through your program by hand".to_owned(),
            };
            finding(
                "wrong_value",
                about,
                what,
                format!(
                    "{next}, line by line, and write down what each name holds. Where does it first differ from what \
                     you expect?"
                ),
            )
        }
        (None, Some((check, _))) => {
            let about = check.hidden.clone().unwrap_or_default();
            finding(
                "hidden_case",
                about.clone(),
                format!(
                    "Your solution passes all the tests that you can see. It fails one that you cannot see, which is about: {about}."
                ),
                format!(
                    "Make up a call of your own for this case ({about}), decide what it should give, and run it."
                ),
            )
        }
        (None, None) if !run.is_judged() => Finding {
            why: String::new(),
            ..finding(
                "not_judged",
                String::new(),
                "At the moment I cannot tell whether one of the tests passes. That is my fault, not yours."
                    .to_owned(),
                "Ask again in a minute.".to_owned(),
            )
        },
        (None, None) => finding(
            "all_pass",
            String::new(),
            "Your solution passes all tests of the exercise.".to_owned(),
            "Hand it in.".to_owned(),
        ),
    }
}

/// What came out beside what should have, with what it is about.
fn shown_values(check: &TestCase, result: &TestResult, tests: Tests<'_>) -> (String, String) {
    let cut = |text: &str| -> String { text.chars().take(SHOWN_CHARS).collect() };
    let got = cut(&result.actual);
    let expected = check.expected.as_deref().map_or_else(|| "an exception".to_owned(), cut);
    let Some(call) = check.call.clone() else {
        let stdin = check.stdin.as_deref().unwrap_or_default();
        return (format!("{stdin}{expected}"), printed::beside(stdin, &got, &expected));
    };
    let what = match tests {
        Tests::Exercise(_) => {
            format!("For `{call}` your solution gives `{got}`, but `{expected}` is expected.")
        }
        Tests::Author(_) => format!("`{call}` gives `{got}`, and you expect `{expected}`."),
    };
    (call, what)
}

/// A program that ends normally and is still wrong.
fn of_output(evidence: &Evidence<'_>) -> Finding {
    let finding = |rule: &str, what: String, why: &str, next: String| Finding {
        rule: rule.to_owned(),
        kind: String::new(),
        message: String::new(),
        line: None,
        place: None,
        what,
        why: why.to_owned(),
        next,
        note: None,
    };
    let Some(run) = evidence.run else {
        return finding(
            "nothing_to_see",
            "I have neither your program nor an error message.".to_owned(),
            "What is wrong can only be seen in the program itself.",
            "Paste the program, and the last lines of the error message if there is one."
                .to_owned(),
        );
    };
    if let Some(read) = of_reading(evidence.code) {
        return Finding { what: format!("{}\n\n{}", ran_well(run), read.what), ..read };
    }
    let program = analysis::Program::read(evidence.code).ok();
    let uncalled = program.as_ref().and_then(analysis::Program::uncalled_function);
    if run.stdout.trim().is_empty() {
        return match uncalled {
            Some((name, line)) => Finding {
                line: Some(line),
                ..finding(
                    "silent.not_called",
                    format!(
                        "Your program runs without an error and prints nothing. `{name}` is defined on line {line}, but nothing calls it."
                    ),
                    "`def` only makes a function; its lines run when it is called.",
                    format!(
                        "Where should `{name}` be called, and what should happen with its result?"
                    ),
                )
            },
            None => finding(
                "silent",
                ran_well(run),
                "Only print shows something; a value that is only calculated does not appear.",
                "Which value do you want to see, and on which line is it ready?".to_owned(),
            ),
        };
    }
    if prints_none(run) {
        return finding(
            "prints_none",
            ran_well(run),
            "A function that ends without `return` gives None, and so do print and the methods that change their list.",
            "Which call gives the value that is printed there? What does that function return?"
                .to_owned(),
        );
    }
    finding(
        "no_error",
        ran_well(run),
        "Python has nothing to complain about, so the mistake is in what the program does, not in how it is written.",
        "Which line of this output is the first that you did not expect? Print the values that it is made of."
            .to_owned(),
    )
}
