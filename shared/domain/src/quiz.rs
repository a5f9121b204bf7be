//! Quizzes: their score, and an order that a seed decides.

/// The share of right answers in whole percent, halves rounded up. A quiz without questions has 0.
#[must_use]
pub fn score(right: u32, of: u32) -> u8 {
    if of == 0 {
        return 0;
    }
    // In 64 bits nothing overflows.
    let (right, of) = (u64::from(right.min(of)), u64::from(of));
    u8::try_from((200 * right + of) / (2 * of)).unwrap_or(100)
}

/// Puts things in an order that depends on the seed alone (Fisher–Yates with `SplitMix64`).
pub fn shuffle<T>(things: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..things.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let count = u64::try_from(last).map_or(u64::MAX, |last| last + 1);
        things.swap(last, usize::try_from(mixed % count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{prelude::any, prop_assert, prop_assert_eq, proptest};

    use super::{score, shuffle};

    #[test]
    fn halves_are_rounded_up() {
        for (right, of, expected) in [
            (0, 4, 0),
            (1, 4, 25),
            (1, 3, 33),
            (2, 3, 67),
            (1, 8, 13),
            (1, 200, 1),
            (1, 201, 0),
            (4, 4, 100),
            (0, 0, 0),
        ] {
            assert_eq!(score(right, of), expected, "{right} of {of}");
        }
    }

    proptest! {
        #[test]
        fn a_score_is_the_nearest_percentage(right in any::<u32>(), of in 1_u32..) {
            let right = right.min(of);
            let found = u64::from(score(right, of));
            let (hundredfold, of) = (100 * u64::from(right), u64::from(of));
            // Within half a percent, the upper half for itself.
            prop_assert!(2 * found * of <= 2 * hundredfold + of, "not too high");
            prop_assert!(2 * hundredfold + of < 2 * (found + 1) * of, "not too low");
        }

        #[test]
        fn more_right_answers_never_lower_a_score(right in 0_u32..1_000, of in 1_u32..1_000) {
            prop_assert!(score(right, of) <= score(right + 1, of));
            prop_assert!(score(right, of) >= score(right, of + 1));
        }

        #[test]
        fn shuffling_loses_nothing_and_depends_on_the_seed_alone(count in 0_u32..50, seed in any::<u64>()) {
            let straight: Vec<u32> = (0..count).collect();
            let (mut one, mut other) = (straight.clone(), straight.clone());
            shuffle(&mut one, seed);
            shuffle(&mut other, seed);
            prop_assert_eq!(&one, &other);
            one.sort_unstable();
            prop_assert_eq!(one, straight);
        }
    }

    #[test]
    fn every_order_is_about_as_frequent() {
        let mut orders: BTreeMap<[u8; 3], u32> = BTreeMap::new();
        for seed in 0..6_000 {
            let mut things = [1, 2, 3];
            shuffle(&mut things, seed);
            *orders.entry(things).or_default() += 1;
        }
        assert_eq!(orders.len(), 6);
        assert!(orders.values().all(|count| (900..1_100).contains(count)), "{orders:?}");
    }
}
