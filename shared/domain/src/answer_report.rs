//! What a student says is wrong with an answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why an answer is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportReason {
    /// It is not true, or its code does not work.
    Wrong,
    /// It cannot be understood.
    Unclear,
    /// It gave away the solution of an exercise.
    GaveSolution,
    /// It does not belong in a lesson.
    Inappropriate,
    /// Something else; the comment says what.
    Other,
}

impl ReportReason {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Unclear => "unclear",
            Self::GaveSolution => "gave_solution",
            Self::Inappropriate => "inappropriate",
            Self::Other => "other",
        }
    }
}
