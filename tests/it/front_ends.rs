//! What a `KafkaSource` of Knative and a sidecar of Dapr do with the answers of a function, played by their documentation:
//! nothing is lost and nothing is done twice, whatever happens in the middle.

use std::collections::VecDeque;

use reqwest::StatusCode;
use runtime::Host;
use serde_json::{Value, json};
use tests::World;

use crate::triggers::{DEAD, HANDLED, INGRESS_TOKEN, Single, event};

/// `delivery.retry` of infra/knative/base/sources.yaml, as far as a test needs it.
const RETRIES: usize = 3;

/// What a question leads to, once.
const ROUTED: &str = "SELECT count(*) FROM events WHERE type = 'question.routed.v1'";

/// Knative's own list (`isRetryableStatusCode`); everything else from 300 on goes to the sink at once.
fn is_retried(status: StatusCode) -> bool {
    status.is_server_error() || [404, 408, 409, 429].contains(&status.as_u16())
}

async fn start(single: &mut Single) -> Host {
    let function = triage::function(&mut single.settings, &single.services);
    Host::start(function, &single.services, &mut single.settings).await.expect("it starts")
}

/// One partition of a source with `ordering: ordered`: what it has, what it has committed, and its dead-letter sink.
struct Source {
    token: String,
    records: VecDeque<String>,
    committed: usize,
    sink: Vec<(String, Option<StatusCode>)>,
}

impl Source {
    fn new(records: &[Value]) -> Self {
        Self {
            token: INGRESS_TOKEN.to_owned(),
            records: records.iter().map(Value::to_string).collect(),
            committed: 0,
            sink: Vec::new(),
        }
    }

    /// Sends one record until it is done or given up; the status of the last answer, if there was any.
    async fn send(&self, host: &Host, record: &str) -> Result<(), Option<StatusCode>> {
        let mut last = None;
        for _ in 0..=RETRIES {
            let client = runtime::http_client().expect("a client");
            let request = client
                .post(format!("http://{}/", host.address()))
                .header("content-type", "application/cloudevents+json")
                .header("prefer", "reply")
                .header("ce-ingresstoken", &self.token)
                .body(record.to_owned());
            last = request.send().await.ok().map(|reply| reply.status());
            match last {
                Some(status) if status.is_success() => return Ok(()),
                Some(status) if !is_retried(status) => break,
                _ => {}
            }
        }
        Err(last)
    }

    /// Delivers up to `count` records. What the function does not take goes to the sink, and the offset is committed.
    async fn deliver(&mut self, host: &Host, count: usize) {
        for _ in 0..count {
            let Some(record) = self.records.pop_front() else { return };
            if let Err(status) = self.send(host, &record).await {
                self.sink.push((record, status));
            }
            self.committed += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_goes_on_after_what_can_never_be_handled() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let host = start(&mut single).await;
    let mut source = Source::new(&[event("a", 1), json!("garbage"), event("b", 2)]);
    source.deliver(&host, 3).await;
    assert_eq!((source.committed, single.count(ROUTED).await), (3, 2));
    assert_eq!(source.sink.len(), 1);
    assert_eq!(
        source.sink[0].1,
        Some(StatusCode::UNPROCESSABLE_ENTITY),
        "at once, without retries"
    );
    assert_eq!(single.count(DEAD).await, 1, "and it is a dead letter of ours, too");
    host.stop().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_cut_off_in_the_middle_sends_again_and_nothing_is_done_twice() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let host = start(&mut single).await;
    let all = [event("a", 1), event("b", 2), event("c", 3), event("d", 4)];
    let mut source = Source::new(&all);
    source.deliver(&host, 2).await;
    // Scaled to none: nothing is there to connect to, so the record is not done.
    let gone = host.address();
    host.kill().await;
    let host = start(&mut single).await;
    assert_ne!(host.address(), gone);
    // The source's pod was moved, too, before it had committed: it begins from its first record.
    let mut source = Source::new(&all);
    source.deliver(&host, 4).await;
    assert_eq!((source.committed, source.sink.len()), (4, 0));
    assert_eq!(single.count(HANDLED).await, 4);
    assert_eq!(single.count(ROUTED).await, 4, "each has one consequence");
    host.stop().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_tries_again_what_is_not_the_events_fault() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let host = start(&mut single).await;
    let mut source = Source::new(&[event("a", 1)]);
    // The token is being changed: 404, which Knative sends again.
    source.token = "a token of yesterday, 32 bytes long or more".to_owned();
    let record = source.records[0].clone();
    assert_eq!(source.send(&host, &record).await, Err(Some(StatusCode::NOT_FOUND)));
    assert!(is_retried(StatusCode::NOT_FOUND));
    source.token = INGRESS_TOKEN.to_owned();
    assert_eq!(source.send(&host, &record).await, Ok(()));
    // The database is away for longer than the source tries: the sink has it, and no dead letter says that it is faulty.
    single.services.store.close().await;
    let mut source = Source::new(&[event("b", 2)]);
    source.deliver(&host, 1).await;
    assert_eq!(source.sink.len(), 1);
    assert_eq!(source.sink[0].1, Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(single.count(DEAD).await, 0);
    host.stop().await;
    world.finish().await;
}

/// What Dapr does after an answer.
#[derive(Debug, PartialEq, Eq)]
enum Dapr {
    Done,
    Again,
    Dropped,
}

async fn dapr(host: &Host, token: &str, path: &str, body: &Value) -> Dapr {
    let client = runtime::http_client().expect("a client");
    let request = client
        .post(format!("http://{}{path}", host.address()))
        .header("content-type", "application/cloudevents+json")
        .header("dapr-api-token", token)
        .body(body.to_string());
    let Ok(reply) = request.send().await else { return Dapr::Again };
    match reply.status() {
        StatusCode::NOT_FOUND => Dapr::Dropped,
        status if status.is_success() => {
            let said: Value = reply.json().await.unwrap_or_default();
            match said["status"].as_str() {
                None | Some("SUCCESS") => Dapr::Done,
                Some("DROP") => Dapr::Dropped,
                Some(_) => Dapr::Again,
            }
        }
        _ => Dapr::Again,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sidecar_of_dapr_drops_only_what_can_never_be_handled() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let host = start(&mut single).await;
    let path = "/dapr/events";
    assert_eq!(dapr(&host, INGRESS_TOKEN, path, &event("a", 1)).await, Dapr::Done);
    assert_eq!(dapr(&host, INGRESS_TOKEN, path, &event("a", 1)).await, Dapr::Done, "redelivered");
    assert_eq!(dapr(&host, INGRESS_TOKEN, path, &json!("garbage")).await, Dapr::Dropped);
    assert_eq!((single.count(ROUTED).await, single.count(DEAD).await), (1, 1));
    let stale = "a token of yesterday, 32 bytes long or more";
    assert_eq!(dapr(&host, stale, path, &event("b", 2)).await, Dapr::Again, "not lost");
    single.services.store.close().await;
    assert_eq!(dapr(&host, INGRESS_TOKEN, path, &event("b", 2)).await, Dapr::Again);
    host.kill().await;
    world.finish().await;
}
