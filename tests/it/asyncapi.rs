//! The AsyncAPI document describes every event on every topic.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use events::{Topic, event_types};
use reqwest::StatusCode;
use runner::{asyncapi, functions::specs};
use serde_json::Value;
use testing::outside_tools::npm_packages;
use tests::{World, contract::conforms};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("asyncapi")
}

fn document() -> Value {
    asyncapi::document().expect("the samples have the shapes of their types")
}

#[test]
fn the_document_in_docs_is_that_of_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/asyncapi.json");
    let shown = fs::read_to_string(path).expect("docs/asyncapi.json");
    assert!(
        shown == asyncapi::json().expect("the samples have the shapes of their types"),
        "make it again with `cargo run -- asyncapi > docs/asyncapi.json`"
    );
}

/// Topics, types of events and functions that a document does not have.
fn missing(document: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    let channel = |topic: Topic| &document["channels"][topic.name()];
    for topic in Topic::ALL {
        if channel(*topic)["address"] != topic.name() {
            missing.push(topic.name().to_owned());
        }
    }
    for event in event_types::all() {
        let at = format!("{} on {}", event.name, event.topic.name());
        let message = &document["components"]["messages"][event.name];
        if channel(event.topic)["messages"][event.name].is_null() || message.is_null() {
            missing.push(at.clone());
        }
        let examples = message["examples"].as_array();
        if examples.is_none_or(Vec::is_empty) {
            missing.push(format!("an example of {at}"));
        }
    }
    for spec in specs() {
        let received = spec.consumes.iter().map(|topic| ("receive", topic));
        for (action, topic) in received.chain(spec.emits.iter().map(|topic| ("send", topic))) {
            let name = format!("{}.{action}.{}", spec.name, topic.name());
            let operation = &document["operations"][&name];
            if operation["action"] != action
                || operation["channel"]["$ref"] != format!("#/channels/{}", topic.name())
            {
                missing.push(name);
            }
        }
    }
    missing
}

#[test]
fn every_topic_type_and_function_is_described() {
    let document = document();
    assert_eq!(missing(&document), [""; 0]);
    for (at, name) in [
        ("/channels", "dead.letters"),
        ("/channels/learning.requests/messages", "question.asked.v1"),
        ("/components/messages", "nudge.given.v1"),
        ("/operations", "progress.receive.progress.events"),
    ] {
        let mut without = document.clone();
        let object = without.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
        object.remove(name).expect("it was there");
        assert!(missing(&without).iter().any(|fault| fault.contains(name)), "{name} is missed");
    }
}

#[test]
fn every_example_is_as_its_schema_says() {
    let document = document();
    let components = &document["components"];
    let mut envelope = components["schemas"]["CloudEvent"].clone();
    let mut examples = 0;
    // Data is checked by itself.
    envelope["properties"].as_object_mut().expect("attributes").remove("data");
    envelope["required"].as_array_mut().expect("names").retain(|name| name != "data");
    for message in components["messages"].as_object().expect("messages").values() {
        let data = &message["payload"]["allOf"][1]["properties"]["data"];
        for example in message["examples"].as_array().expect("examples") {
            let mut attributes = example["payload"].clone();
            let sent = attributes.as_object_mut().and_then(|object| object.remove("data"));
            let checked = conforms(&document, &envelope, &attributes)
                .and_then(|()| conforms(&document, data, &sent.expect("data")));
            assert_eq!(checked, Ok(()), "{}", message["name"]);
            examples += 1;
        }
    }
    assert!(examples >= event_types::all().len(), "{examples} examples");
}

#[test]
fn the_official_parser_finds_no_error() {
    let Some(packages) = npm_packages(&folder()).expect("the parser is installed") else { return };
    let check = |document: &str| {
        let mut node = Command::new("node")
            .arg(folder().join("check.mjs"))
            .arg(&packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js starts");
        node.stdin.take().expect("a pipe").write_all(document.as_bytes()).expect("it reads");
        let output = node.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let mut document = document();
    assert_eq!(check(&document.to_string()), "");
    document["operations"]["triage.send.learning.responses"]["channel"]["$ref"] =
        "#/channels/nowhere".into();
    assert!(check(&document.to_string()).contains("nowhere"));
    document["asyncapi"] = "3.0.0".into();
    document["channels"] = Value::Array(Vec::new());
    assert_ne!(check(&document.to_string()), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_is_served() {
    let world = World::new().await;
    let served =
        world.send("api-gateway", |client, url| client.get(format!("{url}/asyncapi.json"))).await;
    assert_eq!(served.status, StatusCode::OK);
    assert_eq!(served.headers["content-type"], "application/json");
    assert_eq!(served.body, document());
    world.finish().await;
}
