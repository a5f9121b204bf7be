//! A program has been run.

use domain::execution::ExecutionResult;
use ids::{ExecutionId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, execution_requested::Requester};

/// Emitted by code-execution, handled by the requester of the run. At most [`domain::execution::MAX_RESULT_BYTES`]
/// long. Since 0.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionFinished {
    /// The run.
    pub execution_id: ExecutionId,
    /// Whose program it was.
    pub student_id: UserId,
    /// The student's request that it belongs to, as it came with the run. Since 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// Who asked for it, as it came with the run. Since 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Requester>,
    /// The result.
    pub result: ExecutionResult,
}

impl ExecutionFinished {
    /// Whether this requester may be waiting for it. Events of the last version do not name the requester.
    #[must_use]
    pub fn may_be_for(&self, requester: Requester) -> bool {
        matches!(self.requester, None | Some(Requester::Unknown))
            || self.requester == Some(requester)
    }
}

impl Event for ExecutionFinished {
    const TYPE: &'static str = "execution.finished.v1";
    const TOPIC: Topic = Topic::CodeResults;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id.unwrap_or_else(|| self.execution_id.as_uuid())
    }
}
