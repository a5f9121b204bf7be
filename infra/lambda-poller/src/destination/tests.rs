use std::sync::Arc;

use serde_json::{Value, json};

use super::Report;
use crate::{
    answer::FunctionError,
    engine::{Condition, Failure},
    event::Source,
    record::Consumed,
};

fn source() -> Source {
    Source {
        arn: Some("arn:aws:kafka:x".to_owned()),
        bootstrap_servers: "b:9092".to_owned(),
        topic: "my-topic".to_owned(),
    }
}

fn failure() -> Failure {
    let record = |partition, offset| {
        let consumed = Consumed {
            partition,
            offset,
            timestamp_ms: 1_573_691_886_021 + offset,
            is_log_append_time: false,
            key: Some(b"k".to_vec()),
            value: Some(b"v".to_vec()),
            headers: vec![],
        };
        Arc::new(consumed.into_record("my-topic").unwrap())
    };
    Failure {
        records: vec![record(0, 7), record(0, 9), record(1, 3)],
        condition: Condition::RetryAttemptsExhausted,
        invocations: 11,
        error: Some(FunctionError {
            kind: "Unhandled".to_owned(),
            error_type: "E".to_owned(),
            message: "no".to_owned(),
            request_id: Some("316aa6d0".to_owned()),
        }),
    }
}

fn report(source: &Source) -> Report<'_> {
    Report { source, function: "triage", id: "own-id", now_ms: 1_573_691_886_021 }
}

fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

#[test]
fn queues_and_notifications_get_what_failed_without_the_records() {
    let (source, failure) = (source(), failure());
    let payload_size = source.payload(&failure.records).unwrap().len();
    let expected = json!({
        "requestContext": {
            "requestId": "316aa6d0",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:triage",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 11
        },
        "responseContext": {
            "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"
        },
        "version": "1.0",
        "timestamp": "2019-11-14T00:38:06.021Z",
        "KafkaBatchInfo": {
            "batchSize": 3,
            "eventSourceArn": "arn:aws:kafka:x",
            "bootstrapServers": "b:9092",
            "payloadSize": payload_size,
            "recordsInfo": {
                "my-topic-0": {
                    "firstRecordOffset": "7", "lastRecordOffset": "9",
                    "firstRecordTimestamp": "2019-11-14T00:38:06.028Z",
                    "lastRecordTimestamp": "2019-11-14T00:38:06.030Z"
                },
                "my-topic-1": {
                    "firstRecordOffset": "3", "lastRecordOffset": "3",
                    "firstRecordTimestamp": "2019-11-14T00:38:06.024Z",
                    "lastRecordTimestamp": "2019-11-14T00:38:06.024Z"
                }
            }
        }
    });
    assert_eq!(parsed(&report(&source).metadata(&failure).unwrap()), expected);
}

#[test]
fn a_bucket_gets_the_event_as_a_text() {
    let (source, failure) = (source(), failure());
    let object = parsed(&report(&source).object(&failure).unwrap());
    let event = String::from_utf8(source.payload(&failure.records).unwrap()).unwrap();
    assert_eq!(object["payload"], Value::String(event));
    let name = report(&source).object_name("Questions");
    assert_eq!(name, "aws/lambda/Questions/2019/11/14/2019-11-14T00.38.06-own-id");
}

#[test]
fn a_topic_gets_a_message_for_each_record_with_its_key() {
    let (source, failure) = (source(), failure());
    let messages = report(&source).messages(&failure).unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[1].key.as_deref(), Some(&b"k"[..]));
    let message = parsed(&messages[1].value);
    assert_eq!(message["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(message["KafkaBatchInfo"]["batchSize"], 1);
    assert_eq!(
        message["KafkaBatchInfo"]["recordInfo"],
        json!({"offset": "9", "timestamp": "2019-11-14T00:38:06.030Z"})
    );
    let event = parsed(&source.payload(&failure.records[1..2]).unwrap());
    assert_eq!(message["payload"], event);
}

#[test]
fn what_never_was_invoked_has_no_response() {
    let source = source();
    let failure = Failure {
        condition: Condition::RecordAgeExceeded,
        invocations: 0,
        error: None,
        ..failure()
    };
    let message = parsed(&report(&source).metadata(&failure).unwrap());
    assert!(message.get("responseContext").is_none());
    assert_eq!(message["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(message["requestContext"]["requestId"], "own-id");
}
