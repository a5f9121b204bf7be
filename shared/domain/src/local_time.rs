//! Times of day where a person lives: quiet hours, and when a day is summed up.

use std::{fmt, str::FromStr};

use chrono::{
    DateTime, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Timelike, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const DAY_MINUTES: u16 = 24 * 60;
/// When a day is summed up unless its owner chooses: before school begins.
const USUAL_DIGEST: TimeOfDay = TimeOfDay(7 * 60);
/// Where clocks skip an hour, or a day, the first quarter of an hour after that is taken.
const GAP_STEP: TimeDelta = TimeDelta::minutes(15);
/// Steps of the longest gap, a day.
const GAP_STEPS: i32 = 4 * 25;

/// A text is not a time, a time zone, or a span of hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocalTimeError {
    /// Not a time of day.
    #[error("must be a time of day such as 07:30")]
    Time,
    /// Not a time zone.
    #[error("must be the name of a time zone such as Europe/Berlin")]
    Zone,
    /// Quiet hours without a length.
    #[error("must end at another time than they begin")]
    Empty,
}

/// A time of day in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "07:30")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// The time so many minutes after midnight.
    ///
    /// # Errors
    /// A day is shorter.
    pub const fn from_minutes(minutes: u16) -> Result<Self, LocalTimeError> {
        if minutes < DAY_MINUTES { Ok(Self(minutes)) } else { Err(LocalTimeError::Time) }
    }

    /// Minutes after midnight.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }

    fn naive(self) -> NaiveTime {
        let seconds = u32::from(self.0) * 60;
        NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or_default()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = LocalTimeError;

    fn from_str(text: &str) -> Result<Self, LocalTimeError> {
        let time = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| text.len() == 5);
        let minutes =
            time.and_then(|time| u16::try_from(time.num_seconds_from_midnight() / 60).ok());
        minutes.map(Self).ok_or(LocalTimeError::Time)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = LocalTimeError;

    fn try_from(text: String) -> Result<Self, LocalTimeError> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "Europe/Berlin")]
pub struct TimeZone(Tz);

impl TimeZone {
    /// The zone of this name as it was stored. One that this version does not know holds nothing up: it is read as UTC.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        name.parse().map(Self).unwrap_or_default()
    }

    /// The day of a moment there.
    #[must_use]
    pub fn day(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Both instants at which clocks there show this, the first of them twice if there is only one. A time that is
    /// skipped is the first that is not.
    fn instants(self, date: NaiveDate, time: TimeOfDay) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let local = date.and_time(time.naive());
        (0..=GAP_STEPS).find_map(|step| {
            match self.0.from_local_datetime(&(local + GAP_STEP * step)) {
                MappedLocalTime::Single(at) => Some((at.to_utc(), at.to_utc())),
                MappedLocalTime::Ambiguous(first, second) => {
                    Some((first.to_utc(), second.to_utc()))
                }
                MappedLocalTime::None => None,
            }
        })
    }

    /// The first of the instants of this day and the two after it that `choose` accepts.
    fn next(
        self,
        now: DateTime<Utc>,
        time: TimeOfDay,
        choose: impl Fn(DateTime<Utc>, DateTime<Utc>) -> Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let today = self.day(now);
        (0..=2).find_map(|days| {
            let (first, second) = self.instants(today.checked_add_days(Days::new(days))?, time)?;
            choose(first, second)
        })
    }
}

/// UTC, where those live who have not said where they do.
impl Default for TimeZone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl TryFrom<String> for TimeZone {
    type Error = LocalTimeError;

    fn try_from(name: String) -> Result<Self, LocalTimeError> {
        name.parse().map(Self).map_err(|_unknown| LocalTimeError::Zone)
    }
}

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.name().to_owned()
    }
}

/// Hours of the day, perhaps over midnight, in which nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Span")]
pub struct QuietHours {
    /// Their first minute.
    from: TimeOfDay,
    /// The first minute after them.
    to: TimeOfDay,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    from: TimeOfDay,
    to: TimeOfDay,
}

impl TryFrom<Span> for QuietHours {
    type Error = LocalTimeError;

    fn try_from(span: Span) -> Result<Self, LocalTimeError> {
        Self::new(span.from, span.to)
    }
}

impl QuietHours {
    /// Hours from one time to another.
    ///
    /// # Errors
    /// They are the same.
    pub fn new(from: TimeOfDay, to: TimeOfDay) -> Result<Self, LocalTimeError> {
        if from == to { Err(LocalTimeError::Empty) } else { Ok(Self { from, to }) }
    }

    /// Their first minute, and the first minute after them.
    #[must_use]
    pub const fn bounds(self) -> (TimeOfDay, TimeOfDay) {
        (self.from, self.to)
    }

    fn contain(self, minute: u16) -> bool {
        let (after, before) = (minute >= self.from.0, minute < self.to.0);
        if self.from < self.to { after && before } else { after || before }
    }
}

/// When a person wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// Where they live.
    pub time_zone: TimeZone,
    /// When nothing is sent to them; it is sent afterwards.
    pub quiet_hours: Option<QuietHours>,
    /// When the day before is summed up.
    pub digest_at: TimeOfDay,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { time_zone: TimeZone::default(), quiet_hours: None, digest_at: USUAL_DIGEST }
    }
}

impl Preferences {
    /// When the quiet hours end; none outside of them.
    #[must_use]
    pub fn end_of_quiet(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let quiet = self.quiet_hours?;
        let local = now.with_timezone(&self.time_zone.0);
        let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap_or_default();
        if !quiet.contain(minute) {
            return None;
        }
        let after = |first, second| [first, second].into_iter().find(|at| *at > now);
        self.time_zone.next(now, quiet.to, after)
    }

    /// When the next day is summed up: once a day, also when clocks show the time twice.
    #[must_use]
    pub fn next_digest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let next =
            self.time_zone.next(now, self.digest_at, |first, _| (first > now).then_some(first));
        next.unwrap_or(now + TimeDelta::days(1))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::{LocalTimeError, Preferences, QuietHours, TimeOfDay, TimeZone};

    fn preferences(zone: &str, quiet: Option<(&str, &str)>, digest: &str) -> Preferences {
        let time = |text: &str| text.parse::<TimeOfDay>().unwrap();
        Preferences {
            time_zone: TimeZone::try_from(zone.to_owned()).unwrap(),
            quiet_hours: quiet.map(|(from, to)| QuietHours::new(time(from), time(to)).unwrap()),
            digest_at: time(digest),
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn what_comes_at_night_waits_for_the_morning() {
        let berlin = preferences("Europe/Berlin", Some(("22:00", "07:00")), "07:00");
        let check = |now: &str, end: Option<&str>| {
            assert_eq!(berlin.end_of_quiet(at(now)), end.map(at), "{now}");
        };
        check("2026-01-10T20:59:59Z", None);
        check("2026-01-10T21:00:00Z", Some("2026-01-11T06:00:00Z"));
        check("2026-01-11T05:59:59Z", Some("2026-01-11T06:00:00Z"));
        check("2026-01-11T06:00:00Z", None);
        // In the night in which clocks go forward, and in that in which they go back.
        check("2026-03-28T23:00:00Z", Some("2026-03-29T05:00:00Z"));
        check("2026-10-24T23:00:00Z", Some("2026-10-25T06:00:00Z"));
        let noon = preferences("America/New_York", Some(("12:00", "13:30")), "07:00");
        assert_eq!(noon.end_of_quiet(at("2026-07-01T16:00:00Z")), Some(at("2026-07-01T17:30:00Z")));
        assert_eq!(noon.end_of_quiet(at("2026-07-01T15:59:00Z")), None);
    }

    #[test]
    fn a_time_that_is_skipped_or_comes_twice_still_ends_the_quiet() {
        // 02:30 does not exist on 29 March, and comes twice on 25 October.
        let berlin = preferences("Europe/Berlin", Some(("01:00", "02:30")), "02:30");
        assert_eq!(
            berlin.end_of_quiet(at("2026-03-29T00:30:00Z")),
            Some(at("2026-03-29T01:00:00Z"))
        );
        assert_eq!(
            berlin.end_of_quiet(at("2026-10-25T00:10:00Z")),
            Some(at("2026-10-25T00:30:00Z"))
        );
        assert_eq!(
            berlin.end_of_quiet(at("2026-10-25T01:10:00Z")),
            Some(at("2026-10-25T01:30:00Z"))
        );
        assert_eq!(berlin.next_digest(at("2026-10-24T22:00:00Z")), at("2026-10-25T00:30:00Z"));
        assert_eq!(berlin.next_digest(at("2026-10-25T00:30:00Z")), at("2026-10-26T01:30:00Z"));
        assert_eq!(berlin.next_digest(at("2026-03-28T22:00:00Z")), at("2026-03-29T01:00:00Z"));
        // Samoa had no 30 December in 2011: its digest comes as the 31st begins.
        let samoa = preferences("Pacific/Apia", None, "15:30");
        assert_eq!(samoa.next_digest(at("2011-12-30T02:00:00Z")), at("2011-12-30T10:00:00Z"));
        assert_eq!(samoa.next_digest(at("2011-12-30T10:00:00Z")), at("2011-12-31T01:30:00Z"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in ["", "7:30", "24:00", "12:60", "12:30:00", "noon", "-1:00"] {
            assert_eq!(wrong.parse::<TimeOfDay>(), Err(LocalTimeError::Time), "{wrong}");
        }
        let noon: TimeOfDay = "12:00".parse().unwrap();
        assert_eq!(noon.to_string(), "12:00");
        assert_eq!(QuietHours::new(noon, noon), Err(LocalTimeError::Empty));
        let zone = TimeZone::try_from("Middle/Earth".to_owned());
        assert_eq!(zone, Err(LocalTimeError::Zone));
    }

    proptest! {
        #[test]
        fn quiet_hours_end_within_a_day_and_digests_come_daily(
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe",
                                              "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca"]),
            // From 2012 on: the day that Samoa skipped in 2011 has a test of its own.
            from in 0_u16..1440, length in 1_u16..1440, seconds in 1_325_376_000_i64..2_000_000_000,
        ) {
            let time = |minutes| TimeOfDay::from_minutes(minutes % 1440).unwrap();
            let quiet = QuietHours::new(time(from), time(from + length)).unwrap();
            let preferences = Preferences {
                time_zone: TimeZone::try_from(zone.to_owned()).unwrap(),
                quiet_hours: Some(quiet),
                digest_at: time(from),
            };
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            if let Some(end) = preferences.end_of_quiet(now) {
                // An hour that comes twice makes it longer than a day.
                prop_assert!(end > now && end <= now + TimeDelta::hours(25), "{now} to {end}");
            }
            let digest = preferences.next_digest(now);
            prop_assert!(digest > now && digest <= now + TimeDelta::hours(25), "{now} to {digest}");
            let following = preferences.next_digest(digest);
            let apart = following - digest;
            prop_assert!(apart >= TimeDelta::minutes(22 * 60 + 45) && apart <= TimeDelta::hours(25), "{digest} to {following}");
        }
    }
}
