//! Events in files.

use std::process::{Command, ExitCode, Output};

use serde_json::{Value, json};

use crate::world::{ONLY_FULL, World, arguments, files};

fn program(words: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_lambda-poller");
    Command::new(program).args(words).output().expect("the program runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_recorded_and_can_be_replayed() {
    let mut world = World::new(1).await;
    world.send(0, "a").await;
    world.send(0, "b").await;
    let folder = world.path("recorded");
    let flags = ["--record", &folder, "--record-limit", "1", "--batch-size", "2"];
    world.start(&[&flags[..], &ONLY_FULL].concat()).await;
    let invocation = world.function.expect(&["0@0", "0@1"]).await;
    let recorded = files(folder.as_ref());
    let event = invocation.text.clone();
    assert_eq!(recorded, [("triage/questions-1-0-0.json".to_owned(), event.clone())]);
    invocation.answer("null");
    world.send(0, "c").await;
    world.send(0, "d").await;
    world.function.expect(&["0@2", "0@3"]).await.answer("null");
    assert_eq!(files(folder.as_ref()).len(), 1, "there is a limit");
    world.stop().await;

    let file = format!("{folder}/triage/questions-1-0-0.json");
    let endpoint = world.function.endpoint.clone();
    let words = ["replay", &file, "--function", "other", "--endpoint", &endpoint];
    for (answer, is_good) in [
        ("null", true),
        (r#"{"errorType":"E","errorMessage":"m"}"#, false),
        (
            r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"questions-1-0","offset":1}}]}"#,
            false,
        ),
        ("nonsense", false),
    ] {
        let replayed = tokio::spawn(lambda_poller::run(arguments(&words)));
        let invocation = world.function.expect(&["0@0", "0@1"]).await;
        assert_eq!((invocation.function.as_str(), &invocation.text), ("other", &event));
        invocation.answer(answer);
        let code = replayed.await.expect("no panic").expect("it is replayed");
        assert_eq!(code == ExitCode::SUCCESS, is_good, "{answer}");
    }
}

#[test]
fn an_event_can_be_invented() {
    let words =
        ["generate-event", "kafka", "--key", "abcDEFghi", "--header", "headerKey=headerValue"];
    let event: Value = serde_json::from_slice(&program(&words).stdout).expect("JSON");
    assert_eq!(event["eventSource"], "aws:kafka");
    let headers = json!([{"headerKey": [104, 101, 97, 100, 101, 114, 86, 97, 108, 117, 101]}]);
    assert_eq!(
        event["records"],
        json!({"mytopic-0": [{
            "topic": "mytopic", "partition": 0, "offset": 15, "timestamp": 1_545_084_650_987_i64,
            "timestampType": "CREATE_TIME", "key": "YWJjREVGZ2hp",
            "value": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==", "headers": headers
        }]})
    );
    let words = ["generate-event", "kafka", "--self-managed", "--value", "a", "--tombstone"];
    let event: Value = serde_json::from_slice(&program(&words).stdout).expect("JSON");
    assert_eq!(event["eventSource"], "SelfManagedKafka");
    let records = event["records"]["mytopic-0"].as_array().expect("a lane");
    assert_eq!((&records[0]["value"], &records[1]["value"]), (&json!("YQ=="), &Value::Null));
    assert_eq!(records[1]["offset"], 16);
}

#[test]
fn what_is_no_event_is_not_replayed() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let file = folder.path().join("x.json");
    std::fs::write(&file, "{}").expect("it can be written");
    let output = program(&["replay", &file.display().to_string(), "--function", "f"]);
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("x.json is no Kafka event: it has no `records`"), "{error}");
}
