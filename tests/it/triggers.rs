//! The same function behind Lambda, Knative and Dapr, with payloads that they really send.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use events::question_asked::QuestionAsked;
use reqwest::StatusCode;
use runtime::{
    Act, Clock, Function, HandlerError, Host, Live, Outgoing, Received, Services, config::Settings,
    fault::Faults, kafka, kafka_config::KafkaConfig, lambda::LambdaFunction,
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use testing::{TestDatabase, bench::BENCH};
use tests::{JWT_SECRET, UNPUBLISHED, World};
use uuid::Uuid;

type Build = fn(&mut Settings, &Arc<Services>) -> Function;

/// One function with its own services, on the broker and the database of a world.
pub(crate) struct Single {
    pub(crate) services: Arc<Services>,
    pub(crate) settings: Settings,
    database: TestDatabase,
}

impl Single {
    pub(crate) async fn new(world: &World, extra: &[(&str, &str)]) -> Self {
        let database = TestDatabase::create().await;
        let mut pairs = vec![
            ("DATABASE_URL", database.url()),
            ("KAFKA_BROKERS", world.kafka()),
            ("BIND_ADDRESS", "127.0.0.1"),
            ("PORT", "0"),
            ("JWT_SECRET", JWT_SECRET),
            ("INGRESS_TOKEN", INGRESS_TOKEN),
        ];
        pairs.extend(extra);
        let mut settings = Settings::from_pairs(pairs);
        let topics = KafkaConfig::read(&mut settings);
        kafka::create_topics(&topics, kafka::Replicas::ONE).await.expect("the topics are made");
        let services = Services::start(&mut settings, Clock::System, Faults::default()).await;
        Self { services: services.expect("services start"), settings, database }
    }

    pub(crate) fn lambda(&mut self, build: Build) -> LambdaFunction {
        let function = build(&mut self.settings, &self.services);
        LambdaFunction::new(function, &self.services)
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        self.database.connect().await
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut conn = self.connect().await;
        sqlx::query_scalar(sql).fetch_one(&mut conn).await.expect("the query is valid")
    }
}

/// The token that the platform presents when it delivers events.
pub(crate) const INGRESS_TOKEN: &str = "a secret of the platform, 32 bytes long or more";

pub(crate) const HANDLED: &str = "SELECT count(*) FROM inbox WHERE function = 'triage'";
pub(crate) const DEAD: &str = "SELECT count(*) FROM events WHERE topic = 'dead.letters'";

pub(crate) fn event(id: &str, student: u128) -> Value {
    let student = Uuid::from_u128(student);
    json!({
        "specversion": "1.0", "id": id, "source": "/elsewhere", "type": "question.asked.v1",
        "subject": student, "time": "2026-01-01T00:00:00Z", "datacontenttype": "application/json",
        "data": { "query_id": Uuid::from_u128(99), "student_id": student, "question": "What is a list?" }
    })
}

/// A record as MSK's event source mapping delivers it (`reference/serverless-triggers.md`, 1.1).
pub(crate) fn record(topic: &str, partition: i32, offset: i64, value: Option<&Value>) -> Value {
    json!({
        "topic": topic, "partition": partition, "offset": offset, "timestamp": 1_545_084_650_987_i64,
        "timestampType": "CREATE_TIME", "key": "YWJjREVGZ2hp",
        "value": value.map(|value| STANDARD.encode(value.to_string())),
        "headers": [{ "headerKey": [104, 101, 97, 100, 101, 114, 86, 97, 108, 117, 101] }, { "signed": [-61, -92, 255] },
                    { "signed": null }]
    })
}

pub(crate) fn batch(partitions: &Value) -> Value {
    json!({
        "eventSource": "aws:kafka",
        "eventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/vpc-2priv-2pub/751d2973-a626-431c-9d4e-d7975eb44dd7-2",
        "bootstrapServers": "b-2.demo.a1bcde.c1.kafka.us-east-1.amazonaws.com:9092",
        "records": partitions
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kafka_batch_is_handled_record_by_record() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let lambda = single.lambda(triage::function);
    let mut no_timestamp = record("learning-requests-x", 0, 15, Some(&event("a", 1)));
    no_timestamp["timestamp"] = json!(-1);
    no_timestamp["timestampType"] = Value::Null;
    let partitions = json!({
        // A topic with a dash; a partition that comes twice under different names; bare records.
        "learning-requests-x-0": [no_timestamp, record("learning-requests-x", 0, 16, Some(&event("b", 2)))],
        "learning-requests-x-1": [record("learning-requests-x", 1, 7, Some(&event("a", 1)))],
        "self-managed-0": [{ "topic": "self-managed", "partition": 0, "offset": 0, "value": STANDARD.encode(event("c", 3).to_string()) }]
    });
    let answer = lambda.invoke(batch(&partitions)).await.expect("a batch");
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(single.count(HANDLED).await, 3, "one of the four came twice");
    assert_eq!(
        single.count(UNPUBLISHED).await,
        0,
        "all is on the broker before the process is frozen"
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tombstones_and_garbage_in_a_batch_are_dead_lettered_and_acknowledged() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let lambda = single.lambda(triage::function);
    let mut not_base64 = record("learning.requests", 0, 3, None);
    not_base64["value"] = json!("%%%");
    let partitions = json!({ "learning.requests-0": [
        record("learning.requests", 0, 1, None), record("learning.requests", 0, 2, Some(&json!("garbage"))),
        not_base64, record("learning.requests", 0, 4, Some(&event("a", 1)))] });
    let answer = lambda.invoke(batch(&partitions)).await.expect("a batch");
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let routed = "SELECT count(*) FROM events WHERE type = 'question.routed.v1'";
    assert_eq!((single.count(DEAD).await, single.count(routed).await), (3, 1));
    let headers =
        "SELECT count(*) FROM events WHERE data::jsonb->'headers' @> '[[\"signed\", \"w6T/\"]]'";
    assert_eq!(single.count(headers).await, 3, "signed header bytes are kept as they were");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_into_the_time_of_an_invocation_is_left_for_the_next() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let lambda = single.lambda(triage::function);
    let partitions = json!({
        "t-0": [record("t", 0, 15, Some(&event("a", 1))), record("t", 0, 16, Some(&event("b", 2)))],
    });
    let answer = lambda.invoke_within(batch(&partitions), Duration::ZERO).await.expect("a batch");
    let failures = answer["batchItemFailures"].as_array().expect("a list").len();
    assert_eq!((failures, single.count(HANDLED).await), (2, 0));
    let answer = lambda.invoke(batch(&partitions)).await.expect("a batch");
    assert_eq!((answer, single.count(HANDLED).await), (json!({ "batchItemFailures": [] }), 2));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_a_batch_is_delivered_again_from_the_first_failure_on() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let lambda = single.lambda(triage::function);
    single.services.store.close().await;
    let partitions = json!({
        "t-0": [record("t", 0, 16, Some(&event("a", 1))), record("t", 0, 15, Some(&event("b", 1)))],
        "t-1": [record("t", 1, 9, Some(&event("c", 1)))]
    });
    let answer = lambda.invoke(batch(&partitions)).await.expect("a batch");
    let failure = |partition, offset| json!({ "itemIdentifier": { "partition": partition, "offset": offset } });
    let expected = [failure("t-0", 15), failure("t-0", 16), failure("t-1", 9)];
    assert_eq!(answer, json!({ "batchItemFailures": expected }));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_gateway_requests_reach_the_same_endpoints() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[("AWS_LAMBDA_RUNTIME_API", "not used here")]).await;
    let lambda = single.lambda(api_gateway::function);
    let call = async |method: &str, path: &str, token: &str, body: Option<Value>| {
        // `sam local generate-event apigateway http-api-proxy`, reduced to the fields that are read.
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "a=1&a=2",
            "headers": { "content-type": "application/json", "authorization": format!("Bearer {token}"), "prefer": "wait=0" },
            "requestContext": { "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" } },
            "body": body.map(|body| STANDARD.encode(body.to_string())), "isBase64Encoded": true
        });
        let answer = lambda.invoke(event).await.expect("a request");
        let body: Value =
            serde_json::from_str(answer["body"].as_str().expect("a body")).unwrap_or_default();
        (answer["statusCode"].as_u64().expect("a status"), body)
    };
    let account =
        json!({ "email": "ada@example.org", "password": tests::PASSWORD, "display_name": "Ada" });
    let (status, session) = call("POST", "/api/v1/auth/register", "", Some(account)).await;
    assert_eq!(status, 201, "{session}");
    let token = session["access_token"].as_str().expect("a token");
    let question = json!({ "question": "What is a list?" });
    let (status, query) = call("POST", "/api/v1/query", token, Some(question)).await;
    assert_eq!((status, &query["status"]), (202, &json!("pending")));
    assert_eq!(call("GET", "/api/v1/nope", token, None).await.0, 404);
    assert_eq!(call("GET", "/api/v1/me", "x", None).await.0, 401);
    assert!(lambda.invoke(json!({ "neither": "shape" })).await.is_err());
    world.finish().await;
}

pub(crate) async fn post(
    host: &Host,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> (StatusCode, Value) {
    let client = runtime::http_client().expect("a client");
    let mut request = client.post(format!("http://{}{path}", host.address())).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = tests::reply(request).await.expect("it answers");
    (reply.status, reply.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_knative_kafka_source_delivers_in_both_modes() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let function = triage::function(&mut single.settings, &single.services);
    let host =
        Host::start(function, &single.services, &mut single.settings).await.expect("it starts");
    // As eventing-kafka-broker sends it (`reference/serverless-triggers.md`, 2.1).
    let binary = [
        ("prefer", "reply"),
        ("ce-specversion", "1.0"),
        ("ce-type", "question.asked.v1"),
        ("ce-source", "/apis/v1/namespaces/default/kafkasources/source#learning.requests"),
        ("ce-id", "partition:0/offset:564"),
        ("ce-time", "2020-02-10T18:10:23.861Z"),
        ("ce-subject", "Euro%20%E2%82%AC"),
        ("ce-partitionkey", "0"),
        ("ce-ingresstoken", INGRESS_TOKEN),
        ("content-type", "application/json"),
    ];
    let data = event("x", 1)["data"].to_string();
    assert_eq!(post(&host, "/", &binary, data.clone()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(post(&host, "/", &binary, data).await.0, StatusCode::NO_CONTENT, "delivered again");
    let structured = [
        ("content-type", "application/cloudevents+json; charset=utf-8"),
        ("ce-ingresstoken", INGRESS_TOKEN),
    ];
    let body = event("y", 2).to_string();
    assert_eq!(post(&host, "/", &structured, body).await.0, StatusCode::NO_CONTENT);
    assert_eq!(single.count(HANDLED).await, 2);
    let subject = "SELECT count(*) FROM events WHERE source LIKE '/apis/%'";
    assert_eq!(single.count(subject).await, 1, "a foreign event is in the audit trail");
    // The wrapped form of a record that is not a CloudEvent: stored and never retried.
    let wrapped = [
        ("ce-specversion", "1.0"),
        ("ce-type", "dev.knative.kafka.event"),
        ("ce-source", "/s"),
        ("ce-id", "1"),
        ("ce-ingresstoken", INGRESS_TOKEN),
    ];
    let (status, problem) = post(&host, "/", &wrapped, String::new()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(
        post(&host, "/", &structured[1..], "garbage".to_owned()).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(single.count(DEAD).await, 2);
    single.services.store.close().await;
    let body = event("z", 3).to_string();
    let away = post(&host, "/", &structured, body).await;
    assert_eq!(away.0, StatusCode::SERVICE_UNAVAILABLE, "retried by the source");
    host.stop().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dapr_gets_its_instruction_in_the_body() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let function = triage::function(&mut single.settings, &single.services);
    let host =
        Host::start(function, &single.services, &mut single.settings).await.expect("it starts");
    let client = runtime::http_client().expect("a client");
    let subscriptions = client
        .get(format!("http://{}/dapr/subscribe", host.address()))
        .header("dapr-api-token", INGRESS_TOKEN);
    let subscriptions = tests::reply(subscriptions).await.expect("it answers").body;
    let expected =
        json!([{ "pubsubname": "kafka", "topic": "learning.requests", "route": "/dapr/events" }]);
    assert_eq!(subscriptions, expected);
    let mut body = event("dapr-1", 1);
    body["topic"] = json!("learning.requests");
    body["pubsubname"] = json!("kafka");
    body["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let structured =
        [("content-type", "application/cloudevents+json"), ("dapr-api-token", INGRESS_TOKEN)];
    let send = async |body: String| post(&host, "/dapr/events", &structured, body).await;
    assert_eq!(send(body.to_string()).await, (StatusCode::OK, json!({ "status": "SUCCESS" })));
    assert_eq!(send("{}".to_owned()).await, (StatusCode::OK, json!({ "status": "DROP" })));
    single.services.store.close().await;
    assert_eq!(
        send(event("dapr-2", 2).to_string()).await,
        (StatusCode::OK, json!({ "status": "RETRY" }))
    );
    host.stop().await;
    world.finish().await;
}

/// Simulates an outside system that never recovers.
struct NeverSucceeds;

impl Act for NeverSucceeds {
    type In = QuestionAsked;
    type Done = Outgoing;

    async fn call(&self, _: Received<QuestionAsked>, _: &Live) -> Result<Outgoing, HandlerError> {
        Err(HandlerError::retry(anyhow::anyhow!("the outside is away")))
    }

    async fn record(
        &self,
        outgoing: &Outgoing,
        _: DateTime<Utc>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        Ok(outgoing.clone())
    }
}

/// Deliveries of an event until it is given up, the same as for our own consumer.
const DELIVERIES: i64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_never_succeeds_is_finally_acknowledged() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let lambda = single.lambda(|_, _| Function::new(&BENCH).acts(NeverSucceeds));
    let function = Function::new(&BENCH).acts(NeverSucceeds);
    let host =
        Host::start(function, &single.services, &mut single.settings).await.expect("it starts");
    let structured = [
        ("content-type", "application/cloudevents+json"),
        ("dapr-api-token", INGRESS_TOKEN),
        ("ce-ingresstoken", INGRESS_TOKEN),
    ];
    for delivery in 1..=DELIVERIES {
        let partitions = json!({ "t-0": [record("t", 0, 1, Some(&event("lambda", 1)))] });
        let batch = lambda.invoke(batch(&partitions)).await.expect("a batch");
        let again = batch["batchItemFailures"].as_array().expect("a list").len();
        let knative = post(&host, "/", &structured, event("knative", 2).to_string()).await.0;
        let dapr = post(&host, "/dapr/events", &structured, event("dapr", 3).to_string()).await.1;
        if delivery < DELIVERIES {
            assert_eq!((again, knative.as_u16(), &dapr["status"]), (1, 503, &json!("RETRY")));
        } else {
            assert_eq!((again, knative.as_u16(), &dapr["status"]), (0, 422, &json!("DROP")));
        }
    }
    let dead =
        "SELECT count(*) FROM events WHERE topic = 'dead.letters' AND data->>'attempts' = '8'";
    assert_eq!(single.count(dead).await, 3);
    host.stop().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_public_port_internal_endpoints_ask_for_a_services_token() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let mut single = Single::new(&world, &[("BIND_ADDRESS", "0.0.0.0")]).await;
    let function = concepts::function(&mut single.settings, &single.services);
    let host =
        Host::start(function, &single.services, &mut single.settings).await.expect("it starts");
    let concepts = async |token: Option<&str>| {
        let client = runtime::http_client().expect("a client");
        let request = client.get(format!("http://127.0.0.1:{}/concepts", host.address().port()));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        tests::reply(request).await.expect("it answers").status
    };
    assert_eq!(concepts(None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(concepts(Some(&student.token)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(concepts(Some(&world.service_token())).await, StatusCode::OK);
    host.stop().await;
    world.finish().await;
}
