//! Exercises as written by their authors, and the programs that test solutions.

use std::collections::BTreeMap;

use domain::{
    difficulty::Difficulty,
    execution::{self, FileName, Program, TestResult, TestVerdict, Verdict},
    text::{CallText, ClassName, ExpectedText, FileText, Source, Stdin, TestName},
    versioned::Versioned,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An exercise as written: `<name>` in its texts stands for one of several values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The values of each name. The tests' expected values are those for the first ones; for others the reference
    /// solution gives them.
    #[serde(default)]
    pub vary: BTreeMap<String, Vec<String>>,
    #[serde(flatten)]
    text: Exercise,
}

/// An exercise that can be assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exercise {
    /// Its name in URLs, unique in the course.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// How hard it is.
    #[schemars(with = "String", extend("enum" = ["easy", "medium", "hard"]))]
    pub difficulty: Difficulty,
    /// The task.
    pub task: String,
    /// The starter code. By default the functions of the reference, without bodies.
    #[serde(default)]
    pub starter: String,
    /// A solution. Never leaves the server.
    pub reference: String,
    /// Hints without code, the more general one first.
    pub hints: Vec<String>,
    /// Statements, such as `for`, that a solution must use.
    #[serde(default)]
    pub uses: Vec<String>,
    /// Names and statements that a solution must not use.
    #[serde(default)]
    pub forbids: Vec<String>,
    /// Mutants of the reference, as named by `learnflow check-course`, that are equivalent: no test can notice them.
    #[serde(default)]
    pub equivalent: Vec<String>,
    /// Files next to the program, by name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What a solution must do.
    pub tests: Vec<TestCase>,
}

impl Versioned for Exercise {
    const NAME: &'static str = "exercise";
    const VERSION: u32 = 1;
}

/// One thing that a solution must do.
// As its author writes it; it is run as an `execution::TestCase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestCase {
    /// A Python expression that is evaluated after the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Standard input of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// The value of `call` as a Python expression, or without `call` the standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The exception that `call` must raise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raises: Option<String>,
    /// What is tested, in words, if the test itself is hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<String>,
}

impl Template {
    /// The number of variations.
    #[must_use]
    pub fn variations(&self) -> usize {
        self.vary.values().map(Vec::len).product()
    }

    /// The exercise as written, with the first value of every name.
    #[must_use]
    pub fn exercise(&self) -> Exercise {
        self.variation(0)
    }

    /// One of the variations, from 0; beyond [`Template::variations`] they repeat.
    #[must_use]
    pub fn variation(&self, number: usize) -> Exercise {
        let mut rest = number % self.variations().max(1);
        let mut values: Vec<(String, &str)> = Vec::new();
        for (name, choices) in &self.vary {
            values.push((format!("<{name}>"), &choices[rest % choices.len()]));
            rest /= choices.len();
        }
        let filled = |text: &str| {
            values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        let text = &self.text;
        let is_written = number.is_multiple_of(self.variations().max(1));
        let tests = text.tests.iter().map(|case| TestCase {
            call: case.call.as_deref().map(filled),
            expected: case.expected.as_deref().filter(|_| is_written).map(filled),
            ..case.clone()
        });
        let reference = filled(text.reference.trim_start());
        let starter = match text.starter.trim() {
            "" => empty_functions(&reference),
            starter => format!("{}\n", filled(starter)),
        };
        Exercise {
            task: filled(&text.task),
            starter,
            reference,
            tests: tests.collect(),
            ..text.clone()
        }
    }
}

/// The headers of a program's functions, with empty bodies.
fn empty_functions(program: &str) -> String {
    let headers = program.lines().filter(|line| line.starts_with("def "));
    headers.map(|header| format!("{header}\n    pass\n")).collect::<Vec<_>>().join("\n\n")
}

impl Exercise {
    /// A student's solution with this exercise's tests, ready to be run. Of hidden tests the result holds only the
    /// verdicts.
    ///
    /// # Panics
    /// If the exercise has texts that no program may have, which the tests of the course rule out.
    #[must_use]
    pub fn program(&self, code: Source) -> Program {
        let mut program = self.trial(code);
        for (test, case) in program.tests.iter_mut().zip(&self.tests) {
            test.hidden = case.hidden.is_some();
        }
        program
    }

    /// A program of the course's author, such as the reference, with this exercise's tests, ready to be run: with full
    /// results.
    ///
    /// # Panics
    /// As [`Exercise::program`].
    #[must_use]
    pub fn trial(&self, code: Source) -> Program {
        const WITHIN: &str = "the course is within its bounds";
        let files = self.files.iter().map(|(name, text)| {
            let name = FileName::try_from(name.clone()).expect(WITHIN);
            (name, FileText::try_from(text.clone()).expect(WITHIN))
        });
        let tests = self.tests.iter().enumerate().map(|(number, case)| execution::TestCase {
            name: TestName::try_from(format!("test {}", number + 1)).expect(WITHIN),
            stdin: case.stdin.clone().map(|text| Stdin::try_from(text).expect(WITHIN)),
            call: case.call.clone().map(|text| CallText::try_from(text).expect(WITHIN)),
            raises: case.raises.clone().map(|name| ClassName::try_from(name).expect(WITHIN)),
            hidden: false,
            expected: ExpectedText::try_from(
                case.expected.clone().unwrap_or_else(|| "None".to_owned()),
            )
            .expect(WITHIN),
        });
        Program {
            code,
            stdin: None,
            files: files.collect(),
            tests: tests.collect(),
            timeout_ms: None,
            seed: None,
            trace: false,
        }
    }

    /// The verdict on each test case, by the results of running [`Exercise::program`].
    #[must_use]
    pub fn verdicts(&self, results: &[TestResult]) -> Vec<TestVerdict> {
        let cases = self.tests.iter().enumerate();
        cases.map(|(number, case)| case.verdict(results.get(number))).collect()
    }
}

impl TestCase {
    /// The verdict on a solution, by its run with this test case.
    #[must_use]
    pub fn verdict(&self, result: Option<&TestResult>) -> TestVerdict {
        let Some(result) = result else { return TestVerdict::NotRun };
        let has_value = self.call.is_some() && self.raises.is_none();
        match result.verdict {
            _ if result.passed => TestVerdict::Passed,
            Verdict::Ok if has_value && result.actual == "None" => TestVerdict::NoneReturned,
            Verdict::Ok => TestVerdict::WrongAnswer,
            Verdict::Timeout | Verdict::Deadlock => TestVerdict::Timeout,
            Verdict::MemoryLimit => TestVerdict::MemoryLimit,
            Verdict::OutputLimit => TestVerdict::OutputLimit,
            Verdict::SourceTooLarge | Verdict::Internal | Verdict::Busy => TestVerdict::NotRun,
            Verdict::Unknown => TestVerdict::Unknown,
            Verdict::Error
            | Verdict::SyntaxError
            | Verdict::Exit
            | Verdict::Recursion
            | Verdict::Aborted => TestVerdict::Exception,
        }
    }
}
