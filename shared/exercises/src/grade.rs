//! What a solution is worth, and what its author learns of it.

use analysis::{Program, review::review};
use curriculum::{Check, Exercise};
use domain::execution::{ExecutionResult, TestResult, Verdict};
use events::submission_graded::{Feedback, TestFeedback, TestStatus};

use crate::MIN_FAILED;

/// Characters of a value that are shown.
const SHOWN: usize = 400;

/// How a student has done on the exercise before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Before {
    /// Graded solutions.
    pub attempts: u32,
    /// Those of them that do not solve it.
    pub failed: i64,
    /// The best score, 0 to 100.
    pub best: u8,
}

/// Grades a solution by the result of running it with all tests.
#[must_use]
pub fn grade(exercise: &Exercise, code: &str, run: &ExecutionResult, before: Before) -> Feedback {
    let judged = exercise.judge(&run.tests);
    let tests: Vec<TestFeedback> = exercise
        .tests
        .iter()
        .zip(judged)
        .enumerate()
        .map(|(at, (check, passed))| feedback(at, check, passed, run.tests.get(at)))
        .collect();
    let passing = tests.iter().filter(|test| test.status == TestStatus::Pass).count();
    let not_as_asked = not_as_asked(exercise, code);
    let percent = (passing * 100).checked_div(tests.len()).unwrap_or_default();
    let worth = if not_as_asked.is_empty() { percent } else { percent / 2 };
    let score = u8::try_from(worth).unwrap_or(100);
    let passed = passing == tests.len() && not_as_asked.is_empty();
    let failed = before.failed + i64::from(!passed);
    let parsons = !passed && failed >= MIN_FAILED;
    Feedback {
        passed,
        score,
        message: message(passed, &tests, &not_as_asked, run, parsons),
        tests,
        not_as_asked,
        quality: review(code).score,
        attempt: before.attempts + 1,
        best: before.best.max(score),
        parsons,
    }
}

fn feedback(at: usize, check: &Check, passed: bool, result: Option<&TestResult>) -> TestFeedback {
    let status = status(check, passed, result);
    let hidden = check.hidden.is_some();
    let shown = |text: &str| -> String { text.chars().take(SHOWN).collect() };
    let actual = result.filter(|result| result.error.is_none()).map(|result| shown(&result.actual));
    TestFeedback {
        number: u32::try_from(at + 1).unwrap_or(u32::MAX),
        status,
        hidden,
        about: check.hidden.clone(),
        call: check.call.clone().filter(|_| !hidden),
        stdin: check.stdin.clone().filter(|_| !hidden),
        expected: check.expected.clone().or_else(|| check.raises.clone()).filter(|_| !hidden),
        actual: actual.filter(|_| !hidden && status != TestStatus::Pass),
        message: words(check, status, result),
    }
}

fn status(check: &Check, passed: bool, result: Option<&TestResult>) -> TestStatus {
    let Some(result) = result else { return TestStatus::NotRun };
    match result.verdict {
        _ if passed => TestStatus::Pass,
        Verdict::Ok if check.call.is_some() && result.actual == "None" => TestStatus::NoneReturned,
        Verdict::Ok => TestStatus::Wrong,
        Verdict::Timeout | Verdict::Deadlock => TestStatus::Timeout,
        Verdict::MemoryLimit => TestStatus::Memory,
        Verdict::OutputLimit => TestStatus::OutputLimit,
        Verdict::SourceTooLarge | Verdict::Internal => TestStatus::NotRun,
        Verdict::Error
        | Verdict::SyntaxError
        | Verdict::Exit
        | Verdict::Recursion
        | Verdict::Aborted => TestStatus::Exception,
    }
}

/// One sentence on a test that did not pass. Of a hidden one the exception's class, and not its message: that
/// may hold the values of the test.
fn words(check: &Check, status: TestStatus, result: Option<&TestResult>) -> Option<String> {
    let error = result.and_then(|result| result.error.as_ref());
    let hidden = check.hidden.is_some();
    let text = match status {
        TestStatus::Pass => return None,
        TestStatus::Wrong if check.raises.is_some() => "It should raise an exception.".to_owned(),
        TestStatus::Wrong if check.call.is_none() && !hidden => {
            first_difference(check.expected.as_deref()?, &result?.actual)
        }
        TestStatus::Wrong if hidden => "It gives another value.".to_owned(),
        TestStatus::Wrong => {
            let expected = check.expected.as_deref().unwrap_or_default();
            let actual: String = result?.actual.chars().take(SHOWN).collect();
            format!("It gives `{actual}` and should give `{expected}`.")
        }
        TestStatus::NoneReturned => {
            "It gives None: a path of the function ends without return.".to_owned()
        }
        TestStatus::Exception => match error {
            Some(error) if hidden => format!("It ends with {}.", error.kind),
            Some(error) => {
                let at = error.line.map(|line| format!(" at line {line}")).unwrap_or_default();
                format!("It ends{at} with {}: {}", error.kind, error.message)
            }
            None => "It ends early.".to_owned(),
        },
        TestStatus::Timeout => "It does not end in time.".to_owned(),
        TestStatus::Memory => "It needs too much memory.".to_owned(),
        TestStatus::OutputLimit => "It prints far too much.".to_owned(),
        TestStatus::NotRun => "It was not run.".to_owned(),
    };
    Some(text)
}

fn first_difference(expected: &str, actual: &str) -> String {
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    match lines.find(|(_, (wanted, got))| wanted != got) {
        Some((at, (wanted, got))) => {
            format!("Line {} of the output should be {wanted:?} and is {got:?}.", at + 1)
        }
        None => {
            let (wanted, got) = (expected.lines().count(), actual.lines().count());
            format!("The output has {got} lines and should have {wanted}.")
        }
    }
}

/// What the task asks for and the solution does not do.
fn not_as_asked(exercise: &Exercise, code: &str) -> Vec<String> {
    let Ok(program) = Program::read(code) else { return Vec::new() };
    let missing = exercise.uses.iter().filter(|word| !program.mentions(word));
    let missing = missing.map(|word| format!("The task asks you to use `{word}`."));
    let there = exercise.forbids.iter().filter(|word| program.mentions(word));
    missing.chain(there.map(|word| format!("The task asks you not to use `{word}`."))).collect()
}

fn message(
    passed: bool,
    tests: &[TestFeedback],
    not_as_asked: &[String],
    run: &ExecutionResult,
    parsons: bool,
) -> String {
    if passed {
        return "All tests pass. Well done!".to_owned();
    }
    let failing = tests.iter().filter(|test| test.status != TestStatus::Pass);
    let failing: Vec<&TestFeedback> = failing.collect();
    let mut text = match failing.iter().find(|test| !test.hidden).or_else(|| failing.first()) {
        None => not_as_asked.join(" "),
        Some(_) if run.verdict == Verdict::SyntaxError => {
            let advice = run.error.as_ref().and_then(|error| error.advice.as_ref());
            let what = advice.map_or("Python cannot read the program.", |advice| &advice.what);
            format!("Nothing could be tested yet: {what}")
        }
        Some(test) => {
            let count = format!("{} of {} tests pass. ", tests.len() - failing.len(), tests.len());
            match (&test.about, &test.call) {
                (Some(about), _) => {
                    format!("{count}All that you see pass; think of this case: {about}.")
                }
                (None, Some(call)) => format!("{count}Look at `{call}` first."),
                (None, None) => format!("{count}Look at test {} first.", test.number),
            }
        }
    };
    if parsons {
        text.push_str(" If you are stuck, you can have the solution in pieces, to put together.");
    }
    text
}
