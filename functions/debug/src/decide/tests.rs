//! Tests of the agent's decisions, about three lines each.

use agents::{Agent as _, Arrived, Ask, Begin as _, Effect, Load, Next, Reply, Run, Step};
use chrono::{DateTime, TimeDelta, Utc};
use domain::hints::Ladder;
use events::{
    activity_recorded::Activity,
    question_answered::{Details, Diagnosis},
    question_routed::QuestionRouted,
};
use serde_json::{Value, json};

use super::{Debug, Loaded};

mod wording;

const ID: &str = "00000000-0000-0000-0000-000000000007";
const CODE: &str = "numbers = [1, 2]\nprint(numbers[2])\n";
const REPORT: &str = "Traceback (most recent call last):\n  File \"a.py\", line 2, in <module>\n    print(numbers[2])\nIndexError: list index out of range";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn request(more: Value) -> QuestionRouted {
    let mut request = json!({ "query_id": ID, "student_id": ID, "question": "Why does it fail?", "level": "learning",
        "routing": { "agent": "debug", "confidence": 1.0, "reasons": [] } });
    let more = if let Value::Object(more) = more { more } else { Default::default() };
    request.as_object_mut().unwrap().extend(more);
    serde_json::from_value(request).unwrap()
}

fn begin(more: Value) -> Step<Debug> {
    Debug::begin(Loaded { request: request(more), exercise: None }, at(0))
}

fn exercise() -> exercises::Exercise {
    curriculum::embedded().exercises().next().unwrap().1.exercise()
}

fn running(step: Step<Debug>) -> Run<Debug> {
    match step.next {
        Next::Run(run) => *run,
        other => panic!("nothing is run: {other:?}"),
    }
}

fn asking(step: Step<Debug>) -> Ask<Debug> {
    match step.next {
        Next::Ask(ask) => *ask,
        other => panic!("no model is asked: {other:?}"),
    }
}

fn replied(step: Step<Debug>) -> Reply {
    match step.next {
        Next::Answer(reply) => *reply,
        other => panic!("it is not answered: {other:?}"),
    }
}

fn diagnosis(reply: &Reply) -> Diagnosis {
    match &reply.answer.details {
        Some(Details::Debug(diagnosis)) => diagnosis.clone(),
        other => panic!("no diagnosis: {other:?}"),
    }
}

fn result(error: Option<Value>) -> Value {
    let verdict = if error.is_some() { "error" } else { "ok" };
    json!({ "verdict": verdict, "exit_code": 0, "stdout": "1\n", "stderr": "", "transcript": [],
        "truncated": false, "error": error, "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "python": "3.14" })
}

fn index_error(line: u32) -> Option<Value> {
    Some(
        json!({ "type": "IndexError", "message": "list index out of range", "line": line, "traceback": "" }),
    )
}

/// What is decided when the program has ended so.
fn ran(step: Step<Debug>, result: Value, now: DateTime<Utc>) -> Step<Debug> {
    let result = Box::new(serde_json::from_value(result).unwrap());
    Debug::resume(Arrived::Run { state: running(step).state, result }, now)
}

/// The problem whose ladder is looked up, and what is decided from where the student stands on it.
fn climbing(step: Step<Debug>, ladder: Option<Ladder>) -> (Vec<u8>, Step<Debug>) {
    match step.next {
        Next::Load(Load::Ladder { problem, then }) => (problem, then(ladder)),
        other => panic!("no ladder is looked up: {other:?}"),
    }
}

/// The ladder that is stored.
fn stored(step: &Step<Debug>) -> Ladder {
    match &step.effects[0] {
        Effect::StoreLadder { ladder, .. } => ladder.clone(),
        other => panic!("no ladder is stored: {other:?}"),
    }
}

fn is_recorded(step: &Step<Debug>) -> bool {
    step.effects.iter().any(|effect| matches!(effect, Effect::Record(Activity::HintGiven { .. })))
}

/// A hint on this program, as many seconds after the first one.
fn hint_on(code: &str, seconds: i64, ladder: Option<Ladder>) -> Step<Debug> {
    let step = ran(begin(json!({ "code": code })), result(index_error(2)), at(seconds));
    climbing(step, ladder).1
}

fn first_hint() -> Step<Debug> {
    hint_on(CODE, 0, None)
}

#[test]
fn a_program_is_run_to_see_it_fail() {
    let run = running(begin(json!({ "code": CODE })));
    assert_eq!((run.program.code.as_str(), run.program.seed), (CODE, Some(0)));
    assert!(run.program.tests.is_empty() && run.fallback.is_none());
}

#[test]
fn a_pasted_program_is_run_too() {
    let question = format!("Why does this fail?\n```python\n{CODE}```");
    assert_eq!(running(begin(json!({ "question": question }))).program.code.as_str(), CODE);
}

#[test]
fn a_solution_is_run_with_the_tests_of_its_exercise() {
    let request = request(json!({ "code": CODE, "exercise_id": ID }));
    let step = Debug::begin(Loaded { request, exercise: Some(exercise()) }, at(0));
    assert_eq!(running(step).program.tests.len(), exercise().tests.len());
}

#[test]
fn without_a_program_the_report_is_explained_at_once() {
    let reply = asking(climbing(begin(json!({ "error": REPORT })), None).1).fallback.unwrap().reply;
    let diagnosis = diagnosis(&reply);
    assert_eq!((&*diagnosis.error.kind, diagnosis.error.line), ("IndexError", Some(2)));
}

#[test]
fn without_program_and_report_both_are_asked_for() {
    let step = climbing(begin(json!({})), None).1;
    assert!(!is_recorded(&step), "that is no hint");
    assert!(replied(step).answer.content.contains("neither your program nor an error message"));
}

#[test]
fn without_them_the_course_answers_what_it_can() {
    let question =
        "My list keeps its brackets and commas when I print it, how do I print only the items?";
    let step = begin(json!({ "question": question }));
    let answer = replied(step).answer;
    assert!(answer.content.contains("print(*items)"), "{}", answer.content);
    assert!(answer.content.contains("paste it"), "{}", answer.content);
}

#[test]
fn a_request_for_a_whole_program_is_answered_with_a_first_step() {
    let routing = json!({ "agent": "debug", "confidence": 1.0, "reasons": [], "signs": ["solution_request"] });
    let reply = replied(climbing(begin(json!({ "routing": routing })), None).1);
    assert!(reply.answer.content.contains("I do not write whole programs"));
}

#[test]
fn an_error_of_another_language_is_recognised() {
    let error = "Exception in thread \"main\" java.lang.NullPointerException";
    let reply = replied(begin(json!({ "error": error })));
    assert!(
        reply.answer.content.contains("looks like an error from Java"),
        "{}",
        reply.answer.content
    );
}

#[test]
fn a_program_of_another_language_is_recognised() {
    for request in [
        json!({ "code": "let n = 3;\nconsole.log(n);\n" }),
        json!({ "question": "what is wrong here\nlet n = 3;\nconsole.log(n);" }),
    ] {
        let step = begin(request);
        let step =
            if matches!(step.next, Next::Run(_)) { ran(step, result(None), at(0)) } else { step };
        let content = replied(step).answer.content;
        assert!(content.contains("looks like a program in JavaScript"), "{content}");
    }
}

#[test]
fn what_was_damaged_in_copying_is_named() {
    let code = "for i in range(l0):\nprint(i)\n";
    let error = json!({ "type": "IndentationError", "message": "expected an indented block", "line": 2, "traceback": "" });
    let step = ran(begin(json!({ "code": code })), result(Some(error)), at(0));
    let content = asking(climbing(step, None).1).fallback.unwrap().reply.answer.content;
    assert!(content.contains("`l0` on line 1 may be a misread `10`"), "{content}");
    assert!(content.contains("No line of your program is indented"), "{content}");
}

#[test]
fn what_the_run_shows_is_the_diagnosis() {
    let diagnosis = diagnosis(&asking(first_hint()).fallback.unwrap().reply);
    assert_eq!((&*diagnosis.error.kind, diagnosis.error.line), ("IndexError", Some(2)));
    assert_eq!(diagnosis.hint.level, 1);
}

#[test]
fn a_solution_is_judged_by_its_exercise() {
    let request = request(json!({ "code": CODE, "exercise_id": ID }));
    let step = Debug::begin(Loaded { request, exercise: Some(exercise()) }, at(0));
    let Next::Load(Load::Exercise { id, then }) = ran(step, result(None), at(0)).next else {
        panic!("the exercise is not looked up")
    };
    assert_eq!(id.to_string(), ID);
    let next =
        then(Some(storage::exercises::StoredExercise { id, topic: "x".into(), body: exercise() }));
    assert!(replied(climbing(next, None).1).answer.content.contains("passes all tests"));
}

/// What is decided on a wrong `double(n)` once its exercise is known, whose second test is hidden.
fn wrong_solution(step: Step<Debug>, result: Value) -> Step<Debug> {
    let test = |call: &str, expected: &str| json!({ "call": call, "expected": expected });
    let mut body = exercise();
    body.tests =
        serde_json::from_value(json!([test("double(2)", "4"), test("double(77)", "154")])).unwrap();
    body.tests[1].hidden = Some("a large number".to_owned());
    match ran(step, result, at(0)).next {
        Next::Load(Load::Exercise { id, then }) => {
            then(Some(storage::exercises::StoredExercise { id, topic: "x".into(), body }))
        }
        other => panic!("the exercise is not looked up: {other:?}"),
    }
}

#[test]
fn the_place_of_a_wrong_result_is_looked_for_without_the_hidden_tests() {
    let code = "def double(n):\n    return n + 1\n";
    let step = || {
        let request = request(json!({ "code": code, "exercise_id": ID }));
        Debug::begin(Loaded { request, exercise: Some(exercise()) }, at(0))
    };
    let test = json!({ "name": "test", "passed": false, "verdict": "ok", "expected": "4", "actual": "3", "duration_ms": 1 });
    let mut tested = result(None);
    tested["tests"] = json!([test, test]);
    let search = running(wrong_solution(step(), tested.clone()));
    let program = search.program.code.as_str();
    assert!(program.contains("double(2)") && !program.contains("77") && !program.contains("154"));
    assert!(search.program.tests.is_empty());

    let mut found = result(None);
    found["stdout"] =
        json!("{\"places\": [{\"line\": 2, \"kind\": \"operator\"}], \"mends_all\": true}\n");
    let searched = wrong_solution(wrong_solution(step(), tested.clone()), found);
    let diagnosis = diagnosis(&asking(climbing(searched, None).1).fallback.unwrap().reply);
    assert_eq!(diagnosis.error.line, Some(2));
    assert!(diagnosis.hint.text.starts_with("Look at line 2."), "{}", diagnosis.hint.text);

    let searched = wrong_solution(wrong_solution(step(), tested), result(None));
    let reply = asking(climbing(searched, None).1).fallback.unwrap().reply;
    assert!(reply.answer.content.contains("`4` is expected"), "{}", reply.answer.content);
}

const ADDS: &str = "def double(n):\n    return n + 1\n\nassert double(2) == 4\n";

fn of_author(passed: bool) -> Value {
    let mut tested = result(None);
    let actual = if passed { "4" } else { "3" };
    tested["tests"] = json!([{ "name": "test 1", "passed": passed, "verdict": "ok", "expected": "4", "actual": actual, "duration_ms": 1 }]);
    tested
}

#[test]
fn what_its_author_expects_of_a_program_is_tried() {
    let run = running(begin(json!({ "code": ADDS })));
    let tests = serde_json::to_value(&run.program.tests).unwrap();
    assert_eq!((&tests[0]["call"], &tests[0]["expected"]), (&json!("double(2)"), &json!("4")));
    assert!(!run.program.code.as_str().contains("assert"), "it would end the program");

    let question = "double(2) gives 3 but should be 4";
    let code = "def double(n):\n    return n + 1\n";
    let run = running(begin(json!({ "code": code, "question": question })));
    assert_eq!(run.program.tests.len(), 1);
    let with_report = |code: &str| json!({ "code": code, "question": question, "error": REPORT });
    let tests = |code: &str| running(begin(with_report(code))).program.tests.len();
    assert_eq!(tests(code), 1);
    let other = format!("{code}def half(n):\n    return n / 2\n\nassert half(4) == 2\n");
    assert_eq!(tests(&other), 1, "beside an error only what is said counts");
}

#[test]
fn an_error_that_no_test_shows_is_looked_for_in_the_program_itself() {
    let code = "def double(n):\n    return n + 1\n\nassert double(2) == 4\n";
    let question = "double(2) should be 4";
    let step = || begin(json!({ "code": code, "question": question, "error": "AssertionError" }));
    let again = running(ran(step(), of_author(false), at(0)));
    assert!(again.program.tests.is_empty() && again.program.code.as_str().contains("assert"));
    let mut shown = of_author(false);
    shown["tests"][0]["verdict"] = json!("error");
    shown["tests"][0]["error"] =
        json!({ "type": "AssertionError", "message": "", "line": 2, "traceback": "" });
    climbing(ran(step(), shown, at(0)), None);
}

#[test]
fn the_problem_stays_the_same_wherever_the_search_finds_its_place() {
    let step = || {
        begin(json!({ "code": "def f(n):\n    return [n][1]\n", "question": "f(2) should be 2" }))
    };
    let mut tested = result(None);
    tested["tests"] = json!([{ "name": "test 1", "passed": false, "verdict": "error", "expected": "2", "actual": "",
        "error": index_error(2), "duration_ms": 1 }]);
    let problem = |found: &str| {
        let mut search = result(None);
        search["stdout"] = json!(format!("{found}\n"));
        climbing(ran(ran(step(), tested.clone(), at(0)), search, at(0)), None).0
    };
    let at_line = "{\"places\": [{\"line\": 1, \"kind\": \"operator\"}], \"mends_all\": true}";
    assert_eq!(problem(at_line), problem("null"));
}

#[test]
fn the_place_of_what_its_author_does_not_expect_is_looked_for() {
    let step = || ran(begin(json!({ "code": ADDS })), of_author(false), at(0));
    assert!(running(step()).program.code.as_str().contains("double(2)"));
    let mut found = result(None);
    found["stdout"] =
        json!("{\"places\": [{\"line\": 2, \"kind\": \"operator\"}], \"mends_all\": true}\n");
    let reply = asking(climbing(ran(step(), found, at(0)), None).1).fallback.unwrap().reply;
    assert_eq!(diagnosis(&reply).error.line, Some(2));
    let content = &reply.answer.content;
    assert!(content.contains("`double(2)` gives `3`, and you expect `4`."), "{content}");
}

#[test]
fn a_program_that_does_what_its_author_expects_is_run_alone() {
    let step = ran(begin(json!({ "code": ADDS })), of_author(true), at(0));
    let Next::Run(run) = &step.next else { panic!("it is not run alone") };
    assert!(run.program.tests.is_empty());
    let reply = asking(climbing(ran(step, result(None), at(0)), None).1).fallback.unwrap().reply;
    let content = reply.answer.content;
    assert!(content.contains("it did what you expect: `double(2)` gives `4`."), "{content}");
}

const DOUBLES: &str = "n = int(input('Number: '))\nprint(n + n)\n";
const TYPED: &str = "When I type 4 it prints 8 instead of 16.";

#[test]
fn what_should_be_printed_is_compared_with_what_is_and_its_place_looked_for() {
    let step = || begin(json!({ "code": DOUBLES, "question": TYPED }));
    let run = running(step());
    assert_eq!(run.program.stdin.as_ref().map(|stdin| stdin.as_str()), Some("4\n"));
    let mut printed = result(None);
    printed["stdout"] = json!("Number: 8\n");
    let searched = || ran(step(), printed.clone(), at(0));
    let search = running(searched()).program;
    assert!(search.code.as_str().contains("Number: 16") && search.tests.is_empty());

    let mut found = result(None);
    found["stdout"] = json!(
        "{\"places\": [{\"line\": 2, \"kind\": \"operator\"}], \"mends_all\": true, \"others\": [1]}\n"
    );
    let reply = asking(climbing(ran(searched(), found, at(0)), None).1).fallback.unwrap().reply;
    assert_eq!(diagnosis(&reply).error.line, Some(2));
    let content = &reply.answer.content;
    for said in ["With `4` as input, your program prints", "Number: 8\n", "Number: 16\n"] {
        assert!(content.contains(said), "{content}");
    }
}

#[test]
fn a_program_that_prints_what_is_expected_is_told_so() {
    let step = begin(json!({ "code": "print(5)\n", "question": "It prints 8 instead of 5." }));
    let mut printed = result(None);
    printed["stdout"] = json!("5\n");
    let reply = climbing(ran(step, printed, at(0)), None).1;
    let content = asking(reply).fallback.unwrap().reply.answer.content;
    assert!(content.contains("it printed what you expect"), "{content}");
}

#[test]
fn a_program_of_an_exercise_that_is_gone_is_judged_alone() {
    let step = begin(json!({ "code": CODE, "exercise_id": ID }));
    let Next::Load(Load::Exercise { then, .. }) = ran(step, result(index_error(2)), at(0)).next
    else {
        panic!("the exercise is not looked up")
    };
    assert_eq!(stored(&climbing(then(None), None).1).rung, 1);
}

#[test]
fn what_an_exercise_that_is_gone_has_tested_is_not_what_its_author_expects() {
    for passed in [true, false] {
        let step = begin(json!({ "code": ADDS, "exercise_id": ID }));
        let Next::Load(Load::Exercise { then, .. }) = ran(step, of_author(passed), at(0)).next
        else {
            panic!("the exercise is not looked up")
        };
        let reply = asking(climbing(then(None), None).1).fallback.unwrap().reply;
        let content = reply.answer.content;
        assert!(content.contains("runs without an error and prints"), "{content}");
    }
}

#[test]
fn the_same_mistake_in_another_exercise_is_another_problem() {
    let problem = |more: Value| climbing(begin(more), None).0;
    let alone = problem(json!({ "error": REPORT }));
    assert_ne!(alone, problem(json!({ "error": REPORT, "exercise_id": ID })));
}

#[test]
fn the_first_hint_is_stored_and_recorded() {
    let step = first_hint();
    assert_eq!((stored(&step).rung, stored(&step).given, is_recorded(&step)), (1, 1, true));
}

#[test]
fn beginners_start_on_a_higher_rung_where_words_help_little() {
    let error = "NameError: name 'x' is not defined";
    let step = climbing(begin(json!({ "error": error, "level": "beginner" })), None).1;
    assert_eq!(stored(&step).rung, 2);
}

#[test]
fn the_requested_rung_is_the_first_one_given_but_the_last_one_never_is() {
    let first = |level: u8| {
        let step = climbing(begin(json!({ "error": REPORT, "hint_level": level })), None).1;
        stored(&step).rung
    };
    assert_eq!([first(1), first(2), first(3)], [1, 2, 2]);
}

#[test]
fn a_changed_program_earns_the_next_hint() {
    let ladder = stored(&first_hint());
    let step = hint_on(&format!("{CODE}# changed"), 1, Some(ladder));
    assert_eq!((stored(&step).rung, is_recorded(&step)), (2, true));
}

#[test]
fn time_earns_the_next_hint() {
    let ladder = stored(&first_hint());
    assert_eq!(stored(&hint_on(CODE, 90, Some(ladder))).rung, 2);
}

#[test]
fn asking_again_at_once_earns_nothing() {
    let ladder = stored(&first_hint());
    let step = hint_on(CODE, 1, Some(ladder));
    assert_eq!((stored(&step).rung, stored(&step).given, is_recorded(&step)), (1, 2, false));
    assert!(replied(step).answer.content.contains("This is the same hint as before"));
}

#[test]
fn the_last_hint_is_an_example_and_no_model_rewords_it() {
    let ladder = Ladder { rung: 2, ..stored(&first_hint()) };
    let step = hint_on(CODE, 90, Some(ladder));
    assert_eq!(stored(&step).rung, 3);
    assert!(replied(step).answer.content.contains("What is different in yours?"));
}

#[test]
fn hints_are_limited_per_day() {
    let ladder = Ladder { given: domain::hints::MAX_A_DAY, ..stored(&first_hint()) };
    let step = hint_on(CODE, 90, Some(ladder));
    assert!(!is_recorded(&step));
    let content = replied(step).answer.content;
    assert!(
        content.contains("hints on this problem today") && !content.contains("**Hint"),
        "{content}"
    );
}

#[test]
fn a_hint_is_visible_to_its_student_only() {
    assert_eq!(asking(first_hint()).fallback.unwrap().shared, None);
}

#[test]
fn a_program_that_runs_well_gets_a_question_about_its_output() {
    let step = climbing(ran(begin(json!({ "code": "print(1)" })), result(None), at(0)), None).1;
    let content = asking(step).fallback.unwrap().reply.answer.content;
    assert!(content.contains("runs without an error and prints"), "{content}");
}

#[test]
fn what_the_last_version_has_stored_is_read() {
    let old = json!({ "request": request(json!({})), "answer": { "content": "x" }, "names": [] });
    let state: super::Rewording = serde_json::from_value(old).unwrap();
    assert_eq!(
        replied(Debug::resume(Arrived::Model { state, text: None }, at(0))).answer.content,
        "x"
    );
}
