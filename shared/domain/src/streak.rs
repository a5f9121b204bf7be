//! Streaks: days in a row on which a student was active.
//!
//! A day is active if a solution or a quiz was submitted on it, in the time zone of the student. Only dates are
//! compared, so a day of 23 or 25 hours is a day like any other.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};

/// A student's streaks, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streak {
    /// The one that lasts. It has not ended as long as yesterday was active: today still can be.
    pub current: u32,
    /// The longest one.
    pub longest: u32,
}

/// The streaks of active days, as of `today`. Days after it do not count.
#[must_use]
pub fn of(days: &BTreeSet<NaiveDate>, today: NaiveDate) -> Streak {
    let mut streak = Streak::default();
    let mut last: Option<NaiveDate> = None;
    let mut length = 0;
    for &day in days.range(..=today) {
        let continues = last.and_then(|last| last.checked_add_days(Days::new(1))) == Some(day);
        length = if continues { length + 1 } else { 1 };
        streak.longest = length.max(streak.longest);
        last = Some(day);
    }
    let still_lasts = last.is_some_and(|last| (today - last).num_days() <= 1);
    streak.current = if still_lasts { length } else { 0 };
    streak
}

/// The active days among the `window` days that end with `today`.
#[must_use]
pub fn recent(days: &BTreeSet<NaiveDate>, today: NaiveDate, window: u32) -> u32 {
    let before = today.checked_sub_days(Days::new(u64::from(window)));
    let counted = days.range(..=today).filter(|day| before.is_none_or(|before| **day > before));
    u32::try_from(counted.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, NaiveDate, Utc};
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{Streak, of, recent};
    use crate::local_time::TimeZone;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn streak(days: &[&str], today: &str) -> (u32, u32) {
        let Streak { current, longest } =
            of(&days.iter().map(|day| date(day)).collect(), date(today));
        (current, longest)
    }

    #[test]
    fn a_streak_lasts_until_a_day_without_activity_is_over() {
        let days = ["2026-03-01", "2026-03-02", "2026-03-03"];
        assert_eq!(streak(&days, "2026-03-03"), (3, 3));
        assert_eq!(streak(&days, "2026-03-04"), (3, 3), "today still can be active");
        assert_eq!(streak(&days, "2026-03-05"), (0, 3));
        assert_eq!(streak(&["2026-02-28", "2026-03-02", "2026-03-01"], "2026-03-02"), (3, 3));
        assert_eq!(streak(&["2026-03-01", "2026-03-03"], "2026-03-03"), (1, 1));
        assert_eq!(streak(&[], "2026-03-03"), (0, 0));
        assert_eq!(streak(&days, "2026-03-02"), (2, 2), "what is to come does not count");
    }

    #[test]
    fn days_are_those_of_the_students_time_zone() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let [berlin, auckland] = ["Europe/Berlin", "Pacific/Auckland"].map(TimeZone::stored);
        // Half an hour before and after midnight in Berlin, on the night in which the clocks go forward.
        let (before, after) = (at("2026-03-28T22:30:00Z"), at("2026-03-29T22:30:00Z"));
        assert_eq!(berlin.day(before), date("2026-03-28"));
        assert_eq!(berlin.day(after), date("2026-03-30"), "summer time");
        assert_eq!(auckland.day(before), date("2026-03-29"));
        assert_eq!(auckland.day(after), date("2026-03-30"));
        let days = |zone: TimeZone| BTreeSet::from([zone.day(before), zone.day(after)]);
        assert_eq!(of(&days(berlin), date("2026-03-30")).current, 1);
        assert_eq!(of(&days(auckland), date("2026-03-30")).current, 2);
    }

    #[test]
    fn recent_days_end_with_today() {
        let days = ["2026-01-01", "2026-01-02", "2026-01-31"].map(date).into();
        assert_eq!(recent(&days, date("2026-01-31"), 30), 2);
        assert_eq!(recent(&days, date("2026-01-30"), 30), 2);
        assert_eq!(recent(&days, date("2026-03-31"), 30), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_further_active_day_never_shortens_a_streak(
            days in prop::collection::btree_set(0_u64..60, 0..40), more in 0_u64..60, today in any::<u8>(),
        ) {
            let first = date("2026-01-01");
            let to_days = |days: &BTreeSet<u64>| -> BTreeSet<NaiveDate> {
                days.iter().map(|n| first + chrono::Days::new(*n)).collect()
            };
            let today = first + chrono::Days::new(u64::from(today % 60));
            let before = of(&to_days(&days), today);
            let mut extended = days.clone();
            extended.insert(more);
            let after = of(&to_days(&extended), today);
            prop_assert!(after.current >= before.current && after.longest >= before.longest);
            prop_assert!(before.current <= before.longest && before.longest <= 60);
            prop_assert_eq!(before == Streak::default(), to_days(&days).range(..=today).next().is_none());
        }
    }
}
