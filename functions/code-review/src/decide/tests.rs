//! Tests of the agent's decisions, about three lines each.

use agents::{Agent as _, Arrived, Ask, Begin as _, Effect, Next, Reply, Run, Step};
use chrono::{DateTime, Utc};
use domain::agent::AnsweredBy;
use events::{
    activity_recorded::Activity,
    question_answered::{Details, ReviewReport},
    question_routed::QuestionRouted,
};
use serde_json::{Value, json};

use super::CodeReview;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
const ID: &str = "00000000-0000-0000-0000-000000000007";
/// A comparison with True, for which the rule has a suggestion.
const CODE: &str = "ready = 1 < 2\nif ready == True:\n    print(\"go\")\nprint(\"end\")\n";

fn request(code: Option<&str>, more: Value) -> QuestionRouted {
    let mut request = json!({ "query_id": ID, "student_id": ID, "question": "What could be better?",
        "code": code, "level": "beginner", "routing": { "agent": "code_review", "confidence": 1.0, "reasons": [] } });
    let more = if let Value::Object(more) = more { more } else { Default::default() };
    request.as_object_mut().unwrap().extend(more);
    serde_json::from_value(request).unwrap()
}

fn begin(code: &str) -> Step<CodeReview> {
    CodeReview::begin(request(Some(code), json!({})), NOW)
}

fn running(step: Step<CodeReview>) -> Run<CodeReview> {
    match step.next {
        Next::Run(run) => *run,
        other => panic!("nothing is run: {other:?}"),
    }
}

fn asking(step: Step<CodeReview>) -> Ask<CodeReview> {
    match step.next {
        Next::Ask(ask) => *ask,
        other => panic!("no model is asked: {other:?}"),
    }
}

fn replied(step: Step<CodeReview>) -> Reply {
    match step.next {
        Next::Answer(reply) => *reply,
        other => panic!("it is not answered: {other:?}"),
    }
}

fn ran(step: Step<CodeReview>, verdict: &str, stdout: &str) -> Step<CodeReview> {
    let mut result = json!({ "verdict": verdict, "exit_code": 0, "stdout": stdout, "stderr": "",
        "transcript": [], "truncated": false, "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1,
        "python": "3.14" });
    if verdict == "error" {
        result["error"] =
            json!({ "type": "NameError", "message": "m", "line": 2, "traceback": "" });
    }
    let result = Box::new(serde_json::from_value(result).unwrap());
    CodeReview::resume(Arrived::Run { state: running(step).state, result }, NOW)
}

fn said(step: Step<CodeReview>, text: Option<String>) -> Step<CodeReview> {
    CodeReview::resume(Arrived::Model { state: asking(step).state, text }, NOW)
}

fn report(reply: &Reply) -> ReviewReport {
    match &reply.answer.details {
        Some(Details::Review(report)) => report.clone(),
        other => panic!("no review: {other:?}"),
    }
}

fn notes(before: &str, after: &str) -> Option<String> {
    let note = json!({ "line": 4, "message": "Shorter.", "why": "It reads better.", "before": before, "after": after });
    Some(json!({ "praise": "Clear names.", "notes": [note] }).to_string())
}

#[test]
fn a_program_is_run_before_it_is_reviewed() {
    let run = running(begin(CODE));
    assert_eq!((run.program.code.as_str(), run.program.seed), (CODE, Some(0)));
}

#[test]
fn a_pasted_program_is_reviewed_too() {
    let question = json!({ "question": "Review this please:\n```python\nprint(1)\n```" });
    let step = CodeReview::begin(request(None, question), NOW);
    assert_eq!(running(step).program.code.as_str().trim(), "print(1)");
}

#[test]
fn without_a_program_one_is_asked_for() {
    let step = CodeReview::begin(request(None, json!({})), NOW);
    assert!(step.effects.is_empty(), "nothing was reviewed");
    assert!(replied(step).answer.content.contains("Paste it"));
}

#[test]
fn the_model_is_asked_with_what_is_found() {
    let ask = asking(ran(begin(CODE), "ok", "go\nend\n"));
    let field =
        |name: &str| ask.fields.iter().find(|field| field.name == name).unwrap().text.clone();
    assert_eq!(field("code"), CODE);
    assert!(field("findings").contains("line 2"), "{}", field("findings"));
}

#[test]
fn what_is_found_is_told_if_the_work_cannot_be_continued() {
    let fallback = asking(ran(begin(CODE), "ok", "go\nend\n")).fallback.unwrap();
    assert_eq!(fallback.shared, None, "a review is its author's alone");
    assert!(!report(&fallback.reply).findings.is_empty());
}

#[test]
fn suggestions_are_run_before_they_are_shown() {
    let run = running(said(ran(begin(CODE), "ok", "go\nend\n"), None));
    assert!(run.program.code.as_str().contains("if ready:"), "{:?}", run.program);
    assert!(run.fallback.is_some());
}

#[test]
fn suggestions_that_do_the_same_are_shown() {
    let step = ran(said(ran(begin(CODE), "ok", "go\nend\n"), None), "ok", "go\nend\n");
    let report = report(&replied(step));
    assert_eq!(report.findings[0].after.as_deref(), Some("if ready:"));
}

#[test]
fn suggestions_that_change_the_behaviour_are_not_shown() {
    for (verdict, stdout) in [("ok", "end\n"), ("error", "go\nend\n")] {
        let step = ran(said(ran(begin(CODE), "ok", "go\nend\n"), None), verdict, stdout);
        let report = report(&replied(step));
        assert_eq!((report.findings.len(), &report.findings[0].after), (1, &None));
    }
}

#[test]
fn suggestions_are_not_tried_on_a_program_that_fails() {
    let reply = replied(said(ran(begin(CODE), "error", ""), None));
    assert_eq!(report(&reply).findings[0].rule, "ends_with_error");
    assert_eq!(reply.answered_by, AnsweredBy::Offline);
}

#[test]
fn what_the_run_has_shown_comes_first() {
    let content = replied(said(ran(begin(CODE), "error", ""), None)).answer.content;
    assert!(content.contains("1. line 2: When I ran it, it ended with NameError"), "{content}");
}

#[test]
fn a_review_is_an_activity() {
    let step = said(ran(begin("print(1)"), "ok", "1\n"), None);
    let [Effect::Record(Activity::CodeReviewed { quality, .. })] = step.effects[..] else {
        panic!("{:?}", step.effects)
    };
    assert_eq!(quality, None, "too short to say");
}

#[test]
fn the_topic_and_the_exercise_of_a_review_go_along() {
    let step =
        CodeReview::begin(request(Some(CODE), json!({ "topic": "lists", "exercise_id": ID })), NOW);
    let step = said(ran(step, "error", ""), None);
    let [Effect::Record(Activity::CodeReviewed { topic, exercise_id, .. })] = &step.effects[..]
    else {
        panic!("{:?}", step.effects)
    };
    assert_eq!(
        (topic.as_deref(), exercise_id.map(|id| id.to_string())),
        (Some("lists"), Some(ID.to_owned()))
    );
}

#[test]
fn a_note_of_the_model_is_run_before_it_is_shown() {
    let step = said(ran(begin(CODE), "ok", "go\nend\n"), notes("print(\"end\")", "print('end')"));
    assert!(running(step).program.code.as_str().ends_with("print('end')\n"));
}

#[test]
fn a_note_of_the_model_is_shown_if_its_suggestion_does_the_same() {
    let step = said(ran(begin(CODE), "ok", "go\nend\n"), notes("print(\"end\")", "print('end')"));
    let reply = replied(ran(ran(step, "ok", "go\nend\n"), "ok", "go\nend\n"));
    assert_eq!(reply.answered_by, AnsweredBy::Model);
    assert!(report(&reply).findings.iter().any(|finding| finding.rule == "model_note"));
    assert_eq!(report(&reply).praise, "Clear names.");
}

#[test]
fn a_note_of_the_model_that_changes_the_behaviour_is_not_shown() {
    let step = said(ran(begin(CODE), "ok", "go\nend\n"), notes("print(\"end\")", "print('over')"));
    let reply = replied(ran(ran(step, "ok", "go\nover\n"), "ok", "go\nend\n"));
    assert!(report(&reply).findings.iter().all(|finding| finding.rule != "model_note"));
}

#[test]
fn a_note_on_nonexistent_lines_is_withheld() {
    let step = said(ran(begin(CODE), "ok", "go\nend\n"), notes("print(\"start\")", "print(1)"));
    assert!(matches!(step.effects[..], [Effect::Withhold(_)]), "{:?}", step.effects);
    let reply = replied(ran(step, "ok", "go\nend\n"));
    assert_eq!(reply.answered_by, AnsweredBy::Offline);
}

#[test]
fn what_the_last_version_has_stored_is_read() {
    let program = json!({ "Program": request(Some(CODE), json!({})) });
    let state: super::Running = serde_json::from_value(program).unwrap();
    assert!(matches!(state, super::Running::Program(_)));
}
