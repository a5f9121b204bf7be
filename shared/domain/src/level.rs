//! The four bands of mastery.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How well a student knows a topic: a band of the mastery score.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 0 to 40, shown red. Also the level of a student about whom nothing is known yet.
    #[default]
    Beginner,
    /// 41 to 70, shown yellow.
    Learning,
    /// 71 to 90, shown green.
    Proficient,
    /// 91 to 100, shown blue.
    Mastered,
}

/// The colour of a band. Clients show the level's name beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// Beginner.
    Red,
    /// Learning.
    Yellow,
    /// Proficient.
    Green,
    /// Mastered.
    Blue,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 4] = [Self::Beginner, Self::Learning, Self::Proficient, Self::Mastered];

    /// The band of a mastery score in whole percent; above 100 counts as 100.
    #[must_use]
    pub const fn of_score(score: u8) -> Self {
        match score {
            0..=40 => Self::Beginner,
            41..=70 => Self::Learning,
            71..=90 => Self::Proficient,
            _ => Self::Mastered,
        }
    }

    /// The colour in which it is shown.
    #[must_use]
    pub const fn color(self) -> Color {
        match self {
            Self::Beginner => Color::Red,
            Self::Learning => Color::Yellow,
            Self::Proficient => Color::Green,
            Self::Mastered => Color::Blue,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Beginner => "beginner",
            Self::Learning => "learning",
            Self::Proficient => "proficient",
            Self::Mastered => "mastered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn bands_meet_where_the_product_says() {
        let edges = [0, 40, 41, 70, 71, 90, 91, 100].map(|score| Level::of_score(score).as_str());
        assert_eq!(
            edges,
            [
                "beginner",
                "beginner",
                "learning",
                "learning",
                "proficient",
                "proficient",
                "mastered",
                "mastered"
            ]
        );
    }
}
