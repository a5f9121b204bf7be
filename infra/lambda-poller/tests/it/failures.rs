//! What happens when a function fails, and where records go that are given up.

use std::path::Path;

use serde_json::{Value, json};

use crate::world::{Function, ONLY_FULL, TOPIC, World, files};

const REPORTS: [&str; 2] = ["--function-response-types", "ReportBatchItemFailures"];

fn failed(items: &[(i32, i64)]) -> String {
    let items: Vec<Value> = items
        .iter()
        .map(|(lane, offset)| {
            json!({"itemIdentifier": {"partition": format!("{TOPIC}-{lane}"), "offset": offset}})
        })
        .collect();
    json!({"batchItemFailures": items}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn reported_records_come_again_alone_and_other_lanes_go_on() {
    let mut world = World::new(2).await;
    for (lane, value) in [(0, "a"), (0, "b"), (1, "c")] {
        world.send(lane, value).await;
    }
    world.start(&[&REPORTS[..], &ONLY_FULL, &["--batch-size", "3"]].concat()).await;
    world.function.expect(&["0@0", "0@1", "1@0"]).await.answer(&failed(&[(0, 1)]));
    let again = world.function.expect(&["0@1"]).await;
    world.committed(1, 1).await;
    world.committed(0, 1).await;
    for value in ["d", "e", "f"] {
        world.send(1, value).await;
    }
    world.function.expect(&["1@1", "1@2", "1@3"]).await.answer("{}");
    again.answer("null");
    world.committed(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_names_strangers_means_the_whole_batch_again() {
    let mut world = World::new(1).await;
    world.send(0, "a").await;
    world.send(0, "b").await;
    world.start(&[&REPORTS[..], &ONLY_FULL, &["--batch-size", "2"]].concat()).await;
    for nonsense in [failed(&[(0, 1), (0, 7)]), failed(&[(5, 1)]), "<html>".to_owned()] {
        world.function.expect(&["0@0", "0@1"]).await.answer(&nonsense);
    }
    world.function.expect(&["0@0", "0@1"]).await.answer(r#"{"batchItemFailures":[]}"#);
    world.committed(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_response_type_reported_failures_are_lost() {
    let mut world = World::new(1).await;
    world.send(0, "a").await;
    world.start(&[]).await;
    world.function.expect(&["0@0"]).await.answer(&failed(&[(0, 0)]));
    world.committed(0, 1).await;
    world.function.is_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_all_endpoints_mean_the_batch_again() {
    let mut world = World::new(1).await;
    world.send(0, "a").await;
    world.start(&[]).await;
    let body = r#"{"errorType":"Boom","errorMessage":"no luck"}"#;
    let of_aws = [("x-amz-function-error", "Unhandled")];
    world.function.expect(&["0@0"]).await.answer_with(200, &of_aws, body);
    world.function.expect(&["0@0"]).await.answer_with(500, &[], body);
    world.function.expect(&["0@0"]).await.answer_with(200, &[], body);
    world.function.expect(&["0@0"]).await.answer("Task timed out after 3.00 seconds");
    let last = world.function.expect(&["0@0"]).await;
    let views = world.lanes_when(|views| views[0]["lanes"][0]["invocations"] == 4).await;
    let error = views[0]["lanes"][0]["error"].as_str().expect("an error is shown");
    assert!(error.contains("Task timed out"), "{error}");
    last.answer("null");
    world.committed(0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_does_not_answer_in_its_time_has_failed() {
    let mut world = World::new(1).await;
    world.send(0, "a").await;
    world.start(&["--timeout", "1", "--first-answer-seconds", "0"]).await;
    let silent = world.function.expect(&["0@0"]).await;
    world.function.expect(&["0@0"]).await.answer("null");
    world.committed(0, 1).await;
    silent.answer("null");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_error_the_halves_are_tried_apart() {
    let mut world = World::new(1).await;
    for value in ["a", "b", "bad", "d"] {
        world.send(0, value).await;
    }
    let flags = ["--bisect-batch-on-function-error", "--maximum-retry-attempts", "1"];
    world.start(&[&flags[..], &ONLY_FULL, &["--batch-size", "4"]].concat()).await;
    let error = r#"{"errorType":"Bad","errorMessage":"a record"}"#;
    world.function.expect(&["0@0", "0@1", "0@2", "0@3"]).await.answer_with(500, &[], error);
    world.function.expect(&["0@0", "0@1"]).await.answer("null");
    world.function.expect(&["0@2", "0@3"]).await.answer_with(500, &[], error);
    world.function.expect(&["0@2"]).await.answer_with(500, &[], error);
    world.committed(0, 2).await;
    world.function.expect(&["0@2"]).await.answer_with(500, &[], error);
    world.function.expect(&["0@3"]).await.answer("null");
    world.committed(0, 4).await;
}

/// A poller that gives up after the first retry, and a batch of two that is given up.
async fn given_up(destination: &str, more: &[&str]) -> World {
    let mut world = World::new(1).await;
    world.make_topic("failures", 1).await;
    let at = Some(1_573_691_886_021);
    world.send_record(TOPIC, 0, Some("k"), Some("a"), &[], at).await;
    world.send_record(TOPIC, 0, None, Some("b"), &[], at).await;
    let flags = ["--maximum-retry-attempts", "1", "--on-failure", destination];
    world.start(&[&flags[..], &ONLY_FULL, &["--batch-size", "2"], more].concat()).await;
    for _attempt in 0..2 {
        let error = r#"{"errorType":"Boom","errorMessage":"no luck"}"#;
        let headers = [("x-amz-function-error", "Unhandled"), ("x-amzn-requestid", "r-1")];
        world.function.expect(&["0@0", "0@1"]).await.answer_with(200, &headers, error);
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_gets_each_record_with_its_key_and_what_went_wrong() {
    let world = given_up("kafka://failures", &[]).await;
    world.committed(0, 2).await;
    let records = world.read("failures", 2).await;
    assert_eq!((records[0].0.as_deref(), records[1].0.as_deref()), (Some("k"), None));
    let message = &records[0].1;
    assert_eq!(
        message["requestContext"],
        json!({
            "requestId": "r-1",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:triage",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 2
        })
    );
    let info = &message["KafkaBatchInfo"];
    assert_eq!(
        (&info["batchSize"], &info["recordInfo"]),
        (&json!(1), &json!({"offset": "0", "timestamp": "2019-11-14T00:38:06.021Z"}))
    );
    assert_eq!(message["payload"]["records"]["questions-1-0"][0]["value"], "YQ==");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_notifications_and_buckets_are_files() {
    for (arn, has_payload) in [
        ("arn:aws:sqs:us-east-1:123456789012:failed", false),
        ("arn:aws:sns:us-east-1:123456789012:failed", false),
        ("arn:aws:s3:::failed", true),
    ] {
        let folder = tempfile::TempDir::new().expect("a folder can be made");
        let path = folder.path().display().to_string();
        let world = given_up(arn, &["--failures", &path]).await;
        world.committed(0, 2).await;
        let files = files(folder.path());
        let [(name, content)] = &files[..] else { panic!("one file, not {files:?}") };
        let message: Value = serde_json::from_str(content).expect("JSON");
        assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
        let lanes = &message["KafkaBatchInfo"]["recordsInfo"]["questions-1-0"];
        assert_eq!(
            (&lanes["firstRecordOffset"], &lanes["lastRecordOffset"]),
            (&json!("0"), &json!("1"))
        );
        if has_payload {
            assert!(name.starts_with("failed/aws/lambda/triage/"), "{name}");
            let payload = message["payload"].as_str().expect("a text");
            assert!(payload.starts_with(r#"{"eventSource":"SelfManagedKafka""#));
        } else {
            assert_eq!(name, "failed.jsonl");
            assert!(message.get("payload").is_none() && content.ends_with('\n'));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_can_take_what_would_go_to_aws() {
    let mut other = Function::start().await;
    let url = format!("{}/2015-03-31/functions/queue/invocations", other.endpoint);
    let arn = "arn:aws:sqs:us-east-1:123456789012:failed";
    let world = given_up(arn, &["--failures-endpoint", &url]).await;
    let refused = other.next().await;
    let group = "lambda-poller.triage";
    assert_eq!(world.committed_now(group, 0).await, Some(0), "not done before it is taken");
    refused.answer_with(503, &[], "");
    let taken = other.next().await;
    assert_eq!(taken.event["KafkaBatchInfo"]["batchSize"], 2);
    taken.answer("");
    world.committed(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_without_limit_are_ten_with_a_destination() {
    let mut world = World::new(1).await;
    world.make_topic("failures", 1).await;
    world.send(0, "a").await;
    world.start(&["--on-failure", "kafka://failures"]).await;
    for _attempt in 0..11 {
        world.function.expect(&["0@0"]).await.answer_with(500, &[], r#"{"errorType":"E"}"#);
    }
    let records = world.read("failures", 1).await;
    assert_eq!(records[0].1["requestContext"]["approximateInvokeCount"], 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_too_old_never_reach_the_function() {
    let mut world = World::new(1).await;
    world.make_topic("failures", 1).await;
    world.send_record(TOPIC, 0, None, Some("old"), &[], Some(1_573_691_886_021)).await;
    world.send(0, "new").await;
    let flags = ["--maximum-record-age-in-seconds", "60", "--on-failure", "kafka://failures"];
    world.start(&flags).await;
    world.function.expect(&["0@1"]).await.answer("null");
    let records = world.read("failures", 1).await;
    assert_eq!(records[0].1["requestContext"]["condition"], "RecordAgeExceeded");
    assert!(records[0].1.get("responseContext").is_none());
    world.committed(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_not_there_keeps_the_offset_and_costs_no_attempt() {
    let mut world = World::new(1).await;
    world.send(0, "a").await;
    let nowhere = "http://127.0.0.1:1";
    world.start(&["--endpoint", nowhere, "--maximum-retry-attempts", "0"]).await;
    let views = world
        .lanes_when(|views| {
            views[0]["lanes"][0]["error"].as_str().is_some_and(|e| e.contains("connect"))
        })
        .await;
    let lane = &views[0]["lanes"][0];
    assert_eq!((&lane["position"], &lane["invocations"]), (&json!(0), &json!(0)));
    world.stop().await;
    world.start(&[]).await;
    let unknown = world.function.expect(&["0@0"]).await;
    unknown.answer_with(404, &[], r#"{"title":"Function not found"}"#);
    world.function.expect(&["0@0"]).await.answer("null");
    world.committed(0, 1).await;
    assert!(!Path::new("lambda-failures").exists());
}
