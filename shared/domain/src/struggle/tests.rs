use chrono::{DateTime, TimeDelta};
use ids::{AlertId, EventId, ExerciseId};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use uuid::Uuid;

use super::{Alert, Change, Resolved, Severity, Trigger, judge, nudge, signals};
use crate::{
    activity::{Activity, Kind, in_order},
    difficulty::Difficulty,
};

fn activity(number: u128, seconds: i64, exercise: Option<u128>, kind: Kind) -> Activity {
    Activity {
        id: EventId::from_uuid(Uuid::from_u128(number)),
        source: Some(Uuid::from_u128(number)),
        at: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds),
        topic: exercise.map(|_| "loops".to_owned()),
        exercise: exercise.map(|id| ExerciseId::from_uuid(Uuid::from_u128(id))),
        kind,
    }
}

fn run(error: Option<&str>, program: Option<&str>) -> Kind {
    Kind::Run { error: error.map(str::to_owned), program: program.map(str::to_owned) }
}

fn failed(error: &str) -> Kind {
    run(Some(error), None)
}

fn attempt(passed: bool) -> Kind {
    Kind::Submission {
        difficulty: Difficulty::Easy,
        score: if passed { 100 } else { 50 },
        passed,
        quality: None,
        helped: false,
    }
}

fn quiz(score: u8) -> Kind {
    Kind::Quiz { right: u32::from(score) / 25, of: 4, score }
}

/// Activities at these seconds.
fn history(all: Vec<(i64, Option<u128>, Kind)>) -> Vec<Activity> {
    let numbered = all.into_iter().zip(1..);
    numbered.map(|((at, exercise, kind), n)| activity(n, at, exercise, kind)).collect()
}

fn triggers(all: Vec<(i64, Option<u128>, Kind)>) -> Vec<Trigger> {
    signals(&history(all)).into_iter().map(|signal| signal.trigger).collect()
}

#[test]
fn the_same_error_three_times_within_an_hour_is_a_signal() {
    let errors =
        |seconds: &[i64]| seconds.iter().map(|at| (*at, None, failed("NameError"))).collect();
    assert_eq!(triggers(errors(&[0, 60])), []);
    assert_eq!(triggers(errors(&[0, 60, 3_600])), [Trigger::RepeatedError]);
    assert_eq!(triggers(errors(&[0, 60, 3_601])), []);
    let others = vec![
        (0, None, failed("NameError")),
        (1, None, failed("TypeError")),
        (2, None, failed("NameError")),
    ];
    assert_eq!(triggers(others), []);
    let mut solved: Vec<_> = errors(&[0, 60, 120]);
    solved.push((180, None, run(None, None)));
    assert_eq!(triggers(solved), [], "the last run is fine");
}

#[test]
fn five_failed_runs_in_a_row_are_a_signal_and_an_unchanged_program_counts_once() {
    let names = ["A", "B", "C", "D", "E"];
    let row = |count: usize| -> Vec<_> {
        names[..count].iter().zip(0..).map(|(name, at)| (at, None, failed(name))).collect()
    };
    assert_eq!(triggers(row(4)), []);
    assert_eq!(triggers(row(5)), [Trigger::FailedRuns]);
    let mut interrupted = row(4);
    interrupted.push((4, None, run(None, None)));
    interrupted.push((5, None, failed("E")));
    assert_eq!(triggers(interrupted), []);
    let again = (0..5).map(|at| (at, None, run(Some("Timeout"), Some("same")))).collect::<Vec<_>>();
    assert_eq!(triggers(again), [Trigger::RepeatedError], "run five times without a change");
}

#[test]
fn more_than_ten_active_minutes_on_an_exercise_are_a_signal() {
    let every = |pause: i64, count: i64| -> Vec<_> {
        (0..count).map(|n| (n * pause, Some(1), attempt(false))).collect()
    };
    assert_eq!(triggers(every(120, 6)), [], "exactly ten minutes");
    assert_eq!(triggers(every(120, 7)), [Trigger::LongOnExercise]);
    assert_eq!(triggers(every(3_000, 6)), [], "a long pause counts as two minutes");
    let mut passed = every(120, 7);
    passed.push((800, Some(1), attempt(true)));
    assert_eq!(triggers(passed), []);
    let mut other = every(120, 7);
    other.push((800, Some(2), attempt(false)));
    assert_eq!(triggers(other), [], "the student has gone on to another exercise");
    // Runs have no exercise of their own: they belong to the one that was worked on last.
    let mut runs = vec![(0, Some(1), Kind::Hint { rung: 1 })];
    let errors = [Some("A"), Some("B"), None, Some("A"), Some("B"), None, Some("C")];
    runs.extend((1..8).zip(errors).map(|(n, error)| (n * 100, None, run(error, None))));
    assert_eq!(triggers(runs), [Trigger::LongOnExercise]);
}

#[test]
fn a_quiz_below_fifty_percent_and_the_students_own_words_are_signals() {
    assert_eq!(triggers(vec![(0, Some(1), quiz(49))]), [Trigger::LowQuiz]);
    assert_eq!(triggers(vec![(0, Some(1), quiz(50))]), []);
    assert_eq!(triggers(vec![(0, Some(1), quiz(25)), (9, Some(1), quiz(75))]), []);
    assert_eq!(triggers(vec![(0, None, Kind::SaidStuck)]), [Trigger::SaysSo]);
    assert_eq!(triggers(vec![(0, None, Kind::SaidStuck), (9, None, run(None, None))]), []);
}

#[test]
fn signals_have_their_facts_for_a_teacher() {
    let errors = (0..3).map(|n| (n, Some(1), failed("NameError"))).collect();
    let found = signals(&history(errors));
    let [signal] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(signal.summary, "The same error, NameError, 3 times within an hour.");
    assert_eq!(signal.topic.as_deref(), Some("loops"));
    let sources: Vec<_> = signal.evidence.iter().map(|fact| fact.source_id).collect();
    assert_eq!(sources, [1, 2, 3].map(|n| Some(Uuid::from_u128(n))));
    assert_eq!(signal.evidence[0].text, "A run ended with NameError.");
}

/// Alerts as a store would keep them.
#[derive(Debug, Default, PartialEq)]
struct Alerts {
    open: Vec<Alert>,
    resolved: Vec<Resolved>,
    told: Vec<String>,
}

impl Alerts {
    fn apply(&mut self, activities: &[Activity]) {
        let found = signals(activities);
        for change in judge(activities, &found, &self.open, &self.resolved) {
            match change {
                Change::Open { signal, severity } => {
                    self.told.push(format!("opened {}", signal.trigger.as_str()));
                    self.open.push(Alert {
                        id: AlertId::from_uuid(Uuid::from_u128(self.told.len() as u128)),
                        topic: signal.topic,
                        exercise: signal.exercise,
                        trigger: signal.trigger,
                        severity,
                        summary: signal.summary,
                        evidence: signal.evidence,
                    });
                }
                Change::Update { alert, is_more_urgent } => {
                    if is_more_urgent {
                        self.told.push(format!(
                            "{} is {}",
                            alert.trigger.as_str(),
                            alert.severity.as_str()
                        ));
                    }
                    let old = self.open.iter_mut().find(|old| old.id == alert.id);
                    *old.unwrap() = alert;
                }
                Change::Resolve { alert, because } => {
                    self.told.push(format!("resolved {}: {because}", alert.trigger.as_str()));
                    self.open.retain(|other| other.id != alert.id);
                    self.resolved.push(Resolved {
                        topic: alert.topic,
                        trigger: alert.trigger,
                        at: activities.last().unwrap().at,
                    });
                }
            }
        }
    }

    /// After each of these activities, as they arrive.
    fn after(arriving: &[Activity]) -> Self {
        let mut alerts = Self::default();
        let mut known: Vec<Activity> = Vec::new();
        for activity in arriving {
            if known.iter().all(|other| other.id != activity.id) {
                known.push(activity.clone());
                alerts.apply(&in_order(known.clone()));
            }
        }
        alerts
    }
}

#[test]
fn an_alert_is_updated_and_not_repeated_and_resolves_when_the_student_recovers() {
    let mut all: Vec<_> = (0..6).map(|n| (n * 10, None, failed("NameError"))).collect();
    all.push((70, None, run(None, None)));
    let alerts = Alerts::after(&history(all));
    assert_eq!(
        alerts.told,
        [
            "opened repeated_error",
            "repeated_error is medium",
            "opened failed_runs",
            "resolved repeated_error: The next program ran to its end.",
            "resolved failed_runs: The next program ran to its end.",
        ]
    );
    assert_eq!(alerts.open, []);
}

#[test]
fn after_an_alert_was_resolved_the_same_one_waits_half_an_hour() {
    let round = |start: i64| {
        let errors = (0..3).map(move |n| (start + n, None, failed("NameError")));
        errors.chain([(start + 5, None, run(None, None))]).collect::<Vec<_>>()
    };
    let opened = |second: i64| {
        let all = [round(0), round(second)].concat();
        let told = Alerts::after(&history(all)).told;
        told.iter().filter(|line| line.starts_with("opened")).count()
    };
    assert_eq!(opened(600), 1);
    assert_eq!(opened(3_700), 2);
}

#[test]
fn severity_never_falls_while_an_alert_is_open() {
    let mut all: Vec<_> = (0..5).map(|n| (n * 10, None, failed("NameError"))).collect();
    all.push((60, None, failed("TypeError")));
    all.push((70, None, failed("ValueError")));
    let alerts = Alerts::after(&history(all));
    let severities: Vec<_> =
        alerts.open.iter().map(|alert| (alert.trigger, alert.severity)).collect();
    assert_eq!(severities[0], (Trigger::RepeatedError, Severity::Medium));
}

#[test]
fn a_nudge_comes_early_and_once() {
    let attempts = |count: i64| -> Vec<Activity> {
        history((0..count).map(|n| (n * 40, Some(1), attempt(false))).collect())
    };
    let nudged: Vec<i64> = (1..8).filter(|count| nudge(&attempts(*count)).is_some()).collect();
    assert_eq!(nudged, [4], "after 120 seconds, and not after 80");
    let text = nudge(&attempts(4)).unwrap().text;
    assert!(text.contains("hint") && !text.to_lowercase().contains("struggl"), "{text}");
    let mut hint = attempts(3);
    hint.push(activity(9, 95, Some(1), Kind::Hint { rung: 1 }));
    assert!(nudge(&hint).unwrap().text.contains("next hint"));
}

fn kinds() -> impl Strategy<Value = (Option<u128>, Kind)> {
    prop_oneof![
        4 => (0_usize..3).prop_map(|n| (None, failed(["A", "B", "C"][n]))),
        1 => Just((None, run(None, None))),
        2 => (1_u128..3, prop::bool::ANY).prop_map(|(exercise, passed)| (Some(exercise), attempt(passed))),
        1 => (1_u128..3, 1_u8..4).prop_map(|(exercise, rung)| (Some(exercise), Kind::Hint { rung })),
        1 => (1_u128..3, 0_u8..=100).prop_map(|(exercise, score)| (Some(exercise), quiz(score))),
        1 => Just((None, Kind::SaidStuck)),
        1 => Just((None, Kind::WasHelped)),
    ]
}

fn histories() -> impl Strategy<Value = Vec<Activity>> {
    prop::collection::vec((1_i64..200, kinds()), 0..25).prop_map(|all| {
        let mut at = 0;
        let timed = all.into_iter().map(|(pause, (exercise, kind))| {
            at += pause;
            (at, exercise, kind)
        });
        history(timed.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn repeated_events_change_nothing(
        (history, twice) in histories().prop_flat_map(|history| {
            let twice: Vec<Activity> = history.iter().flat_map(|one| [one.clone(), one.clone()]).collect();
            (Just(history), Just(twice))
        }),
    ) {
        prop_assert_eq!(Alerts::after(&history), Alerts::after(&twice));
    }

    /// What signals there are depends on the set of activities alone. So at the end no rule applies that does not apply
    /// in the order of time, and an alert that an earlier state gave reason for is open only if it is in both.
    #[test]
    fn late_and_reordered_events_raise_no_alert_that_the_whole_history_does_not(
        (history, shuffled) in histories().prop_flat_map(|history| {
            let shuffled = Just(history.clone()).prop_shuffle();
            (Just(history), shuffled)
        }),
    ) {
        prop_assert_eq!(signals(&in_order(shuffled.clone())), signals(&history));
        let ever: Vec<Trigger> = (1..=history.len())
            .flat_map(|count| signals(&history[..count]))
            .map(|signal| signal.trigger)
            .collect();
        for alert in Alerts::after(&shuffled).open {
            prop_assert!(ever.contains(&alert.trigger), "{:?} of {:?}", alert, history);
        }
    }
}
