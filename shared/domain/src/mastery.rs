//! The mastery score: how well a student knows a topic, from 0 to 100.
//!
//! 40 % exercises, 30 % quizzes, 20 % code quality, 10 % consistency. Each part is a whole percentage, so that everybody
//! can add up the score from what is displayed. A part without evidence is left out, and the weights of the others grow
//! in proportion. Everything is rounded half up, in integers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ids::{EventId, ExerciseId};

use crate::{
    activity::{Activity, Kind},
    difficulty::Difficulty,
};

/// The weights of exercises, quizzes, code quality and consistency, in percent.
const WEIGHTS: [u64; 4] = [40, 30, 20, 10];
/// The weights of a topic's latest quizzes in percent, newest first. Older ones do not count.
const QUIZ_WEIGHTS: [u64; 5] = [100, 95, 85, 70, 50];
/// Programs whose quality counts: the latest ones.
const QUALITY_PROGRAMS: usize = 5;
/// What a solution is worth, in percent, after hints up to this rung: none, 1, 2, 3.
const WORTH_AFTER_HINTS: [u64; 4] = [100, 95, 85, 70];
/// What a solution is worth, in percent, once it was shown in pieces that only had to be put in order.
const WORTH_AFTER_PARSONS: u64 = 50;
/// Days over which consistency is measured.
pub const CONSISTENCY_DAYS: u32 = 30;

/// The parts of the score, 0 to 100; `None` without evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Components {
    /// The exercises that were tried.
    pub exercises: Option<u8>,
    /// The latest quizzes.
    pub quizzes: Option<u8>,
    /// The quality of the latest programs.
    pub quality: Option<u8>,
    /// Active days.
    pub consistency: Option<u8>,
}

impl Components {
    /// The score; `None` if nothing but consistency is known, since that says nothing about the topic.
    #[must_use]
    pub fn score(&self) -> Option<u8> {
        self.exercises.or(self.quizzes).or(self.quality)?;
        let parts = [self.exercises, self.quizzes, self.quality, self.consistency];
        mean(parts.into_iter().zip(WEIGHTS).filter_map(|(part, weight)| Some((part?, weight))))
    }
}

/// The weighted mean of percentages, rounded half up; `None` of nothing.
fn mean(parts: impl IntoIterator<Item = (u8, u64)>) -> Option<u8> {
    let (mut sum, mut weights) = (0, 0);
    for (part, weight) in parts {
        sum += u64::from(part) * weight;
        weights += weight;
    }
    share(sum, weights * 100)
}

/// `part / whole` as a percentage, rounded half up, at most 100; `None` if there is no whole.
fn share(part: u64, whole: u64) -> Option<u8> {
    if whole == 0 {
        return None;
    }
    let percent = (part * 200 + whole) / (2 * whole);
    Some(u8::try_from(percent.min(100)).unwrap_or(100))
}

/// The score of a module, or overall: the mean of the scores of those topics that have one.
#[must_use]
pub fn overall(topics: impl IntoIterator<Item = u8>) -> Option<u8> {
    mean(topics.into_iter().map(|score| (score, 1)))
}

/// Consistency: active days of the last 30, as a percentage.
#[must_use]
pub fn consistency(active_days: u32) -> u8 {
    let days = u64::from(active_days.min(CONSISTENCY_DAYS));
    share(days, u64::from(CONSISTENCY_DAYS)).unwrap_or_default()
}

/// What a student's activities in one topic, in the order of time, say about it, apart from consistency.
#[must_use]
pub fn components(activities: &[&Activity]) -> Components {
    Components {
        exercises: exercises(activities),
        quizzes: quizzes(activities),
        quality: quality(activities),
        consistency: None,
    }
}

/// The pieces of evidence among them: solutions, quizzes and reviews.
#[must_use]
pub fn evidence(activities: &[&Activity]) -> u32 {
    let counted = activities.iter().filter(|activity| {
        matches!(activity.kind, Kind::Submission { .. } | Kind::Quiz { .. } | Kind::Review { .. })
    });
    u32::try_from(counted.count()).unwrap_or(u32::MAX)
}

/// The mean over the exercises that were tried of the best solution's worth; harder ones weigh more.
fn exercises(activities: &[&Activity]) -> Option<u8> {
    let mut rungs: BTreeMap<ExerciseId, u8> = BTreeMap::new();
    // Worth in hundredths of a percent, and weight.
    let mut best: BTreeMap<ExerciseId, (u64, u64)> = BTreeMap::new();
    for activity in activities {
        let Some(exercise) = activity.exercise else { continue };
        match activity.kind {
            Kind::Hint { rung } => {
                let highest = rungs.entry(exercise).or_default();
                *highest = rung.max(*highest);
            }
            Kind::Submission { difficulty, score, helped, .. } => {
                let rung = rungs.get(&exercise).copied().unwrap_or_default();
                let worth = u64::from(score) * worth(rung, helped);
                let (highest, _) = best.entry(exercise).or_insert_with(|| (0, weight(difficulty)));
                *highest = worth.max(*highest);
            }
            Kind::Run { .. }
            | Kind::Quiz { .. }
            | Kind::Review { .. }
            | Kind::Given
            | Kind::SaidStuck
            | Kind::WasHelped => {}
        }
    }
    let sum = best.values().map(|(worth, weight)| worth * weight).sum();
    let weights: u64 = best.values().map(|(_, weight)| weight).sum();
    share(sum, weights * 10_000)
}

/// What a solution is worth in percent.
pub(crate) fn worth(rung: u8, helped: bool) -> u64 {
    let last = WORTH_AFTER_HINTS.len() - 1;
    let worth = WORTH_AFTER_HINTS[usize::from(rung).min(last)];
    if helped { worth.min(WORTH_AFTER_PARSONS) } else { worth }
}

/// 1, 1.5 and 2, doubled.
const fn weight(difficulty: Difficulty) -> u64 {
    match difficulty {
        Difficulty::Easy => 2,
        Difficulty::Medium => 3,
        Difficulty::Hard => 4,
    }
}

/// The weighted mean of the latest quizzes.
fn quizzes(activities: &[&Activity]) -> Option<u8> {
    let results = activities.iter().rev().filter_map(|activity| match activity.kind {
        Kind::Quiz { right, of, .. } => share(u64::from(right), u64::from(of)),
        _ => None,
    });
    mean(results.zip(QUIZ_WEIGHTS))
}

/// The mean quality of the latest programs. Of an exercise only the latest one counts, if it solves the exercise or was
/// reviewed.
fn quality(activities: &[&Activity]) -> Option<u8> {
    /// What is one program: the solution of an exercise, or a reviewed program without one.
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Program {
        Of(ExerciseId),
        Alone(EventId),
    }
    let mut latest: BTreeMap<Program, (DateTime<Utc>, u8)> = BTreeMap::new();
    for activity in activities {
        let quality = match activity.kind {
            Kind::Submission { passed: true, quality: Some(quality), .. }
            | Kind::Review { quality } => quality,
            _ => continue,
        };
        let program = activity.exercise.map_or(Program::Alone(activity.id), Program::Of);
        latest.insert(program, (activity.at, quality));
    }
    let mut programs: Vec<_> = latest.into_iter().collect();
    programs.sort_by(|(a, (a_at, _)), (b, (b_at, _))| (b_at, b).cmp(&(a_at, a)));
    mean(programs.into_iter().take(QUALITY_PROGRAMS).map(|(_, (_, quality))| (quality, 1)))
}

#[cfg(test)]
mod tests;
