//! Tests of the agent's decisions, about three lines each.

use agents::{Agent as _, Arrived, Ask, Begin as _, Effect, Load, Next, Reply, Run, Step};
use chrono::{DateTime, Utc};
use domain::agent::AnsweredBy;
use events::{question_answered::Details, question_routed::QuestionRouted};
use serde_json::{Value, json};

use super::Concepts;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
const ID: &str = "00000000-0000-0000-0000-000000000007";

fn request(question: &str, more: Value) -> QuestionRouted {
    let mut request = json!({ "query_id": ID, "student_id": ID, "question": question, "level": "beginner",
        "routing": { "agent": "concepts", "confidence": 1.0, "reasons": [] } });
    let more = if let Value::Object(more) = more { more } else { Default::default() };
    request.as_object_mut().unwrap().extend(more);
    serde_json::from_value(request).unwrap()
}

fn begin(question: &str, more: Value) -> Step<Concepts> {
    Concepts::begin(request(question, more), NOW)
}

fn replied(step: Step<Concepts>) -> Reply {
    match step.next {
        Next::Answer(reply) => *reply,
        other => panic!("it is not answered: {other:?}"),
    }
}

fn asking(step: Step<Concepts>) -> Ask<Concepts> {
    match step.next {
        Next::Ask(ask) => *ask,
        other => panic!("no model is asked: {other:?}"),
    }
}

fn running(step: Step<Concepts>) -> Run<Concepts> {
    match step.next {
        Next::Run(run) => *run,
        other => panic!("nothing is run: {other:?}"),
    }
}

fn field(ask: &Ask<Concepts>, name: &str) -> String {
    ask.fields.iter().find(|field| field.name == name).unwrap().text.clone()
}

/// What is decided without a model.
fn offline(question: &str, more: Value) -> Reply {
    match begin(question, more).next {
        Next::Answer(reply) => *reply,
        Next::Ask(ask) => {
            let state = ask.state;
            replied(Concepts::resume(Arrived::Model { state, text: None }, NOW))
        }
        other => panic!("{other:?}"),
    }
}

fn explanation(examples: &[&str]) -> Value {
    let examples: Vec<Value> =
        examples.iter().map(|code| json!({ "title": "An example", "code": code })).collect();
    json!({ "explanation": "A list is a row of boxes.", "examples": examples,
        "common_mistakes": ["Counting from one."], "diagram": "" })
}

/// What is decided when the model says this of lists.
fn said_with(text: &Value, more: Value) -> Step<Concepts> {
    let state = asking(begin("What is a list?", more)).state;
    Concepts::resume(Arrived::Model { state, text: Some(text.to_string()) }, NOW)
}

fn said(text: &Value) -> Step<Concepts> {
    said_with(text, json!({}))
}

/// What is decided when the program has ended so.
fn ran(step: Step<Concepts>, verdict: &str, stdout: &str, truncated: bool) -> Step<Concepts> {
    let result = json!({ "verdict": verdict, "exit_code": 0, "stdout": stdout, "stderr": "",
        "transcript": [], "truncated": truncated, "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1,
        "python": "3.14" });
    let result = Box::new(serde_json::from_value(result).unwrap());
    Concepts::resume(Arrived::Run { state: running(step).state, result }, NOW)
}

fn prints(step: Step<Concepts>, stdout: &str) -> Step<Concepts> {
    ran(step, "ok", stdout, false)
}

#[test]
fn an_idea_is_explained_from_the_course_where_there_is_no_model() {
    let reply = offline("What is a variable?", json!({}));
    assert_eq!((reply.answered_by, &*reply.answer.topics[0]), (AnsweredBy::Offline, "variables"));
    assert!(reply.answer.content.contains("a name for a value"));
}

#[test]
fn what_names_no_idea_is_answered_at_once() {
    let reply = replied(begin("Hello?", json!({})));
    assert!(reply.answer.content.contains("I do not know which idea you mean"));
}

#[test]
fn a_stuck_student_who_names_nothing_is_encouraged() {
    let routing =
        json!({ "agent": "concepts", "confidence": 1.0, "reasons": [], "signs": ["struggle"] });
    for question in ["I don't get it", "I am so lost"] {
        let reply = replied(begin(question, json!({ "routing": routing })));
        assert!(reply.answer.content.contains("That feeling is part of learning"), "{question}");
    }
}

#[test]
fn a_stuck_student_who_names_an_idea_gets_an_explanation() {
    let routing =
        json!({ "agent": "concepts", "confidence": 1.0, "reasons": [], "signs": ["struggle"] });
    let reply = offline("I don't understand lists", json!({ "routing": routing }));
    assert_eq!(reply.answer.topics, ["lists"]);
}

#[test]
fn a_clarifying_question_comes_with_the_answer() {
    let routing = json!({ "agent": "concepts", "confidence": 0.4, "reasons": [], "clarification": "Or this?" });
    let reply = offline("What is a list?", json!({ "routing": routing }));
    assert!(reply.answer.content.ends_with("*Or this?*"), "{}", reply.answer.content);
}

#[test]
fn the_page_gives_this_its_meaning() {
    let reply = offline("I don't understand this", json!({ "topic": "sets" }));
    assert_eq!(reply.answer.topics, ["sets"]);
}

#[test]
fn the_previous_subject_takes_precedence_over_the_page() {
    let follow_up =
        json!({ "kind": "why", "question": "What is a tuple?", "topics": ["tuples"], "times": 1 });
    let reply = offline("and why?", json!({ "topic": "sets", "follow_up": follow_up }));
    assert!(
        reply.answer.content.starts_with("Some background on tuples"),
        "{}",
        reply.answer.content
    );
}

#[test]
fn asking_for_another_example_gives_a_different_one() {
    let example = |times| {
        let follow_up =
            json!({ "kind": "example", "question": "x", "topics": ["lists"], "times": times });
        offline("another example", json!({ "follow_up": follow_up })).answer.examples.remove(0)
    };
    assert_ne!(example(1), example(2));
}

#[test]
fn the_level_decides_how_it_is_explained() {
    let content = |level| offline("What is a set?", json!({ "level": level })).answer.content;
    assert_ne!(content("beginner"), content("mastered"));
}

#[test]
fn the_model_is_asked_with_the_lesson_and_the_level() {
    let ask = asking(begin("What is a list?", json!({ "level": "learning" })));
    assert_eq!((field(&ask, "topic"), field(&ask, "level")), ("Lists".into(), "learning".into()));
    assert!(field(&ask, "lesson").len() > 100);
}

#[test]
fn the_course_answers_if_the_work_cannot_be_continued() {
    let fallback = asking(begin("What is a list?", json!({}))).fallback.unwrap();
    assert_eq!(fallback.reply, offline("What is a list?", json!({})));
}

#[test]
fn a_plain_question_is_asked_for_everybody_without_its_words() {
    let ask = asking(begin("What is a list?", json!({})));
    assert_eq!(field(&ask, "question"), "");
    assert_eq!(ask.fallback.unwrap().shared.unwrap().idea, "Lists");
}

#[test]
fn a_question_about_more_than_the_idea_gets_no_shared_answer() {
    for (question, more) in [
        ("What is a list good for in my shop of many coloured marbles and other toys?", json!({})),
        ("What is a list?", json!({ "code": "print([])" })),
        (
            "What is a list?",
            json!({ "follow_up": { "kind": "same", "question": "x", "topics": ["lists"], "times": 1 } }),
        ),
    ] {
        let ask = asking(begin(question, more));
        assert_eq!(field(&ask, "question"), question);
        assert_eq!(ask.fallback.unwrap().shared, None, "{question}");
    }
}

#[test]
fn the_model_knows_what_was_asked_before() {
    let follow_up =
        json!({ "kind": "why", "question": "What is a tuple?", "topics": ["tuples"], "times": 1 });
    let ask = asking(begin("and why?", json!({ "follow_up": follow_up })));
    assert_eq!(field(&ask, "before"), "What is a tuple?");
}

#[test]
fn an_example_of_the_model_is_run_first() {
    let run = running(said(&explanation(&["print([1])"])));
    assert_eq!((run.program.code.as_str(), run.program.seed), ("print([1])", Some(0)));
    assert_eq!(run.fallback, Some(offline("What is a list?", json!({}))));
}

#[test]
fn an_explanation_carries_what_its_examples_print() {
    let reply = replied(prints(said(&explanation(&["print([1])"])), "[1]\n"));
    assert_eq!(reply.answered_by, AnsweredBy::Model);
    assert_eq!((&*reply.answer.examples[0].output, &*reply.answer.topics[0]), ("[1]\n", "lists"));
    assert!(reply.answer.content.contains("row of boxes") && reply.answer.content.contains("[1]"));
}

#[test]
fn one_example_is_run_after_the_other() {
    let step = prints(said(&explanation(&["print(1)", "print(2)"])), "1\n");
    assert_eq!(running(step).program.code.as_str(), "print(2)");
    let step = prints(prints(said(&explanation(&["print(1)", "print(2)"])), "1\n"), "2\n");
    assert_eq!(replied(step).answer.examples.len(), 2);
}

#[test]
fn an_example_that_fails_is_left_out() {
    for (verdict, stdout, truncated) in [
        ("error", "1\n", false),
        ("timeout", "1\n", false),
        ("ok", " \n", false),
        ("ok", "1\n", true),
        ("ok", "```\n", false),
    ] {
        let first = ran(said(&explanation(&["print(1)", "print(2)"])), verdict, stdout, truncated);
        let answer = replied(prints(first, "2\n")).answer;
        assert_eq!(answer.examples.len(), 1, "{verdict} {stdout}");
        assert_eq!(answer.examples[0].code, "print(2)");
    }
}

#[test]
fn if_no_example_runs_the_course_answers() {
    let step = ran(said(&explanation(&["print(1)"])), "error", "", false);
    assert!(matches!(step.effects[..], [Effect::Withhold(_)]));
    assert_eq!(replied(step), offline("What is a list?", json!({})));
}

#[test]
fn what_the_model_may_not_say_is_withheld() {
    for text in [
        json!("no JSON of the asked shape"),
        json!({ "explanation": "Whales are large.", "examples": [{ "title": "x", "code": "print(1)" }], "common_mistakes": [], "diagram": "" }),
        json!({ "explanation": "A list: see https://example.org.", "examples": [{ "title": "x", "code": "print(1)" }], "common_mistakes": [], "diagram": "" }),
        explanation(&[]),
    ] {
        let step = said(&text);
        assert!(matches!(step.effects[..], [Effect::Withhold(_)]), "{text}");
        assert_eq!(replied(step), offline("What is a list?", json!({})), "{text}");
    }
}

#[test]
fn only_a_valid_diagram_is_shown() {
    let diagram = |text: &str| {
        let mut said_text = explanation(&["print(1)"]);
        said_text["diagram"] = json!(text);
        match replied(prints(said(&said_text), "1\n")).answer.details {
            Some(Details::Explanation(explained)) => explained.diagram,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(diagram("flowchart LR\n  a --> b").as_deref(), Some("flowchart LR\n  a --> b"));
    assert_eq!((diagram("pie"), diagram("")), (None, None));
}

#[test]
fn nothing_of_the_solution_of_an_open_exercise_is_shown() {
    let (topic, template) = curriculum::embedded().exercises().next().unwrap();
    let exercise = template.exercise();
    let step =
        said_with(&explanation(&[&exercise.reference, "print([1])"]), json!({ "exercise_id": ID }));
    let Next::Load(Load::Exercise { id, then }) = step.next else { panic!("it is not looked up") };
    assert_eq!(id.to_string(), ID);
    let topic = topic.slug.clone();
    let next = then(Some(storage::exercises::StoredExercise { id, topic, body: exercise }));
    assert_eq!(running(next).program.code.as_str(), "print([1])");
}

#[test]
fn an_exercise_that_is_gone_hides_nothing() {
    let step = said_with(&explanation(&["print([1])"]), json!({ "exercise_id": ID }));
    let Next::Load(Load::Exercise { then, .. }) = step.next else { panic!("it is not looked up") };
    assert_eq!(running(then(None)).program.code.as_str(), "print([1])");
}

#[test]
fn what_the_last_version_has_stored_is_read() {
    let state = asking(begin("What is a list?", json!({}))).state;
    let mut old =
        json!({ "waiting": state, "explanation": explanation(&["print(1)"]), "outputs": [] });
    old["waiting"]["key"] = json!([1, 2]);
    let state: crate::explain::Verifying = serde_json::from_value(old).unwrap();
    assert_eq!(state.next().as_deref(), Some("print(1)"));
}

const SUM: &str = "total = 0\nfor n in range(3):\n    total += n\nprint(total)\n";

/// A run of `SUM` in which its last line is reached with this value.
fn traced(step: Step<Concepts>, total: u32) -> Step<Concepts> {
    let line = |line: u32, total: u32| {
        json!({ "event": "line", "line": line, "function": "<module>", "written": 0, "heap": {},
            "frames": [{ "function": "<module>", "line": line, "locals": { "total": total, "n": 2 } }] })
    };
    let result = json!({ "verdict": "ok", "exit_code": 0, "stdout": "3\n", "stderr": "", "transcript": [],
        "truncated": false, "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "python": "3.14",
        "trace": { "steps": [line(3, 1), line(2, total), line(4, total)], "truncated": false } });
    let result = Box::new(serde_json::from_value(result).unwrap());
    Concepts::resume(Arrived::Run { state: running(step).state, result }, NOW)
}

#[test]
fn a_program_is_run_with_a_trace_before_it_is_explained() {
    let run = running(begin("explain this code", json!({ "code": SUM })));
    assert!(run.program.trace && run.program.seed == Some(0), "{:?}", run.program);
    assert!(run.fallback.is_some_and(|reply| reply.answer.content.contains("Line 3")));
}

#[test]
fn a_line_is_explained_by_the_values_of_the_run() {
    let ask = asking(traced(begin("what does line 3 do", json!({ "code": SUM })), 3));
    let state = ask.state;
    let reply = replied(Concepts::resume(Arrived::Model { state, text: None }, NOW));
    let content = reply.answer.content;
    assert!(content.contains("adds `n` to `total`. In the run `total` is then `3`"), "{content}");
    assert!(content.contains("inside the loop that begins on line 2"), "{content}");
    assert_eq!(reply.answer.topics, ["variables"]);
}

#[test]
fn a_model_gets_the_facts_and_its_words_stand_beside_ours() {
    let step = || traced(begin("what is `total` here", json!({ "code": SUM })), 3);
    assert!(field(&asking(step()), "lesson").contains("it is `1`, `3`"));
    let said = |text: &str| {
        let mut said = explanation(&["print(1)"]);
        said["explanation"] = json!(text);
        let state = asking(step()).state;
        Concepts::resume(Arrived::Model { state, text: Some(said.to_string()) }, NOW)
    };
    let reply =
        replied(prints(said("The name total holds the sum, which is 3 at the end."), "1\n"));
    let content = reply.answer.content;
    assert!(content.contains("In other words") && content.contains("it is `1`, `3`"), "{content}");
    let invented = said("The name total holds the sum, which is 4711 at the end.");
    assert!(matches!(&invented.effects[..], [Effect::Withhold(why)] if why.contains("4711")));
}

#[test]
fn an_expression_is_explained_beside_its_lesson() {
    let content = offline("what does `x[::-1]` mean", json!({})).answer.content;
    assert!(content.contains("`x[::-1]` is `x` from back to front"), "{content}");
}

#[test]
fn a_message_without_a_program_is_explained() {
    let question = "what does this mean\n\nIndexError: list index out of range";
    let content = offline(question, json!({})).answer.content;
    assert!(content.contains("What happened") && content.contains("paste it"), "{content}");
}

#[test]
fn a_text_that_is_no_program_is_explained_without_a_run() {
    let content =
        offline("explain this code", json!({ "code": "if x\n    print(x)\n" })).answer.content;
    assert!(content.contains("Python cannot read this program"), "{content}");
}

#[test]
fn a_simpler_explanation_is_about_the_same_line() {
    let follow_up = json!({ "kind": "simpler", "question": "what does line 3 do", "topics": ["variables"], "times": 1 });
    let more = json!({ "code": SUM, "level": "mastered", "follow_up": follow_up });
    let ask = asking(traced(begin("I still don't get it", more), 3));
    assert!(
        ask.state.offline.content.contains("**Line 3** `total += n`"),
        "{}",
        ask.state.offline.content
    );
}
