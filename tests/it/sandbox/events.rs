//! Runs through Kafka and the gateway.

use reqwest::StatusCode;
use serde_json::{Value, json};
use testing::eventually;
use tests::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_is_run_by_events_and_its_result_is_stored() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let request =
        json!({ "code": "print(input() + '!\\0')\n1/0", "stdin": "hello\n", "trace": true });
    let reply = world.post("/executions", Some(&student.token), &request).await;
    let letters = world
        .events_of_request(reply.body["id"].as_str().expect("an id"), "message.dead_lettered.v1")
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{:?} {letters:?}", reply.body);
    let body = &reply.body;
    assert_eq!((&body["status"], &body["verdict"]), (&json!("finished"), &json!("error")));
    assert_eq!(body["stdout"], "hello!\0\n");
    assert_eq!(body["error"]["advice"]["rule"], "zero_division");
    let id = body["id"].as_str().expect("an id");
    let stored = world.get(&format!("/executions/{id}"), Some(&student.token)).await;
    for field in ["verdict", "stdout", "stderr", "error", "trace", "transcript"] {
        assert_eq!(stored.body[field], body[field], "{field}");
    }
    let other = world.student("eve").await;
    let stolen = world.get(&format!("/executions/{id}"), Some(&other.token)).await;
    assert_eq!(stolen.status, StatusCode::NOT_FOUND);
    // The same program by HTTP gives the same result.
    let direct = world.execute_raw(request.to_string()).await;
    for field in ["verdict", "stdout", "stderr", "error", "transcript", "exit_code"] {
        assert_eq!(direct.body[field], body[field], "{field}");
    }
    // The activity is reported once, for the same request.
    let reports = eventually("a report", async || {
        let found = world.events_of_request(id, "activity.recorded.v1").await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0]["activity"]["verdict"], "error");
    assert_eq!(reports[0]["activity"]["error_type"], "ZeroDivisionError");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_is_not_run_twice() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let request = json!({ "code": "import uuid\nprint(uuid.uuid4())" });
    let post = async || {
        world
            .post_with("/executions", &student.token, &request, [("Idempotency-Key", "once")])
            .await
    };
    let (first, second) = (post().await, post().await);
    assert_eq!(first.body["stdout"], second.body["stdout"]);
    let id = first.body["id"].as_str().expect("an id");
    // Kafka redelivers the request: the result stays, and nothing is reported again.
    world.redeliver(id, "code.executions").await;
    let marker =
        world.post("/executions", Some(&student.token), &json!({ "code": "print(1)" })).await;
    assert_eq!(marker.body["stdout"], "1\n");
    let results = world.events_of_request(id, "execution.finished.v1").await;
    assert_eq!(results.len(), 1, "{results:?}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_results_are_trimmed_and_say_so() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let request = json!({ "code": "for i in range(1500): print('x' * 80)\nl = list(range(50))\nfor i in range(500): l[i % 50] += 1", "trace": true });
    let reply = world.post("/executions", Some(&student.token), &request).await;
    assert_eq!(reply.body["verdict"], "ok", "{:?}", reply.body);
    assert_eq!(reply.body["truncated"], true);
    assert!(reply.body["trace"].is_null(), "the trace goes first");
    let request = json!({ "code": "l = list(range(50))\nfor i in range(500): l[i % 50] += 1\nprint('done')", "trace": true });
    let traced = world.post("/executions", Some(&student.token), &request).await;
    assert_eq!(
        (&traced.body["stdout"], &traced.body["truncated"]),
        (&json!("done\n"), &json!(true))
    );
    let (steps, cut) = (&traced.body["trace"]["steps"], &traced.body["trace"]["truncated"]);
    assert!(steps.as_array().is_some_and(|steps| steps.len() > 20) && cut == true, "{cut}");
    assert!(reply.body.to_string().len() < 140_000, "{}", reply.body.to_string().len());
    assert!(reply.body["stdout"].as_str().is_some_and(|text| text.starts_with("xxxx")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_waiting_the_result_is_found_later() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let request = json!({ "code": "import time\ntime.sleep(1)\nprint('late')" });
    let reply =
        world.post_with("/executions", &student.token, &request, [("Prefer", "wait=0")]).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(reply.body["status"], "pending");
    let url = format!("/executions/{}", reply.body["id"].as_str().expect("an id"));
    let finished: Value = eventually("the result", async || {
        let reply = world.get(&url, Some(&student.token)).await;
        (reply.status == StatusCode::OK).then_some(reply.body)
    })
    .await;
    assert_eq!(finished["stdout"], "late\n");
    world.finish().await;
}
