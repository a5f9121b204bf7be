//! One question is one trace, through all hops and out to a collector.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, routing::post};
use reqwest::StatusCode;
use runtime::telemetry::{LogFormat, TelemetryConfig, flush, install};
use serde_json::json;
use tests::World;
use tokio::net::TcpListener;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_question_is_one_trace_and_the_collector_gets_it() {
    let received: Arc<Mutex<Vec<u8>>> = Arc::default();
    let sink = Arc::clone(&received);
    let collect = post(async move |body: Bytes| sink.lock().expect("no panic").extend(&body));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let collector = Router::new().route("/v1/traces", collect);
    tokio::spawn(async move { axum::serve(listener, collector).await });
    let config = TelemetryConfig {
        format: LogFormat::Json,
        level: "off".parse().expect("a level"),
        otlp_endpoint: Some(endpoint),
    };
    let guard = install(&config, "tests");
    let world = World::new().await;
    let student = world.student("ada").await;
    let reply = world.send("api-gateway", |client, url| {
        client
            .post(format!("{url}/api/v1/query"))
            .bearer_auth(&student.token)
            .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
            .json(&json!({ "question": "What is a list?" }))
    });
    assert_eq!(reply.await.status, StatusCode::OK);
    let sql = "SELECT traceparent FROM events WHERE topic LIKE '%.re%' ORDER BY occurred_at";
    let mut conn = world.database().await;
    let parents: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.expect("events");
    assert_eq!(parents.len(), 3);
    assert!(parents.iter().all(|parent| parent.contains(TRACE)), "{parents:?}");
    let spans: std::collections::BTreeSet<_> =
        parents.iter().map(|p| p.split('-').nth(2)).collect();
    assert_eq!(spans.len(), 3, "every hop is a span of its own");
    world.finish().await;
    // As after an invocation of AWS Lambda, whose process may be frozen then.
    flush(Duration::from_secs(60)).await;
    let trace = u128::from_str_radix(TRACE, 16).expect("a trace id").to_be_bytes();
    {
        let received = received.lock().expect("no panic");
        let has = |words: &[u8]| received.windows(words.len()).any(|window| window == words);
        assert!(has(&trace), "the collector has the trace");
        for hop in ["triage question.asked.v1", "concepts question.routed.v1"] {
            assert!(has(hop.as_bytes()), "{hop}");
        }
    }
    tokio::task::spawn_blocking(move || drop(guard)).await.expect("the exporter ends");
}
