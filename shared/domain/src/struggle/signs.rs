//! Further signs, which raise no alert and make one more urgent.

use chrono::TimeDelta;

use super::{
    Severity, Signal, Trigger,
    rules::{Placed, error, placed},
};
use crate::activity::{Activity, Kind};

/// Runs that the error quotient looks at.
const RUNS: usize = 8;
/// The highest rung of the ladder of hints.
const LAST_RUNG: u8 = 3;
/// Attempts whose pauses tell whether a student guesses, and the pause that does.
const GUESSES: (usize, TimeDelta) = (5, TimeDelta::seconds(10));

/// How urgent it is: the probability that at least one of the signs is right, from the probability of each. A single
/// rule is low, and nothing but rules raises an alert.
pub(super) fn severity(signals: &[Signal], activities: &[Activity]) -> Severity {
    let rules = signals.iter().map(|signal| match signal.trigger {
        Trigger::RepeatedError | Trigger::FailedRuns => 0.55,
        Trigger::LongOnExercise => 0.5,
        Trigger::LowQuiz => 0.45,
        Trigger::SaysSo => 0.6,
    });
    let further = further(activities);
    let wrong: f64 = rules.chain(further).map(|right| 1.0 - right).product();
    match 1.0 - wrong {
        p if p >= 0.9 => Severity::High,
        p if p >= 0.75 => Severity::Medium,
        _ => Severity::Low,
    }
}

fn further(activities: &[Activity]) -> impl Iterator<Item = f64> {
    let placed = placed(activities);
    let runs: Vec<Option<&str>> = placed
        .iter()
        .filter(|one| matches!(one.activity.kind, Kind::Run { .. }))
        .map(error)
        .collect();
    let runs = &runs[runs.len().saturating_sub(RUNS)..];
    let signs = [
        (error_quotient(runs) >= 0.6, 0.25),
        (repeated_error_density(runs) >= 4.0 / 3.0, 0.25),
        (used_last_hint_twice(&placed), 0.5),
        (guesses(&placed), 0.2),
    ];
    signs.into_iter().filter(|(applies, _)| *applies).map(|(_, probability)| probability)
}

/// Jadud, "Methods and tools for exploring novice compilation behaviour" (2006): the mean over pairs of consecutive
/// runs of 8 if both fail and 3 if with the same type of error, of 11.
fn error_quotient(runs: &[Option<&str>]) -> f64 {
    let pairs = runs.windows(2);
    let count = pairs.len();
    if count == 0 {
        return 0.0;
    }
    let points = pairs.map(|pair| match (pair[0], pair[1]) {
        (Some(a), Some(b)) if a == b => 11,
        (Some(_), Some(_)) => 8,
        _ => 0,
    });
    let sum: u32 = points.sum();
    f64::from(sum) / 11.0 / count as f64
}

/// Becker, "A new metric to quantify repeated compiler errors for novice programmers" (2016): the sum over series of
/// `r` repetitions of the same error of `r² / (r + 1)`.
fn repeated_error_density(runs: &[Option<&str>]) -> f64 {
    let density = |repetitions: u32| {
        let r = f64::from(repetitions);
        r * r / (r + 1.0)
    };
    let (mut sum, mut repetitions) = (0.0, 0);
    for pair in runs.windows(2) {
        if pair[0].is_some() && pair[0] == pair[1] {
            repetitions += 1;
        } else {
            sum += density(repetitions);
            repetitions = 0;
        }
    }
    sum + density(repetitions)
}

/// The last hint was given twice since an exercise was last passed.
fn used_last_hint_twice(placed: &[Placed<'_>]) -> bool {
    let mut given = 0;
    for one in placed {
        match one.activity.kind {
            Kind::Submission { passed: true, .. } => given = 0,
            Kind::Hint { rung } if rung >= LAST_RUNG => given += 1,
            _ => {}
        }
    }
    given >= 2
}

/// The last attempts came so fast that nobody can have thought in between.
fn guesses(placed: &[Placed<'_>]) -> bool {
    let (count, pause) = GUESSES;
    let attempts: Vec<_> = placed
        .iter()
        .filter(|one| matches!(one.activity.kind, Kind::Submission { .. }))
        .map(|one| one.activity.at)
        .collect();
    let Some(last) = attempts.len().checked_sub(count).map(|start| &attempts[start..]) else {
        return false;
    };
    let mut pauses: Vec<TimeDelta> = last.windows(2).map(|pair| pair[1] - pair[0]).collect();
    pauses.sort();
    pauses[pauses.len() / 2] < pause
}

#[cfg(test)]
mod tests {
    use super::{error_quotient, repeated_error_density};

    /// `N` and `T` are types of errors, `.` is a run that ended normally.
    fn metrics(runs: &str) -> (f64, f64) {
        let runs: Vec<Option<&str>> =
            runs.split(' ').map(|run| Some(run).filter(|run| *run != ".")).collect();
        let round = |value: f64| (value * 1e4).round() / 1e4;
        (round(error_quotient(&runs)), round(repeated_error_density(&runs)))
    }

    #[test]
    fn repeated_errors_are_measured_as_published() {
        assert_eq!(metrics("N N N"), (1.0, 1.3333));
        assert_eq!(metrics("N T ."), (0.3636, 0.0));
        assert_eq!(metrics("N N . N N"), (0.5, 1.0));
        assert_eq!(metrics("N N N N N"), (1.0, 3.2));
        assert_eq!(metrics("N T N T N"), (0.7273, 0.0));
        assert_eq!(metrics("N"), (0.0, 0.0));
    }
}
