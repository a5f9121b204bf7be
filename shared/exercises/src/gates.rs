//! The gates that an exercise must pass before a student sees it: its solution passes, its starter code does not, and
//! its tests notice small mistakes.

use analysis::{
    Program as Python,
    mutants::{Mutant, mutants, stops},
};
use domain::{
    execution::{ExecutionResult, FileName, Program, Timeout, Verdict},
    text::{CallText, ClassName, ExpectedText, FileText, Source, Stdin},
};

use crate::exercise::{Exercise, TestCase};

/// The least number of tests, and of hidden tests.
const MIN_TESTS: usize = 5;
const MIN_HIDDEN: usize = 2;
/// Most mutants that are run. More would find little more.
const MAX_MUTANTS: usize = 20;
/// The percentage of mutants that the tests must notice. Not all: some mutants are equivalent.
const MIN_KILLED_PERCENT: usize = 80;
/// Most statements of a solution. Each is a run, and the longest of the course has half as many.
const MAX_STATEMENTS: usize = 60;
/// Wall time for all tests of one mutant, in milliseconds; many of them never end by themselves.
const MUTANT_LIMIT_MS: u64 = 500;
/// The solution is run with each of these seeds: a solution that depends on the order of a set passes by chance.
const SEEDS: [u64; 2] = [0, 1];

/// What is run to verify an exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// The solution: must pass all tests.
    Reference,
    /// The starter code: must fail a test.
    Starter,
    /// Functions that always return the same: must fail a test.
    Stub(String),
    /// The solution with a stop before the statement on this line: must fail a test.
    Stop(u32),
    /// The solution with a small mistake, named by its line and change: should fail a test.
    Mutant(String),
}

/// Why an exercise is not assigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It repeats an existing exercise in other words.
    #[error("it repeats the exercise \"{0}\" in other words")]
    Known(String),
    /// Its text is not accepted by the sandbox.
    #[error("the solution cannot be run: {0}")]
    Bounds(String),
    /// The solution or the starter is not Python.
    #[error("the {0} is not Python: {1}")]
    NotPython(&'static str, String),
    /// Too little is tested.
    #[error(
        "it has {tests} tests, {hidden} of them hidden; {MIN_TESTS} and {MIN_HIDDEN} are needed"
    )]
    Tests {
        /// All tests.
        tests: usize,
        /// The hidden ones.
        hidden: usize,
    },
    /// A hidden test is shown, too.
    #[error("the hidden test `{0}` is also a visible one")]
    Shown(String),
    /// A test without an expectation, or with two.
    #[error("the test `{0}` needs either `expected` or `raises`")]
    Expectation(String),
    /// The solution does not meet a requirement of the task.
    #[error("the solution must {}use `{word}`", if *.allowed { "" } else { "not " })]
    Construct {
        /// The word.
        word: String,
        /// Whether it is required or forbidden.
        allowed: bool,
    },
    /// The solution fails.
    #[error("the solution fails {0}")]
    Reference(String),
    /// Some of the solution is not covered by the tests.
    #[error("no test reaches line {0} of the solution")]
    Unreached(u32),
    /// The solution is longer than any exercise of the course.
    #[error("the solution has {0} statements; at most {MAX_STATEMENTS} are allowed")]
    Long(usize),
    /// The task does not say all that is tested.
    #[error("a solution by somebody who has read only the task fails {0}")]
    Task(String),
    /// There is no model to solve it.
    #[error("there is no solution from its task alone")]
    Unsolved,
    /// Not every trial could be judged.
    #[error("not every trial could be judged")]
    Unjudged,
    /// There is nothing left to do.
    #[error("the starter code passes all tests")]
    Starter,
    /// A program that ignores its input passes.
    #[error("functions that always return `{0}` pass all tests")]
    Stub(String),
    /// The tests are weak.
    #[error("the tests notice {killed} of {mutants} small mistakes; not these: {survivors}")]
    Mutants {
        /// Mistakes that were tried.
        mutants: usize,
        /// Those that a test noticed.
        killed: usize,
        /// Those that none noticed.
        survivors: String,
    },
}

/// The report on an exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Why it is not assigned; `None` if it is.
    pub faults: Vec<Fault>,
    /// Small mistakes that were tried.
    pub mutants: usize,
    /// Those that a test noticed.
    pub killed: usize,
    /// Those that none noticed.
    pub survivors: Vec<String>,
}

impl Report {
    /// The report on an exercise with a fault that needs no trials.
    #[must_use]
    pub fn of(fault: Fault) -> Self {
        Self { faults: vec![fault], ..Self::default() }
    }
}

/// The trials to run, or the fault that makes them needless.
///
/// # Errors
/// The fault that can be found without running anything.
pub fn trials(exercise: &Exercise) -> Result<Vec<(Trial, Program)>, Vec<Fault>> {
    let faults = faults(exercise);
    if !faults.is_empty() {
        return Err(faults);
    }
    let program = |code: &str| {
        let code = Source::try_from(code.to_owned());
        code.map(|code| exercise.trial(code))
            .map_err(|error| vec![Fault::Bounds(error.to_string())])
    };
    let mut trials = Vec::new();
    for seed in SEEDS {
        let reference = program(&exercise.reference)?;
        trials.push((Trial::Reference, Program { seed: Some(seed), ..reference }));
    }
    trials.push((Trial::Starter, program(&exercise.starter)?));
    for (value, source) in stubs(exercise) {
        trials.push((Trial::Stub(value), program(&source)?));
    }
    let timeout_ms = Timeout::try_from(MUTANT_LIMIT_MS).ok();
    let reference = Python::read(&exercise.reference)
        .map_err(|error| vec![Fault::NotPython("solution", error.to_string())])?;
    for stop in stops(&reference) {
        trials.push((Trial::Stop(stop.line), Program { timeout_ms, ..program(&stop.source)? }));
    }
    let all = mutants(&reference);
    let name = |mutant: &Mutant| format!("line {}: {}", mutant.line, mutant.change);
    let real = |mutant: &Mutant| !exercise.equivalent.contains(&name(mutant));
    let all: Vec<Mutant> = all.into_iter().filter(real).collect();
    let step = all.len().div_ceil(MAX_MUTANTS).max(1);
    for mutant in all.into_iter().step_by(step) {
        let name = name(&mutant);
        trials.push((Trial::Mutant(name), Program { timeout_ms, ..program(&mutant.source)? }));
    }
    Ok(trials)
}

/// The exercise's functions with bodies that ignore their arguments: they return constants, the first parameter, or
/// what the first test expects.
fn stubs(exercise: &Exercise) -> Vec<(String, String)> {
    const CONSTANTS: [&str; 5] = ["0", "''", "[]", "True", "False"];
    let headers = exercise.reference.lines().filter(|line| line.starts_with("def "));
    let headers: Vec<&str> = headers.collect();
    if headers.is_empty() || exercise.tests.iter().any(|case| case.call.is_none()) {
        return Vec::new();
    }
    let first_parameter = headers[0]
        .split_once('(')
        .and_then(|(_, rest)| rest.split([',', ')', ':', '=']).next())
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.starts_with('*'));
    // A function without parameters has nothing to ignore.
    let Some(parameter) = first_parameter else { return Vec::new() };
    let first_expected = exercise.tests.iter().find_map(|case| case.expected.as_deref());
    let constants = CONSTANTS.into_iter().chain(first_expected);
    let mut stubs: Vec<(String, String)> =
        constants.map(|value| (value.to_owned(), bodies(&headers, value))).collect();
    // Other functions may have other parameters.
    if let [header] = headers.as_slice() {
        stubs.push((parameter.to_owned(), bodies(&[header], parameter)));
    }
    stubs
}

fn bodies(headers: &[&str], value: &str) -> String {
    headers.iter().map(|header| format!("{header}\n    return {value}\n\n\n")).collect()
}

/// Fills in the expected values of a variation's tests from the results of running its solution.
#[must_use]
pub fn fill_in_expected(mut exercise: Exercise, result: &ExecutionResult) -> Exercise {
    for (case, test) in exercise.tests.iter_mut().zip(&result.tests) {
        if case.expected.is_none() && case.raises.is_none() && test.verdict == Verdict::Ok {
            case.expected = Some(test.actual.clone());
        }
    }
    exercise
}

/// The verdict on an exercise after its trials.
#[must_use]
pub fn judge(exercise: &Exercise, results: &[(Trial, ExecutionResult)]) -> Report {
    let mut report = Report::default();
    for (trial, result) in results {
        let solved = failed(exercise, result).is_none();
        match trial {
            // Nearly always an endless loop: to run it again would not give it an end.
            Trial::Mutant(_) if result.was_cut_short() => {
                report.mutants += 1;
                report.killed += 1;
            }
            // Then it is unknown whether a test noticed something. With the solution, the test itself is or may be at
            // fault.
            _ if *trial != Trial::Reference && !result.is_judged() => {
                report.faults.push(Fault::Unjudged);
            }
            Trial::Reference => {
                report.faults.extend(failed(exercise, result).map(Fault::Reference));
            }
            Trial::Stop(line) if solved => report.faults.push(Fault::Unreached(*line)),
            Trial::Starter if solved => report.faults.push(Fault::Starter),
            Trial::Stub(value) if solved => report.faults.push(Fault::Stub(value.clone())),
            Trial::Stop(_) | Trial::Starter | Trial::Stub(_) => {}
            Trial::Mutant(change) => {
                report.mutants += 1;
                if solved {
                    report.survivors.push(change.clone());
                } else {
                    report.killed += 1;
                }
            }
        }
    }
    if report.killed * 100 < report.mutants * MIN_KILLED_PERCENT {
        report.faults.push(Fault::Mutants {
            mutants: report.mutants,
            killed: report.killed,
            survivors: report.survivors.join("; "),
        });
    }
    report.faults.dedup();
    report
}

/// The fault that is shown by running a solution written from the task alone.
#[must_use]
pub fn judge_task(exercise: &Exercise, result: &ExecutionResult) -> Option<Fault> {
    failed(exercise, result).map(Fault::Task)
}

/// The first test that a run fails.
fn failed(exercise: &Exercise, result: &ExecutionResult) -> Option<String> {
    let verdicts = exercise.verdicts(&result.tests);
    let failed = exercise.tests.iter().zip(verdicts).find(|(_, verdict)| !verdict.is_passed());
    failed.map(|(case, _)| name(case))
}

/// The checks that run nothing.
fn faults(exercise: &Exercise) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(fault) = out_of_bounds(exercise) {
        faults.push(Fault::Bounds(fault));
    }
    let is_hidden = |case: &&TestCase| case.hidden.is_some();
    let hidden = exercise.tests.iter().filter(is_hidden).count();
    if exercise.tests.len() < MIN_TESTS || hidden < MIN_HIDDEN {
        faults.push(Fault::Tests { tests: exercise.tests.len(), hidden });
    }
    for case in &exercise.tests {
        if case.expected.is_some() == case.raises.is_some() {
            faults.push(Fault::Expectation(name(case)));
        }
    }
    for case in exercise.tests.iter().filter(is_hidden) {
        let same = |other: &TestCase| {
            other.hidden.is_none() && other.call == case.call && other.stdin == case.stdin
        };
        if exercise.tests.iter().any(same) {
            faults.push(Fault::Shown(name(case)));
        }
    }
    if let Err(error) = Python::read(&exercise.starter) {
        faults.push(Fault::NotPython("starter", error.to_string()));
    }
    match Python::read(&exercise.reference) {
        Err(error) => faults.push(Fault::NotPython("solution", error.to_string())),
        Ok(reference) => {
            let statements = stops(&reference).len();
            if statements > MAX_STATEMENTS {
                faults.push(Fault::Long(statements));
            }
            let missing = exercise.uses.iter().filter(|word| !reference.mentions(word));
            faults
                .extend(missing.map(|word| Fault::Construct { word: word.clone(), allowed: true }));
            let there = exercise.forbids.iter().filter(|word| reference.mentions(word));
            faults
                .extend(there.map(|word| Fault::Construct { word: word.clone(), allowed: false }));
        }
    }
    faults
}

/// The parts of an exercise that no program may have.
fn out_of_bounds(exercise: &Exercise) -> Option<String> {
    fn refused<T: TryFrom<String, Error: ToString>>(text: &str) -> Option<String> {
        T::try_from(text.to_owned()).err().map(|error| error.to_string())
    }
    let files = exercise
        .files
        .iter()
        .find_map(|(name, text)| refused::<FileName>(name).or_else(|| refused::<FileText>(text)));
    let cases = exercise.tests.iter().find_map(|case| {
        let call = case.call.as_deref().and_then(refused::<CallText>);
        let stdin = || case.stdin.as_deref().and_then(refused::<Stdin>);
        let expected = || case.expected.as_deref().and_then(refused::<ExpectedText>);
        let raises = || case.raises.as_deref().and_then(refused::<ClassName>);
        call.or_else(stdin).or_else(expected).or_else(raises)
    });
    let code = [&exercise.reference, &exercise.starter];
    files.or(cases).or_else(|| code.into_iter().find_map(|code| refused::<Source>(code)))
}

fn name(case: &TestCase) -> String {
    case.call.clone().or_else(|| case.stdin.clone()).unwrap_or_default()
}
