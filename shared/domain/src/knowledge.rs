//! How likely it is that a student knows a topic: Bayesian knowledge tracing.
//!
//! Corbett and Anderson, "Knowledge tracing: Modeling the acquisition of procedural knowledge" (1994). The mastery score
//! says what was achieved; this estimate also learns from the order of failures and successes, and is what the next
//! exercise is chosen by.

/// The probability that a student knows a topic before the first attempt.
pub const PRIOR: f64 = 0.2;
/// The probability of learning it by an attempt.
const LEARNS: f64 = 0.12;
/// The probability of failing although one knows it.
const SLIPS: f64 = 0.1;
/// The probability of passing the tests of an exercise without knowing the topic.
pub const GUESSES_CODE: f64 = 0.08;
/// The probability of guessing the right one of four answers.
pub const GUESSES_CHOICE: f64 = 0.25;

/// One observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The share that was right, 0 to 1.
    pub right: f64,
    /// The probability of being right by guessing.
    pub guesses: f64,
    /// How much it says, 0 to 1: less after hints.
    pub weight: f64,
}

/// The probability of knowing the topic after one more observation.
#[must_use]
pub fn update(known: f64, seen: Observation) -> f64 {
    let Observation { right, guesses, weight } = seen;
    let if_right = known * (1.0 - SLIPS) / (known * (1.0 - SLIPS) + (1.0 - known) * guesses);
    let if_wrong = known * SLIPS / (known * SLIPS + (1.0 - known) * (1.0 - guesses));
    let posterior = right * if_right + (1.0 - right) * if_wrong;
    let believed = weight * posterior + (1.0 - weight) * known;
    believed + (1.0 - believed) * LEARNS
}

/// The probability of passing an exercise.
#[must_use]
pub fn chance(known: f64) -> f64 {
    known * (1.0 - SLIPS) + (1.0 - known) * GUESSES_CODE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert, proptest};

    use super::{GUESSES_CHOICE, GUESSES_CODE, Observation, PRIOR, update};

    fn trace(observations: &[(u8, f64)], guesses: f64) -> Vec<f64> {
        let mut known = PRIOR;
        let step = |&(right, weight): &(u8, f64)| {
            known = update(known, Observation { right: f64::from(right), guesses, weight });
            (known * 1e4).round() / 1e4
        };
        observations.iter().map(step).collect()
    }

    /// Made with pyBKT 1.4.3: a model with these parameters fixed, of whose `predict` the `state_predictions` of the
    /// following rows.
    #[test]
    fn it_agrees_with_py_bkt() {
        let full = |right| (right, 1.0);
        assert_eq!(trace(&[1, 1, 1].map(full), GUESSES_CODE), [0.7692, 0.9771, 0.9982]);
        assert_eq!(trace(&[0, 0, 1, 1].map(full), GUESSES_CODE), [0.1433, 0.1357, 0.6819, 0.965]);
        assert_eq!(trace(&[1, 0, 1].map(full), GUESSES_CODE), [0.7692, 0.354, 0.8772]);
        assert_eq!(trace(&[1, 1, 1].map(full), GUESSES_CHOICE), [0.5368, 0.8299, 0.9526]);
    }

    #[test]
    fn success_after_hints_says_less() {
        let after = |weight| trace(&[(1, weight)], GUESSES_CODE)[0];
        assert_eq!([0.7, 0.4, 0.1].map(after), [0.6272, 0.4853, 0.3433]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn it_stays_a_probability_and_more_right_never_lowers_it(
            known in 0.001_f64..0.999, right in 0.0_f64..1.0, more in 0.0_f64..1.0, weight in 0.0_f64..1.0,
        ) {
            let at = |right| update(known, Observation { right, guesses: GUESSES_CODE, weight });
            let better = at((right + more).min(1.0));
            prop_assert!(better >= at(right) - 1e-12);
            prop_assert!((0.0..=1.0).contains(&better));
        }
    }
}
