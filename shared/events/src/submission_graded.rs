//! A solution has been graded.

use domain::execution::TestVerdict;
use ids::{ExerciseId, SubmissionId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient};

/// What a student learns about one test. About a hidden one: only its purpose and its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestFeedback {
    /// From 1.
    pub number: u32,
    /// The verdict.
    #[serde(rename = "status", deserialize_with = "lenient::name")]
    pub verdict: TestVerdict,
    /// Whether it is visible.
    pub hidden: bool,
    /// What it is about, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The expression that was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// What was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The actual result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// What was raised instead of a result; solutions that were graded before there was this do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Raised>,
    /// An explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// An exception that ended a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Raised {
    /// The exception's class.
    #[serde(rename = "type")]
    pub kind: String,
    /// Python's message.
    pub message: String,
    /// The solution's line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What a student learns about a solution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feedback {
    /// Whether it solves the exercise.
    pub passed: bool,
    /// Whether the tests could begin. If not, the message says why; it shows nothing about the student's skills.
    #[serde(default = "lenient::yes", skip_serializing_if = "lenient::is_yes")]
    pub tested: bool,
    /// 0 to 100: the share of tests that pass; half of it if the task is not done as it says.
    pub score: u8,
    /// In the order of the exercise.
    pub tests: Vec<TestFeedback>,
    /// Requirements of the task that the solution does not meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_as_asked: Vec<String>,
    /// Its quality, 0 to 100; `None` if it is too short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    /// What to do next, in one or two sentences.
    pub message: String,
    /// Which attempt of the student it is, from 1.
    pub attempt: u32,
    /// The best score so far, 0 to 100.
    pub best: u8,
    /// Whether the shuffled solution is available.
    pub parsons: bool,
}

/// Emitted by the exercise agent, handled by the front doors. Since 0.4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmissionGraded {
    /// The solution.
    pub submission_id: SubmissionId,
    /// Who handed it in.
    pub student_id: UserId,
    /// The exercise.
    pub exercise_id: ExerciseId,
    /// The feedback.
    pub feedback: Feedback,
}

impl Event for SubmissionGraded {
    const TYPE: &'static str = "submission.graded.v1";
    const TOPIC: Topic = Topic::LearningResponses;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.submission_id.as_uuid()
    }
}
