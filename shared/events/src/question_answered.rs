//! An agent has answered a question.

use std::collections::BTreeMap;

use domain::{
    agent::{AnsweredBy, Author},
    difficulty::Difficulty,
    level::Level,
    versioned::Versioned,
};
use ids::{ExerciseId, QueryId, UserId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient, question_routed::Routing};

/// A program and exactly what it prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Example {
    /// One sentence on what it shows.
    pub title: String,
    /// A complete program.
    pub code: String,
    /// Everything that it writes to standard output.
    pub output: String,
}

/// An answer, in text and in parts that a front end can lay out itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The whole answer as Markdown, examples included.
    pub content: String,
    /// The examples on their own.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// Slugs of the topics that the answer is about, nearest first.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Slugs of topics worth reading next.
    #[serde(default)]
    pub related: Vec<String>,
    /// The fields of a certain kind of answer.
    #[serde(default, deserialize_with = "details", skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

impl Answer {
    /// An answer that is only text.
    #[must_use]
    pub const fn text(content: String) -> Self {
        Self {
            content,
            examples: Vec::new(),
            topics: Vec::new(),
            related: Vec::new(),
            details: None,
        }
    }
}

/// The stored form of a model's shared answers.
impl Versioned for Answer {
    const NAME: &'static str = "answer for everybody";
    const VERSION: u32 = 1;
}

/// The fields of a certain kind of answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Details {
    /// An idea, explained.
    Explanation(Explained),
    /// Why a program fails, and a hint.
    Debug(Diagnosis),
    /// What a careful reader says about a program.
    Review(ReviewReport),
    /// An exercise to practise.
    Exercise(AssignedExercise),
    /// A hint to an exercise.
    Hint(Hint),
    /// Details of a later version, verbatim.
    #[serde(untagged, skip_deserializing)]
    Unknown(Map<String, Value>),
}

/// An idea, explained: the parts of the text, without the examples, which every answer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    /// A topic's slug, or the name of a finer idea.
    pub concept: String,
    /// The level that it is written for.
    #[serde(deserialize_with = "lenient::name")]
    pub level: Level,
    /// Markdown.
    pub explanation: String,
    /// What people get wrong.
    #[serde(default)]
    pub common_mistakes: Vec<String>,
    /// A Mermaid diagram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagram: Option<String>,
}

/// An exercise as a student gets it: without its solution and its hidden tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SetExercise)]
pub struct AssignedExercise {
    /// Its id, for submitting solutions.
    pub id: ExerciseId,
    /// The topic that it practises.
    pub topic: String,
    /// Its title.
    pub title: String,
    /// How hard it is.
    #[serde(deserialize_with = "lenient::name")]
    pub difficulty: Difficulty,
    /// The task.
    pub task: String,
    /// The starter code.
    pub starter: String,
    /// Files next to the program, by name, that the task, the starter or a visible test reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The visible tests.
    pub tests: Vec<VisibleTestCase>,
    /// The number of hidden tests.
    pub hidden_tests: u32,
}

/// A test that a student may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = VisibleTest)]
pub struct VisibleTestCase {
    /// A Python expression that is evaluated after the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Standard input of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// The value of `call`, or the standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The exception that `call` raises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raises: Option<String>,
}

/// What a careful reader says about a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewReport {
    /// 0 to 100; none for programs of fewer than three statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// The most severe first.
    pub findings: Vec<ReviewFinding>,
    /// One thing that is done well.
    pub praise: String,
    /// Two sentences.
    pub summary: String,
    /// The largest deductions from 100.
    pub deductions: Vec<ReviewDeduction>,
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewFinding {
    /// From 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Its severity.
    pub severity: ReviewSeverity,
    /// A stable name.
    pub rule: String,
    /// What is wrong, with the program's own names.
    pub message: String,
    /// Why it matters.
    pub why: String,
    /// The original lines, if there is a suggestion; it was run to check that it does the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The suggested lines; empty if they are to be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewSeverity {
    /// The program does not do what it says.
    Error,
    /// It works, and will cause trouble some day.
    Advice,
    /// It works, and can be simpler.
    Style,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The deduction for a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewDeduction {
    /// The rule's name.
    pub rule: String,
    /// How often it was found.
    pub count: u32,
    /// Points of 100.
    pub points: u8,
}

/// Why a program fails, and a hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Diagnosis {
    /// What happened.
    pub error: DiagnosedError,
    /// Why it happened.
    pub cause: String,
    /// The misconception that usually leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misconception: Option<String>,
    /// One rung of the ladder.
    pub hint: Hint,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiagnosedError {
    /// The exception's class, or the limit that was reached; empty if the program ended normally.
    #[serde(rename = "type")]
    pub kind: String,
    /// Python's message.
    pub message: String,
    /// The student's line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// One rung of the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hint {
    /// Which, from 1.
    pub level: u8,
    /// How many there are.
    pub of: u8,
    /// The hint.
    pub text: String,
}

/// Emitted by every agent, handled by the front doors. Since 0.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuestionAnswered {
    /// The question that is answered.
    pub query_id: QueryId,
    /// Who asked it.
    pub student_id: UserId,
    /// Who answers.
    #[serde(deserialize_with = "lenient::name")]
    pub agent: Author,
    /// What the answer was made with.
    #[serde(deserialize_with = "lenient::name")]
    pub answered_by: AnsweredBy,
    /// How the question was routed.
    pub routing: Routing,
    /// The answer.
    pub answer: Answer,
}

impl Event for QuestionAnswered {
    const TYPE: &'static str = "question.answered.v1";
    const TOPIC: Topic = Topic::LearningResponses;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.query_id.as_uuid()
    }
}

/// Kinds of [`Details`] that are known: a faulty one of these is malformed.
const DETAILS: [&str; 5] = ["explanation", "debug", "review", "exercise", "hint"];

/// Details of an answer, if there are any.
fn details<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Details>, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(deserializer)?;
    fields.map(|fields| lenient::tagged(fields, "kind", &DETAILS, Details::Unknown)).transpose()
}
