//! Making an exercise: a variation of one of the course, or one that a model has written. It is assigned only if it
//! passes every gate.

use domain::{
    difficulty::Difficulty,
    execution::{ExecutionResult, Program},
    text::Source,
};
use events::question_routed::QuestionRouted;
use exercises::{Exercise, TestCase};
use exercises::{Fault, Report, Trial};
use ids::ExerciseId;
use serde::{Deserialize, Serialize};
use tutor::reply::WrittenExercise;

/// An exercise that is being made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Making {
    /// The question that it is for.
    pub request: QuestionRouted,
    /// The topic's slug.
    pub topic: String,
    /// Its id.
    pub id: ExerciseId,
    /// The exercise that it varies.
    pub variation_of: Option<ExerciseId>,
    /// The exercise.
    pub exercise: Exercise,
    /// Whether its tests have their expected values.
    has_expectations: bool,
    /// The results of the first trials.
    results: Vec<ExecutionResult>,
    /// A solution that was made from the task alone.
    independent: Independent,
    /// How often the next trial was run and could not be judged.
    #[serde(default)]
    tries: u32,
}

/// How often a trial that cannot be judged is run before its exercise is given up.
const MAX_TRIES: u32 = 3;

/// Whether somebody who has only read the task can solve it. Checked for exercises that a model has written; a
/// variation has the wording of the course's exercise.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Independent {
    Unneeded,
    // The name that earlier versions stored.
    #[serde(rename = "Wanted")]
    Missing,
    /// The solution that is run.
    Made(String),
    Ran(Box<ExecutionResult>),
}

/// A variation of an exercise of the course.
#[derive(Debug)]
pub struct Variation {
    /// Its id.
    pub id: ExerciseId,
    /// The exercise that it varies.
    pub of: ExerciseId,
    /// The exercise with the other values.
    pub exercise: Exercise,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// A program to be run.
    Run(Box<Program>),
    /// A solution is to be written from the task alone.
    Solve,
    /// The verdict.
    Judged(Report),
}

impl Making {
    /// Starts with a variation of an exercise: its solution gives the tests' expected values.
    #[must_use]
    pub fn varied(request: QuestionRouted, topic: String, variation: Variation) -> Self {
        let Variation { id, of, exercise } = variation;
        Self {
            request,
            topic,
            id,
            variation_of: Some(of),
            exercise,
            has_expectations: false,
            results: Vec::new(),
            independent: Independent::Unneeded,
            tries: 0,
        }
    }

    /// What a model has written.
    #[must_use]
    pub fn written(
        request: QuestionRouted,
        topic: String,
        id: ExerciseId,
        written: WrittenExercise,
        difficulty: Difficulty,
    ) -> Self {
        let exercise = exercise(written, difficulty, id);
        Self {
            request,
            topic,
            id,
            variation_of: None,
            exercise,
            has_expectations: true,
            results: Vec::new(),
            independent: Independent::Missing,
            tries: 0,
        }
    }

    /// Its origin.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        if self.variation_of.is_some() { "variation" } else { "model" }
    }

    /// What to do now.
    #[must_use]
    pub fn next(&self) -> Next {
        if !self.has_expectations {
            return self.run(&self.exercise.reference);
        }
        let trials = match exercises::trials(&self.exercise) {
            Ok(trials) => trials,
            Err(faults) => return Next::Judged(Report { faults, ..Report::default() }),
        };
        if let Some((_, program)) = trials.get(self.results.len()) {
            return Next::Run(Box::new(program.clone()));
        }
        let tried: Vec<(Trial, ExecutionResult)> =
            trials.into_iter().map(|(trial, _)| trial).zip(self.results.clone()).collect();
        let mut report = exercises::judge(&self.exercise, &tried);
        if self.variation_of.is_none() {
            report.faults.extend(double(&self.exercise));
        }
        match &self.independent {
            // An exercise that is wrong anyway needs no further check.
            Independent::Missing if report.faults.is_empty() => return Next::Solve,
            Independent::Made(solution) => return self.run(solution),
            Independent::Ran(run) => {
                report.faults.extend(exercises::judge_task(&self.exercise, run));
            }
            Independent::Missing | Independent::Unneeded => {}
        }
        Next::Judged(report)
    }

    /// A run of a solution with all tests.
    fn run(&self, solution: &str) -> Next {
        match Source::try_from(solution.to_owned()) {
            Ok(source) => {
                Next::Run(Box::new(Program { seed: Some(0), ..self.exercise.trial(source) }))
            }
            Err(error) => Next::Judged(Report::of(Fault::Bounds(error.to_string()))),
        }
    }

    /// Records the solution that was written from the task alone.
    pub fn note_solution(&mut self, solution: String) {
        self.independent = Independent::Made(solution);
    }

    /// Records the run; a trial that could not be judged is repeated.
    pub fn note(&mut self, run: &ExecutionResult) {
        if !run.is_judged() && self.tries + 1 < MAX_TRIES {
            self.tries += 1;
            return;
        }
        self.tries = 0;
        if !self.has_expectations {
            let exercise = self.exercise.clone();
            self.exercise = exercises::fill_in_expected(exercise, run);
            self.has_expectations = true;
            return;
        }
        // Only the actual values are used.
        let run = ExecutionResult {
            stdout: String::new(),
            stderr: String::new(),
            transcript: Vec::new(),
            trace: None,
            files: Default::default(),
            ..run.clone()
        };
        match self.independent {
            Independent::Made(_) => self.independent = Independent::Ran(Box::new(run)),
            _ => self.results.push(run),
        }
    }
}

/// The exercise of the course that this one repeats.
fn double(exercise: &Exercise) -> Option<Fault> {
    let mut bank = curriculum::embedded().exercises().map(|(_, template)| template.exercise());
    let double = bank.find(|known| exercises::same_as(known, exercise))?;
    Some(Fault::Known(double.title))
}

fn exercise(written: WrittenExercise, difficulty: Difficulty, id: ExerciseId) -> Exercise {
    let text = |text: String| (!text.trim().is_empty()).then_some(text);
    let tests = written.tests.into_iter().map(|test| TestCase {
        call: Some(test.call),
        stdin: None,
        expected: Some(test.expected),
        raises: None,
        hidden: text(test.hidden),
    });
    Exercise {
        slug: format!("model-{id}"),
        title: written.title,
        difficulty,
        task: written.task,
        starter: written.starter,
        reference: written.reference,
        hints: written.hints,
        uses: Vec::new(),
        forbids: Vec::new(),
        equivalent: Vec::new(),
        files: Default::default(),
        tests: tests.collect(),
    }
}
