use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use ids::{EventId, ExerciseId};
use uuid::Uuid;

use super::{Progress, history};
use crate::{
    activity::{Activity, Kind},
    difficulty::Difficulty,
    local_time::TimeZone,
};

fn at(day: i64) -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(day)
}

fn date(day: i64) -> NaiveDate {
    at(day).date_naive()
}

fn solved(day: i64, topic: &str, exercise: u128, passed: bool) -> Activity {
    Activity {
        id: EventId::from_uuid(Uuid::from_u128(exercise * 1_000 + u128::try_from(day).unwrap())),
        source: None,
        at: at(day),
        topic: Some(topic.to_owned()),
        exercise: Some(ExerciseId::from_uuid(Uuid::from_u128(exercise))),
        kind: Kind::Submission {
            difficulty: Difficulty::Easy,
            score: if passed { 100 } else { 0 },
            passed,
            quality: None,
            helped: false,
        },
    }
}

#[test]
fn topics_are_counted_apart_and_overall_is_their_mean() {
    let activities =
        [solved(0, "lists", 1, true), solved(1, "lists", 2, true), solved(2, "loops", 3, false)];
    let progress = Progress::of(&activities, TimeZone::default(), date(2));
    let scores: Vec<_> =
        progress.topics.iter().map(|(slug, topic)| (slug.as_str(), topic.score)).collect();
    // Three active days of thirty are 10 % consistency: (40 · 100 + 10 · 10) / 50, and (10 · 10) / 50.
    assert_eq!(scores, [("lists", Some(82)), ("loops", Some(2))]);
    assert_eq!(progress.overall(), Some(42));
    assert_eq!((progress.streak().current, progress.streak().longest), (3, 3));
    assert_eq!(progress.topics["lists"].evidence, 2);
}

#[test]
fn consistency_fades_when_a_student_stays_away() {
    let activities = [solved(0, "lists", 1, true)];
    let score =
        |day| Progress::of(&activities, TimeZone::default(), date(day)).topics["lists"].score;
    assert_eq!((score(0), score(29), score(30)), (Some(81), Some(81), Some(80)));
}

#[test]
fn knowledge_grows_by_success_and_only_the_first_attempt_of_a_day_is_an_observation() {
    let known = |activities: &[Activity]| {
        Progress::of(activities, TimeZone::default(), date(9)).topics["lists"].known
    };
    let failed = known(&[solved(0, "lists", 1, false)]);
    let mut again = solved(0, "lists", 1, true);
    again.at += TimeDelta::minutes(5);
    again.id = EventId::from_uuid(Uuid::from_u128(7));
    assert!((known(&[solved(0, "lists", 1, false), again]) - failed).abs() < 1e-9);
    assert!(known(&[solved(0, "lists", 1, false), solved(1, "lists", 1, true)]) > failed);
}

#[test]
fn history_has_every_day_with_the_score_at_its_end() {
    let activities = [solved(1, "lists", 1, false), solved(3, "lists", 1, true)];
    let days = history(&activities, TimeZone::default(), date(4), 5);
    let scores: Vec<_> = days.iter().map(|day| (day.score, day.graded)).collect();
    assert_eq!(scores, [(None, 0), (Some(1), 1), (Some(1), 0), (Some(81), 1), (Some(81), 0)]);
    assert_eq!(days[0].date, date(0));
}
