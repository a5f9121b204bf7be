//! When a topic is to be reviewed: the FSRS-5 model of forgetting.
//!
//! Source: the open spaced repetition project, algorithm FSRS-5, with its default parameters. What a student knows is
//! forgotten by a power of time; stability is the number of days after which it is still recalled with a probability of
//! 0.9. A topic has one review a day: the first graded attempt of the day decides how it went.

use chrono::{Days, NaiveDate};

/// The default parameters of FSRS-5.
const W: [f64; 19] = [
    0.4072, 1.1829, 3.1262, 15.4722, 7.2102, 0.5316, 1.0651, 0.0234, 1.616, 0.1544, 1.0824, 1.9813,
    0.0953, 0.2975, 2.2042, 0.2407, 2.9466, 0.5034, 0.6567,
];
/// The shape of the curve of forgetting.
const DECAY: f64 = -0.5;
/// Such that a topic is recalled with a probability of 0.9 after as many days as its stability.
const FACTOR: f64 = 19.0 / 81.0;
/// The shortest stability in days.
const MIN_STABILITY: f64 = 0.01;
/// The longest interval in days: a student who comes back after a year is to review everything.
const MAX_INTERVAL: f64 = 365.0;

/// How a review went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rating {
    /// Not recalled: the attempt failed.
    Again,
    /// Recalled with hints.
    Hard,
    /// Recalled without help.
    Good,
}

impl Rating {
    /// 1 to 3, as the formulas count.
    const fn grade(self) -> f64 {
        match self {
            Self::Again => 1.0,
            Self::Hard => 2.0,
            Self::Good => 3.0,
        }
    }

    /// The stability after the first review.
    const fn first_stability(self) -> f64 {
        match self {
            Self::Again => W[0],
            Self::Hard => W[1],
            Self::Good => W[2],
        }
    }
}

/// The memory of a topic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// Days after which it is recalled with a probability of 0.9.
    pub stability: f64,
    /// From 1 to 10.
    pub difficulty: f64,
    /// The day of the last review.
    pub reviewed_on: NaiveDate,
}

impl Memory {
    /// After the first review.
    #[must_use]
    pub fn first(rating: Rating, on: NaiveDate) -> Self {
        Self {
            stability: rating.first_stability(),
            difficulty: first_difficulty(rating.grade()).clamp(1.0, 10.0),
            reviewed_on: on,
        }
    }

    /// The probability that it is recalled on a day.
    #[must_use]
    pub fn recall(&self, on: NaiveDate) -> f64 {
        let days = u32::try_from((on - self.reviewed_on).num_days().max(0)).unwrap_or(u32::MAX);
        (FACTOR * f64::from(days) / self.stability + 1.0).powf(DECAY)
    }

    /// After a later review.
    #[must_use]
    pub fn reviewed(&self, rating: Rating, on: NaiveDate) -> Self {
        let (s, d, r) = (self.stability, self.difficulty, self.recall(on));
        let stability = match rating {
            Rating::Again => {
                let forgotten = W[11]
                    * d.powf(-W[12])
                    * ((s + 1.0).powf(W[13]) - 1.0)
                    * ((1.0 - r) * W[14]).exp();
                forgotten.min(s / (W[17] * W[18]).exp())
            }
            Rating::Hard | Rating::Good => {
                let penalty = if rating == Rating::Hard { W[15] } else { 1.0 };
                let growth = W[8].exp()
                    * (11.0 - d)
                    * s.powf(-W[9])
                    * (((1.0 - r) * W[10]).exp() - 1.0)
                    * penalty;
                s * (1.0 + growth)
            }
        };
        let shifted = d - W[6] * (rating.grade() - 3.0) * (10.0 - d) / 9.0;
        let easiest = first_difficulty(4.0);
        Self {
            stability: stability.max(MIN_STABILITY),
            difficulty: (W[7] * easiest + (1.0 - W[7]) * shifted).clamp(1.0, 10.0),
            reviewed_on: on,
        }
    }

    /// The day from which it is to be reviewed: when it is recalled with a probability of 0.9.
    #[must_use]
    pub fn due_on(&self) -> NaiveDate {
        let days = self.stability.round().clamp(1.0, MAX_INTERVAL);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 365")]
        let days = Days::new(days as u64);
        self.reviewed_on.checked_add_days(days).unwrap_or(NaiveDate::MAX)
    }
}

fn first_difficulty(grade: f64) -> f64 {
    W[4] - (W[5] * (grade - 1.0)).exp() + 1.0
}

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};
    use fsrs::{FSRS, MemoryState};
    use proptest::prelude::{ProptestConfig, prop, prop_assert, proptest};

    use super::{Memory, Rating, W};

    const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();

    fn after(days: u64) -> NaiveDate {
        FIRST + Days::new(days)
    }

    #[test]
    fn stability_grows_by_recalling_late_and_shrinks_by_forgetting() {
        let round = |value: f64| (value * 1e4).round() / 1e4;
        let first = Memory::first(Rating::Good, FIRST);
        assert_eq!((round(first.stability), round(first.difficulty)), (3.1262, 5.3146));
        assert_eq!(
            (round(first.recall(after(3))), round(first.recall(after(10)))),
            (0.9035, 0.7559)
        );
        assert_eq!((first.reviewed(Rating::Good, after(3)).stability * 1e3).round(), 11_388.0);
        assert_eq!((first.reviewed(Rating::Again, after(3)).stability * 1e3).round(), 1_096.0);
        assert_eq!(first.due_on(), after(3));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        /// The `fsrs` crate is by the authors of the model.
        #[test]
        fn it_agrees_with_the_reference_implementation(
            first in 0_usize..3, later in prop::collection::vec((0_usize..3, 1_u32..200), 0..12),
        ) {
            let ratings = [Rating::Again, Rating::Hard, Rating::Good];
            let model = FSRS::new(&W.map(|w| w as f32)).unwrap();
            let choose = |states: fsrs::NextStates, rating: usize| -> MemoryState {
                [states.again, states.hard, states.good][rating].memory
            };
            let mut ours = Memory::first(ratings[first], FIRST);
            let mut theirs = choose(model.next_states(None, 0.9, 0).unwrap(), first);
            let mut day = 0;
            for (rating, days) in later {
                day += u64::from(days);
                ours = ours.reviewed(ratings[rating], after(day));
                theirs = choose(model.next_states(Some(theirs), 0.9, days).unwrap(), rating);
                let close = |a: f64, b: f32| (a - f64::from(b)).abs() <= 0.01 * a.max(1.0);
                prop_assert!(close(ours.stability, theirs.stability), "{ours:?} {theirs:?}");
                prop_assert!(close(ours.difficulty, theirs.difficulty), "{ours:?} {theirs:?}");
            }
        }
    }
}
