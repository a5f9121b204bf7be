//! Decisions about solutions.

use agents::{Begin, Effect, Load, Next, Step};
use events::{
    activity_recorded::Activity, submission_graded::SubmissionGraded,
    submission_made::SubmissionMade,
};
use serde_json::json;
use storage::{exercises::StoredExercise, submissions::Record};

use super::{ID, NOW, Task, ran, running, stored, template};
use crate::{Exercise, decide::HandedIn};

fn hand_in(code: &str, exercise: Option<StoredExercise<Task>>) -> Step<Exercise> {
    let made =
        json!({ "submission_id": ID, "student_id": ID, "exercise_id": stored().id, "code": code });
    let made: SubmissionMade = serde_json::from_value(made).unwrap();
    <Exercise as Begin<SubmissionMade>>::begin(HandedIn { made, exercise }, NOW)
}

fn record(failed: i64, was_shown: bool) -> Record {
    Record { attempts: failed, failed, best: (failed > 0).then_some(40), was_shown }
}

fn recorded(step: Step<Exercise>, record: Record) -> Step<Exercise> {
    match step.next {
        Next::Load(Load::Record { exercise, then }) => {
            assert_eq!(exercise, stored().id);
            then(record)
        }
        other => panic!("the attempts before are not looked up: {other:?}"),
    }
}

fn graded(step: Step<Exercise>) -> (SubmissionGraded, Activity) {
    let [Effect::Record(activity)] = &step.effects[..] else { panic!("{:?}", step.effects) };
    match step.next {
        Next::Grade(graded) => (*graded, activity.clone()),
        other => panic!("it is not graded: {other:?}"),
    }
}

#[test]
fn a_solution_is_run_with_all_tests_and_hidden_ones_stay_hidden() {
    let program = running(hand_in("x = 1", Some(stored()))).program;
    let hidden = stored().body.tests.iter().map(|test| test.hidden.is_some()).collect::<Vec<_>>();
    assert_eq!(program.tests.iter().map(|test| test.hidden).collect::<Vec<_>>(), hidden);
}

#[test]
fn a_solution_of_no_exercise_fails_permanently() {
    assert!(matches!(hand_in("x = 1", None).next, Next::Fail(_)));
    let gone = StoredExercise { topic: "gone".into(), ..stored() };
    assert!(matches!(hand_in("x = 1", Some(gone)).next, Next::Fail(_)));
}

#[test]
fn a_solution_that_passes_gets_full_marks() {
    let reference = stored().body.reference;
    let step = ran(hand_in(&reference, Some(stored())), |_, _| false, None);
    let (graded, activity) = graded(recorded(step, record(0, false)));
    assert_eq!(
        (graded.feedback.passed, graded.feedback.score, graded.feedback.attempt),
        (true, 100, 1)
    );
    let Activity::ExerciseSubmitted { passed, helped, topic, .. } = activity else {
        panic!("{activity:?}")
    };
    assert_eq!((passed, helped, &*topic), (true, false, template().0));
}

#[test]
fn a_solution_that_fails_a_test_is_graded_by_the_rest() {
    let step = ran(hand_in("x = 1", Some(stored())), |_, at| at == 0, None);
    let (graded, _) = graded(recorded(step, record(2, false)));
    assert!(!graded.feedback.passed && graded.feedback.score < 100);
    assert_eq!((graded.feedback.attempt, graded.feedback.parsons), (3, true));
}

#[test]
fn a_solution_after_help_is_marked() {
    let step = ran(hand_in("x = 1", Some(stored())), |_, _| false, None);
    let (_, activity) = graded(recorded(step, record(3, true)));
    assert!(matches!(activity, Activity::ExerciseSubmitted { helped: true, .. }), "{activity:?}");
}

#[test]
fn a_solution_that_cannot_be_judged_is_run_again_and_at_last_given_up() {
    let unjudged = |step| recorded(ran(step, |_, _| false, Some("busy")), record(0, false));
    let twice = unjudged(unjudged(hand_in("x = 1", Some(stored()))));
    assert_eq!(running(unjudged(hand_in("x = 1", Some(stored())))).program.code.as_str(), "x = 1");
    let step = unjudged(twice);
    assert!(step.effects.is_empty(), "that is no attempt");
    assert!(matches!(step.next, Next::GiveUp(id) if id.to_string() == ID), "{:?}", step.next);
}

#[test]
fn what_the_last_version_has_stored_is_read() {
    let state = running(hand_in("x = 1", Some(stored()))).state;
    let json = serde_json::to_value(state).unwrap();
    assert!(json["Grading"]["exercise"]["tests"].is_array(), "as it always was: {json}");
}
