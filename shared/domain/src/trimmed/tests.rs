//! No result exceeds its limit, whatever a guest has put into it.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;

use super::escaped;
use crate::{
    execution::{
        Advice, ExecutionError, ExecutionResult, FileContent, MAX_RESULT_BYTES, MAX_TESTS, Stream,
        TestResult, Verdict, Written,
    },
    trace::{Trace, TraceEvent, TraceStep},
};

/// Characters that JSON escapes, and one that it does not.
const CHARACTERS: [char; 9] = ['x', '\0', '\u{1b}', '\n', '"', '\\', '\u{7f}', 'é', '😀'];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![6 => text_up_to(3_000), 1 => text_up_to(300_000)]
}

fn text_up_to(most: usize) -> impl Strategy<Value = String> {
    let length = prop_oneof![0usize..80, 0..most];
    let repeated = (proptest::sample::select(&CHARACTERS[..]), length)
        .prop_map(|(character, length)| character.to_string().repeat(length));
    prop_oneof![repeated, ".{0,200}".prop_map(String::from)]
}

fn error(most: usize) -> impl Strategy<Value = ExecutionError> {
    let text = move || text_up_to(most);
    let advice = (text(), text(), text(), text());
    let texts = (text(), text(), text(), option::of(text()), option::of(advice));
    (texts, any::<Option<u32>>()).prop_map(
        |((kind, message, traceback, function, advice), line)| {
            let advice = advice.map(|(rule, what, why, hint)| Advice { rule, what, why, hint });
            ExecutionError {
                kind,
                message,
                line,
                column: line,
                end_column: line,
                function,
                traceback,
                advice,
            }
        },
    )
}

fn test(most: usize) -> impl Strategy<Value = TestResult> {
    let text = move || text_up_to(most);
    let texts = (text(), text(), text(), option::of(text()));
    (texts, option::of(error(most)), any::<u32>()).prop_map(
        |((name, expected, actual, problem), error, duration_ms)| TestResult {
            name,
            passed: false,
            verdict: Verdict::SourceTooLarge,
            expected,
            actual,
            error,
            problem,
            duration_ms,
        },
    )
}

fn trace() -> impl Strategy<Value = Trace> {
    (".{0,200}", 0usize..1_000).prop_map(|(text, count)| {
        let step = TraceStep {
            event: TraceEvent::Line,
            line: 1,
            function: text,
            written: 0,
            frames: Vec::new(),
            value: None,
            exception: None,
            heap: BTreeMap::new(),
        };
        Trace { steps: vec![step; count], truncated: true }
    })
}

fn result() -> impl Strategy<Value = ExecutionResult> {
    let stream = prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)];
    let written = (stream, text()).prop_map(|(stream, text)| Written { stream, text });
    let crumbs = (0usize..9_000)
        .prop_map(|count| vec![Written { stream: Stream::Stderr, text: "\0".to_owned() }; count]);
    let transcript = prop_oneof![vec(written, 0..9), crumbs];
    let files = proptest::collection::btree_map(text(), text().prop_map(FileContent::Text), 0..4);
    let tests = prop_oneof![
        vec(test(200_000), 0..3),
        // As many as can be requested, and more.
        (test(5_000), 0usize..=2 * MAX_TESTS).prop_map(|(test, count)| vec![test; count]),
    ];
    let texts = (text(), text(), text());
    (texts, transcript, option::of(error(200_000)), files, tests, option::of(trace()), any::<u64>())
        .prop_map(|((stdout, stderr, python), transcript, error, files, tests, trace, number)| {
            ExecutionResult {
                verdict: Verdict::MemoryLimit,
                exit_code: 255,
                stdout,
                stderr,
                transcript,
                truncated: false,
                error,
                files,
                tests,
                trace,
                duration_ms: u32::MAX,
                cpu_ms: u32::MAX,
                memory_bytes: number,
                python,
            }
        })
}

fn json(result: &ExecutionResult) -> String {
    serde_json::to_string(result).expect("a result is JSON")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_result_can_be_sent_and_read(result in result()) {
        let trimmed = result.clone().trimmed();
        let sent = json(&trimmed);
        prop_assert!(sent.len() <= MAX_RESULT_BYTES, "{} bytes", sent.len());
        prop_assert_eq!(trimmed.truncated, trimmed != result);
        // In an event, it is nested deeper.
        let event = format!("{}{sent}{}", "[".repeat(32), "]".repeat(32));
        prop_assert!(serde_json::from_str::<Value>(&event).is_ok());
        prop_assert_eq!(trimmed.verdict, result.verdict);
    }

    #[test]
    fn the_length_in_json_is_known_before(text in text()) {
        let json = serde_json::to_string(&text).expect("a text is JSON");
        prop_assert_eq!(escaped(&text) + 2, json.len());
    }
}

#[test]
fn the_first_steps_of_a_long_trace_stay() {
    let step = TraceStep {
        event: TraceEvent::Line,
        line: 1,
        function: "x".repeat(1_000),
        written: 0,
        frames: Vec::new(),
        value: None,
        exception: None,
        heap: BTreeMap::new(),
    };
    let steps = (1..=1_000).map(|line| TraceStep { line, ..step.clone() }).collect();
    let long = ExecutionResult {
        verdict: Verdict::Ok,
        exit_code: 0,
        stdout: "done\n".to_owned(),
        stderr: String::new(),
        transcript: Vec::new(),
        truncated: false,
        error: None,
        files: BTreeMap::new(),
        tests: Vec::new(),
        trace: Some(Trace { steps, truncated: false }),
        duration_ms: 1,
        cpu_ms: 1,
        memory_bytes: 1,
        python: String::new(),
    };
    let trimmed = long.clone().trimmed();
    let size = json(&trimmed).len();
    assert!((MAX_RESULT_BYTES - 2_000..=MAX_RESULT_BYTES).contains(&size), "{size}");
    let trace = trimmed.trace.expect("a part of it fits");
    assert!(trimmed.truncated && trace.truncated && trace.steps.len() > 100);
    assert_eq!(trimmed.stdout, long.stdout);
    assert!(trace.steps.iter().map(|step| step.line).eq(1..=trace.steps.len() as u32));
}

#[test]
fn the_last_step_is_enough() {
    let text = "\0".repeat(20_000);
    let advice =
        Advice { rule: text.clone(), what: text.clone(), why: text.clone(), hint: text.clone() };
    let error = ExecutionError {
        kind: text.clone(),
        message: text.clone(),
        line: Some(u32::MAX),
        column: Some(u32::MAX),
        end_column: Some(u32::MAX),
        function: Some(text.clone()),
        traceback: text.clone(),
        advice: Some(advice),
    };
    let test = TestResult {
        name: text.clone(),
        passed: false,
        verdict: Verdict::SourceTooLarge,
        expected: text.clone(),
        actual: text.clone(),
        error: Some(error.clone()),
        problem: Some(text.clone()),
        duration_ms: u32::MAX,
    };
    let written = Written { stream: Stream::Stdout, text: text.clone() };
    let result = ExecutionResult {
        verdict: Verdict::SourceTooLarge,
        exit_code: 255,
        stdout: text.clone(),
        stderr: text.clone(),
        transcript: vec![written; 9],
        truncated: false,
        error: Some(error),
        files: [(text.clone(), FileContent::Base64(text.clone()))].into(),
        tests: vec![test; MAX_TESTS],
        trace: Some(Trace { steps: Vec::new(), truncated: false }),
        duration_ms: u32::MAX,
        cpu_ms: u32::MAX,
        memory_bytes: u64::MAX,
        python: text,
    };
    let trimmed = result.trimmed();
    assert!(json(&trimmed).len() <= MAX_RESULT_BYTES, "{}", json(&trimmed).len());
    assert_eq!(trimmed.tests.len(), MAX_TESTS, "no test is forgotten");
}
