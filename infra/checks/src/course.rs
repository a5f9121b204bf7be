//! Verifies everything that a course claims, in the sandbox.

use code_execution::{execute::execute, workers::Workers};
use curriculum::{Curriculum, Question};
use domain::execution::{ExecutionResult, Program, Verdict};
use environment::Clock;
use exercises::Exercise;
use exercises::{Report, Trial, fill_in_expected, judge, trials};
use futures::{StreamExt as _, stream};
use serde_json::json;

/// Programs that run at the same time, and exercises that each have as many. A worker takes turns between up to 64
/// programs.
const AT_ONCE: usize = 4;
const EXERCISES_AT_ONCE: usize = 2;
/// How often a program that was stopped too early is run at most.
const MAX_TRIES: u32 = 10;

/// The report on a course.
#[derive(Debug, Default)]
pub struct Findings {
    /// Programs whose output was compared.
    pub examples: usize,
    /// Quiz questions whose program was run.
    pub questions: usize,
    /// Exercises, with their variations.
    pub exercises: usize,
    /// Mutants of the solutions.
    pub mutants: usize,
    /// Those that the exercises' tests noticed.
    pub killed: usize,
    /// The faults, with their places.
    pub faults: Vec<String>,
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} examples, {} questions with programs, {} exercises; their tests notice {} of {} small mistakes; {} faults",
            self.examples,
            self.questions,
            self.exercises,
            self.killed,
            self.mutants,
            self.faults.len()
        )
    }
}

/// Runs every example, every question's program, and every exercise in all its variations.
pub async fn check(course: &Curriculum, workers: &Workers) -> Findings {
    let mut found = Findings::default();
    let examples = stream::iter(course.examples()).map(async |(place, example)| {
        let result = run_code(workers, &example.code, &example.stdin).await;
        let is_right = result.verdict == Verdict::Ok && result.stdout == example.output;
        (!is_right).then(|| format!("{place}, \"{}\" prints\n{}", example.title, shown(&result)))
    });
    let examples: Vec<Option<String>> = examples.buffered(AT_ONCE).collect().await;
    found.examples = examples.len();
    found.faults.extend(examples.into_iter().flatten());

    let topics = course.topics().flat_map(|topic| {
        let with_code = topic.practice.questions.iter().filter(|question| question.code.is_some());
        with_code.map(|question| (topic.slug.as_str(), question))
    });
    let questions = stream::iter(topics).map(async |(place, question)| {
        let fault = question_fault(question, workers).await;
        fault.map(|fault| format!("{place}, question \"{}\": {fault}", question.ask))
    });
    let questions: Vec<Option<String>> = questions.buffered(AT_ONCE).collect().await;
    found.questions = questions.len();
    found.faults.extend(questions.into_iter().flatten());
    found.faults.extend(unexplained(course));

    let all = course.exercises().flat_map(|(topic, template)| {
        (0..template.variations()).map(move |number| (topic, template, number))
    });
    let verified = stream::iter(all).map(async |(topic, template, number)| {
        let exercise = template.variation(number);
        let place = format!("{}, exercise {}/{number}", topic.slug, exercise.slug);
        (place, verify(exercise, workers).await)
    });
    let verified: Vec<(String, Report)> = verified.buffered(EXERCISES_AT_ONCE).collect().await;
    found.exercises = verified.len();
    for (place, report) in verified {
        found.mutants += report.mutants;
        found.killed += report.killed;
        found.faults.extend(report.faults.iter().map(|fault| format!("{place}: {fault}")));
    }
    found
}

/// The questions that do not say why a student would give each of the wrong answers.
fn unexplained(course: &Curriculum) -> Vec<String> {
    let questions = course.topics().flat_map(|topic| {
        topic.practice.questions.iter().map(move |question| (topic.slug.as_str(), question))
    });
    let faults = questions.filter(|(_, question)| !question.is_explained()).map(|(place, question)| {
        let ask = &question.ask;
        format!("{place}, question \"{ask}\": `because` must say why a student would give each wrong answer")
    });
    faults.collect()
}

/// Puts an exercise through all gates.
pub async fn verify(exercise: Exercise, workers: &Workers) -> Report {
    let needs_expectations =
        exercise.tests.iter().any(|check| check.expected.is_none() && check.raises.is_none());
    let exercise = match exercise.reference.clone().try_into() {
        Ok(reference) if needs_expectations => {
            let result = run_program(workers, &exercise.trial(reference)).await;
            fill_in_expected(exercise, &result)
        }
        _ => exercise,
    };
    let trials = match trials(&exercise) {
        Ok(trials) => trials,
        Err(faults) => return Report { faults, ..Report::default() },
    };
    let results = stream::iter(trials)
        .map(async |(trial, program)| {
            // Many mutants never end, so they are not worth another try.
            let result = match trial {
                Trial::Mutant(_) => run_once(workers, &program).await,
                _ => run_program(workers, &program).await,
            };
            (trial, result)
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    judge(&exercise, &results)
}

/// What is wrong with a question's answer key, if its program contradicts it.
async fn question_fault(question: &Question, workers: &Workers) -> Option<String> {
    let code = question.code.as_deref()?;
    let result = run_code(workers, code.trim_start(), &question.stdin).await;
    let answer = match &result.error {
        Some(error) => error.kind.clone(),
        None => result.stdout.trim().to_owned(),
    };
    (answer != question.answer).then(|| format!("it gives {answer:?}, not {:?}", question.answer))
}

pub(crate) async fn run_code(workers: &Workers, code: &str, stdin: &str) -> ExecutionResult {
    let program = serde_json::from_value(json!({ "code": code, "stdin": stdin }));
    run_program(workers, &program.expect("texts of the course are within a program's bounds")).await
}

/// Runs a program, again if it was stopped too early: nothing of a course needs much of its time.
pub(crate) async fn run_program(workers: &Workers, program: &Program) -> ExecutionResult {
    let mut result = run_once(workers, program).await;
    for _ in 1..MAX_TRIES {
        if !result.was_cut_short() && result.verdict != Verdict::Timeout {
            break;
        }
        result = run_once(workers, program).await;
    }
    result
}

async fn run_once(workers: &Workers, program: &Program) -> ExecutionResult {
    let result = execute(workers, program, Clock::System.now()).await;
    result.expect("a worker takes more programs than are run at once here")
}

fn shown(result: &ExecutionResult) -> String {
    let error = result.error.as_ref().map(|error| format!("{}: {}", error.kind, error.message));
    format!("{}{}", result.stdout, error.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use curriculum::embedded;

    use super::unexplained;

    #[test]
    fn a_wrong_answer_without_a_reason_is_a_fault() {
        assert_eq!(unexplained(embedded()), [""; 0]);
        let mut course = embedded().clone();
        let questions = &mut course.modules[1].topics[0].practice.questions;
        questions[0].because.pop();
        questions[2].because[1] = " ".to_owned();
        let faults = unexplained(&course);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().all(|fault| fault.starts_with("conditionals, ")), "{faults:?}");
    }
}
