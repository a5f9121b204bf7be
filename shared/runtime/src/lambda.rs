//! AWS Lambda: Kafka batches from an event source mapping, events of a schedule, of WebSocket APIs, and HTTP API
//! requests, distinguished by their shape.
//!
//! Own types for the batch, since `aws_lambda_events` 1.2.1 reads timestamps as floating-point numbers, which makes every
//! second one a millisecond too early, and refuses header bytes above 127, null headers and records without a timestamp,
//! all of which AWS sends.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    http::{StatusCode, header::COOKIE},
    response::IntoResponse,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use delivery::{
    HandlerError,
    message::{Message, Record},
    periodic::PeriodicWork,
    process::{Outcome, Processor},
    schema::SchemaError,
};
use environment::{chain, metrics, telemetry};
use events::{HeaderStyle, Topic};
use futures::{StreamExt, stream};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use web::{ClientAddress, Problem, server::Access};

use crate::{
    Function, Services,
    connections::{self, Connections, GatewayEvent},
    http_response::{HttpResponse, http_response},
    probes,
};

/// Students of one batch whose events are handled at once.
const KEYS_AT_ONCE: usize = 64;
/// The longest that a call waits for its events to reach Kafka; the rest is the relay's.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// How long an invocation may take if Lambda does not say: as most functions ask for.
const USUAL_LIMIT: Duration = Duration::from_secs(60);
/// How long an invocation waits for the collector of spans: whoever asked waits, too.
const FLUSH_LIMIT: Duration = Duration::from_millis(500);

/// A batch of Kafka records, by `topic-partition`.
#[derive(Debug, Deserialize)]
pub(crate) struct KafkaBatch {
    records: BTreeMap<String, Vec<KafkaRecord>>,
}

#[derive(Debug, Deserialize)]
struct KafkaRecord {
    topic: String,
    partition: i32,
    offset: i64,
    /// Milliseconds since 1970.
    #[serde(default)]
    timestamp: Option<i64>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    value: Option<String>,
    /// One-key objects; Java's signed bytes, or null.
    #[serde(default)]
    headers: Vec<BTreeMap<String, Option<Vec<i16>>>>,
}

/// Where batches come from: MSK, and Kafka elsewhere.
const BATCH_SOURCES: [&str; 2] = ["aws:kafka", "SelfManagedKafka"];

/// Whether Lambda's own event source sent this. Requests through API Gateway have a `requestContext`, and what their
/// client sends is inside `body`.
fn is_batch(event: &Value) -> bool {
    let source = event.get("eventSource").and_then(Value::as_str);
    event.get("requestContext").is_none()
        && source.is_some_and(|source| BATCH_SOURCES.contains(&source))
}

/// The periodic work that a schedule asks for: that of its `detail`, or all. `None`: this is not an event of a
/// schedule; those, like batches, do not come through API Gateway.
fn scheduled(event: &Value) -> Option<Option<&str>> {
    let is_one = event.get("requestContext").is_none()
        && event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event");
    is_one.then(|| event.pointer("/detail/periodic").and_then(Value::as_str))
}

/// Which records to deliver again.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchResponse {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: ItemIdentifier,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ItemIdentifier {
    partition: String,
    offset: i64,
}

impl KafkaRecord {
    fn into_message(self) -> Message {
        let origin = format!("{}-{}@{}", self.topic, self.partition, self.offset);
        // Invalid base64 is passed on unchanged, so that the dead letter shows it.
        let decode =
            |text: String| STANDARD.decode(&text).map_or_else(|_| text.into(), Bytes::from);
        let headers = self.headers.into_iter().flatten();
        Message {
            origin,
            record: Some(Record::at_millis(self.partition, self.offset, self.timestamp)),
            style: HeaderStyle::Kafka,
            key: self.key.map(decode),
            headers: headers
                .map(|(name, bytes)| {
                    let bytes = bytes.unwrap_or_default();
                    (name, bytes.into_iter().map(low_byte).collect())
                })
                .collect(),
            value: self.value.map(decode).unwrap_or_default(),
        }
    }
}

/// Java's bytes are signed, others are not; the low eight bits are the same.
const fn low_byte(number: i16) -> u8 {
    number.to_le_bytes()[0]
}

/// Handles a batch: each student's records in order, different students at once. In each partition the first record to
/// be retried is reported with all later ones, which is right whether AWS redelivers just those or everything from the
/// lowest on.
///
/// After `until` no record is begun: those that are left are reported, too.
async fn handle_batch(readers: &Readers, batch: KafkaBatch, until: Instant) -> BatchResponse {
    let mut by_key: HashMap<(String, Option<String>), Vec<KafkaRecord>> = HashMap::new();
    let mut offsets: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for record in batch.records.into_values().flatten() {
        let partition = format!("{}-{}", record.topic, record.partition);
        offsets.entry(partition.clone()).or_default().push(record.offset);
        by_key.entry((partition, record.key.clone())).or_default().push(record);
    }
    let failures: Vec<Option<(String, i64)>> = stream::iter(by_key)
        .map(async |((partition, _), mut records)| {
            records.sort_by_key(|record| record.offset);
            let failed = first_failure(readers, records, until).await;
            failed.map(|offset| (partition, offset))
        })
        .buffer_unordered(KEYS_AT_ONCE)
        .collect()
        .await;
    let mut first: BTreeMap<String, i64> = BTreeMap::new();
    for (partition, offset) in failures.into_iter().flatten() {
        let lowest = first.entry(partition).or_insert(offset);
        *lowest = offset.min(*lowest);
    }
    let mut response = BatchResponse::default();
    for (partition, lowest) in first {
        let mut again = offsets.remove(&partition).unwrap_or_default();
        again.retain(|offset| *offset >= lowest);
        again.sort_unstable();
        again.dedup();
        response.batch_item_failures.extend(again.into_iter().map(|offset| ItemFailure {
            item_identifier: ItemIdentifier { partition: partition.clone(), offset },
        }));
    }
    response
}

async fn first_failure(
    readers: &Readers,
    records: Vec<KafkaRecord>,
    until: Instant,
) -> Option<i64> {
    for record in records {
        let offset = record.offset;
        if Instant::now() >= until || !readers.read(record).await {
            return Some(offset);
        }
    }
    None
}

/// Who gets the records of a batch.
struct Readers {
    processor: Arc<Processor>,
    /// What a long-running host follows is heard by one invocation here.
    followed: &'static [Topic],
    connections: Option<Arc<dyn Connections>>,
}

impl Readers {
    /// `false`: the record is to be delivered again.
    async fn read(&self, record: KafkaRecord) -> bool {
        let is_followed = self.followed.iter().any(|topic| topic.name() == record.topic);
        let message = record.into_message();
        let Some(connections) = self.connections.as_ref().filter(|_| is_followed) else {
            return match self.processor.process(&message).await {
                Outcome::Done | Outcome::DeadLettered(_) => true,
                Outcome::Retry | Outcome::Unavailable => false,
            };
        };
        // A record that is not an event is dead-lettered by the functions that consume the topic.
        let Ok(event) = message.decode() else { return true };
        match connections.hear(event).await {
            Ok(()) => true,
            Err(HandlerError::Retry(error)) => {
                tracing::warn!(origin = message.origin, error = %chain(error.as_ref()), "an event was not heard");
                false
            }
            Err(HandlerError::Fail(error)) => {
                tracing::error!(origin = message.origin, error = %chain(error.as_ref()), "an event cannot be heard");
                true
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpRequest {
    raw_path: String,
    /// Empty without a query, but null from `cargo lambda watch`.
    #[serde(default)]
    raw_query_string: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The cookies, which API Gateway takes out of the headers.
    #[serde(default)]
    cookies: Option<Vec<String>>,
    request_context: HttpRequestContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct HttpRequestContext {
    http: HttpRequestLine,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpRequestLine {
    method: String,
    #[serde(default)]
    source_ip: Option<IpAddr>,
}

fn http_request(event: HttpRequest) -> Result<http::Request<Body>, lambda_runtime::Error> {
    let uri = match event.raw_query_string.as_deref() {
        None | Some("") => event.raw_path,
        Some(query) => format!("{}?{query}", event.raw_path),
    };
    let mut request =
        http::Request::builder().method(event.request_context.http.method.as_str()).uri(uri);
    for (name, value) in &event.headers {
        request = request.header(name, value);
    }
    if let Some(cookies) = event.cookies.filter(|cookies| !cookies.is_empty()) {
        // `cargo lambda watch` leaves them in the headers, too.
        if let Some(headers) = request.headers_mut() {
            headers.insert(COOKIE, cookies.join("; ").try_into()?);
        }
    }
    if let Some(address) = event.request_context.http.source_ip {
        request = request.extension(ClientAddress(address));
    }
    let body = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded { STANDARD.decode(body)? } else { body.into_bytes() };
    Ok(request.body(Body::from(body))?)
}

async fn handle_http(
    routes: Router,
    event: HttpRequest,
) -> Result<HttpResponse, lambda_runtime::Error> {
    let response = match http_request(event) {
        Ok(request) => routes.oneshot(request).await?,
        // As a server would respond: the client's fault, and not a failed invocation.
        Err(error) => Problem::new(StatusCode::BAD_REQUEST, "malformed_request", error.to_string())
            .into_response(),
    };
    http_response(response).await
}

/// How long Lambda lets an invocation go on. Some emulators name a time that is over.
fn time_left(context: &Context, now: DateTime<Utc>) -> Duration {
    context.deadline().duration_since(now.into()).unwrap_or(USUAL_LIMIT)
}

/// A function as Lambda sees it.
pub struct LambdaFunction {
    readers: Readers,
    periodic: PeriodicWork,
    routes: Router,
    services: Arc<Services>,
}

impl std::fmt::Debug for LambdaFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LambdaFunction")
            .field("function", &self.readers.processor.function())
            .finish_non_exhaustive()
    }
}

impl LambdaFunction {
    /// Prepares a function for invocations. API Gateway is public, so internal endpoints need tokens, and events come
    /// in batches only: there are no endpoints for them.
    #[must_use]
    pub fn new(mut function: Function, services: &Arc<Services>) -> Self {
        let name = function.spec.name;
        let handlers = std::mem::take(&mut function.handlers);
        let processor = Arc::new(Processor::new(services.scope(name), handlers));
        let periodic = services.periodic(name, std::mem::take(&mut function.periodic));
        let routes = probes::add(function.endpoints, services).into_router(
            name,
            &services.verifier,
            Access::Guarded,
        );
        let followed = function.followed.map(|(topics, _)| topics).unwrap_or_default();
        let readers = Readers { processor, followed, connections: function.connections };
        Self { readers, periodic, routes, services: Arc::clone(services) }
    }

    /// Handles one invocation of any kind, and waits until what it emitted is on the broker.
    ///
    /// # Errors
    /// The event has an unknown shape, or the database is older than this program: Lambda's caller sees that, and the
    /// event is not lost.
    pub async fn invoke(&self, event: Value) -> Result<Value, lambda_runtime::Error> {
        self.invoke_within(event, USUAL_LIMIT).await
    }

    /// The same, if the invocation is ended after `limit`. What is still at work then would begin again, with whatever
    /// its models cost, so of a batch nothing is begun in the second half: a call of a model and a run end in the rest.
    ///
    /// # Errors
    /// As above.
    pub async fn invoke_within(
        &self,
        event: Value,
        limit: Duration,
    ) -> Result<Value, lambda_runtime::Error> {
        let until = Instant::now() + limit / 2;
        self.services.wake().await;
        let answer = self.answer(event, until).await;
        self.services.settle(DRAIN_LIMIT).await;
        telemetry::flush(FLUSH_LIMIT).await;
        metrics::upkeep();
        answer
    }

    async fn answer(&self, event: Value, until: Instant) -> Result<Value, lambda_runtime::Error> {
        let is_socket = connections::is_of_gateway(&event);
        Ok(if is_batch(&event) {
            // No single event is to blame, so all of them are redelivered. The same happens, event by event, if the
            // database is unavailable.
            if let Err(error @ SchemaError::Old(_)) = self.services.schema.check().await {
                return Err(error.into());
            }
            let batch: KafkaBatch = serde_json::from_value(event)?;
            serde_json::to_value(handle_batch(&self.readers, batch, until).await)?
        } else if let Some(name) = scheduled(&event) {
            self.periodic.run(name).await?;
            Value::Null
        } else if let Some(connections) = self.readers.connections.as_ref().filter(|_| is_socket) {
            let event: GatewayEvent = serde_json::from_value(event)?;
            connections::handle(connections, self.routes.clone(), event).await?
        } else {
            let request: HttpRequest = serde_json::from_value(event)?;
            serde_json::to_value(handle_http(self.routes.clone(), request).await?)?
        })
    }

    /// Serves invocations until Lambda ends the process.
    pub(crate) async fn run(self) -> Result<(), lambda_runtime::Error> {
        let invoke = async |event: LambdaEvent<Value>| {
            let limit = time_left(&event.context, self.services.clock.now());
            self.invoke_within(event.payload, limit).await
        };
        lambda_runtime::run(service_fn(invoke)).await
    }
}
