//! Access to event ingress, metrics and internal endpoints; and how servers shut down.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::StatusCode;
use runtime::Host;
use serde_json::{Value, json};
use testing::eventually;
use tests::{JWT_SECRET, World};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    accounts::{claims, sign},
    triggers::{HANDLED, INGRESS_TOKEN, Single, batch, event, post, record},
};

/// What a platform gives a process to stop, before it kills it.
const GRACE: Duration = Duration::from_secs(30);
const STRUCTURED: (&str, &str) = ("content-type", "application/cloudevents+json");
const METRICS_TOKEN: &str = "a secret of the one who watches, 32 bytes";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_but_the_platform_delivers_events() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let function = triage::function(&mut single.settings, &single.services);
    let host =
        Host::start(function, &single.services, &mut single.settings).await.expect("it starts");
    let body = event("forged", 1).to_string();
    let wrong = &INGRESS_TOKEN[1..];
    for (header, token) in [
        ("x-nothing", ""),
        ("ce-ingresstoken", wrong),
        ("dapr-api-token", ""),
        ("authorization", INGRESS_TOKEN),
    ] {
        let headers = [STRUCTURED, (header, token)];
        let (knative, _) = post(&host, "/", &headers, body.clone()).await;
        // What a source sends again, so that a wrong setting loses nothing.
        assert_eq!(knative, StatusCode::NOT_FOUND, "{header}");
        let (dapr, _) = post(&host, "/dapr/events", &headers, body.clone()).await;
        assert_eq!(dapr, StatusCode::UNAUTHORIZED, "{header}");
    }
    assert_eq!(single.count(HANDLED).await, 0);
    let ours = [STRUCTURED, ("ce-ingresstoken", INGRESS_TOKEN)];
    let data = event("ours", 1).to_string();
    assert_eq!(post(&host, "/", &ours, data).await.0, StatusCode::NO_CONTENT);
    assert_eq!(post(&host, "/", &ours, "{}".to_owned()).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let leaked = "SELECT count(*) FROM events WHERE events::text LIKE '%secret of the platform%'
                      OR events::text LIKE '%' || encode('a secret of the platform', 'base64') || '%'";
    assert_eq!(single.count(leaked).await, 0, "the secret is not kept with the event");
    host.stop().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_anybody_could_send_events_to_does_not_start() {
    let world = World::new().await;
    for (token, words) in
        [("", "INGRESS_TOKEN is not set"), ("short", "INGRESS_TOKEN is too short")]
    {
        let mut single = Single::new(&world, &[("INGRESS_TOKEN", token)]).await;
        let function = triage::function(&mut single.settings, &single.services);
        let refused = Host::start(function, &single.services, &mut single.settings).await;
        let error = refused.expect_err("it does not start").to_string();
        assert!(error.contains(words), "{error}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_events_are_accepted_through_api_gateway() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let lambda = single.lambda(triage::function);
    let call = async |path: &str, more: Value| {
        let mut request = json!({
            "version": "2.0", "rawPath": path,
            "headers": { "content-type": "application/cloudevents+json", "ce-ingresstoken": INGRESS_TOKEN,
                         "dapr-api-token": INGRESS_TOKEN },
            "requestContext": { "http": { "method": "POST", "sourceIp": "192.0.2.1" } },
            "body": event("forged", 1).to_string()
        });
        if let (Some(request), Some(more)) = (request.as_object_mut(), more.as_object()) {
            request.extend(more.clone());
        }
        lambda.invoke(request).await.expect("a request")["statusCode"].clone()
    };
    for path in ["/", "/dapr/events", "/dapr/subscribe", "/metrics"] {
        assert_eq!(call(path, json!({})).await, 404, "{path}");
    }
    let partitions = json!({ "t-0": [record("t", 0, 1, Some(&event("forged", 1)))] });
    assert_eq!(
        call("/", batch(&partitions)).await,
        404,
        "a request that looks like a batch is none"
    );
    let bare = json!({ "records": partitions });
    assert!(lambda.invoke(bare).await.is_err(), "nor is what no event source sends");
    assert_eq!(single.count(HANDLED).await, 0);
    let answer = lambda.invoke(batch(&partitions)).await.expect("a batch");
    assert_eq!((answer, single.count(HANDLED).await), (json!({ "batchItemFailures": [] }), 1));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_request_is_refused_without_a_failed_invocation() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[]).await;
    let lambda = single.lambda(triage::function);
    for (part, value) in [
        ("rawPath", json!("/a b")),
        ("rawPath", json!("/\u{0}\u{1}")),
        ("rawPath", json!("")),
        ("rawQueryString", json!("a=\u{7f} b")),
        ("headers", json!({ "x-name": "line\nbreak" })),
        ("headers", json!({ "no name": "x" })),
        ("cookies", json!(["a=1", "line\nbreak"])),
        ("requestContext", json!({ "http": { "method": "NO METHOD" } })),
        ("isBase64Encoded", json!(true)),
    ] {
        let mut request = json!({
            "version": "2.0", "rawPath": "/health", "body": "\u{e9}",
            "requestContext": { "http": { "method": "GET", "sourceIp": "192.0.2.1" } }
        });
        request[part] = value;
        let answer = lambda.invoke(request).await.expect("an answer");
        assert_eq!(answer["statusCode"], 400, "{part}: {answer}");
    }
    world.finish().await;
}

/// A function whose port anybody can reach.
async fn public(single: &mut Single) -> Host {
    let function = triage::function(&mut single.settings, &single.services);
    Host::start(function, &single.services, &mut single.settings).await.expect("it starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_for_this_machine_or_holders_of_the_token() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let look = async |host: &Host, token: Option<&str>| {
        let client = runtime::http_client().expect("a client");
        let request = client.get(format!("http://127.0.0.1:{}/metrics", host.address().port()));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        tests::reply(request).await.expect("it answers").status
    };
    let anywhere = ("BIND_ADDRESS", "0.0.0.0");
    let mut single = Single::new(&world, &[anywhere]).await;
    let host = public(&mut single).await;
    assert_eq!(look(&host, None).await, StatusCode::NOT_FOUND);
    assert_eq!(look(&host, Some(&student.token)).await, StatusCode::NOT_FOUND);
    host.stop().await;
    let mut single = Single::new(&world, &[anywhere, ("METRICS_TOKEN", METRICS_TOKEN)]).await;
    let host = public(&mut single).await;
    assert_eq!(look(&host, None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(look(&host, Some(&student.token)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(look(&host, Some(METRICS_TOKEN)).await, StatusCode::OK);
    host.stop().await;
    let mut single = Single::new(&world, &[]).await;
    let host = public(&mut single).await;
    assert_eq!(look(&host, None).await, StatusCode::OK, "on loopback");
    host.stop().await;
    let mut single = Single::new(&world, &[("TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    let function = api_gateway::function(&mut single.settings, &single.services);
    let host =
        Host::start(function, &single.services, &mut single.settings).await.expect("it starts");
    assert_eq!(look(&host, None).await, StatusCode::NOT_FOUND, "behind a proxy on this machine");
    host.stop().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_asks_an_internal_endpoint_for_any_student_and_a_student_for_nobody() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let mut single = Single::new(&world, &[("BIND_ADDRESS", "0.0.0.0")]).await;
    let host = public(&mut single).await;
    let ask = async |token: &str, student: Value| {
        let body = json!({ "question": "What is a list?", "student_id": student });
        let client = runtime::http_client().expect("a client");
        let request = client.post(format!("http://127.0.0.1:{}/triage", host.address().port()));
        let reply = tests::reply(request.bearer_auth(token).json(&body)).await;
        reply.expect("it answers").status
    };
    for student in [json!(ada.id), json!(bob.id), Value::Null] {
        assert_eq!(ask(&world.service_token(), student.clone()).await, StatusCode::OK);
        assert_eq!(ask(&ada.token, student).await, StatusCode::UNAUTHORIZED);
    }
    let ours = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let claims = |audience: Value| {
        let mut claims = claims(&world, "gateway");
        claims["aud"] = audience;
        sign(Algorithm::HS256, None, &claims, &ours)
    };
    for (audience, expected) in [
        (json!("learnflow-internal"), StatusCode::OK),
        (json!(["learnflow-internal", "elsewhere"]), StatusCode::OK),
        (json!(["learnflow-internal", "learnflow"]), StatusCode::UNAUTHORIZED),
        (json!("learnflow"), StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(ask(&claims(audience.clone()), Value::Null).await, expected, "{audience}");
    }
    host.stop().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_is_done_in_time_whatever_clients_do() {
    let mut world = World::new().await;
    let student = world.student("ada").await;
    let url = world.stack().url("api-gateway").expect("a gateway");
    let address = url.strip_prefix("http://").expect("an address").to_owned();
    let send = async |text: String| {
        let mut stream = TcpStream::connect(&address).await.expect("it accepts");
        stream.write_all(text.as_bytes()).await.expect("it takes");
        stream
    };
    let head = format!("host: x\r\nauthorization: Bearer {}\r\n", student.token);
    let silent = send(String::new()).await;
    let half = send("GET /api/v1/me HTTP/1.1\r\nhost:".to_owned()).await;
    let json = "content-type: application/json\r\ncontent-length:";
    let slow = send(format!("POST /api/v1/query HTTP/1.1\r\n{head}{json} 500\r\n\r\n{{")).await;
    let deaf = send("GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200)).await;
    // Nobody answers this one any more: the gateway says at once where the answer will be.
    world.stop_broker().await;
    let body = json!({ "question": "What is a list?" }).to_string();
    let mut waiting = send(format!(
        "POST /api/v1/query HTTP/1.1\r\n{head}prefer: wait=25\r\n{json} {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    eventually("the question is accepted", async || {
        let sql = "SELECT count(*) FROM queries WHERE student_id = $1";
        (world.count(sql, student.id).await == 1).then_some(())
    })
    .await;
    tokio::time::timeout(GRACE, world.stop()).await.expect("it stops in time");
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    drop((silent, half, slow, deaf));
    world.finish_unchecked().await;
}
