//! The wire format of events: what was published once must be readable forever.

use std::collections::BTreeMap;

use cloudevents::{AttributesReader, Event as SdkEvent, EventBuilder, EventBuilderV10};
use domain::{
    agent::{Agent, AnsweredBy, Author},
    execution::Verdict,
    level::Level,
    struggle::Severity,
    text::Question,
};
use events::{
    CloudEvent, Data, Envelope, Event, HeaderStyle,
    activity_recorded::{Activity, ActivityRecorded},
    dead_letter::DeadLetter,
    debug_requested::DebugRequested,
    envelope::{derived_event_id, event_id},
    execution_finished::ExecutionFinished,
    execution_requested::{ExecutionRequested, Purpose, Requester, Work},
    exercise_generated::ExerciseGenerated,
    model_call::{AnswerDelta, ConceptsModelFinished, ConceptsModelRequested},
    notification_made::NotificationMade,
    progress_updated::{NudgeGiven, ProgressUpdated},
    question_answered::{
        Answer, Details, DiagnosedError, Diagnosis, Example, Hint, QuestionAnswered, ReviewSeverity,
    },
    question_asked::QuestionAsked,
    question_routed::{FollowUpKind, QuestionRouted, Routing, Sign},
    struggle_detected::{AlertChange, StruggleDetected},
    submission_graded::SubmissionGraded,
    submission_made::SubmissionMade,
};
use ids::{EventId, ExecutionId, ExerciseId, QueryId, UserId};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};
use serde_json::{Value, json};
use uuid::Uuid;

fn asked() -> QuestionAsked {
    QuestionAsked {
        query_id: QueryId::from_uuid(Uuid::from_u128(1)),
        student_id: UserId::from_uuid(Uuid::from_u128(2)),
        question: Question::try_from("What is a list?".to_owned()).expect("a short question"),
        code: None,
        error: None,
        topic: None,
        agent: None,
        hint_level: None,
        exercise_id: None,
    }
}

fn routing() -> Routing {
    Routing {
        agent: Agent::Concepts,
        confidence: 0.83,
        reasons: vec!["asks what something is".to_owned()],
        signs: vec![],
        clarification: None,
        greeting: None,
    }
}

/// The payload's JSON is exactly this, and is read back as the same value.
fn check<E: Event + PartialEq + std::fmt::Debug>(payload: &E, expected: Value) {
    assert_eq!(serde_json::to_value(payload).expect("it has a JSON form"), expected);
    let event = cloud_event(E::TYPE, Data::Json(expected.into()));
    assert_eq!(&Envelope::<E>::read(event).expect("its own form").data, payload);
}

fn cloud_event(event_type: &str, data: Data) -> CloudEvent {
    CloudEvent {
        id: Uuid::from_u128(7).to_string(),
        source: "learnflow/test".to_owned(),
        event_type: event_type.to_owned(),
        subject: Some("subject".to_owned()),
        time: Some("2026-01-31T09:30:00.123456Z".parse().expect("a time")),
        extensions: BTreeMap::from([("correlationid".to_owned(), "c".to_owned())]),
        data,
    }
}

const QUERY: &str = "00000000-0000-0000-0000-000000000001";
const STUDENT: &str = "00000000-0000-0000-0000-000000000002";

#[test]
fn published_payloads_keep_their_form() {
    let asked_json =
        json!({ "query_id": QUERY, "student_id": STUDENT, "question": "What is a list?" });
    let routing_json =
        json!({ "agent": "concepts", "confidence": 0.83, "reasons": ["asks what something is"] });
    check(&asked(), asked_json.clone());
    let routed = QuestionRouted {
        asked: asked(),
        routing: routing(),
        level: Level::Beginner,
        recent_errors: vec!["NameError".to_owned()],
        follow_up: None,
    };
    let mut routed_json = asked_json;
    routed_json["routing"] = routing_json.clone();
    routed_json["level"] = json!("beginner");
    routed_json["recent_errors"] = json!(["NameError"]);
    check(&routed, routed_json);
    let answered = QuestionAnswered {
        query_id: routed.asked.query_id,
        student_id: routed.asked.student_id,
        agent: Author::Concepts,
        answered_by: AnsweredBy::Offline,
        routing: routing(),
        answer: Answer {
            content: "text".to_owned(),
            examples: vec![Example {
                title: "t".to_owned(),
                code: "print(1)".to_owned(),
                output: "1\n".to_owned(),
            }],
            topics: vec!["lists".to_owned()],
            related: vec![],
            details: None,
        },
    };
    check(
        &answered,
        json!({
            "query_id": QUERY, "student_id": STUDENT, "agent": "concepts", "answered_by": "offline",
            "routing": routing_json,
            "answer": { "content": "text", "examples": [{ "title": "t", "code": "print(1)", "output": "1\n" }],
                        "topics": ["lists"], "related": [] }
        }),
    );
    let letter = DeadLetter {
        truncated: false,
        function: "triage".to_owned(),
        origin: "learning.requests-3@15".to_owned(),
        reasons: vec!["why".to_owned()],
        attempts: 1,
        key_base64: None,
        headers: vec![("name".to_owned(), "dmFsdWU=".to_owned())],
        value_base64: "e30=".to_owned(),
    };
    let letter_json = json!({ "function": "triage", "origin": "learning.requests-3@15", "reasons": ["why"],
        "attempts": 1, "headers": [["name", "dmFsdWU="]], "value_base64": "e30=" });
    assert_eq!(serde_json::to_value(&letter).unwrap(), letter_json);
}

#[test]
fn payloads_of_runs_keep_their_form() {
    let run = Uuid::from_u128(1);
    let (execution_id, student_id) =
        (ExecutionId::from_uuid(run), UserId::from_uuid(Uuid::from_u128(2)));
    let program = json!({ "code": "f()", "stdin": "a\n", "files": { "d/x.txt": "y" },
        "tests": [{ "name": "one", "stdin": "b", "call": "f()", "expected": "1" }],
        "timeout_ms": 500, "seed": 7, "trace": true });
    let work =
        Work { exercise_id: ExerciseId::from_uuid(Uuid::from_u128(3)), topic: "lists".to_owned() };
    let work_json = json!({ "exercise_id": Uuid::from_u128(3), "topic": "lists" });
    let requested = ExecutionRequested {
        purpose: Purpose::Check,
        execution_id,
        student_id,
        request_id: Some(Uuid::from_u128(2)),
        requester: Some(Requester::CodeReview),
        work: Some(work.clone()),
        program: serde_json::from_value(program.clone()).expect("a program"),
    };
    check(
        &requested,
        json!({ "execution_id": QUERY, "student_id": STUDENT, "request_id": STUDENT,
            "requester": "code_review", "purpose": "check", "work": work_json, "program": program }),
    );
    let error = json!({ "type": "NameError", "message": "m", "line": 1, "column": 2, "end_column": 3,
        "function": "f", "traceback": "t",
        "advice": { "rule": "r", "what": "w", "why": "y", "hint": "h" } });
    let result = json!({ "verdict": "error", "exit_code": 1, "stdout": "o", "stderr": "e",
        "transcript": [{ "stream": "stdout", "text": "o" }, { "stream": "stderr", "text": "e" }],
        "truncated": false, "error": error,
        "files": { "a": { "text": "x" }, "b": { "base64": "/w==" } },
        "tests": [{ "name": "one", "passed": false, "verdict": "error", "expected": "1", "actual": "",
                    "error": error, "problem": "p", "duration_ms": 4 }],
        "trace": { "steps": [], "truncated": false },
        "duration_ms": 5, "cpu_ms": 4, "memory_bytes": 3, "python": "3.14.0" });
    let finished = ExecutionFinished {
        execution_id,
        student_id,
        request_id: None,
        requester: None,
        result: serde_json::from_value(result.clone()).expect("a result"),
    };
    assert_eq!(requested.correlation_id(), Uuid::from_u128(2), "a run of a question belongs to it");
    assert_eq!(finished.correlation_id(), run, "a run that was asked for is a request of its own");
    check(&finished, json!({ "execution_id": QUERY, "student_id": STUDENT, "result": result }));
    let activity = Activity::CodeRun {
        execution_id,
        verdict: Verdict::Timeout,
        error_type: Some("Timeout".to_owned()),
        tests: Some((1, 2)),
        program: Some("0f".to_owned()),
        work: Some(work),
    };
    check(
        &ActivityRecorded { student_id, request_id: run, activity, done_at: None },
        json!({ "student_id": STUDENT, "request_id": QUERY,
            "activity": { "type": "code_run", "execution_id": QUERY, "verdict": "timeout",
                          "error_type": "Timeout", "tests": [1, 2], "program": "0f", "work": work_json } }),
    );
}

#[test]
fn a_field_that_a_later_version_adds_is_passed_over() {
    let data =
        json!({ "query_id": QUERY, "student_id": STUDENT, "question": "x", "mood": "curious" });
    let event = cloud_event(QuestionAsked::TYPE, Data::Json(data.into()));
    assert!(Envelope::<QuestionAsked>::read(event).is_ok());
}

#[test]
fn the_official_sdk_reads_what_we_write_and_we_read_what_it_writes() {
    let ours = cloud_event("question.asked.v1", Data::Json(json!({ "a": [1, "ä"] }).into()));
    let theirs: SdkEvent = serde_json::from_slice(&ours.to_structured()).unwrap();
    assert_eq!(theirs.id(), ours.id);
    assert_eq!(theirs.source().to_string(), ours.source);
    assert_eq!(theirs.ty(), ours.event_type);
    assert_eq!(theirs.time().map(chrono::DateTime::to_utc), ours.time);
    assert_eq!(theirs.extension("correlationid").unwrap().to_string(), "c");
    let written = EventBuilderV10::new()
        .id("1")
        .source("/sdk")
        .ty("t.v1")
        .extension("flag", true)
        .extension("number", 7)
        .data("application/json", json!({ "b": null }))
        .build()
        .unwrap();
    let body = serde_json::to_vec(&written).unwrap();
    let read = CloudEvent::decode(HeaderStyle::Kafka, [], &body).unwrap();
    assert_eq!((read.id.as_str(), read.event_type.as_str()), ("1", "t.v1"));
    assert_eq!(read.extensions["flag"], "true");
    assert_eq!(read.extensions["number"], "7");
    assert_eq!(read.data, Data::Json(json!({ "b": null }).into()));
}

#[test]
fn a_message_that_is_no_event_is_refused_with_the_reason() {
    let decode = |body: &str| {
        let error = CloudEvent::decode(HeaderStyle::Kafka, [], body.as_bytes()).unwrap_err();
        error.to_string()
    };
    assert_eq!(decode("["), "body is not valid JSON");
    assert_eq!(decode("[]"), "body is not a JSON object");
    assert_eq!(decode("{}"), "not a CloudEvent: no specversion in the headers or the body");
    assert_eq!(decode(r#"{"specversion":"0.3"}"#), "attribute specversion is not 1.0");
    assert_eq!(decode(r#"{"specversion":"1.0","id":""}"#), "attribute id is missing");
    let late = r#"{"specversion":"1.0","id":"1","source":"s","type":"t","time":"tomorrow"}"#;
    assert!(decode(late).starts_with("attribute time is not an RFC 3339 time"));
    let batch: [(&str, &[u8]); 1] = [("content-type", b"application/cloudevents-batch+json")];
    assert!(CloudEvent::decode(HeaderStyle::Http, batch, b"[]").is_err());
}

#[test]
fn ids_are_the_same_on_a_rerun_and_differ_by_position() {
    let cause = EventId::from_uuid(Uuid::from_u128(3));
    let id = derived_event_id(cause, "triage", 0);
    assert_eq!(id, derived_event_id(cause, "triage", 0));
    assert_ne!(id, derived_event_id(cause, "triage", 1));
    assert_ne!(id, derived_event_id(cause, "concepts", 0));
    // A foreign id is unique only together with its source.
    let mut foreign = cloud_event("t", Data::None);
    foreign.id = "partition:0/offset:1".to_owned();
    let first = event_id(&foreign);
    foreign.source = "/another/topic".to_owned();
    assert_ne!(event_id(&foreign), first);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_event_survives_the_wire(id in "[a-z0-9-]{1,40}", subject in "\\PC{1,40}", text in "\\PC{0,200}", number in any::<i64>()) {
        let mut event = cloud_event("t.v1", Data::Json(json!({ "text": text, "number": number }).into()));
        event.id = id;
        event.subject = Some(subject);
        let read = CloudEvent::decode(HeaderStyle::Kafka, [], &event.to_structured()).unwrap();
        prop_assert_eq!(read, event);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_read_but_never_panic(
        body in prop::collection::vec(any::<u8>(), 0..300),
        header in "[ -~]{0,30}",
    ) {
        for name in ["ce-id", "ce_specversion", "content-type"] {
            let headers: [(&str, &[u8]); 1] = [(name, header.as_bytes())];
            CloudEvent::decode(HeaderStyle::Http, headers, &body).map(drop).unwrap_or_default();
        }
    }
}

#[test]
fn what_asks_for_help_and_a_diagnosis_keep_their_form() {
    let asked = QuestionAsked { agent: Some(Agent::Debug), ..asked() };
    let routed = QuestionRouted {
        asked,
        routing: routing(),
        level: Level::Learning,
        recent_errors: vec![],
        follow_up: None,
    };
    check(
        &DebugRequested(routed),
        json!({ "query_id": QUERY, "student_id": STUDENT, "question": "What is a list?", "agent": "debug",
            "routing": { "agent": "concepts", "confidence": 0.83, "reasons": ["asks what something is"] },
            "level": "learning", "recent_errors": [] }),
    );
    let details = Details::Debug(Diagnosis {
        error: DiagnosedError {
            kind: "KeyError".to_owned(),
            message: "'a'".to_owned(),
            line: Some(3),
        },
        cause: "c".to_owned(),
        misconception: Some("m".to_owned()),
        hint: Hint { level: 1, of: 3, text: "t".to_owned() },
    });
    let json = json!({ "kind": "debug", "error": { "type": "KeyError", "message": "'a'", "line": 3 },
        "cause": "c", "misconception": "m", "hint": { "level": 1, "of": 3, "text": "t" } });
    assert_eq!(serde_json::to_value(&details).expect("it has a JSON form"), json);
    assert_eq!(serde_json::from_value::<Details>(json).expect("its own form"), details);
}

#[test]
fn a_review_and_its_activity_keep_their_form() {
    let json = json!({ "kind": "review", "score": 87, "praise": "p", "summary": "s",
        "findings": [{ "line": 2, "severity": "advice", "rule": "r", "message": "m", "why": "w" }],
        "deductions": [{ "rule": "r", "count": 1, "points": 13 }] });
    let details: Details = serde_json::from_value(json.clone()).expect("its own form");
    assert_eq!(serde_json::to_value(&details).expect("it has a JSON form"), json);
    let student_id = UserId::from_uuid(Uuid::from_u128(2));
    let activity = Activity::CodeReviewed {
        quality: Some(87),
        topic: Some("lists".to_owned()),
        exercise_id: None,
    };
    check(
        &ActivityRecorded { student_id, request_id: Uuid::from_u128(1), activity, done_at: None },
        json!({ "student_id": STUDENT, "request_id": QUERY,
            "activity": { "type": "code_reviewed", "quality": 87, "topic": "lists" } }),
    );
}

/// An event of exactly this JSON is read, and written again as the same.
fn keeps<E: Event + PartialEq + std::fmt::Debug>(json: Value) {
    let event = cloud_event(E::TYPE, Data::Json(json.clone().into()));
    let read = Envelope::<E>::read(event).expect("its own form").data;
    check(&read, json);
}

#[test]
fn what_is_asked_of_a_model_and_what_comes_of_it_keep_their_form() {
    let id = Uuid::from_u128(9).to_string();
    keeps::<ConceptsModelRequested>(
        json!({ "draft_id": id, "query_id": QUERY, "student_id": STUDENT,
        "agent": "concepts", "task": "explain", "fields": [{ "name": "topic", "text": "Lists" }] }),
    );
    let finished = |outcome: Value| {
        let mut json = json!({ "draft_id": id, "query_id": QUERY, "student_id": STUDENT, "model": "m",
            "tokens_in": 1, "tokens_out": 2, "latency_ms": 3 });
        for (name, value) in outcome.as_object().expect("an object") {
            json[name] = value.clone();
        }
        keeps::<ConceptsModelFinished>(json);
    };
    finished(json!({ "outcome": "answered", "text": "{}" }));
    finished(json!({ "outcome": "unavailable", "reason": "late" }));
    keeps::<AnswerDelta>(json!({ "query_id": QUERY, "student_id": STUDENT, "agent": "concepts",
        "sequence": 0, "text": "A list" }));
}

#[test]
fn solutions_grades_and_made_exercises_keep_their_form() {
    let id = Uuid::from_u128(9).to_string();
    keeps::<SubmissionMade>(
        json!({ "submission_id": QUERY, "student_id": STUDENT, "exercise_id": id, "code": "x = 1" }),
    );
    keeps::<SubmissionGraded>(
        json!({ "submission_id": QUERY, "student_id": STUDENT, "exercise_id": id,
        "feedback": { "passed": false, "score": 50, "attempt": 1, "best": 50, "parsons": false, "message": "m",
            "quality": 90, "not_as_asked": ["n"], "tests": [
                { "number": 1, "status": "pass", "hidden": false, "call": "f()", "expected": "1" },
                { "number": 2, "status": "none_returned", "hidden": true, "about": "a", "message": "m" }] } }),
    );
    keeps::<ExerciseGenerated>(
        json!({ "exercise_id": id, "student_id": STUDENT, "request_id": QUERY,
        "topic": "lists", "difficulty": "easy", "source": "variation", "mutants": [10, 9] }),
    );
    keeps::<ActivityRecorded>(json!({ "student_id": STUDENT, "request_id": QUERY, "activity": {
        "type": "exercise_submitted", "exercise_id": id, "topic": "lists", "difficulty": "hard", "score": 50,
        "passed": false, "quality": 90, "attempt": 1, "helped": true } }));
    keeps::<ActivityRecorded>(json!({ "student_id": STUDENT, "request_id": QUERY,
        "activity": { "type": "hint_given", "level": 1, "of": 3, "rule": "r", "exercise_id": id } }));
}

#[test]
fn the_signs_of_a_question_keep_their_names() {
    let all = [
        (Sign::Struggle, "struggle"),
        (Sign::SolutionRequest, "solution_request"),
        (Sign::Distress, "distress"),
        (Sign::Unsafe, "unsafe"),
        (Sign::Injection, "injection"),
    ];
    for (sign, name) in all {
        assert_eq!(serde_json::to_value(sign).expect("it has a JSON form"), name);
    }
}

#[test]
fn names_that_a_later_version_adds_are_read_as_unknown() {
    let name = || Value::from("added_later");
    assert_eq!(serde_json::from_value::<Sign>(name()).expect("any name"), Sign::Unknown);
    assert_eq!(serde_json::from_value::<Purpose>(name()).expect("any name"), Purpose::Unknown);
    assert_eq!(serde_json::from_value::<Requester>(name()).expect("any name"), Requester::Unknown);
    let kind: FollowUpKind = serde_json::from_value(name()).expect("any name");
    assert_eq!(kind, FollowUpKind::Unknown);
    let severity: ReviewSeverity = serde_json::from_value(name()).expect("any name");
    assert_eq!(severity, ReviewSeverity::Unknown);
}

#[test]
fn a_run_is_for_its_requester_or_for_everybody_if_that_is_unknown() {
    let run = |requester: Option<&str>| {
        let result = json!({ "verdict": "ok", "exit_code": 0, "stdout": "", "stderr": "", "transcript": [],
            "truncated": false, "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "python": "3.14" });
        let mut run = json!({ "execution_id": QUERY, "student_id": STUDENT, "result": result });
        if let Some(requester) = requester {
            run["requester"] = requester.into();
        }
        let run: ExecutionFinished = serde_json::from_value(run).expect("a run");
        [Author::Debug.into(), Author::Concepts.into(), Requester::Gateway]
            .map(|of| run.may_be_for(of))
    };
    assert_eq!(run(Some("debug")), [true, false, false]);
    assert_eq!(run(Some("gateway")), [false, false, true]);
    assert_eq!(run(Some("added_later")), [true; 3]);
    assert_eq!(run(None), [true; 3], "of the last version");
}

#[test]
fn what_progress_says_keeps_its_form() {
    keeps::<ProgressUpdated>(json!({ "student_id": STUDENT, "request_id": QUERY, "topic": "lists",
        "mastery": { "score": 81, "level": "proficient" }, "overall": { "score": 40, "level": "beginner" } }));
    keeps::<NudgeGiven>(
        json!({ "student_id": STUDENT, "request_id": QUERY, "text": "Would a hint help?",
        "topic": "lists", "exercise_id": QUERY }),
    );
    let alert = json!({ "alert_id": QUERY, "student_id": STUDENT, "request_id": QUERY, "topic": "lists",
        "exercise_id": QUERY, "trigger": "failed_runs", "severity": "medium", "change": "opened",
        "summary": "5 failed runs in a row.",
        "evidence": [{ "text": "A run ended with NameError.", "at": "2026-01-01T00:00:00Z", "source_id": QUERY }] });
    keeps::<StruggleDetected>(alert.clone());
    let mut later = alert;
    later["severity"] = json!("desperate");
    later["change"] = json!("snoozed");
    let event = cloud_event(StruggleDetected::TYPE, Data::Json(later.into()));
    let read = Envelope::<StruggleDetected>::read(event).expect("names of a later version").data;
    assert_eq!((read.severity, read.change), (Severity::Low, AlertChange::Unknown));
    keeps::<NotificationMade>(json!({ "user_id": STUDENT, "request_id": QUERY, "notification": {
        "id": QUERY, "title": "A student needs you", "text": "5 failed runs in a row.", "severity": "low",
        "alert_id": QUERY, "change": "updated", "student_id": STUDENT, "created_at": "2026-01-01T00:00:00Z" } }));
    let quiz = json!({ "student_id": STUDENT, "request_id": QUERY, "done_at": "2026-01-01T00:00:00Z",
        "activity": { "type": "quiz_submitted", "attempt_id": QUERY, "topic": "lists", "score": 75,
                      "topics": [{ "topic": "lists", "right": 3, "of": 4 }] } });
    keeps::<ActivityRecorded>(quiz);
}
