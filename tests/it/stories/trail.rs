//! What anybody can see of a request on Kafka.

use std::time::Duration;

use events::{CloudEvent, Data, HeaderStyle};
use rdkafka::{
    ClientConfig, Message as _,
    consumer::{Consumer as _, StreamConsumer},
};
use tests::World;

/// How long an event may take to be there: far longer than usual.
const PATIENCE: Duration = Duration::from_secs(60);

/// An event on its way from one function to others.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) key: String,
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) subject: String,
    /// The id of what caused it.
    pub(super) cause: String,
    /// The id of the trace that it belongs to.
    pub(super) trace: Option<String>,
}

/// Reads topics from their beginning, beside the functions.
pub(super) struct Trail(StreamConsumer);

impl Trail {
    pub(super) fn follow(world: &World, topics: &[&str]) -> Self {
        let consumer: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", world.kafka())
            .set("group.id", "a-story")
            .set("auto.offset.reset", "earliest")
            .create()
            .expect("a consumer");
        consumer.subscribe(topics).expect("it subscribes");
        Self(consumer)
    }

    /// The first events of a request, each after its cause.
    pub(super) async fn hops(&self, request: &str, count: usize) -> Vec<Hop> {
        let mut found: Vec<Hop> = Vec::new();
        while found.len() < count {
            let received = tokio::time::timeout(PATIENCE, self.0.recv()).await;
            let message = received.expect("events are there").expect("they can be read");
            let payload = message.payload().expect("a body");
            let event = CloudEvent::decode(HeaderStyle::Kafka, [], payload).expect("a CloudEvent");
            assert!(matches!(event.data, Data::Json(_)), "{event:?}");
            let extension = |name: &str| event.extensions.get(name).cloned();
            if extension("correlationid").as_deref() != Some(request) {
                continue;
            }
            // `version-trace-parent-flags` (W3C).
            let trace = extension("traceparent");
            let trace = trace.and_then(|parent| parent.split('-').nth(1).map(str::to_owned));
            found.push(Hop {
                topic: message.topic().to_owned(),
                key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
                cause: extension("causationid").expect("a cause"),
                trace,
                id: event.id,
                source: event.source,
                kind: event.event_type,
                subject: event.subject.expect("a subject"),
            });
        }
        // Topics are read side by side: an effect can come before its cause.
        let mut ordered: Vec<Hop> = Vec::new();
        let mut cause = request.to_owned();
        while let Some(next) = found.iter().position(|hop| hop.cause == cause) {
            let hop = found.swap_remove(next);
            cause.clone_from(&hop.id);
            ordered.push(hop);
        }
        assert!(found.is_empty(), "one chain: {ordered:?} {found:?}");
        ordered
    }
}
