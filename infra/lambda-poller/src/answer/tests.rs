use std::collections::BTreeSet;

use super::{Answer, Batch, Verdict};

fn response(status: u16, body: &str) -> Answer {
    Answer::Response {
        status,
        function_error: None,
        request_id: None,
        body: body.as_bytes().to_vec(),
    }
}

fn verdict_of(answer: Answer) -> Verdict {
    let items = BTreeSet::from([(0, 15), (0, 16), (12, 3)]);
    Batch { topic: "my-topic-7", items: &items, reports_failures: true }.verdict(answer)
}

fn verdict(body: &str) -> Verdict {
    verdict_of(response(200, body))
}

#[test]
fn null_and_empty_json_mean_success() {
    for body in
        ["", " ", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#]
    {
        assert_eq!(verdict(body), Verdict::Done, "{body}");
    }
    assert_eq!(verdict(r#"{"statusCode":200}"#), Verdict::Done);
}

#[test]
fn reported_records_are_tried_again_and_only_these() {
    let one = r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"my-topic-7-0","offset":16}},
        {"itemIdentifier":{"topic-partition":"my-topic-7-12","offset":3}}]}"#;
    assert_eq!(verdict(one), Verdict::Items(BTreeSet::from([(0, 16), (12, 3)])));
}

#[test]
fn an_unknown_partition_or_offset_means_the_whole_batch_again() {
    for identifier in [
        r#"{"partition":"my-topic-7-1","offset":16}"#,
        r#"{"partition":"other-0","offset":16}"#,
        r#"{"partition":"my-topic-7-0","offset":17}"#,
        r#"{"partition":"my-topic-7-0","offset":"16"}"#,
        r#"{"partition":"my-topic-7-0"}"#,
        r#"{"offset":16}"#,
        r#""my-topic-7-0""#,
        "null",
    ] {
        let body = format!(
            r#"{{"batchItemFailures":[{{"itemIdentifier":{{"partition":"my-topic-7-0","offset":15}}}},{{"itemIdentifier":{identifier}}}]}}"#
        );
        assert!(matches!(verdict(&body), Verdict::Invalid(_)), "{body}");
    }
}

#[test]
fn nonsense_means_the_whole_batch_again() {
    for body in ["<html>", "[]", "\"ok\"", "3", r#"{"batchItemFailures":{}}"#, "{\"batchItem"] {
        assert!(matches!(verdict(body), Verdict::Invalid(_)), "{body}");
    }
}

#[test]
fn without_the_response_type_the_answer_is_ignored() {
    let items = BTreeSet::from([(0, 15)]);
    let batch = Batch { topic: "t", items: &items, reports_failures: false };
    let failures = r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":15}}]}"#;
    assert_eq!(batch.verdict(response(200, failures)), Verdict::Done);
    assert_eq!(batch.verdict(response(200, "<html>")), Verdict::Done);
}

#[test]
fn errors_of_the_function_are_recognised_in_all_three_forms() {
    let body = r#"{"errorType":"Boom","errorMessage":"no luck"}"#;
    let of_aws = Answer::Response {
        status: 200,
        function_error: Some("Unhandled".to_owned()),
        request_id: Some("r-1".to_owned()),
        body: body.as_bytes().to_vec(),
    };
    let Verdict::Error(error) = verdict_of(of_aws) else { panic!("no error") };
    assert_eq!((error.to_string().as_str(), error.kind.as_str()), ("Boom: no luck", "Unhandled"));
    assert_eq!(error.request_id.as_deref(), Some("r-1"));
    for status in [500, 200, 502] {
        let Verdict::Error(error) = verdict_of(response(status, body)) else {
            panic!("no error in {status}");
        };
        assert_eq!(error.to_string(), "Boom: no luck");
    }
    let late = "Task timed out after 3.00 seconds";
    let Verdict::Error(error) = verdict_of(response(200, late)) else { panic!("no error") };
    assert_eq!(error.to_string(), format!("Sandbox.Timedout: {late}"));
    assert!(matches!(verdict_of(Answer::TimedOut { seconds: 3 }), Verdict::Error(_)));
    assert!(matches!(verdict_of(Answer::Broken("reset".to_owned())), Verdict::Error(_)));
}

#[test]
fn an_endpoint_that_does_not_invoke_costs_no_attempt() {
    for status in [400, 403, 404, 429, 500, 503, 504] {
        assert!(matches!(verdict_of(response(status, "")), Verdict::NotInvoked(_)), "{status}");
    }
    assert!(matches!(verdict_of(Answer::Unreachable("x".to_owned())), Verdict::NotInvoked(_)));
    assert_eq!(verdict_of(response(413, "")), Verdict::TooLarge);
}
