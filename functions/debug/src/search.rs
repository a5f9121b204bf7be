//! Where the mistake is in a program that fails some of its tests: many small changes are tried in one run,
//! until one makes it pass. The change is never shown; it says which line is wrong, and in which way.

use std::collections::BTreeSet;

use analysis::{
    Program,
    repair::{Change, Kind, Part, changes},
};
use domain::{
    execution::{self, ExecutionError, ExecutionResult, TestResult, Timeout, Verdict},
    text::Source,
};
use error_advice::Loop;
use exercises::TestCase;
use serde::{Deserialize, Serialize};

use crate::diagnosis::Finding;

/// The program that tries the changes. It counts lines, and ends by itself long before this.
const SEARCH: &str = include_str!("../content/search.py");
/// The longest for the whole search, in milliseconds: a student waits for it.
const LIMIT_MS: u64 = 2_500;
/// Most other lines that are named: more say nothing.
const MAX_OTHERS: usize = 3;

/// Exceptions that end a program after its mistake more often than at it: a loop goes too far, a case is forgotten.
const LOGIC_ERRORS: [&str; 7] = [
    "AttributeError",
    "IndexError",
    "KeyError",
    "StopIteration",
    "TypeError",
    "ValueError",
    "ZeroDivisionError",
];

/// What the search is told.
#[derive(Serialize)]
struct Task<'a> {
    program: &'a str,
    checks: Vec<Check<'a>>,
    changes: &'a [Change],
}

#[derive(Serialize)]
struct Check<'a> {
    call: Option<&'a str>,
    stdin: Option<&'a str>,
    expected: Option<&'a str>,
    raises: Option<&'a str>,
}

/// What the search has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// What has to change, in no order.
    places: Vec<Place>,
    /// Whether all tests pass then, or only more than before.
    mends_all: bool,
    /// Other lines, where a change would do as well.
    #[serde(default)]
    others: Vec<u32>,
    /// If no change helps: what the runs alone show.
    #[serde(default)]
    suspect: Option<Suspect>,
}

impl Found {
    /// The first line of a loop where a change would do and a name of the loop's condition gets a value.
    fn at_step_of(&self, around: &Loop<'_>, code: &str) -> Option<u32> {
        let condition = around.header.strip_prefix("while")?;
        let decides = |line: u32| {
            error_advice::names(condition)
                .any(|name| error_advice::assigns(code, name, line..=line))
        };
        around.lines.clone().find(|line| self.is_at(*line) && decides(*line))
    }

    /// Whether a change on this line would do.
    fn is_at(&self, line: u32) -> bool {
        self.others.contains(&line) || self.places.iter().any(|place| place.line == line)
    }
}

/// A line that is suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Suspect {
    /// From 1.
    line: u32,
    why: Why,
}

/// Why a line is suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Why {
    /// It runs in all tests that fail, and in none that passes.
    OnlyWhenWrong,
    /// The items of the result are right, their order is not, and this line changes the order.
    Order,
    /// A function should give a value and gives None, and this line runs last.
    Ends,
}

/// A place that is proven to be wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    /// From 1.
    line: u32,
    /// The kind of mistake.
    kind: Kind,
}

/// The search for a program that gives a wrong result in its tests, or none. None if there is nothing to search for: no
/// such test, or a test with an unknown result.
///
/// The student's program runs together with the tests and can choose what the search says. So it gets none of the
/// hidden tests, whose values it could give away as line numbers.
pub(crate) fn search<'a>(
    mut program: execution::Program,
    tests: &'a [TestCase],
    run: &ExecutionResult,
) -> Option<execution::Program> {
    let tests = tests.iter().zip(&run.tests);
    let shown: Vec<_> = tests.filter(|(test, _)| test.hidden.is_none()).collect();
    let is_wrong = |result: &TestResult| !result.passed && result.problem.is_none();
    let (_, first_wrong) = shown.iter().find(|(_, result)| is_wrong(result))?;
    if !may_be_wrong_elsewhere(first_wrong) {
        return None;
    }
    let failing = shown.iter().filter(|(_, result)| !result.passed);
    let results: Vec<String> = failing.filter_map(|(test, _)| test.expected.clone()).collect();
    let code = program.code.as_str();
    let is_called = shown.iter().all(|(test, _)| test.call.is_some());
    let part = if is_called { Part::Functions } else { Part::Program };
    let changes = changes(&Program::read(code).ok()?, &results, part);
    if changes.is_empty() {
        return None;
    }
    let check = |test: &'a TestCase| {
        let (call, stdin) = (test.call.as_deref(), test.stdin.as_deref());
        let (expected, raises) = (test.expected.as_deref(), test.raises.as_deref());
        let is_known = expected.is_some() || raises.is_some() && call.is_some();
        is_known.then_some(Check { call, stdin, expected, raises })
    };
    let checks: Option<Vec<Check<'_>>> = shown.iter().map(|(test, _)| check(test)).collect();
    let task = Task { program: code, checks: checks?, changes: &changes };
    let task = serde_json::to_string(&task).ok()?;
    // A JSON string is a Python string, too.
    let task = serde_json::to_string(&task).ok()?;
    program.code = Source::try_from(format!("TASK = {task}\n{SEARCH}")).ok()?;
    program.tests.clear();
    program.timeout_ms = Timeout::try_from(LIMIT_MS).ok();
    Some(program)
}

/// Whether the mistake may be on another line than the one where a test ended. The line of a misspelt name is known.
fn may_be_wrong_elsewhere(result: &TestResult) -> bool {
    let raised = |error: &ExecutionError| LOGIC_ERRORS.contains(&error.kind.as_str());
    match result.verdict {
        Verdict::Ok | Verdict::Timeout | Verdict::Recursion | Verdict::MemoryLimit => true,
        Verdict::Error => result.error.as_ref().is_some_and(raised),
        _ => false,
    }
}

/// What a finished search has found.
pub(crate) fn found(search: &ExecutionResult) -> Option<Found> {
    serde_json::from_str(search.stdout.lines().next_back()?).ok()?
}

/// A finding about a wrong result, with its place; about what has ended the program only if a change mends all.
/// `of_author`: whether it was tried with what its author expects, and not with tests.
pub(crate) fn placed(finding: Finding, found: &Found, code: &str, of_author: bool) -> Finding {
    let has_ended = !finding.kind.is_empty();
    let Some(Place { line, kind }) = found.places.iter().min() else {
        return match found.suspect.filter(|_| !has_ended) {
            Some(suspect) => suspected(finding, suspect),
            None => finding,
        };
    };
    if has_ended && !found.mends_all {
        return finding;
    }
    let is_limit = finding.rule.starts_with("limit.");
    let may_be_own = finding.line.is_some_and(|own| found.is_at(own));
    if has_ended && may_be_own && !is_limit {
        return finding;
    }
    let name = serde_json::to_value(kind).unwrap_or_default();
    let tried = tried(found, *line, of_author);
    let why = format!("{} I tried small changes on copies of your program. {tried}", finding.why);
    let note = finding.note.clone().map(|note| match found.others.is_empty() {
        true => note,
        false => {
            format!("{note} I am not certain of the line: another one may be to blame as well.")
        }
    });
    if is_limit {
        // Where the time ran out is chance; a line that decides when the loop ends is not.
        let around = finding.line.into_iter().flat_map(|own| error_advice::loops_around(code, own));
        let step = around.into_iter().find_map(|around| found.at_step_of(&around, code));
        if step.is_some() {
            return Finding { note, line: step, ..finding };
        }
    }
    Finding {
        note,
        rule: format!("{}.{}", finding.rule, name.as_str().unwrap_or_default()),
        line: Some(*line),
        why: why.trim_start().to_owned(),
        next: question(*kind).to_owned(),
        ..finding
    }
}

/// What the changes have shown.
fn tried(found: &Found, line: u32, of_author: bool) -> String {
    let lines: BTreeSet<u32> = found.places.iter().map(|place| place.line).collect();
    let (all, more) = match of_author {
        true => ("does what you expect", "does more of what you expect"),
        false => ("passes the tests that you can see", "passes more of the tests that you can see"),
    };
    let tried = match (lines.len(), found.mends_all) {
        (1, true) => format!("With a small change on line {line}, it {all}"),
        (1, false) => format!("With a small change on line {line}, it {more}"),
        (count, _) => {
            format!("It needs small changes on {count} lines. Begin with line {line}")
        }
    };
    let others: Vec<String> =
        found.others.iter().take(MAX_OTHERS).map(|other| format!("line {other}")).collect();
    if others.is_empty() {
        return format!("{tried}.");
    }
    let unsure = match of_author {
        true => "Tell me one more result that you expect, and I can be more certain",
        false => "The tests do not tell which of them is wrong",
    };
    format!("{tried}. But a change on {} would do as well. {unsure}.", others.join(" or "))
}

/// No change helps, but the runs alone make a line suspicious.
fn suspected(finding: Finding, Suspect { line, why }: Suspect) -> Finding {
    let (shown, next) = match why {
        Why::OnlyWhenWrong => (
            format!(
                "But line {line} runs each time the result is wrong, and never when it is right."
            ),
            "What does this line do in the case that goes wrong, and what should happen there?",
        ),
        Why::Order => (
            format!(
                "The items are right, only their order is not, and line {line} changes the order."
            ),
            "In which order are the items before this line runs, and in which order after it?",
        ),
        Why::Ends => (
            format!("The result is None. Line {line} is the last one that runs."),
            "Which value should the function give back, and which line works it out?",
        ),
    };
    let why =
        format!("{} None of the small changes that I tried makes it right. {shown}", finding.why);
    Finding { line: Some(line), why: why.trim_start().to_owned(), next: next.to_owned(), ..finding }
}

/// The question that leads to a mistake of this kind.
const fn question(kind: Kind) -> &'static str {
    match kind {
        Kind::Comparison => {
            "Look at the comparison. For which values should it be true? Try the values at the border."
        }
        Kind::Operator => "Which values does this line work with, and what should it do with them?",
        Kind::Number => "Why does this line have exactly this number? Try it with small values.",
        Kind::Logic => {
            "When is the condition on this line true, and when should it be? Say it in words first."
        }
        Kind::Name => "Which names does this line use? Is each of them the one that you mean?",
        Kind::OffByOne => {
            "What is the first value that this line works with, and what is the last? Are both right?"
        }
        Kind::MissingReturn => {
            "What does the function give back when it comes to its end without `return`?"
        }
        Kind::ReturnValue => "What does this line give back, and what should it give back?",
        Kind::PrintForReturn => "`print` shows a value. What does the caller of the function get?",
        Kind::Indentation => {
            "How often does this line run: once, or in every iteration? How often should it?"
        }
        Kind::Order => "What has happened before this line runs? Is that the right order?",
        Kind::ExtraLine => "What would be different without this line?",
        Kind::ElseIf => {
            "Can more than one of these conditions be true for the same value? What happens then?"
        }
        Kind::MissingCall => {
            "A function only runs when parentheses follow its name. Are they there, after each function that should run?"
        }
        Kind::FirstValue => "What must this name be at the beginning? Try it with a short input.",
        Kind::Alias => {
            "Do two names mean the same list here? What happens to one when the other changes?"
        }
        Kind::EmptyCase => "What happens when the function gets an empty value?",
        Kind::LoopOver => {
            "Which values does this line work with: the items, or their positions? Which does it need?"
        }
        Kind::LeavesLoop => {
            "What do the iterations after this line change? Should there still be any?"
        }
        Kind::Conversion => {
            "Which type has each value on this line, and which type should it have?"
        }
        Kind::Misspelt => "Is each name on this line spelt as where it got its value?",
        Kind::Slice => {
            "Which part does this slice take? Where does it begin, where does it end, and in which order?"
        }
        Kind::LastItem => "What happens to the last item: is all of it handled when the loop ends?",
        Kind::MissingLine => {
            "Which of the values that come by here must be kept or counted, and which line does that?"
        }
        Kind::Result => "What does the call on this line give back, and what becomes of that?",
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Place, Suspect, Why, placed, question};
    use crate::diagnosis::Finding;
    use analysis::repair::Kind;

    fn finding() -> Finding {
        Finding {
            rule: "wrong_value".to_owned(),
            kind: String::new(),
            message: "f(1)".to_owned(),
            line: None,
            place: None,
            what: "For `f(1)` your solution gives `2`, but `1` is expected.".to_owned(),
            why: String::new(),
            next: String::new(),
            note: Some("I ran it.".to_owned()),
        }
    }

    fn found(others: &[u32]) -> Found {
        let places = vec![Place { line: 3, kind: Kind::Comparison }];
        Found { places, mends_all: true, others: others.to_vec(), suspect: None }
    }

    #[test]
    fn a_place_is_named_and_the_change_is_not() {
        let placed = placed(finding(), &found(&[]), "", false);
        assert_eq!((placed.rule.as_str(), placed.line), ("wrong_value.comparison", Some(3)));
        assert!(
            placed
                .why
                .ends_with("With a small change on line 3, it passes the tests that you can see.")
        );
        assert_eq!(placed.next, question(Kind::Comparison));
    }

    #[test]
    fn the_line_that_ended_a_program_stays_if_it_may_be_the_one() {
        let ended = |line| Finding {
            rule: "index_too_large".to_owned(),
            kind: "IndexError".to_owned(),
            line: Some(line),
            ..finding()
        };
        let line = |own, found: &Found| placed(ended(own), found, "", true).line;
        assert_eq!(line(7, &found(&[])), Some(3));
        assert_eq!(line(7, &found(&[5, 7])), Some(7));
        assert_eq!(line(7, &Found { mends_all: false, ..found(&[]) }), Some(7));
    }

    #[test]
    fn in_a_loop_without_end_it_is_the_line_that_decides_when_it_ends() {
        let code = "def f(n):\n    count = 0\n    while n > 0:\n        count += 1\n        n ^= 1\n    return count\n";
        let rule = "limit.while".to_owned();
        // Wherever the time ran out.
        for own in 3..=5 {
            let ended = Finding {
                rule: rule.clone(),
                kind: "Timeout".to_owned(),
                line: Some(own),
                ..finding()
            };
            let line = |others| placed(ended.clone(), &found(others), code, true).line;
            assert_eq!((line(&[4, 5]), line(&[4])), (Some(5), Some(3)), "{own}");
        }
    }

    #[test]
    fn other_places_that_would_do_as_well_are_admitted() {
        let placed = placed(finding(), &found(&[5, 9]), "", true);
        assert_eq!(placed.line, Some(3));
        assert!(placed.why.contains("But a change on line 5 or line 9 would do as well."));
        assert!(placed.note.is_some_and(|note| note.contains("not certain of the line")));
    }

    #[test]
    fn without_a_change_that_helps_a_line_is_named_that_runs_only_when_it_goes_wrong() {
        let suspect = Some(Suspect { line: 7, why: Why::OnlyWhenWrong });
        let suspect = Found { places: vec![], suspect, ..found(&[]) };
        let placed = placed(finding(), &suspect, "", true);
        assert_eq!((placed.rule.as_str(), placed.line), ("wrong_value", Some(7)));
        assert!(placed.why.contains("line 7 runs each time the result is wrong"));
    }
}
