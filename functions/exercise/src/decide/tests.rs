//! Tests of the agent's decisions, about three lines each.

use agents::{
    Agent as _, Arrived, Ask, Begin, Effect, Load, Next, Reply, Run, Step, step::ExerciseMade,
};
use chrono::{DateTime, Utc};
use domain::{agent::AnsweredBy, difficulty::Difficulty, execution::Program, hints::Ladder};
use events::{
    activity_recorded::Activity, exercise_generated::ExerciseGenerated,
    exercise_requested::ExerciseRequested, question_answered::Details,
    question_routed::QuestionRouted,
};
use exercises::Template;
use ids::ExerciseId;
use serde_json::{Value, json};
use storage::exercises::{MadeExercise, NextExercise, StoredExercise};

use super::{Exercise, Requested};

mod grading;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
/// A solution that a model has written.
const RAIN: &str = "def rain(days):\n    wet = 0\n    for day in days:\n        if day > 0:\n            wet = wet + 1\n    return wet";
const ID: &str = "00000000-0000-0000-0000-000000000007";

type Task = exercises::Exercise;

/// An exercise of the course that has variations, in its topic.
fn template() -> (&'static str, &'static Template) {
    let mut all = curriculum::embedded().exercises();
    let fits = |template: &Template| {
        template.variations() > 1
            && template
                .exercise()
                .tests
                .iter()
                .all(|test| test.call.is_some() && test.raises.is_none())
    };
    let (topic, template) = all.find(|(_, template)| fits(template)).unwrap();
    (&topic.slug, template)
}

fn stored() -> StoredExercise<Task> {
    let (topic, template) = template();
    let body = template.exercise();
    StoredExercise { id: exercises::id(&body.slug, 0), topic: topic.to_owned(), body }
}

fn request(question: &str, more: Value) -> QuestionRouted {
    let mut request = json!({ "query_id": ID, "student_id": ID, "question": question, "level": "beginner",
        "routing": { "agent": "exercise", "confidence": 1.0, "reasons": [] } });
    let more = if let Value::Object(more) = more { more } else { Default::default() };
    request.as_object_mut().unwrap().extend(more);
    serde_json::from_value(request).unwrap()
}

fn begin(question: &str, open: Option<StoredExercise<Task>>) -> Step<Exercise> {
    let requested = Requested { request: request(question, json!({})), open };
    <Exercise as Begin<ExerciseRequested>>::begin(requested, NOW)
}

fn resume_with(state: super::Asking, text: Option<String>) -> Step<Exercise> {
    Exercise::resume(Arrived::Model { state, text }, NOW)
}

/// What is loaded, and what is decided if this is found.
fn found(
    step: Step<Exercise>,
    next: Option<NextExercise<Task>>,
) -> (Option<String>, Difficulty, Step<Exercise>) {
    match step.next {
        Next::Load(Load::NextExercise { topic, difficulty, then }) => {
            (topic, difficulty, then(next))
        }
        other => panic!("no exercise is looked for: {other:?}"),
    }
}

fn next(is_new: bool) -> Option<NextExercise<Task>> {
    Some(NextExercise { exercise: stored(), is_new })
}

fn made(
    step: Step<Exercise>,
    made: impl FnOnce(&[ExerciseId]) -> Vec<MadeExercise>,
) -> Step<Exercise> {
    match step.next {
        Next::Load(Load::Made { ids, then }) => {
            let made = made(&ids);
            then(made)
        }
        other => panic!("no variations are looked for: {other:?}"),
    }
}

fn climbing(step: Step<Exercise>, ladder: Option<Ladder>) -> Step<Exercise> {
    match step.next {
        Next::Load(Load::Ladder { then, .. }) => then(ladder),
        other => panic!("no ladder is looked up: {other:?}"),
    }
}

fn assigned(step: Step<Exercise>) -> (ExerciseId, Reply) {
    match step.next {
        Next::Assign { exercise, reply } => (exercise, *reply),
        other => panic!("nothing is assigned: {other:?}"),
    }
}

fn replied(step: Step<Exercise>) -> Reply {
    match step.next {
        Next::Answer(reply) => *reply,
        other => panic!("it is not answered: {other:?}"),
    }
}

fn asking(step: Step<Exercise>) -> Ask<Exercise> {
    match step.next {
        Next::Ask(ask) => *ask,
        other => panic!("no model is asked: {other:?}"),
    }
}

fn running(step: Step<Exercise>) -> Run<Exercise> {
    match step.next {
        Next::Run(run) => *run,
        other => panic!("nothing is run: {other:?}"),
    }
}

/// A run in which the tests at these positions fail.
fn result(program: &Program, fails: impl Fn(usize) -> bool, problem: Option<&str>) -> Value {
    let test = |at: usize, name: &str| {
        let passed = !fails(at);
        json!({ "name": name, "passed": passed, "verdict": "ok", "expected": "1",
            "actual": if passed { "1" } else { "2" }, "problem": problem, "duration_ms": 1 })
    };
    let tests: Vec<Value> =
        program.tests.iter().enumerate().map(|(at, case)| test(at, case.name.as_str())).collect();
    json!({ "verdict": "ok", "exit_code": 0, "stdout": "", "stderr": "", "transcript": [], "truncated": false,
        "tests": tests, "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "python": "3.14" })
}

fn ran(
    step: Step<Exercise>,
    fails: impl Fn(&str, usize) -> bool,
    problem: Option<&str>,
) -> Step<Exercise> {
    let Run { program, state, .. } = running(step);
    let result = result(&program, |at| fails(program.code.as_str(), at), problem);
    let result = Box::new(serde_json::from_value(result).unwrap());
    Exercise::resume(Arrived::Run { state, result }, NOW)
}

/// Runs all trials of an exercise; only its reference solution passes all tests.
fn tried(mut step: Step<Exercise>, reference: &str) -> Step<Exercise> {
    while matches!(step.next, Next::Run(_)) {
        step = ran(step, |code, at| at == 0 && code.trim() != reference.trim(), None);
    }
    step
}

/// The variation that is made next.
fn variation() -> (Task, Step<Exercise>) {
    let (_, template) = template();
    let step = made(begin("a similar one please", Some(stored())), |_| Vec::new());
    (template.variation(1), step)
}

fn stored_exercise(step: &Step<Exercise>) -> ExerciseMade {
    let made = step.effects.iter().find_map(|effect| match effect {
        Effect::StoreExercise(made) => Some((**made).clone()),
        _ => None,
    });
    made.unwrap()
}

fn announced(step: &Step<Exercise>) -> Option<ExerciseGenerated> {
    step.effects.iter().find_map(|effect| match effect {
        Effect::Announce(generated) => Some((**generated).clone()),
        _ => None,
    })
}

fn written() -> String {
    let test =
        |call: &str, hidden: &str| json!({ "call": call, "expected": "1", "hidden": hidden });
    json!({ "title": "Count the rain", "task": "Write a function rain(days) that gives how many days were wet.",
        "starter": "def rain(days):\n    pass",
        "reference": RAIN,
        "hints": ["Go through the days.", "Count those that fit."],
        "tests": [test("rain([1])", ""), test("rain([0, 2])", ""), test("rain([3, 0])", ""), test("rain([9])", "one day"), test("rain([0, 0, 5])", "late rain")] })
    .to_string()
}

/// The model is asked for an exercise, since the student has had all of them.
fn writing() -> super::Asking {
    asking(found(begin("an exercise", None), next(false)).2).state
}

/// What is decided when the model has written this.
fn wrote(text: Option<String>) -> Step<Exercise> {
    match resume_with(writing(), text).next {
        Next::Load(Load::Exercise { id, then }) => {
            assert_eq!(id, stored().id);
            then(Some(stored()))
        }
        other => panic!("what it should be like is not looked up: {other:?}"),
    }
}

#[test]
fn a_new_exercise_is_looked_for_by_topic_and_level() {
    let (topic, difficulty, _) = found(begin("an exercise about lists", None), None);
    assert_eq!((topic.as_deref(), difficulty), (Some("lists"), Difficulty::Easy));
    let (topic, difficulty, _) = found(begin("something hard", None), None);
    assert_eq!((topic, difficulty), (None, Difficulty::Hard));
}

#[test]
fn a_new_exercise_is_assigned() {
    let step = found(begin("an exercise about lists", None), next(true)).2;
    assert!(step.effects.is_empty(), "the assignment is all");
    let (id, reply) = assigned(step);
    assert_eq!((id, reply.answered_by), (stored().id, AnsweredBy::Offline));
    let Some(Details::Exercise(shown)) = reply.answer.details else { panic!("no exercise") };
    assert_eq!(shown.id, id);
}

#[test]
fn without_a_topic_the_answer_says_that_one_can_be_named() {
    let content = |question| assigned(found(begin(question, None), next(true)).2).1.answer.content;
    assert!(content("an exercise please").contains("name a topic"));
    assert!(!content("an exercise about lists").contains("name a topic"));
}

#[test]
fn if_there_is_no_exercise_the_topics_are_named() {
    let reply = replied(found(begin("an exercise", None), None).2);
    assert!(reply.answer.content.starts_with("I do not have an exercise like that"));
}

#[test]
fn an_exercise_whose_topic_is_gone_cannot_be_assigned() {
    let gone = NextExercise {
        exercise: StoredExercise { topic: "gone".into(), ..stored() },
        is_new: true,
    };
    let reply = replied(found(begin("an exercise", None), Some(gone)).2);
    assert!(reply.answer.content.starts_with("I do not have an exercise like that"));
}

#[test]
fn a_student_who_has_had_all_gets_one_that_a_model_writes() {
    let ask = asking(found(begin("an exercise", None), next(false)).2);
    let field =
        |name: &str| ask.fields.iter().find(|field| field.name == name).unwrap().text.clone();
    assert!(field("like").contains(&stored().body.task));
    assert_eq!(field("difficulty"), stored().body.difficulty.as_str());
    assert!(!ask.fields.iter().any(|field| field.text.contains("an exercise")), "nobody's words");
}

#[test]
fn without_a_model_it_is_varied() {
    let step = wrote(None);
    assert!(step.effects.is_empty());
    assert!(matches!(step.next, Next::Load(Load::Made { .. })), "{:?}", step.next);
}

#[test]
fn an_invalid_exercise_is_withheld_and_a_variation_made() {
    for text in ["no", "{}", r#"{"title": "x"}"#] {
        let step = wrote(Some(text.to_owned()));
        assert!(matches!(step.effects[..], [Effect::Withhold(_)]), "{text}");
        assert!(matches!(step.next, Next::Load(Load::Made { .. })), "{text}");
    }
}

#[test]
fn if_the_old_exercise_is_gone_none_is_assigned() {
    let Next::Load(Load::Exercise { then, .. }) = resume_with(writing(), Some(written())).next
    else {
        panic!("it is not looked up")
    };
    assert!(replied(then(None)).answer.content.starts_with("I do not have an exercise like that"));
}

#[test]
fn what_a_model_has_written_is_tried_first() {
    let run = running(wrote(Some(written())));
    assert!(run.program.code.as_str().contains("def rain"));
    assert_eq!(run.program.tests.len(), 5);
}

/// An exercise of the model that has passed its own tests, and is solved from its task alone.
fn solving() -> Ask<Exercise> {
    asking(tried(wrote(Some(written())), RAIN))
}

#[test]
fn what_passes_is_solved_from_its_task_alone() {
    let ask = solving();
    assert!(ask.fields.iter().any(|field| field.text.contains("how many days were wet")));
    assert!(!ask.fields.iter().any(|field| field.text.contains("wet = wet + 1")), "no solution");
    assert!(!ask.fields.iter().any(|field| field.text.contains("rain([9])")), "no hidden test");
}

#[test]
fn what_can_be_solved_is_assigned_and_announced() {
    let solution =
        json!({ "solution": "def rain(days):\n    return len([d for d in days if d > 0])" });
    let step = ran(resume_with(solving().state, Some(solution.to_string())), |_, _| false, None);
    assert_eq!((stored_exercise(&step).faults, stored_exercise(&step).source), (None, "model"));
    assert_eq!(announced(&step).unwrap().source, "model");
    let (id, reply) = assigned(step);
    assert_eq!((id.to_string().as_str(), reply.answered_by), (ID, AnsweredBy::Model));
}

#[test]
fn what_cannot_be_solved_from_its_task_is_not_assigned() {
    let solution = json!({ "solution": "def rain(days):\n    return sum(days)" }).to_string();
    let failing = ran(resume_with(solving().state, Some(solution)), |_, at| at == 1, None);
    let silent = resume_with(solving().state, None);
    let withheld = resume_with(solving().state, Some("no".to_owned()));
    for step in [failing, silent, withheld] {
        assert!(stored_exercise(&step).faults.is_some());
        assert_eq!(announced(&step), None);
        assert!(matches!(step.next, Next::Load(Load::NextExercise { .. })), "an old one again");
    }
}

#[test]
fn what_its_own_solution_fails_is_not_assigned() {
    let step = tried(wrote(Some(written())), "no program is like this");
    assert!(stored_exercise(&step).faults.is_some(), "its own solution fails");
}

#[test]
fn an_old_exercise_is_assigned_again_with_a_note() {
    let rejected = resume_with(solving().state, None);
    let (topic, difficulty, step) = found(rejected, next(false));
    assert_eq!((topic.as_deref(), difficulty), (Some(template().0), stored().body.difficulty));
    assert!(
        assigned(step)
            .1
            .answer
            .content
            .starts_with("You have already had all my exercises on this.")
    );
}

#[test]
fn a_similar_exercise_is_a_variation_of_the_open_one() {
    let (exercise, step) = variation();
    assert_eq!(running(step).program.code.as_str(), exercise.reference);
}

#[test]
fn a_variation_that_passes_is_assigned_without_a_model() {
    let (exercise, step) = variation();
    let step = tried(step, &exercise.reference);
    assert_eq!(
        (stored_exercise(&step).source, stored_exercise(&step).variation_of),
        ("variation", Some(stored().id))
    );
    let (id, reply) = assigned(step);
    assert_eq!((id, reply.answered_by), (exercises::id(&exercise.slug, 1), AnsweredBy::Offline));
}

#[test]
fn a_variation_that_was_made_for_another_student_is_reused() {
    let is_new = |ids: &[ExerciseId]| vec![MadeExercise { id: ids[0].as_uuid(), is_new: true }];
    let step = made(begin("a similar one please", Some(stored())), is_new);
    let Next::Load(Load::Exercise { id, then }) = step.next else { panic!("it is not looked up") };
    assert_eq!(assigned(then(Some(StoredExercise { id, ..stored() }))).0, id);
}

#[test]
fn a_variation_that_the_student_has_had_is_skipped() {
    let had = |ids: &[ExerciseId]| vec![MadeExercise { id: ids[0].as_uuid(), is_new: false }];
    let first = running(variation().1).program.code;
    let second = running(made(begin("a similar one please", Some(stored())), had)).program.code;
    assert_ne!(first, second);
}

#[test]
fn if_all_variations_are_used_up_the_old_one_is_assigned_again() {
    let all = |ids: &[ExerciseId]| {
        ids.iter().map(|id| MadeExercise { id: id.as_uuid(), is_new: false }).collect()
    };
    let step = made(begin("a similar one please", Some(stored())), all);
    assert_eq!(assigned(found(step, next(true)).2).0, stored().id);
}

#[test]
fn a_trial_that_cannot_be_judged_is_repeated_and_then_given_up() {
    let (exercise, step) = variation();
    let again = ran(step, |_, _| false, Some("busy"));
    assert_eq!(running(again).program.code.as_str(), exercise.reference);
}

#[test]
fn a_stuck_student_gets_the_authors_first_hint() {
    let step = climbing(begin("I'm stuck", Some(stored())), None);
    let [Effect::StoreLadder { ladder, .. }, Effect::Record(Activity::HintGiven { level: 1, .. })] =
        &step.effects[..]
    else {
        panic!("{:?}", step.effects)
    };
    assert_eq!(ladder.rung, 1);
    assert!(replied(step).answer.content.contains(&stored().body.hints[0]));
}

#[test]
fn the_next_hint_has_to_be_earned() {
    let ladder = Ladder { rung: 1, attempt: vec![0], given_at: NOW, day_began_at: NOW, given: 1 };
    let step = climbing(begin("I'm stuck", Some(stored())), Some(ladder));
    let [Effect::StoreLadder { ladder, .. }, Effect::Record(_)] = &step.effects[..] else {
        panic!("{:?}", step.effects)
    };
    let again = climbing(begin("I'm stuck", Some(stored())), Some(ladder.clone()));
    assert_eq!((ladder.rung, again.effects.len()), (2, 1), "asking again is no new hint");
    assert!(replied(again).answer.content.contains("Try something first"));
}

#[test]
fn hints_are_limited_per_day() {
    let given = domain::hints::MAX_A_DAY;
    let ladder = Ladder { rung: 1, attempt: vec![0], given_at: NOW, day_began_at: NOW, given };
    let step = climbing(begin("I'm stuck", Some(stored())), Some(ladder));
    assert_eq!(step.effects.len(), 1, "no hint is recorded");
    assert!(replied(step).answer.content.contains("for one day"));
}

#[test]
fn a_request_for_the_solution_is_answered_with_a_hint() {
    let routing = json!({ "agent": "exercise", "confidence": 1.0, "reasons": [], "signs": ["solution_request"] });
    let request = request("give me the solution, another one", json!({ "routing": routing }));
    let requested = Requested { request, open: Some(stored()) };
    let reply =
        replied(climbing(<Exercise as Begin<ExerciseRequested>>::begin(requested, NOW), None));
    assert!(reply.answer.content.starts_with("I do not give away solutions"));
}

#[test]
fn a_request_for_another_exercise_is_no_plea_for_help() {
    let (topic, ..) = found(begin("give me another one about sets", Some(stored())), None);
    assert_eq!(topic.as_deref(), Some("sets"));
}
