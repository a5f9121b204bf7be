//! What comes in an event, how it is batched, and when it is done.

use serde_json::json;

use crate::world::{TOPIC, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_invoked_in_awss_shape_and_committed_when_it_is_done() {
    let mut world = World::with(1, &[]).await;
    let headers: [(&str, &[u8]); 2] = [("trace", b"ab"), ("raw", &[0xff, 0x01])];
    let at = 1_545_084_650_987;
    world.send_record(TOPIC, 0, Some("k"), Some("Hello"), &headers, Some(at)).await;
    let invocation = world.function.next().await;
    assert_eq!(invocation.function, "triage");
    assert_eq!(
        invocation.event,
        json!({
            "eventSource": "SelfManagedKafka",
            "bootstrapServers": world.servers,
            "records": {"questions-1-0": [{
                "topic": TOPIC, "partition": 0, "offset": 0,
                "timestamp": at, "timestampType": "CREATE_TIME",
                "key": "aw==", "value": "SGVsbG8=",
                "headers": [{"trace": [97, 98]}, {"raw": [-1, 1]}]
            }]}
        })
    );
    let group = "lambda-poller.triage";
    assert_eq!(world.committed_now(group, 0).await, Some(0), "only where the group begins");
    invocation.answer("null");
    world.committed(0, 1).await;
    world.send_record(TOPIC, 0, None, None, &[], None).await;
    let invocation = world.function.expect(&["0@1"]).await;
    let record = &invocation.event["records"]["questions-1-0"][0];
    assert!(record["value"].is_null() && record.get("value").is_some(), "a tombstone");
    assert!(record.get("key").is_none());
    invocation.answer("null");
    world.stop().await;
    assert_eq!(world.committed_now(group, 0).await, Some(2));
}
