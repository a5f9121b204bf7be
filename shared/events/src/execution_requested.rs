//! A program is to be run.

use domain::execution::Program;
use ids::{ExecutionId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Event, Topic, lenient};

/// Why a program is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The student wants to see what it does.
    #[default]
    Run,
    /// An agent looks into it: the student has done nothing.
    Check,
}

/// Emitted by the front doors, and by agents that check a program; handled by code-execution. Since
/// 0.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRequested {
    /// The run.
    pub execution_id: ExecutionId,
    /// Whose program it is.
    pub student_id: UserId,
    /// The student's request that it belongs to; none if the run is what they asked for. Since 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// Why it is run.
    #[serde(default, deserialize_with = "lenient::name")]
    pub purpose: Purpose,
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
