//! What a careless or hostile client gets: a clear response, and never a 500.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{Reply, World};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn post_raw(world: &World, token: &str, body: String) -> Reply {
    world
        .send("api-gateway", |client, url| {
            client
                .post(format!("{url}/api/v1/query"))
                .bearer_auth(token)
                .header("content-type", "application/json")
                .body(body)
        })
        .await
}

fn check(reply: &Reply, status: u16, code: &str, words: &str) {
    assert_eq!(reply.status.as_u16(), status, "{:?}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert_eq!(reply.body["status"], status);
    assert_eq!(reply.body["code"], code, "{:?}", reply.body);
    let detail = reply.body["detail"].as_str().expect("a detail");
    assert!(detail.contains(words), "{words} not in {detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_question_is_refused_with_its_fault() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let post = async |body: String| post_raw(&world, &student.token, body).await;
    check(&post("{\"question\": ".to_owned()).await, 400, "malformed_json", "line 1 column 13");
    check(&post("{}".to_owned()).await, 422, "validation_failed", "missing field `question`");
    check(&post("[1]".to_owned()).await, 422, "validation_failed", "");
    let long = json!({ "question": "x".repeat(4_001) }).to_string();
    check(
        &post(long).await,
        422,
        "validation_failed",
        "question: must be at most 4000 characters, got 4001",
    );
    let code = json!({ "question": "x", "code": "x".repeat(65_537) }).to_string();
    check(&post(code).await, 422, "validation_failed", "code: must be at most 65536");
    let nul = json!({ "question": "a\0b" }).to_string();
    check(&post(nul).await, 422, "validation_failed", "NUL");
    let unknown = json!({ "question": "x", "qestion": 1 }).to_string();
    check(&post(unknown).await, 422, "validation_failed", "unknown field `qestion`");
    let huge = json!({ "question": "x".repeat(600_000) }).to_string();
    check(&post(huge).await, 413, "body_too_large", "524288 bytes");
    let nested = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    check(&post(format!("{{\"question\": {nested}}}")).await, 422, "validation_failed", "question");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_paths_methods_and_content_types_are_explained() {
    let world = World::new().await;
    let student = world.student("ada").await;
    check(&world.get("/nothing/here", None).await, 404, "not_found", "/docs");
    check(&world.get("/queries/17", Some(&student.token)).await, 404, "not_found", "");
    let delete = world
        .send("api-gateway", |client, url| {
            client.request(Method::DELETE, format!("{url}/api/v1/query"))
        })
        .await;
    check(&delete, 405, "method_not_allowed", "Allow");
    assert_eq!(delete.headers["allow"], "POST");
    let text = world
        .send("api-gateway", |client, url| {
            client.post(format!("{url}/api/v1/query")).bearer_auth(&student.token).body("hello")
        })
        .await;
    check(&text, 415, "unsupported_media_type", "Content-Type: application/json");
    let impatient = world
        .send("api-gateway", |client, url| {
            let body: Value = json!({ "question": "What is a list?" });
            client
                .post(format!("{url}/api/v1/query"))
                .bearer_auth(&student.token)
                .header("prefer", "wait=soon")
                .json(&body)
        })
        .await;
    check(&impatient, 422, "validation_failed", "wait=5");
    let anonymous = world.post("/query", None, &json!({ "question": "What is a list?" })).await;
    check(&anonymous, 401, "unauthorized", "Authorization: Bearer");
    assert_eq!(anonymous.headers["www-authenticate"], "Bearer");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_may_hold_anything() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let get = async |path: &str| world.get(path, Some(&student.token)).await;
    // No text, and text that no database can hold.
    for id in ["%ff", "%c3%28", "%00", "a%00b", "..%2f..", "%0d%0ax"] {
        for place in ["queries", "executions", "exercises", "submissions", "conversations"] {
            check(&get(&format!("/{place}/{id}")).await, 404, "not_found", "no such");
        }
    }
    for (query, field) in [
        ("topic=%00", "topic"),
        ("topic=%ff%00", "topic"),
        ("topic=", "topic"),
        ("cursor=%00", "cursor"),
        ("difficulty=%00", "query string"),
        ("%00=1", "query string"),
    ] {
        let reply = get(&format!("/exercises?{query}")).await;
        check(&reply, 422, "validation_failed", field);
        assert_eq!(reply.body["errors"][0]["field"], field, "{query}");
    }
    let internal =
        world.send("exercise", |client, url| client.get(format!("{url}/exercises?cursor=%00")));
    check(&internal.await, 422, "validation_failed", "query string");
    world.finish().await;
}

/// Sends a request and reads the response; the connection must be open afterwards.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.expect("the connection is open");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a response"));
    }
    let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.expect("a length").parse().expect("a number");
    stream.read_exact(&mut vec![0; length]).await.expect("a body");
    head
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_requests_that_are_refused_share_a_connection_with_others() {
    const ROUNDS: usize = 20;
    let world = World::new().await;
    let student = world.student("ada").await;
    let url = world.stack().url("api-gateway").expect("it runs");
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = |method: &str, path: &str, token: &str, kind: &str, bytes: usize| {
        format!(
            "{method} /api/v1{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: {kind}\r\ncontent-length: {bytes}\r\n\r\n{}",
            "x".repeat(bytes)
        )
    };
    let (json, text) = ("application/json", "text/plain");
    for round in 0..ROUNDS {
        for (method, path, token, kind, bytes, status) in [
            ("POST", "/query", &*student.token, json, 600_000, 413),
            ("POST", "/query", "none", json, 500_000, 401),
            ("POST", "/query", &*student.token, text, 500_000, 415),
            ("POST", "/nothing", &*student.token, json, 1_000_000, 404),
            ("DELETE", "/query", &*student.token, json, 1_000_000, 405),
            ("GET", "/me", &*student.token, json, 0, 200),
        ] {
            let request = request(method, path, token, kind, bytes);
            let head = exchange(&mut stream, request.as_bytes()).await;
            let expected = format!("http/1.1 {status} ");
            assert!(head.starts_with(&expected), "{round}: {method} {path}: {head}");
            assert!(!head.contains("connection: close"), "{head}");
        }
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_checked_field_by_field() {
    let world = World::new().await;
    let register = async |email: &str, password: &str, name: &str| {
        let body = json!({ "email": email, "password": password, "display_name": name });
        world.post("/auth/register", None, &body).await
    };
    check(
        &register("ada", "12345678", "Ada").await,
        422,
        "validation_failed",
        "email: must be an e-mail",
    );
    check(
        &register("a@b.cd", "1234567", "Ada").await,
        422,
        "validation_failed",
        "password: must be at least 8",
    );
    check(
        &register("a@b.cd", "12345678", " ").await,
        422,
        "validation_failed",
        "display_name: must not be empty",
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn front_ends_of_the_configured_origin_may_call() {
    let world = World::new().await;
    let preflight = async |origin: &'static str| {
        world
            .send("api-gateway", |client, url| {
                client
                    .request(Method::OPTIONS, format!("{url}/api/v1/query"))
                    .header("origin", origin)
                    .header("access-control-request-method", "POST")
                    .header("access-control-request-headers", "authorization,content-type")
            })
            .await
    };
    let ours = preflight("http://localhost:3000").await;
    assert_eq!(ours.status, StatusCode::OK);
    assert_eq!(ours.headers["access-control-allow-origin"], "http://localhost:3000");
    let theirs = preflight("http://evil.example").await;
    assert!(!theirs.headers.contains_key("access-control-allow-origin"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_front_end_may_call_every_route_with_every_header() {
    let world = World::new().await;
    let contract =
        world.send("api-gateway", |client, url| client.get(format!("{url}/openapi.json"))).await;
    let paths = contract.body["paths"].as_object().expect("paths");
    let mut asked = 0;
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let headers = parameters.filter(|parameter| parameter["in"] == "header");
            let names = headers.filter_map(|header| header["name"].as_str());
            let names = ["authorization", "content-type", "traceparent"].into_iter().chain(names);
            let names = names.collect::<Vec<_>>().join(",").to_lowercase();
            let method = method.to_uppercase();
            let preflight = world.send("api-gateway", |client, url| {
                client
                    .request(Method::OPTIONS, format!("{url}{path}"))
                    .header("origin", "http://localhost:3000")
                    .header("access-control-request-method", &method)
                    .header("access-control-request-headers", &names)
            });
            let allowed = preflight.await.headers;
            let list = |name: &str| -> Vec<String> {
                let text = allowed.get(name).and_then(|value| value.to_str().ok());
                text.unwrap_or_default().split(',').map(|part| part.trim().to_lowercase()).collect()
            };
            let methods = list("access-control-allow-methods");
            assert!(methods.contains(&method.to_lowercase()), "{method} {path}: {methods:?}");
            let may = list("access-control-allow-headers");
            for name in names.split(',') {
                assert!(may.iter().any(|header| header == name), "{method} {path}: {name}");
            }
            asked += 1;
        }
    }
    assert!(asked >= 24, "{asked} operations");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_report_the_rate_limit() {
    let world = World::new().await;
    let reply = world.send("api-gateway", |client, url| {
        client.get(format!("{url}/api/v1/me")).header("origin", "http://localhost:3000")
    });
    let headers = reply.await.headers;
    let exposed = headers["access-control-expose-headers"].to_str().expect("text").to_lowercase();
    let plain = ["content-type", "content-length", "date", "vary"];
    let ours = headers.keys().map(|name| name.as_str());
    let ours = ours.filter(|name| !name.starts_with("access-control-") && !plain.contains(name));
    for name in ours.chain(["location", "retry-after", "ratelimit-limit"]) {
        assert!(exposed.contains(name), "{name} not in {exposed}");
    }
    world.finish().await;
}

/// Every path of the contract.
const PATHS: [&str; 87] = [
    "/api/v1/admin/dead-letters",
    "/api/v1/admin/dead-letters/{id}",
    "/api/v1/admin/dead-letters/{id}/replay",
    "/api/v1/admin/health",
    "/api/v1/admin/lanes",
    "/api/v1/admin/traces/{id}",
    "/api/v1/admin/usage",
    "/api/v1/admin/users",
    "/api/v1/admin/users/{id}",
    "/api/v1/alerts",
    "/api/v1/alerts/{id}",
    "/api/v1/alerts/{id}/acknowledge",
    "/api/v1/alerts/{id}/resolve",
    "/api/v1/assignments",
    "/api/v1/auth/login",
    "/api/v1/auth/logout",
    "/api/v1/auth/refresh",
    "/api/v1/auth/register",
    "/api/v1/classes",
    "/api/v1/classes/join",
    "/api/v1/classes/{id}",
    "/api/v1/classes/{id}/assignments",
    "/api/v1/classes/{id}/assignments/{assignment_id}",
    "/api/v1/classes/{id}/errors",
    "/api/v1/classes/{id}/gradebook.csv",
    "/api/v1/classes/{id}/heatmap",
    "/api/v1/classes/{id}/invite-code",
    "/api/v1/classes/{id}/overview",
    "/api/v1/classes/{id}/roster",
    "/api/v1/classes/{id}/roster.csv",
    "/api/v1/classes/{id}/roster/preview",
    "/api/v1/classes/{id}/roster/{entry_id}",
    "/api/v1/classes/{id}/teachers",
    "/api/v1/classes/{id}/teachers/{teacher_id}",
    "/api/v1/concepts",
    "/api/v1/conversations",
    "/api/v1/conversations/{id}",
    "/api/v1/debug",
    "/api/v1/drafts/{key}",
    "/api/v1/executions",
    "/api/v1/executions/{id}",
    "/api/v1/exercises",
    "/api/v1/exercises/generate",
    "/api/v1/exercises/{id}",
    "/api/v1/exercises/{id}/parsons",
    "/api/v1/exercises/{id}/submissions",
    "/api/v1/health",
    "/api/v1/me",
    "/api/v1/me/classes",
    "/api/v1/me/classes/{id}",
    "/api/v1/me/exports",
    "/api/v1/me/exports/{id}",
    "/api/v1/me/exports/{id}/download",
    "/api/v1/me/password",
    "/api/v1/me/sessions",
    "/api/v1/me/sessions/{id}",
    "/api/v1/modules",
    "/api/v1/modules/{slug}",
    "/api/v1/notifications",
    "/api/v1/notifications/read",
    "/api/v1/notifications/settings",
    "/api/v1/notifications/subscriptions",
    "/api/v1/notifications/subscriptions/{id}",
    "/api/v1/notifications/subscriptions/{id}/deliveries",
    "/api/v1/notifications/subscriptions/{id}/deliveries/{delivery_id}/retry",
    "/api/v1/notifications/subscriptions/{id}/secret",
    "/api/v1/notifications/unsubscribe/{id}/{secret}",
    "/api/v1/notifications/{id}/read",
    "/api/v1/progress/{user_id}",
    "/api/v1/progress/{user_id}/history",
    "/api/v1/queries/{id}",
    "/api/v1/queries/{id}/rating",
    "/api/v1/queries/{id}/report",
    "/api/v1/queries/{id}/stream",
    "/api/v1/query",
    "/api/v1/quizzes",
    "/api/v1/quizzes/{id}",
    "/api/v1/quizzes/{id}/answers/{number}",
    "/api/v1/quizzes/{id}/result",
    "/api/v1/quizzes/{id}/submission",
    "/api/v1/ready",
    "/api/v1/reports",
    "/api/v1/reviews",
    "/api/v1/students/{id}/timeline",
    "/api/v1/submissions/{id}",
    "/api/v1/topics/{slug}",
    "/api/v1/ws/ticket",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_and_its_pages_are_served() {
    let world = World::new().await;
    let contract =
        world.send("api-gateway", |client, url| client.get(format!("{url}/openapi.json"))).await;
    assert_eq!(contract.body["openapi"], "3.1.0");
    let paths: Vec<&String> = contract.body["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(paths, PATHS);
    let page = world.send("api-gateway", |client, url| client.get(format!("{url}/docs/"))).await;
    assert_eq!(page.status, StatusCode::OK);
    for path in ["/health", "/ready"] {
        assert_eq!(world.get(path, None).await.status, StatusCode::OK, "{path}");
    }
    for function in ["api-gateway", "triage", "concepts"] {
        for path in ["health", "ready", "metrics"] {
            let reply =
                world.send(function, |client, url| client.get(format!("{url}/{path}"))).await;
            assert_eq!(reply.status, StatusCode::OK, "{function}/{path}");
        }
    }
    world.finish().await;
}
