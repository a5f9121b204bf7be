//! The five rules.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use ids::ExerciseId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Trigger;
use crate::{
    activity::{Activity, Kind},
    sentence::counted,
};

/// How far back activities are considered.
pub const WINDOW: TimeDelta = TimeDelta::hours(24);
/// The same error so often within [`ERROR_WINDOW`] is a signal.
const SAME_ERRORS: usize = 3;
/// The window for equal errors.
const ERROR_WINDOW: TimeDelta = TimeDelta::hours(1);
/// Active time on an exercise beyond which it is a signal.
const LONG: TimeDelta = TimeDelta::minutes(10);
/// The longest pause between two activities that counts as active time; of a longer one so much counts.
const PAUSE: TimeDelta = TimeDelta::seconds(120);
/// Quizzes below this score are a signal, in percent.
pub(super) const LOW_QUIZ: u8 = 50;
/// Failed runs in a row that are a signal.
const FAILED_RUNS: usize = 5;
/// A run without an exercise belongs to the exercise that the student worked on at most this long before.
const SAME_WORK: TimeDelta = TimeDelta::minutes(30);
/// Facts that are kept for a signal: the latest ones.
pub(super) const MOST_EVIDENCE: usize = 10;

/// One fact that a signal and its alert rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// A sentence for a teacher.
    pub text: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The run, submission, quiz attempt or question that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<Uuid>,
}

/// A rule that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The rule.
    pub trigger: Trigger,
    /// The topic's slug, if it is about one.
    pub topic: Option<String>,
    /// The exercise, if it is about one.
    pub exercise: Option<ExerciseId>,
    /// What, and since when, in one sentence for a teacher.
    pub summary: String,
    /// The facts, newest last.
    pub evidence: Vec<Evidence>,
}

impl Signal {
    /// The time of the newest fact.
    #[must_use]
    pub fn last_at(&self) -> Option<DateTime<Utc>> {
        self.evidence.last().map(|fact| fact.at)
    }
}

/// An activity with the work that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) activity: &'a Activity,
    pub(super) topic: Option<&'a str>,
    pub(super) exercise: Option<ExerciseId>,
}

/// Finds out what runs belong to: the exercise and the topic that the student has worked on last.
pub(super) fn placed(activities: &[Activity]) -> Vec<Placed<'_>> {
    let mut exercise: Option<(ExerciseId, DateTime<Utc>)> = None;
    let mut topic: Option<(&str, DateTime<Utc>)> = None;
    let mut all = Vec::with_capacity(activities.len());
    for activity in activities {
        let at = activity.at;
        exercise = activity.exercise.map(|id| (id, at)).or(exercise);
        topic = activity.topic.as_deref().map(|slug| (slug, at)).or(topic);
        all.push(Placed {
            activity,
            topic: topic.filter(|(_, since)| at - *since <= SAME_WORK).map(|(slug, _)| slug),
            exercise: exercise.filter(|(_, since)| at - *since <= SAME_WORK).map(|(id, _)| id),
        });
    }
    all
}

/// The rules that apply after the last of these activities, which are in the order of time.
#[must_use]
pub fn signals(activities: &[Activity]) -> Vec<Signal> {
    let Some(last) = activities.last() else { return Vec::new() };
    let placed = placed(activities);
    let start = placed.partition_point(|one| one.activity.at < last.at - WINDOW);
    let recent = &placed[start..];
    [
        repeated_error(recent),
        long_on_exercise(recent),
        low_quiz(recent),
        says_so(recent),
        failed_runs(recent),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The error of a run that failed.
pub(super) fn error<'a>(one: &Placed<'a>) -> Option<&'a str> {
    match &one.activity.kind {
        Kind::Run { error, .. } => error.as_deref(),
        _ => None,
    }
}

fn runs<'a>(recent: &[Placed<'a>]) -> Vec<Placed<'a>> {
    let is_run = |one: &&Placed<'_>| matches!(one.activity.kind, Kind::Run { .. });
    recent.iter().filter(is_run).copied().collect()
}

/// The same type of error at least three times within an hour, the last one just now.
fn repeated_error(recent: &[Placed<'_>]) -> Option<Signal> {
    let runs = runs(recent);
    let last = runs.last()?;
    let name = error(last)?;
    let same: Vec<Placed<'_>> = runs
        .iter()
        .filter(|run| {
            error(run) == Some(name) && last.activity.at - run.activity.at <= ERROR_WINDOW
        })
        .copied()
        .collect();
    (same.len() >= SAME_ERRORS).then(|| {
        let summary = format!("The same error, {name}, {} times within an hour.", same.len());
        signal(Trigger::RepeatedError, last, summary, &same, |_| {
            format!("A run ended with {name}.")
        })
    })
}

/// At least five failed runs in a row. A program that is run again unchanged counts once.
fn failed_runs(recent: &[Placed<'_>]) -> Option<Signal> {
    let mut failed: Vec<Placed<'_>> = Vec::new();
    for one in recent {
        match &one.activity.kind {
            Kind::Run { error: None, .. } | Kind::Submission { passed: true, .. } => failed.clear(),
            Kind::Run { error: Some(_), program } => {
                let again = failed.last().is_some_and(|before| {
                    matches!(&before.activity.kind, Kind::Run { program: other, .. }
                        if program.is_some() && program == other)
                });
                if !again {
                    failed.push(*one);
                }
            }
            _ => {}
        }
    }
    let last = failed.last()?;
    (failed.len() >= FAILED_RUNS).then(|| {
        let summary = format!("{} failed runs in a row.", failed.len());
        signal(Trigger::FailedRuns, last, summary, &failed, |one| {
            format!("A run ended with {}.", error(one).unwrap_or("an error"))
        })
    })
}

/// More than ten minutes of active work on one exercise without passing it.
fn long_on_exercise(recent: &[Placed<'_>]) -> Option<Signal> {
    let last = recent.last()?;
    let exercise = last.exercise?;
    let (work, active) = unsolved_work(recent, exercise);
    (active > LONG).then(|| {
        let minutes = active.num_minutes();
        let attempts =
            work.iter().filter(|one| matches!(one.activity.kind, Kind::Submission { .. })).count();
        let hints =
            work.iter().filter(|one| matches!(one.activity.kind, Kind::Hint { .. })).count();
        let summary = format!(
            "{minutes} minutes of work on one exercise without passing it: {} and {}.",
            counted(attempts, "attempt", "attempts"),
            counted(hints, "hint", "hints"),
        );
        signal(Trigger::LongOnExercise, last, summary, &work, describe)
    })
}

/// The activities on an exercise since it was last passed, and the active time between them.
pub(super) fn unsolved_work<'a>(
    recent: &[Placed<'a>],
    exercise: ExerciseId,
) -> (Vec<Placed<'a>>, TimeDelta) {
    let mut work: Vec<Placed<'a>> = Vec::new();
    let mut active = TimeDelta::zero();
    for one in recent.iter().filter(|one| one.exercise == Some(exercise)) {
        if let Some(before) = work.last() {
            active += (one.activity.at - before.activity.at).min(PAUSE);
        }
        work.push(*one);
        if matches!(one.activity.kind, Kind::Submission { passed: true, .. }) {
            work.clear();
            active = TimeDelta::zero();
        }
    }
    (work, active)
}

/// The last quiz is below 50 percent.
fn low_quiz(recent: &[Placed<'_>]) -> Option<Signal> {
    let quizzes: Vec<&Placed<'_>> =
        recent.iter().filter(|one| matches!(one.activity.kind, Kind::Quiz { .. })).collect();
    let last = quizzes.last()?;
    let Kind::Quiz { score, .. } = last.activity.kind else { return None };
    // Parts of one quiz have one source. A mixed quiz is about no single topic.
    let topics: BTreeSet<_> = quizzes
        .iter()
        .filter(|one| one.activity.id == last.activity.id)
        .map(|one| one.topic)
        .collect();
    let topic = if topics.len() == 1 { last.topic } else { None };
    (score < LOW_QUIZ).then(|| {
        let place = Placed { topic, ..**last };
        let summary = format!("A quiz with {score} percent.");
        signal(Trigger::LowQuiz, &place, summary, &[**last], |_| {
            format!("The quiz was submitted with {score} percent.")
        })
    })
}

/// The student has just said so.
fn says_so(recent: &[Placed<'_>]) -> Option<Signal> {
    let last = recent.last()?;
    matches!(last.activity.kind, Kind::SaidStuck).then(|| {
        let said: Vec<Placed<'_>> = recent
            .iter()
            .filter(|one| matches!(one.activity.kind, Kind::SaidStuck))
            .copied()
            .collect();
        let summary = match said.len() {
            1 => "The student says that they are stuck.".to_owned(),
            times => format!("The student says that they are stuck, {times} times in a day."),
        };
        signal(Trigger::SaysSo, last, summary, &said, |_| {
            "A question said that the student is stuck.".to_owned()
        })
    })
}

fn signal(
    trigger: Trigger,
    about: &Placed<'_>,
    summary: String,
    facts: &[Placed<'_>],
    text: impl Fn(&Placed<'_>) -> String,
) -> Signal {
    let latest = &facts[facts.len().saturating_sub(MOST_EVIDENCE)..];
    let evidence = latest
        .iter()
        .map(|one| Evidence {
            text: text(one),
            at: one.activity.at,
            source_id: one.activity.source,
        })
        .collect();
    Signal {
        trigger,
        topic: about.topic.map(str::to_owned),
        exercise: about.exercise,
        summary,
        evidence,
    }
}

fn describe(one: &Placed<'_>) -> String {
    match &one.activity.kind {
        Kind::Run { error: Some(error), .. } => format!("A run ended with {error}."),
        Kind::Run { error: None, .. } => "A run ended normally.".to_owned(),
        Kind::Submission { score, .. } => {
            format!("An attempt passed {score} percent of the tests.")
        }
        Kind::Hint { rung } => format!("Hint {rung} was given."),
        Kind::Quiz { score, .. } => format!("A quiz was submitted with {score} percent."),
        Kind::Review { quality } => format!("A program of quality {quality} was reviewed."),
        Kind::Given => "An exercise was made for the student.".to_owned(),
        Kind::SaidStuck => "A question said that the student is stuck.".to_owned(),
        Kind::WasHelped => "The student said that an answer had helped.".to_owned(),
    }
}
