//! A student's progress: everything that is worked out from their activities.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use ids::ExerciseId;

use crate::{
    activity::{Activity, Kind},
    forgetting::{Memory, Rating},
    knowledge::{GUESSES_CHOICE, GUESSES_CODE, Observation, PRIOR, update},
    local_time::TimeZone,
    mastery::{self, CONSISTENCY_DAYS, Components},
    streak::{self, Streak},
};

/// How much a success counts as an observation after hints up to this rung: none, 1, 2, 3.
const WEIGHT_AFTER_HINTS: [f64; 4] = [1.0, 0.9, 0.7, 0.4];
/// A rung from which a solution was found with help.
const HELPED_FROM: u8 = 2;
/// How much another attempt at the same exercise counts, on a later day.
const WEIGHT_OF_RETRY: f64 = 0.5;
/// The share of right answers from which a quiz was recalled, and from which it was recalled with trouble.
const QUIZ_RECALLED: (f64, f64) = (0.7, 0.5);

/// What is known about a student in one topic.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicProgress {
    /// The parts of the score.
    pub components: Components,
    /// The mastery score; `None` without evidence.
    pub score: Option<u8>,
    /// Solutions, quizzes and reviews that it rests on.
    pub evidence: u32,
    /// The probability that the student knows the topic.
    pub known: f64,
    /// What is remembered of it; `None` before the first graded attempt.
    pub memory: Option<Memory>,
    /// The last activity in the topic.
    pub last_at: DateTime<Utc>,
}

/// A student's progress as of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// By the topic's slug; those with an activity.
    pub topics: BTreeMap<String, TopicProgress>,
    /// Active days.
    pub days: BTreeSet<NaiveDate>,
    /// The day.
    pub today: NaiveDate,
}

impl Progress {
    /// The progress that activities, in the order of time, show on the day `today` in the student's time zone.
    #[must_use]
    pub fn of(activities: &[Activity], zone: TimeZone, today: NaiveDate) -> Self {
        let days: BTreeSet<NaiveDate> = activities
            .iter()
            .filter(|activity| activity.kind.is_graded())
            .map(|activity| zone.day(activity.at))
            .collect();
        let consistency = mastery::consistency(streak::recent(&days, today, CONSISTENCY_DAYS));
        let mut by_topic: BTreeMap<&str, Vec<&Activity>> = BTreeMap::new();
        for activity in activities.iter().filter(|activity| activity.kind.counts_towards_mastery())
        {
            if let Some(topic) = &activity.topic {
                by_topic.entry(topic).or_default().push(activity);
            }
        }
        let topics = by_topic
            .into_iter()
            .filter_map(|(slug, activities)| {
                let last_at = activities.last()?.at;
                let mut components = mastery::components(&activities);
                components.consistency = Some(consistency);
                let (known, memory) = estimate(&activities, zone);
                let topic = TopicProgress {
                    score: components.score(),
                    components,
                    evidence: mastery::evidence(&activities),
                    known,
                    memory,
                    last_at,
                };
                Some((slug.to_owned(), topic))
            })
            .collect();
        Self { topics, days, today }
    }

    /// The overall score: the mean over all topics that have one.
    #[must_use]
    pub fn overall(&self) -> Option<u8> {
        mastery::overall(self.topics.values().filter_map(|topic| topic.score))
    }

    /// The streaks.
    #[must_use]
    pub fn streak(&self) -> Streak {
        streak::of(&self.days, self.today)
    }
}

/// One day of a student's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day in the student's time zone.
    pub date: NaiveDate,
    /// The overall score at its end; `None` before there was evidence.
    pub score: Option<u8>,
    /// Solutions and quizzes that were submitted on it.
    pub graded: u32,
}

/// The history of the `count` days that end with `today`.
#[must_use]
pub fn history(activities: &[Activity], zone: TimeZone, today: NaiveDate, count: u32) -> Vec<Day> {
    let first = today.checked_sub_days(Days::new(u64::from(count.saturating_sub(1))));
    let mut next = first;
    std::iter::from_fn(|| {
        let date = next.filter(|date| *date <= today)?;
        next = date.succ_opt();
        Some(date)
    })
    .map(|date| {
        let end = activities.partition_point(|activity| zone.day(activity.at) <= date);
        let begin = activities.partition_point(|activity| zone.day(activity.at) < date);
        let graded = activities[begin..end].iter().filter(|activity| activity.kind.is_graded());
        Day {
            date,
            score: Progress::of(&activities[..end], zone, date).overall(),
            graded: u32::try_from(graded.count()).unwrap_or(u32::MAX),
        }
    })
    .collect()
}

/// The probability that the student knows a topic, and what is remembered of it.
fn estimate(activities: &[&Activity], zone: TimeZone) -> (f64, Option<Memory>) {
    let (mut known, mut memory) = (PRIOR, None::<Memory>);
    let mut rungs: BTreeMap<ExerciseId, u8> = BTreeMap::new();
    let mut tried: BTreeMap<ExerciseId, NaiveDate> = BTreeMap::new();
    for activity in activities {
        let on = zone.day(activity.at);
        let (seen, rating) = match (&activity.kind, activity.exercise) {
            (Kind::Hint { rung }, Some(exercise)) => {
                let highest = rungs.entry(exercise).or_default();
                *highest = (*rung).max(*highest);
                continue;
            }
            (Kind::Submission { passed, helped, .. }, Some(exercise)) => {
                let rung = rungs.get(&exercise).copied().unwrap_or_default();
                let last_tried = tried.insert(exercise, on);
                let rating = rate(*passed, *helped || rung >= HELPED_FROM);
                // Only the first attempt of the day at an exercise is an observation; the others follow its feedback.
                let seen = (last_tried != Some(on)).then(|| Observation {
                    right: f64::from(u8::from(*passed)),
                    guesses: GUESSES_CODE,
                    weight: weight(*passed, rung, *helped)
                        * if last_tried.is_some() { WEIGHT_OF_RETRY } else { 1.0 },
                });
                (seen, rating)
            }
            (Kind::Quiz { right, of, .. }, _) if *of > 0 => {
                let right = f64::from(*right) / f64::from(*of);
                let rating = match right {
                    share if share >= QUIZ_RECALLED.0 => Rating::Good,
                    share if share >= QUIZ_RECALLED.1 => Rating::Hard,
                    _ => Rating::Again,
                };
                (Some(Observation { right, guesses: GUESSES_CHOICE, weight: 1.0 }), rating)
            }
            _ => continue,
        };
        if let Some(seen) = seen {
            known = update(known, seen);
        }
        memory = Some(match memory {
            None => Memory::first(rating, on),
            Some(before) if before.reviewed_on < on => before.reviewed(rating, on),
            Some(before) => before,
        });
    }
    (known, memory)
}

const fn rate(passed: bool, with_help: bool) -> Rating {
    match (passed, with_help) {
        (false, _) => Rating::Again,
        (true, true) => Rating::Hard,
        (true, false) => Rating::Good,
    }
}

/// A failure says the same with or without hints.
fn weight(passed: bool, rung: u8, helped: bool) -> f64 {
    match (passed, helped) {
        (false, _) => 1.0,
        (true, true) => 0.0,
        (true, false) => WEIGHT_AFTER_HINTS[usize::from(rung).min(WEIGHT_AFTER_HINTS.len() - 1)],
    }
}

#[cfg(test)]
mod tests;
