//! A program is to be run.

use domain::{agent::Author, execution::Program};
use ids::{ExecutionId, ExerciseId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient};

/// Why a program is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The student wants to see what it does.
    #[default]
    Run,
    /// An agent checks it: no activity of the student.
    Check,
    /// One that this version does not know; it is ignored.
    #[serde(other)]
    Unknown,
}

/// Who asks for a run, and waits for its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requester {
    /// The gateway, for a student.
    Gateway,
    /// Triage.
    Triage,
    /// The concepts agent.
    Concepts,
    /// The debug agent.
    Debug,
    /// The code-review agent.
    CodeReview,
    /// The exercise agent.
    Exercise,
    /// The progress agent.
    Progress,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

impl From<Author> for Requester {
    fn from(author: Author) -> Self {
        match author {
            Author::Triage => Self::Triage,
            Author::Concepts => Self::Concepts,
            Author::Debug => Self::Debug,
            Author::CodeReview => Self::CodeReview,
            Author::Exercise => Self::Exercise,
            Author::Progress => Self::Progress,
            Author::Unknown => Self::Unknown,
        }
    }
}

/// The exercise that a program is meant to solve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Work {
    /// The exercise.
    pub exercise_id: ExerciseId,
    /// The slug of its topic.
    pub topic: String,
}

/// Emitted by the front doors, and by agents that check a program; handled by code-execution. Since
/// 0.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionRequested {
    /// The run.
    pub execution_id: ExecutionId,
    /// Whose program it is.
    pub student_id: UserId,
    /// The student's request that it belongs to; none if the run is what they asked for. Since 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// Who asks for it. Since 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Requester>,
    /// Why it is run.
    #[serde(default)]
    pub purpose: Purpose,
    /// What the student works on. Since 0.7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// The program and how to run it.
    #[serde(deserialize_with = "lenient::program")]
    pub program: Program,
}

impl Event for ExecutionRequested {
    const TYPE: &'static str = "execution.requested.v1";
    const TOPIC: Topic = Topic::CodeExecutions;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id.unwrap_or_else(|| self.execution_id.as_uuid())
    }
}
