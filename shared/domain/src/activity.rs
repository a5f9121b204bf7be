//! What students do, as far as it says something about what they know.

use chrono::{DateTime, Utc};
use ids::{EventId, ExerciseId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{difficulty::Difficulty, versioned::Versioned};

/// Something that a student did.
///
/// All that is known about a student's progress is worked out from the set of these, ordered by time. So it makes no
/// difference in which order they arrive, or how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The event that reported it.
    pub id: EventId,
    /// The run, submission, quiz attempt or question that it was.
    pub source: Option<Uuid>,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// The topic's slug, if it is known.
    pub topic: Option<String>,
    /// The exercise that was worked on, if it is known.
    pub exercise: Option<ExerciseId>,
    /// What was done.
    pub kind: Kind,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A program was run.
    Run {
        /// Why it failed: the class of the exception, or the name of the limit. `None` if it ended normally.
        error: Option<String>,
        /// A fingerprint of the program; equal programs have the same one.
        program: Option<String>,
    },
    /// A solution was handed in and tested.
    Submission {
        /// How hard the exercise is.
        difficulty: Difficulty,
        /// The share of tests that it passed, 0 to 100.
        score: u8,
        /// Whether it solves the exercise.
        passed: bool,
        /// Its quality, 0 to 100; `None` if it is too short to say.
        quality: Option<u8>,
        /// Whether the solution had been shown in pieces.
        helped: bool,
    },
    /// A hint was given.
    Hint {
        /// Its rung on the ladder, from 1.
        rung: u8,
    },
    /// A topic's part of a submitted quiz.
    Quiz {
        /// Questions of the topic that were answered right.
        right: u32,
        /// Questions of the topic.
        of: u32,
        /// The score of the whole quiz, 0 to 100.
        score: u8,
    },
    /// A program was reviewed.
    Review {
        /// Its quality, 0 to 100.
        quality: u8,
    },
    /// An exercise was made for the student.
    Given,
    /// The student asked for help in words such as "I am stuck".
    SaidStuck,
    /// The student said that an answer had helped.
    WasHelped,
}

/// The stored form.
impl Versioned for Kind {
    const NAME: &'static str = "activity";
    const VERSION: u32 = 1;
}

impl Kind {
    /// Whether it shows what the student knows, so that it counts towards mastery. Hints count because they lower what
    /// a solution is worth.
    #[must_use]
    pub const fn counts_towards_mastery(&self) -> bool {
        matches!(
            self,
            Self::Submission { .. } | Self::Quiz { .. } | Self::Review { .. } | Self::Hint { .. }
        )
    }

    /// Whether it makes a day an active one: a solution or a quiz was submitted.
    #[must_use]
    pub const fn is_graded(&self) -> bool {
        matches!(self, Self::Submission { .. } | Self::Quiz { .. })
    }
}

/// Puts activities into the order of time, each once.
#[must_use]
pub fn in_order(mut activities: Vec<Activity>) -> Vec<Activity> {
    activities.sort_by(|a, b| (a.at, a.id, &a.topic).cmp(&(b.at, b.id, &b.topic)));
    activities.dedup_by(|a, b| a.id == b.id && a.topic == b.topic);
    activities
}
