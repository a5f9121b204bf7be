//! The ladder of hints: general first, and one rung at a time.
//!
//! The next rung is earned by a new attempt or by time spent, never by asking again at once, and there is a daily
//! limit.

use chrono::{DateTime, TimeDelta, Utc};

use crate::level::Level;

/// The number of rungs: where to look, what to think about, an example of the same kind.
pub const RUNGS: u8 = 3;
/// Most hints to one problem in 24 hours. Students who need more need a person.
pub const MAX_A_DAY: u32 = 8;
/// After this long, the next rung is given even without a change to the program.
const PATIENCE: TimeDelta = TimeDelta::seconds(90);
const DAY: TimeDelta = TimeDelta::days(1);

/// A student's position on the ladder of one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// The last rung that was given, from 1.
    pub rung: u8,
    /// A hash of the program to which it was given.
    pub attempt: Vec<u8>,
    /// When.
    pub given_at: DateTime<Utc>,
    /// When the first hint of this day was given.
    pub day_began_at: DateTime<Utc>,
    /// Hints given since then.
    pub given: u32,
}

/// The outcome of asking for a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A rung for the first time.
    New,
    /// The same one again: nothing has changed, and too little time has passed.
    Again,
    /// None: there were enough for today.
    Enough,
}

/// The rung on which the ladder of a problem begins. For syntax errors and names, words alone help little.
#[must_use]
pub fn first_rung(error_type: &str, level: Level) -> u8 {
    let needs_more = matches!(
        error_type,
        "SyntaxError" | "IndentationError" | "TabError" | "NameError" | "UnboundLocalError"
    );
    if needs_more && level == Level::Beginner { 2 } else { 1 }
}

/// The next step on a ladder, and the position after it. Whatever rung is asked for `first`, the last one never comes
/// first.
#[must_use]
pub fn climb(
    ladder: Option<Ladder>,
    first: u8,
    attempt: &[u8],
    now: DateTime<Utc>,
) -> (Step, Ladder) {
    let Some(before) = ladder else {
        let (rung, attempt) = (first.min(RUNGS - 1), attempt.to_vec());
        return (Step::New, Ladder { rung, attempt, given_at: now, day_began_at: now, given: 1 });
    };
    let is_new_day = now - before.day_began_at >= DAY;
    let (day_began_at, given) =
        if is_new_day { (now, 0) } else { (before.day_began_at, before.given) };
    if given >= MAX_A_DAY {
        return (Step::Enough, before);
    }
    let is_earned = before.attempt != attempt || now - before.given_at >= PATIENCE;
    let given = given + 1;
    if !is_earned {
        return (Step::Again, Ladder { day_began_at, given, ..before });
    }
    let rung = before.rung.saturating_add(1).min(RUNGS);
    (Step::New, Ladder { rung, attempt: attempt.to_vec(), given_at: now, day_began_at, given })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Ladder, MAX_A_DAY, Step, climb, first_rung};
    use crate::level::Level;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn climbed(requests: &[(&[u8], i64)]) -> (Step, Ladder) {
        let mut state = (Step::New, None);
        for (attempt, seconds) in requests {
            let (step, ladder) = climb(state.1, 1, attempt, at(*seconds));
            state = (step, Some(ladder));
        }
        (state.0, state.1.expect("there was a request"))
    }

    #[test]
    fn the_next_rung_is_earned_by_a_new_attempt_or_by_time() {
        assert_eq!(climbed(&[(b"a", 0)]).1.rung, 1);
        let (step, ladder) = climbed(&[(b"a", 0), (b"a", 89)]);
        assert_eq!((step, ladder.rung), (Step::Again, 1));
        assert_eq!(climbed(&[(b"a", 0), (b"b", 1)]).1.rung, 2);
        assert_eq!(climbed(&[(b"a", 0), (b"a", 90)]).1.rung, 2);
        assert_eq!(climbed(&[(b"a", 0), (b"b", 1), (b"c", 2), (b"d", 3)]).1.rung, 3);
    }

    #[test]
    fn hints_are_limited_per_day_and_the_next_day_has_as_many() {
        let mut requests: Vec<(&[u8], i64)> =
            (0..i64::from(MAX_A_DAY)).map(|n| (b"a".as_slice(), n)).collect();
        assert_ne!(climbed(&requests).0, Step::Enough);
        requests.push((b"b", 100));
        assert_eq!(climbed(&requests).0, Step::Enough);
        requests.push((b"b", 86_400));
        assert_eq!(climbed(&requests).0, Step::New);
    }

    #[test]
    fn beginners_get_more_than_words_for_what_python_cannot_read() {
        assert_eq!(first_rung("SyntaxError", Level::Beginner), 2);
        assert_eq!(first_rung("SyntaxError", Level::Learning), 1);
        assert_eq!(first_rung("IndexError", Level::Beginner), 1);
    }
}
