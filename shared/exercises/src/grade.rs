//! Grades solutions, and writes the feedback for their authors.

use analysis::{Program, review::review};
use domain::execution::{
    ExecutionError, ExecutionResult, LEAVES, NOT_TESTED, TestResult, TestVerdict, Verdict,
};
use events::submission_graded::{Feedback, Raised, TestFeedback};

use crate::{
    exercise::{Exercise, TestCase},
    parsons::MIN_FAILED,
};

/// Most characters of a value that are shown.
const SHOWN: usize = 400;

/// A student's earlier attempts at the exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Before {
    /// Graded solutions.
    pub attempts: u32,
    /// Those of them that do not solve it.
    pub failed: i64,
    /// The best score, 0 to 100.
    pub best: u8,
}

/// Not every test could be judged, through our fault, so there is no grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not every test could be judged")]
pub struct Unjudged;

/// Grades a solution by the result of running it with all tests.
///
/// # Errors
/// [`Unjudged`].
pub fn grade(
    exercise: &Exercise,
    code: &str,
    run: &ExecutionResult,
    before: Before,
) -> Result<Feedback, Unjudged> {
    let is_run = run.verdict != Verdict::SourceTooLarge;
    if !run.is_judged() || (is_run && run.tests.len() != exercise.tests.len()) {
        return Err(Unjudged);
    }
    let tests: Vec<TestFeedback> = exercise
        .tests
        .iter()
        .enumerate()
        .map(|(at, case)| feedback(at, case, run.tests.get(at)))
        .collect();
    let passing = tests.iter().filter(|test| test.verdict.is_passed()).count();
    let not_as_asked = not_as_asked(exercise, code);
    let percent = (passing * 100).checked_div(tests.len()).unwrap_or_default();
    let worth = if not_as_asked.is_empty() { percent } else { percent / 2 };
    let score = u8::try_from(worth).unwrap_or(100);
    let passed = passing == tests.len() && not_as_asked.is_empty();
    let obstacle = obstacle(exercise, run);
    let tested = obstacle.as_ref().is_none_or(|obstacle| obstacle.is_error_of_syntax);
    let failed = before.failed + i64::from(!passed && tested);
    let parsons = !passed && failed >= MIN_FAILED;
    Ok(Feedback {
        passed,
        tested,
        score,
        message: message(passed, &tests, &not_as_asked, obstacle.as_ref(), parsons),
        tests,
        not_as_asked,
        quality: review(code).score,
        attempt: before.attempts + 1,
        best: before.best.max(score),
        parsons,
    })
}

/// Why nothing could be tested.
struct Obstacle<'a> {
    what: &'a str,
    /// That counts as an attempt: it is what the exercise teaches.
    is_error_of_syntax: bool,
}

/// Taken from the first visible test: nothing of hidden ones is shown.
fn obstacle<'a>(exercise: &Exercise, run: &'a ExecutionResult) -> Option<Obstacle<'a>> {
    let mut tests = exercise.tests.iter().zip(&run.tests);
    let (_, first) = tests.find(|(case, _)| case.hidden.is_none())?;
    let advice = first.error.as_ref().and_then(|error| error.advice.as_ref());
    let is_error_of_syntax = first.verdict == Verdict::SyntaxError;
    if !is_error_of_syntax && !advice.is_some_and(|advice| advice.rule.starts_with(NOT_TESTED)) {
        return None;
    }
    let what = advice.map_or("Python cannot read the program.", |advice| &advice.what);
    Some(Obstacle { what, is_error_of_syntax })
}

fn feedback(at: usize, case: &TestCase, result: Option<&TestResult>) -> TestFeedback {
    let verdict = case.verdict(result);
    let hidden = case.hidden.is_some();
    let shown = |text: &str| -> String { text.chars().take(SHOWN).collect() };
    let actual = result.filter(|result| result.error.is_none()).map(|result| shown(&result.actual));
    TestFeedback {
        number: u32::try_from(at + 1).unwrap_or(u32::MAX),
        verdict,
        hidden,
        about: case.hidden.clone(),
        call: case.call.clone().filter(|_| !hidden),
        stdin: case.stdin.clone().filter(|_| !hidden),
        expected: case.expected.clone().or_else(|| case.raises.clone()).filter(|_| !hidden),
        actual: actual.filter(|_| !hidden && !verdict.is_passed()),
        raised: raised(verdict, result).filter(|_| !hidden),
        message: if hidden {
            words_of_hidden(case, verdict).map(str::to_owned)
        } else {
            words(case, verdict, result)
        },
    }
}

/// What ended a test, if the solution raised it.
fn raised(verdict: TestVerdict, result: Option<&TestResult>) -> Option<Raised> {
    let error = result?.error.as_ref().filter(|_| verdict == TestVerdict::Exception)?;
    if error.advice.as_ref().is_some_and(|advice| is_of_test(&advice.rule)) {
        return None;
    }
    let shown = |text: &str| text.chars().take(SHOWN).collect();
    Some(Raised { kind: shown(&error.kind), message: shown(&error.message), line: error.line })
}

/// Whether the test itself failed to run: then Python's message would be confusing.
fn is_of_test(rule: &str) -> bool {
    rule.starts_with(NOT_TESTED) || rule == LEAVES
}

/// One sentence of ours on a hidden test that did not pass, chosen by its verdict alone. Not even the exception's class
/// is shown, which the program can choose.
const fn words_of_hidden(case: &TestCase, verdict: TestVerdict) -> Option<&'static str> {
    Some(match verdict {
        TestVerdict::Passed => return None,
        TestVerdict::WrongAnswer if case.raises.is_some() => NOT_RAISED,
        TestVerdict::WrongAnswer => "It gives a different result.",
        TestVerdict::NoneReturned => NONE_RETURNED,
        TestVerdict::Exception => "It ends with an exception.",
        TestVerdict::Timeout => TIMEOUT,
        TestVerdict::MemoryLimit => MEMORY,
        TestVerdict::OutputLimit => OUTPUT_LIMIT,
        TestVerdict::NotRun => NOT_RUN,
        TestVerdict::Unknown => UNKNOWN,
    })
}

const NOT_RAISED: &str = "It should raise an exception.";
const NONE_RETURNED: &str = "It gives None: the function can end without reaching a return.";
const TIMEOUT: &str = "It does not finish in time.";
const MEMORY: &str = "It needs too much memory.";
const OUTPUT_LIMIT: &str = "It prints far too much.";
const NOT_RUN: &str = "It was not run.";
const UNKNOWN: &str = "It does not pass.";
/// What a student is told who knows that `True == 1`.
const TRUTH_VALUES: &str = " Python calls `True` and 1 equal, and `False` and 0, but here a truth value and a number are different answers.";

/// Whether two results differ only in that one has a truth value where the other has a number.
fn is_truth_for_number(expected: &str, actual: &str) -> bool {
    let in_numbers = |text: &str| text.replace("True", "1").replace("False", "0");
    let is_text = expected.contains(['\'', '"']) || actual.contains(['\'', '"']);
    !is_text
        && expected.trim() != actual.trim()
        && in_numbers(expected.trim()) == in_numbers(actual.trim())
}

/// One sentence on a visible test that did not pass.
fn words(case: &TestCase, verdict: TestVerdict, result: Option<&TestResult>) -> Option<String> {
    let error = result.and_then(|result| result.error.as_ref());
    let text = match verdict {
        TestVerdict::Passed => return None,
        TestVerdict::WrongAnswer if case.raises.is_some() => NOT_RAISED.to_owned(),
        TestVerdict::WrongAnswer if case.call.is_none() => {
            first_difference(case.expected.as_deref()?, &result?.actual)
        }
        TestVerdict::WrongAnswer => {
            let expected = case.expected.as_deref().unwrap_or_default();
            let actual: String = result?.actual.chars().take(SHOWN).collect();
            let rule = if is_truth_for_number(expected, &actual) { TRUTH_VALUES } else { "" };
            format!("It gives `{actual}` but should give `{expected}`.{rule}")
        }
        TestVerdict::Exception => match error {
            Some(error) => ended(error),
            None => "It ends early.".to_owned(),
        },
        TestVerdict::NoneReturned => NONE_RETURNED.to_owned(),
        TestVerdict::Timeout => TIMEOUT.to_owned(),
        TestVerdict::MemoryLimit => MEMORY.to_owned(),
        TestVerdict::OutputLimit => OUTPUT_LIMIT.to_owned(),
        TestVerdict::NotRun => NOT_RUN.to_owned(),
        TestVerdict::Unknown => UNKNOWN.to_owned(),
    };
    Some(text)
}

fn ended(error: &ExecutionError) -> String {
    match &error.advice {
        Some(advice) if is_of_test(&advice.rule) => advice.what.clone(),
        _ => {
            let at = error.line.map(|line| format!(" on line {line}")).unwrap_or_default();
            format!("It ends{at} with {}: {}", error.kind, error.message)
        }
    }
}

fn first_difference(expected: &str, actual: &str) -> String {
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    match lines.find(|(_, (expected_line, got))| expected_line != got) {
        Some((at, (expected_line, got))) => {
            format!("Line {} of the output should be {expected_line:?} but is {got:?}.", at + 1)
        }
        None => {
            let (expected, got) = (expected.lines().count(), actual.lines().count());
            format!("The output has {got} lines but should have {expected}.")
        }
    }
}

/// Requirements of the task that the solution does not meet.
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
    obstacle: Option<&Obstacle<'_>>,
    parsons: bool,
) -> String {
    if passed {
        return "All tests pass. Well done!".to_owned();
    }
    let failing = tests.iter().filter(|test| !test.verdict.is_passed());
    let failing: Vec<&TestFeedback> = failing.collect();
    let first = failing.iter().find(|test| !test.hidden).or_else(|| failing.first());
    let mut text = match (obstacle, first) {
        (Some(obstacle), _) => format!("Nothing could be tested yet: {}", obstacle.what),
        (None, None) => not_as_asked.join(" "),
        (None, Some(test)) => {
            let count = format!("{} of {} tests pass. ", tests.len() - failing.len(), tests.len());
            match (&test.about, &test.call) {
                (Some(about), _) => {
                    format!(
                        "{count}All the tests that you can see pass. Think of this case: {about}."
                    )
                }
                (None, Some(call)) => format!("{count}Look at `{call}` first."),
                (None, None) => format!("{count}Look at test {} first.", test.number),
            }
        }
    };
    if parsons {
        text.push_str(" If you are stuck, you can get the solution in pieces and put it together.");
    }
    text
}

#[cfg(test)]
mod tests {
    use domain::execution::ExecutionResult;
    use serde_json::{Value, json};

    use super::{Before, Unjudged, grade};
    use crate::{
        exercise::Exercise,
        gates::{Fault, Trial, judge},
    };

    fn exercise() -> Exercise {
        let written = json!({
            "slug": "f", "title": "F", "difficulty": "easy", "task": "Write f.", "reference": "def f(): return 1",
            "hints": [], "tests": [
                { "call": "f()", "expected": "1" }, { "call": "f(2)", "expected": "1", "hidden": "with a value" }
            ]
        });
        serde_json::from_value(written).expect("an exercise")
    }

    /// A run that passes the first test; `more` is the result of the second.
    fn run(verdict: &str, more: Value) -> ExecutionResult {
        let passed = json!({ "name": "test 1", "passed": true, "verdict": "ok", "expected": "1", "actual": "1",
            "duration_ms": 1 });
        let mut second = json!({ "name": "test 2", "passed": false, "verdict": "ok", "expected": "", "actual": "",
            "duration_ms": 0 });
        for (name, value) in more.as_object().expect("an object") {
            second[name] = value.clone();
        }
        let result = json!({
            "verdict": verdict, "exit_code": 0, "stdout": "", "stderr": "", "transcript": [], "truncated": false,
            "tests": [passed, second], "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "python": "3.14.0"
        });
        serde_json::from_value(result).expect("a result")
    }

    #[test]
    fn who_gives_a_truth_value_for_a_number_is_told_the_rule() {
        for (expected, actual, is_told) in [
            ("1", "True", true),
            ("[0, 1]", "[False, 1]", true),
            ("True", "1", true),
            ("1", "2", false),
            ("'1'", "'True'", false),
        ] {
            let mut exercise = exercise();
            exercise.tests[1].hidden = None;
            exercise.tests[1].expected = Some(expected.to_owned());
            let wrong = run("ok", json!({ "expected": expected, "actual": actual }));
            let feedback = grade(&exercise, "", &wrong, Before::default()).expect("it is judged");
            let message = feedback.tests[1].message.as_deref().unwrap_or_default();
            assert!(message.starts_with("It gives"), "{message}");
            assert_eq!(message.contains("truth value"), is_told, "{message}");
        }
    }

    #[test]
    fn feedback_on_a_visible_test_says_what_was_raised() {
        let error = |rule: &str| {
            json!({ "type": "TypeError", "message": "x".repeat(500), "line": 7, "traceback": "",
                    "advice": { "rule": rule, "what": "w", "why": "w", "hint": "h" } })
        };
        let mut exercise = exercise();
        exercise.tests[1].hidden = None;
        let raised = |exercise: &Exercise, result: Value| {
            let run = run("ok", result);
            let feedback = grade(exercise, "", &run, Before::default()).expect("it is judged");
            feedback.tests[1].raised.clone()
        };
        let ended = json!({ "verdict": "error", "error": error("type") });
        let found = raised(&exercise, ended.clone()).expect("it is said");
        assert_eq!((found.kind.as_str(), found.line), ("TypeError", Some(7)));
        assert_eq!(found.message.len(), 400, "a long message is cut");
        let of_test = json!({ "verdict": "error", "error": error("not_tested.x") });
        assert_eq!(raised(&exercise, of_test), None, "the test itself did not run");
        let as_asked = json!({ "verdict": "error", "passed": true, "error": error("type") });
        assert_eq!(raised(&exercise, as_asked), None, "it was to be raised");
        let endless = json!({ "verdict": "timeout", "error": error("type") });
        assert_eq!(raised(&exercise, endless), None, "a limit is no exception");
        exercise.tests[1].hidden = Some("a secret".to_owned());
        assert_eq!(raised(&exercise, ended), None);
    }

    #[test]
    fn if_a_test_cannot_be_judged_there_is_no_grade() {
        let exercise = exercise();
        let lost = [
            run("internal", json!({})),
            run("ok", json!({ "verdict": "internal" })),
            run("ok", json!({ "problem": "what is expected could not be worked out" })),
            run("ok", json!({ "verdict": "busy" })),
            ExecutionResult { tests: Vec::new(), ..run("ok", json!({})) },
        ];
        for run in &lost {
            assert_eq!(grade(&exercise, "", run, Before::default()), Err(Unjudged), "{run:?}");
        }
        for run in &lost[..4] {
            let report = judge(&exercise, &[(Trial::Starter, run.clone())]);
            assert_eq!(report.faults, [Fault::Unjudged]);
        }
        for run in &lost[..3] {
            let report = judge(&exercise, &[(Trial::Mutant("1 to 2".to_owned()), run.clone())]);
            assert_eq!((report.faults, report.killed), (vec![Fault::Unjudged], 0));
        }
        let endless = judge(&exercise, &[(Trial::Mutant("1 to 2".to_owned()), lost[3].clone())]);
        assert_eq!((endless.faults, endless.killed), (Vec::new(), 1));
        let known = grade(&exercise, "", &run("ok", json!({})), Before::default());
        assert_eq!(known.map(|feedback| feedback.score), Ok(50));
    }

    #[test]
    fn feedback_on_a_hidden_test_has_only_our_own_words() {
        let error = json!({ "type": "Secret", "message": "Secret", "line": 7, "traceback": "Secret",
            "advice": { "rule": "not_tested.Secret", "what": "Secret", "why": "Secret", "hint": "Secret" } });
        for verdict in [
            "ok",
            "error",
            "syntax_error",
            "exit",
            "timeout",
            "recursion",
            "aborted",
            "memory_limit",
        ] {
            let secret = json!({ "verdict": verdict, "actual": "Secret", "expected": "Secret", "error": error });
            let mut run = run("ok", secret);
            run.error = run.tests[1].error.clone();
            let feedback = grade(&exercise(), "", &run, Before::default()).expect("it is judged");
            let json = serde_json::to_string(&feedback).expect("JSON");
            assert!(!json.contains("Secret") && !json.contains('7'), "{json}");
        }
    }
}
