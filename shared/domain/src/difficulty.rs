//! How hard an exercise is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How hard an exercise is, for someone who has read the topic's lesson.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Difficulty {
    /// One idea, one step.
    Easy,
    /// A few steps, or a special case.
    Medium,
    /// Several ideas together, or cases that are easily missed.
    Hard,
}

impl Difficulty {
    /// Every difficulty, easiest first.
    pub const ALL: [Self; 3] = [Self::Easy, Self::Medium, Self::Hard];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}
