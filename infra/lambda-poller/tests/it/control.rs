//! Watching and controlling a running poller.

use serde_json::{Value, json};

use crate::world::{TOPIC, World, arguments};

async fn order(world: &World, command: &str, body: Value) -> (u16, String) {
    world.control(&format!("mappings/triage/{command}"), Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_lane_goes_on_by_steps_until_it_is_resumed() {
    let mut world = World::with(2, &["--batch-size", "1"]).await;
    world
        .lanes_when(|views| views[0]["lanes"].as_array().is_some_and(|lanes| lanes.len() == 2))
        .await;
    let paused = order(&world, "pause", json!({"partition": 0})).await;
    assert_eq!(paused, (200, "questions-1-0: paused".to_owned()));
    world.send(0, "a").await;
    world.send(0, "b").await;
    world.send(0, "c").await;
    world.send(1, "d").await;
    world.function.expect(&["1@0"]).await.answer("null");
    let views = world.lanes_when(|views| views[0]["lanes"][0]["waiting"] == 3).await;
    let lane = &views[0]["lanes"][0];
    assert_eq!((&lane["position"], &lane["end"]), (&json!(0), &json!(3)));
    world.function.is_quiet().await;
    assert_eq!(order(&world, "step", json!({"partition": 0})).await.0, 200);
    world.function.expect(&["0@0"]).await.answer("null");
    world.function.is_quiet().await;
    assert_eq!(order(&world, "step", json!({"partition": 1})).await.0, 409, "it is not paused");
    assert_eq!(order(&world, "resume", json!({})).await.0, 200);
    world.function.expect(&["0@1"]).await.answer("null");
    world.function.expect(&["0@2"]).await.answer("null");
    world.committed(0, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poller_can_begin_paused() {
    let mut world = World::new(1).await;
    world.send(0, "a").await;
    world.start(&["--paused"]).await;
    world.lanes_when(|views| views[0]["lanes"][0]["waiting"] == 1).await;
    world.function.is_quiet().await;
    assert_eq!(order(&world, "resume", json!({})).await.0, 200);
    world.function.expect(&["0@0"]).await.answer("null");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_can_be_rewound_to_an_offset_and_to_a_time() {
    let mut world = World::new(1).await;
    for second in 0..3 {
        let at = Some(1_700_000_000_000 + second * 1_000);
        world.send_record(TOPIC, 0, None, Some("x"), &[], at).await;
    }
    world.start(&["--batch-size", "1"]).await;
    for place in ["0@0", "0@1", "0@2"] {
        world.function.expect(&[place]).await.answer("null");
    }
    world.committed(0, 3).await;
    let (status, text) = order(&world, "rewind", json!({"partition": 0, "offset": 1})).await;
    assert_eq!((status, text.as_str()), (200, "questions-1-0 goes on at 1"));
    world.function.expect(&["0@1"]).await.answer("null");
    world.function.expect(&["0@2"]).await.answer("null");
    world.committed(0, 3).await;
    let time = json!({"time": "2023-11-14T22:13:21.500Z"});
    assert_eq!(order(&world, "rewind", time).await.1, "questions-1-0 goes on at 2");
    world.function.expect(&["0@2"]).await.answer("null");
    let refused = order(&world, "rewind", json!({"offset": 9})).await;
    assert_eq!(refused, (409, "partition 0 has the offsets 0 to 3".to_owned()));
    assert_eq!(order(&world, "rewind", json!({})).await.0, 422);
    assert_eq!(order(&world, "rewind", json!({"time": "yesterday"})).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_is_rewound_when_its_invocation_is_over() {
    let mut world = World::new(1).await;
    world.send(0, "a").await;
    world.start(&[]).await;
    let running = world.function.expect(&["0@0"]).await;
    assert_eq!(order(&world, "rewind", json!({"offset": 0})).await.0, 200);
    world.function.is_quiet().await;
    running.answer("null");
    world.function.expect(&["0@0"]).await.answer("null");
    world.committed(0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_do_the_same_and_fail_with_a_reason() {
    let mut world = World::with(1, &[]).await;
    world.lanes_when(|views| views[0]["lanes"][0]["position"] == 0).await;
    let control = world.poller.as_ref().and_then(lambda_poller::Running::control);
    let control = control.expect("it has one").to_string();
    let run = async |words: &[&str]| {
        let words = [words, &["--control", &control]].concat();
        lambda_poller::run(arguments(&words)).await
    };
    run(&["pause", "triage"]).await.expect("it is paused");
    run(&["lanes"]).await.expect("lanes are shown");
    run(&["lanes", "--json"]).await.expect("lanes are shown");
    run(&["step", "triage"]).await.expect("a step is permitted");
    world.send(0, "a").await;
    world.function.expect(&["0@0"]).await.answer("null");
    world.committed(0, 1).await;
    run(&["rewind", "triage", "--partition", "0", "--offset", "0"]).await.expect("it is rewound");
    run(&["resume", "triage"]).await.expect("it is resumed");
    world.function.expect(&["0@0"]).await.answer("null");
    let error = run(&["pause", "nobody"]).await.expect_err("no such mapping").to_string();
    assert_eq!(error, "there is no mapping `nobody`, but triage");
    let error = run(&["pause", "triage", "--partition", "7"]).await.expect_err("no such lane");
    assert_eq!(error.to_string(), "triage has no lane 7 here");
    world.stop().await;
    let error = run(&["lanes"]).await.expect_err("nobody is there").to_string();
    assert!(error.contains("no poller answers"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a client for tests")]
async fn web_pages_cannot_steer_it() {
    let world = World::with(1, &[]).await;
    let control = world.poller.as_ref().and_then(lambda_poller::Running::control);
    let url = format!("http://{}/lanes", control.expect("it has one"));
    let client = reqwest::Client::new();
    for (name, value) in [("origin", "http://example.com"), ("host", "example.com")] {
        let response = client.get(&url).header(name, value).send().await.expect("an answer");
        assert_eq!(response.status(), 403, "{name}");
    }
    let url = url.replace("lanes", "mappings/triage/pause");
    let response = client.post(&url).body("{}").send().await.expect("an answer");
    assert_eq!(response.status(), 415, "a form can send any text, but not JSON");
    let posted = world.control("mappings/triage/dance", Some(json!({}))).await;
    assert_eq!(posted.0, 404);
}
