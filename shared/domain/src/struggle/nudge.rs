//! A friendly word to the student, long before a teacher hears of it.

use chrono::TimeDelta;
use ids::ExerciseId;

use super::{
    Signal, Trigger,
    rules::{Placed, placed, unsolved_work},
};
use crate::activity::{Activity, Kind};

/// Active time on an exercise after which help is offered. Experts who watched beginners would first have helped after
/// 210 s in the median, and often before the first run, of which we know nothing.
const SOON: TimeDelta = TimeDelta::seconds(90);
/// Runs or attempts without success that it takes besides.
const TRIES: usize = 2;

/// A word to the student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nudge {
    /// One or two sentences, with a next step.
    pub text: String,
    /// The topic's slug, if it is about one.
    pub topic: Option<String>,
    /// The exercise, if it is about one.
    pub exercise: Option<ExerciseId>,
}

/// The word that the last of these activities, which are in the order of time, gives reason for. It is said once for a
/// stretch of work on an exercise.
#[must_use]
pub fn nudge(activities: &[Activity]) -> Option<Nudge> {
    let placed = placed(activities);
    let (last, before) = placed.split_last()?;
    let exercise = last.exercise?;
    let is_time = |placed: &[Placed<'_>]| {
        let (work, active) = unsolved_work(placed, exercise);
        let tries = work.iter().filter(|one| is_try(one)).count();
        active >= SOON && tries >= TRIES
    };
    if !is_time(&placed) || is_time(before) {
        return None;
    }
    let (work, _) = unsolved_work(&placed, exercise);
    let had_hint = work.iter().any(|one| matches!(one.activity.kind, Kind::Hint { .. }));
    let text = if had_hint {
        "This one takes a while, and that is fine. Try the smallest input that you can think of, and follow your \
         program line by line; or ask for the next hint."
    } else {
        "This one takes a while, and that is fine. Would a hint help? Ask for one: it tells you where to look, not what \
         to write."
    };
    Some(Nudge {
        text: text.to_owned(),
        topic: last.topic.map(str::to_owned),
        exercise: Some(exercise),
    })
}

/// The word that a new alert gives reason for. After long work on an exercise it was said before.
#[must_use]
pub fn nudge_after(signal: &Signal) -> Option<Nudge> {
    let text = match signal.trigger {
        Trigger::RepeatedError | Trigger::FailedRuns => {
            "Errors are part of programming. Show me the program and ask why it fails, and we will find the first thing \
             that goes wrong together."
        }
        Trigger::LowQuiz => {
            "Look at the explanations of the answers, and ask about the one that surprised you most. Then try again: the \
             next quiz has other questions."
        }
        Trigger::SaysSo => {
            "Thank you for saying so. Which part is unclear: what is asked, how to begin, or why a program behaves as it \
             does? Ask for a hint or an easier exercise."
        }
        Trigger::LongOnExercise => return None,
    };
    Some(Nudge { text: text.to_owned(), topic: signal.topic.clone(), exercise: signal.exercise })
}

/// A run, or an attempt that did not pass.
const fn is_try(one: &Placed<'_>) -> bool {
    matches!(one.activity.kind, Kind::Run { .. } | Kind::Submission { passed: false, .. })
}
