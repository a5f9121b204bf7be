//! Whether a student struggles: five rules, each of which raises an alert for the teachers.
//!
//! [`signals`] works out from the latest activities which rules apply; [`judge`] compares that with the alerts that
//! there are and says what changes; [`nudge`] finds the moment for a friendly word to the student, which comes earlier.
//! All three are functions of the set of activities, so late and repeated events make no difference.

mod alerts;
mod nudge;
mod phrases;
mod rules;
mod signs;

pub use self::{
    alerts::{Alert, Change, Resolved, judge},
    nudge::{Nudge, nudge, nudge_after},
    phrases::says_stuck,
    rules::{Evidence, Signal, WINDOW, signals},
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rule that raised an alert.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The same type of error at least three times within an hour.
    RepeatedError,
    /// More than ten minutes of active work on one exercise without passing it.
    LongOnExercise,
    /// A quiz below 50 percent.
    LowQuiz,
    /// The student says so.
    SaysSo,
    /// At least five failed runs in a row.
    FailedRuns,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 5] =
        [Self::RepeatedError, Self::LongOnExercise, Self::LowQuiz, Self::SaysSo, Self::FailedRuns];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RepeatedError => "repeated_error",
            Self::LongOnExercise => "long_on_exercise",
            Self::LowQuiz => "low_quiz",
            Self::SaysSo => "says_so",
            Self::FailedRuns => "failed_runs",
        }
    }
}

/// How urgent an alert is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// One rule, and nothing else.
    Low,
    /// Further signs beside it.
    Medium,
    /// Several rules at once.
    High,
}

impl Severity {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

#[cfg(test)]
mod tests;
