//! How far a student is with an assignment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Exercises of a topic that solve it: as many as each topic has at least, one of each difficulty.
pub const EXERCISES_OF_TOPIC: usize = 3;

/// How far a student is with an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentState {
    /// No solution was handed in, and there is time.
    NotBegun,
    /// A solution was handed in that does not solve it yet, and there is time.
    Tried,
    /// It was solved in time.
    Solved,
    /// It was not solved in time, whether or not it was solved later.
    Late,
}

impl AssignmentState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotBegun => "not_begun",
            Self::Tried => "tried",
            Self::Solved => "solved",
            Self::Late => "late",
        }
    }
}

/// A student's solutions of one exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Solutions {
    /// How many were handed in.
    pub handed_in: i64,
    /// When the first that solves it was handed in. How long the grade took is not the student's fault.
    pub solved_at: Option<DateTime<Utc>>,
}

/// What a student has done for an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Solutions that were handed in.
    pub handed_in: i64,
    /// When it was solved, also before it was assigned.
    pub solved_at: Option<DateTime<Utc>>,
}

impl Work {
    /// The work for an assignment that is solved by this number of different exercises: one, or
    /// [`EXERCISES_OF_TOPIC`]. There is one item for each exercise that was tried.
    #[must_use]
    pub fn of(exercises: &[Solutions], needed: usize) -> Self {
        let mut solved: Vec<_> = exercises.iter().filter_map(|tried| tried.solved_at).collect();
        solved.sort_unstable();
        Self {
            handed_in: exercises.iter().map(|tried| tried.handed_in).sum(),
            solved_at: needed.checked_sub(1).and_then(|last| solved.get(last)).copied(),
        }
    }

    /// How far the student is. A solution at the due time is in time.
    #[must_use]
    pub fn state(&self, due_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> AssignmentState {
        let is_late = |at| due_at.is_some_and(|due| at > due);
        match self.solved_at {
            Some(at) if !is_late(at) => AssignmentState::Solved,
            Some(_) => AssignmentState::Late,
            None if is_late(now) => AssignmentState::Late,
            None if self.handed_in > 0 => AssignmentState::Tried,
            None => AssignmentState::NotBegun,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{AssignmentState, Solutions, Work};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn solutions(handed_in: i64, solved_at: Option<i64>) -> Solutions {
        Solutions { handed_in, solved_at: solved_at.map(at) }
    }

    #[test]
    fn the_state_depends_on_work_and_time() {
        use AssignmentState::{Late, NotBegun, Solved, Tried};
        let nothing = Work::of(&[], 1);
        let tried = Work::of(&[solutions(2, None)], 1);
        let solved = Work::of(&[solutions(2, Some(10))], 1);
        for (work, due, now, expected) in [
            (nothing, None, 99, NotBegun),
            (nothing, Some(20), 20, NotBegun),
            (nothing, Some(20), 21, Late),
            (tried, None, 99, Tried),
            (tried, Some(20), 20, Tried),
            (tried, Some(20), 21, Late),
            (solved, None, 99, Solved),
            (solved, Some(10), 99, Solved),
            (solved, Some(9), 99, Late),
        ] {
            assert_eq!(work.state(due.map(at), at(now)), expected, "{work:?} {due:?} {now}");
        }
    }

    #[test]
    fn a_topic_is_solved_with_its_third_exercise() {
        let three = [solutions(1, Some(30)), solutions(4, Some(10)), solutions(1, Some(20))];
        assert_eq!(Work::of(&three, 3), Work { handed_in: 6, solved_at: Some(at(30)) });
        assert_eq!(Work::of(&three[..2], 3), Work { handed_in: 5, solved_at: None });
        assert_eq!(Work::of(&three, 1).solved_at, Some(at(10)));
    }
}
