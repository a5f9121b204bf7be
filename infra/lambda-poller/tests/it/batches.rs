//! What comes in an event, how it is batched, and when it is done.

use serde_json::json;

use crate::world::{Function, TOPIC, World};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_middle_of_a_batch_delivers_it_again() {
    let mut world = World::with(1, &[]).await;
    world.send(0, "a").await;
    let lost = world.function.expect(&["0@0"]).await;
    world.crash();
    drop(lost);
    world.start(&[]).await;
    world.function.expect(&["0@0"]).await.answer("null");
    world.committed(0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_waits_for_its_window_and_has_no_more_than_its_size() {
    let mut world = World::new(1).await;
    for value in ["a", "b", "c", "d", "e"] {
        world.send(0, value).await;
    }
    // A window that no test waits for: only the size makes a batch.
    world.start(&["--maximum-batching-window-in-seconds", "300", "--batch-size", "2"]).await;
    world.function.expect(&["0@0", "0@1"]).await.answer("null");
    world.function.expect(&["0@2", "0@3"]).await.answer("null");
    world.function.is_quiet().await;
    world.committed(0, 4).await;
    world.stop().await;
    let one_second = ["--maximum-batching-window-in-seconds", "1", "--batch-size", "2"];
    world.start(&one_second).await;
    world.function.expect(&["0@4"]).await.answer("null");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_has_several_partitions_and_six_megabytes_at_most() {
    let mut world = World::new(2).await;
    let large = "x".repeat(900_000);
    for _record in 0..4 {
        world.send(0, &large).await;
        world.send(1, &large).await;
    }
    // Only both lanes together have more than 6 MB, which ends the wait.
    world.start(&["--maximum-batching-window-in-seconds", "3"]).await;
    let mut places = Vec::new();
    let mut has_both = false;
    while places.len() < 8 {
        let invocation = world.function.next().await;
        assert!(invocation.text.len() <= 6 * 1024 * 1024, "{} bytes", invocation.text.len());
        let lanes = invocation.event["records"].as_object().expect("lanes");
        has_both |= lanes.len() == 2;
        places.extend(invocation.places());
        invocation.answer("null");
    }
    assert!(has_both, "no payload had both partitions");
    for lane in ["0@", "1@"] {
        let of_lane: Vec<&String> = places.iter().filter(|place| place.starts_with(lane)).collect();
        assert!(of_lane.is_sorted() && of_lane.len() == 4, "{places:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_more_invocations_than_partitions() {
    let mut world = World::with(2, &["--batch-size", "1"]).await;
    for value in ["a", "b", "c"] {
        world.send(0, value).await;
        world.send(1, value).await;
    }
    let first = world.function.next().await;
    let second = world.function.next().await;
    let mut places = [first.places(), second.places()].concat();
    places.sort();
    assert_eq!(places, ["0@0", "1@0"]);
    world.function.is_quiet().await;
    first.answer("null");
    second.answer("null");
    for _rest in 0..4 {
        world.function.next().await.answer("null");
    }
    world.committed(0, 3).await;
    world.committed(1, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_of_an_msk_cluster_has_its_arn() {
    let arn = "arn:aws:kafka:us-east-1:123456789012:cluster/c/1";
    let mut world = World::with(1, &["--event-source-arn", arn]).await;
    world.send(0, "a").await;
    let event = world.function.next().await.event;
    assert_eq!(
        (&event["eventSource"], &event["eventSourceArn"]),
        (&json!("aws:kafka"), &json!(arn))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_lets_values_pass_and_the_rest_is_done() {
    let filter = r#"{"value":{"device":[{"prefix":"AB"}]}}"#;
    let mut world = World::with(1, &["--filter", filter]).await;
    for value in [r#"{"device":"XY"}"#, "plain", r#"{"device":"AB1"}"#, r#"{"device":"Z"}"#] {
        world.send(0, value).await;
    }
    world.function.expect(&["0@2"]).await.answer("null");
    world.committed(0, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_starting_position_is_for_groups_without_offsets() {
    let mut world = World::new(1).await;
    let old = Some(1_700_000_000_000);
    let new = Some(1_700_000_010_000);
    world.send_record(TOPIC, 0, None, Some("old"), &[], old).await;
    world.send_record(TOPIC, 0, None, Some("new"), &[], new).await;
    let group = |name: &'static str| ["--consumer-group-id", name, "--batch-size", "1"];
    let at = ["--starting-position", "AT_TIMESTAMP", "--starting-position-timestamp", "1700000005"];
    world.start(&[&at[..], &group("at")].concat()).await;
    world.function.expect(&["0@1"]).await.answer("null");
    world.stop().await;
    world.start(&[&["--starting-position", "LATEST"][..], &group("latest")].concat()).await;
    world.lanes_when(|views| views[0]["lanes"][0]["position"] == 2).await;
    world.send(0, "next").await;
    world.function.expect(&["0@2"]).await.answer("null");
    world.stop().await;
    world.start(&[&["--starting-position", "TRIM_HORIZON"][..], &group("horizon")].concat()).await;
    for place in ["0@0", "0@1", "0@2"] {
        world.function.expect(&[place]).await.answer("null");
    }
    world.stop().await;
    // The group has offsets, so it begins nowhere else.
    world.start(&[&["--starting-position", "TRIM_HORIZON"][..], &group("latest")].concat()).await;
    world.send(0, "last").await;
    world.function.expect(&["0@3"]).await.answer("null");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pollers_of_a_group_share_the_partitions() {
    let mut world = World::with(2, &[]).await;
    world
        .lanes_when(|views| views[0]["lanes"].as_array().is_some_and(|lanes| lanes.len() == 2))
        .await;
    let first = world.poller.take();
    world.start(&[]).await;
    world
        .lanes_when(|views| views[0]["lanes"].as_array().is_some_and(|lanes| lanes.len() == 1))
        .await;
    world.send(0, "a").await;
    world.send(1, "b").await;
    let mut places = Vec::new();
    for _invocation in 0..2 {
        let invocation = world.function.next().await;
        places.extend(invocation.places());
        invocation.answer("null");
    }
    places.sort();
    assert_eq!(places, ["0@0", "1@0"]);
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_lane_is_not_fetched_until_it_has_room() {
    let mut world = World::new(1).await;
    for number in 0..400 {
        world.send(0, &number.to_string()).await;
    }
    world.start(&["--paused", "--batch-size", "50"]).await;
    let waiting = |views: &serde_json::Value| views[0]["lanes"][0]["waiting"].as_i64();
    let views = world.lanes_when(|views| waiting(views).is_some_and(|count| count >= 100)).await;
    world.function.is_quiet().await;
    let (_, later) = world.control("lanes", None).await;
    let later = serde_json::from_str(&later).expect("JSON");
    let most = waiting(&later).expect("a number").max(waiting(&views).expect("a number"));
    assert!(most < 350, "{most} records are in memory");
    world.control("mappings/triage/resume", Some(json!({}))).await;
    let mut next = 0;
    while next < 400 {
        let invocation = world.function.next().await;
        for place in invocation.places() {
            assert_eq!(place, format!("0@{next}"));
            next += 1;
        }
        invocation.answer("null");
    }
    world.committed(0, 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_may_go_away_and_come_back() {
    let mut world = World::with(1, &[]).await;
    world.send(0, "a").await;
    let running = world.function.expect(&["0@0"]).await;
    world.restart_broker().await;
    running.answer("null");
    world.send(0, "b").await;
    // What was not committed may come again, once the group has met again.
    let mut function = std::mem::replace(&mut world.function, Function::start().await);
    let mut seen = Vec::new();
    let answering = async {
        loop {
            let invocation = function.next().await;
            seen.extend(invocation.places());
            invocation.answer("null");
        }
    };
    tokio::select! {
        () = world.committed(0, 2) => {}
        () = answering => {}
    }
    assert!(seen.contains(&"0@1".to_owned()), "{seen:?}");
}
