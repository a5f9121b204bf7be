//! Who may call what: every endpoint, with every kind of caller.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Setup, World, contract};

/// Who calls, in the order of the columns below. The owner is the student to whom the requested resources belong, and
/// comes last, since they may delete them.
const CALLERS: [&str; 6] =
    ["nobody", "a service", "another student", "a teacher", "an admin", "the owner"];

/// Anyone may; what they send is incomplete, so that nothing comes of it.
const OPEN: [u16; 6] = [422; 6];
/// Anyone may.
const PROBE: [u16; 6] = [200; 6];
/// Whoever is logged in.
const LOGGED_IN: [u16; 6] = [401, 401, 200, 200, 200, 200];
/// Whoever may read what belongs to the owner.
const READS: [u16; 6] = [401, 401, 404, 404, 200, 200];
/// The owner; who may only read it knows that it exists.
const CHANGES: [u16; 6] = [401, 401, 404, 404, 403, 200];
/// Nobody: what is sent names nothing that there is.
const UNKNOWN: [u16; 6] = [404; 6];
/// Whoever is logged in, and has tried often enough, which none of them has.
const TOO_EARLY: [u16; 6] = [401, 401, 409, 409, 409, 409];

/// What is expected of each endpoint of the gateway. Any success counts as 200. Deleting comes last.
const GATEWAY: [(&str, &str, [u16; 6]); 36] = [
    ("GET", "/api/v1/health", PROBE),
    ("GET", "/api/v1/ready", PROBE),
    ("POST", "/api/v1/auth/register", OPEN),
    ("POST", "/api/v1/auth/login", OPEN),
    ("POST", "/api/v1/auth/refresh", OPEN),
    ("POST", "/api/v1/auth/logout", OPEN),
    ("GET", "/api/v1/me", LOGGED_IN),
    ("POST", "/api/v1/query", LOGGED_IN),
    ("GET", "/api/v1/queries/{id}", READS),
    ("PUT", "/api/v1/queries/{id}/rating", CHANGES),
    ("GET", "/api/v1/conversations", LOGGED_IN),
    ("GET", "/api/v1/conversations/{id}", READS),
    ("POST", "/api/v1/debug", LOGGED_IN),
    ("POST", "/api/v1/reviews", LOGGED_IN),
    ("GET", "/api/v1/exercises", LOGGED_IN),
    ("GET", "/api/v1/exercises/{id}", LOGGED_IN),
    ("POST", "/api/v1/exercises/generate", LOGGED_IN),
    ("POST", "/api/v1/exercises/{id}/submissions", LOGGED_IN),
    ("GET", "/api/v1/exercises/{id}/submissions", LOGGED_IN),
    ("POST", "/api/v1/exercises/{id}/parsons", TOO_EARLY),
    ("GET", "/api/v1/submissions/{id}", READS),
    ("POST", "/api/v1/executions", LOGGED_IN),
    ("GET", "/api/v1/executions/{id}", READS),
    ("GET", "/api/v1/notifications", LOGGED_IN),
    ("POST", "/api/v1/notifications/{id}/read", CHANGES),
    ("POST", "/api/v1/notifications/read", LOGGED_IN),
    ("GET", "/api/v1/notifications/settings", LOGGED_IN),
    ("PUT", "/api/v1/notifications/settings", LOGGED_IN),
    ("GET", "/api/v1/notifications/subscriptions", LOGGED_IN),
    ("POST", "/api/v1/notifications/subscriptions", LOGGED_IN),
    ("POST", "/api/v1/notifications/subscriptions/{id}/secret", CHANGES),
    ("GET", "/api/v1/notifications/subscriptions/{id}/deliveries", CHANGES),
    ("POST", "/api/v1/notifications/subscriptions/{id}/deliveries/{delivery_id}/retry", CHANGES),
    ("POST", "/api/v1/notifications/unsubscribe/{id}/{secret}", UNKNOWN),
    ("DELETE", "/api/v1/notifications/subscriptions/{id}", CHANGES),
    ("DELETE", "/api/v1/conversations/{id}", CHANGES),
];

/// The endpoints for other services, where they are not on loopback.
const INTERNAL: [(&str, &str, &str); 10] = [
    ("triage", "POST", "/triage"),
    ("concepts", "POST", "/explain"),
    ("concepts", "GET", "/concepts"),
    ("code-review", "POST", "/review"),
    ("debug", "POST", "/debug"),
    ("exercise", "POST", "/exercises/generate"),
    ("exercise", "GET", "/exercises"),
    ("code-execution", "POST", "/execute"),
    ("notification", "POST", "/notifications/subscribe"),
    ("notification", "POST", "/notifications/publish"),
];

/// What is sent to an endpoint; an empty object where nothing must come of it.
fn body(path: &str) -> Value {
    let path = path.trim_start_matches("/api/v1");
    match path {
        "/query" | "/triage" => json!({ "question": "What is a list?" }),
        "/queries/{id}/rating" => json!({ "helpful": true }),
        "/exercises/generate" => json!({ "topic": "lists", "difficulty": "easy" }),
        "/explain" => json!({ "concept": "lists" }),
        "/notifications/settings" => {
            json!({ "time_zone": "UTC", "quiet_hours": null, "digest_at": "07:00" })
        }
        "/notifications/subscriptions" | "/notifications/subscribe" => {
            json!({ "channel": "in_app" })
        }
        "/notifications/publish" => json!({ "alert": { "title": "Exam", "text": "At nine." } }),
        "/debug" => json!({ "code": "print(x)" }),
        "/reviews" | "/review" | "/executions" | "/execute" | "/exercises/{id}/submissions" => {
            json!({ "code": "print(1)" })
        }
        _ => json!({}),
    }
}

/// The things that belong to the owner: each path's id.
async fn things(world: &World, token: &str) -> impl Fn(&str) -> String + use<> {
    let now = [("prefer", "wait=20")];
    let get = async |path: &str, body: Value| {
        let reply = world.post_with(path, token, &body, now).await;
        assert_eq!(reply.status, 200, "{path}: {:?}", reply.body);
        reply.body
    };
    let query = get("/query", json!({ "question": "What is a list?" })).await;
    let run = get("/executions", json!({ "code": "print(1)" })).await;
    let page = world.get("/exercises", Some(token)).await.body;
    let exercise = page["items"][0]["id"].as_str().expect("an exercise").to_owned();
    let path = format!("/exercises/{exercise}/submissions");
    let solution = get(&path, json!({ "code": "print(1)" })).await;
    let id = |value: &Value| value.as_str().expect("an id").to_owned();
    // A target that is refused at once, so that nothing is called.
    let hook = json!({ "channel": "webhook", "target": "https://localhost:1/" });
    let hook = world.post("/notifications/subscriptions", Some(token), &hook).await.body;
    let subscription = id(&hook["subscription"]["id"]);
    let mut news = body("/notifications/publish");
    news["user_id"] = world.get("/me", Some(token)).await.body["id"].clone();
    let publish = "/notifications/publish";
    world
        .send("notification", |client, url| client.post(url.to_owned() + publish).json(&news))
        .await;
    let log = format!("/notifications/subscriptions/{subscription}/deliveries");
    let delivery = id(&world.get(&log, Some(token)).await.body["items"][0]["id"]);
    let inbox = world.get("/notifications", Some(token)).await.body;
    let ids = [
        ("/notifications/subscriptions/", subscription),
        ("/notifications/", id(&inbox["items"][0]["notification"]["id"])),
        ("/queries/", id(&query["id"])),
        ("/conversations/", id(&query["conversation_id"])),
        ("/executions/", id(&run["id"])),
        ("/submissions/", id(&solution["id"])),
        ("/exercises/", exercise),
    ];
    move |path| {
        let id = ids.iter().find(|(part, _)| path.contains(part)).map(|(_, id)| id.as_str());
        path.replace("{id}", id.unwrap_or_default()).replace("{delivery_id}", &delivery)
    }
}

/// The status that each caller gets.
async fn statuses(
    world: &World,
    function: &str,
    method: &str,
    path: &str,
    sent: Value,
    tokens: &[Option<String>],
) -> Vec<u16> {
    let mut statuses = Vec::new();
    for token in tokens {
        let reply = world.send(function, |client, url| {
            let method: Method = method.parse().expect("a method");
            let has_body = method != Method::GET && method != Method::DELETE;
            let request = client.request(method, format!("{url}{path}")).header("prefer", "wait=0");
            let request = if has_body { request.json(&sent) } else { request };
            match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            }
        });
        let status = reply.await.status;
        statuses.push(if status.is_success() { 200 } else { status.as_u16() });
    }
    statuses
}

async fn tokens(world: &World) -> Vec<Option<String>> {
    let mut tokens = vec![None, Some(world.service_token())];
    tokens.push(Some(world.student("eve").await.token));
    for role in ["teacher", "admin"] {
        let (email, password) = (format!("{role}@example.org"), format!("learnflow-{role}"));
        tokens.push(Some(world.log_in(&email, &password).await.token));
    }
    tokens.push(Some(world.student("ada").await.token));
    tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_of_the_gateway_admits_the_right_callers() {
    let world = World::new().await;
    let tokens = tokens(&world).await;
    let owner = tokens.last().and_then(Option::as_deref).expect("a token");
    let address = things(&world, owner).await;
    let documented: BTreeSet<_> =
        contract::operations().map(|(method, path, _)| format!("{method} {path}")).collect();
    let listed = GATEWAY.iter().map(|(method, path, _)| format!("{method} {path}"));
    assert_eq!(listed.collect::<BTreeSet<_>>(), documented, "the table names every endpoint");
    let mut faults = Vec::new();
    for (method, path, expected) in GATEWAY {
        let at = address(path);
        let found = statuses(&world, "api-gateway", method, &at, body(path), &tokens).await;
        for ((caller, expected), found) in CALLERS.iter().zip(expected).zip(&found) {
            if expected != *found {
                faults.push(format!("{method} {path} by {caller}: {found} and not {expected}"));
            }
        }
        let operation = contract::operations().find(|(of, at, _)| of == method && *at == path);
        let asks_for_token =
            operation.is_some_and(|(.., operation)| operation["security"].is_array());
        if asks_for_token != (found[0] == 401) {
            faults.push(format!("{method} {path} documents its security wrongly"));
        }
    }
    assert!(faults.is_empty(), "{} fault(s):\n{}", faults.len(), faults.join("\n"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_internal_endpoint_is_for_services_only() {
    let settings = vec![("BIND_ADDRESS", "0.0.0.0".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let tokens = tokens(&world).await;
    let listed: BTreeSet<_> =
        INTERNAL.iter().map(|(function, _, path)| (*function, *path)).collect();
    let served: BTreeSet<_> = world.stack().internal_endpoints().collect();
    assert_eq!(listed, served, "the table names every endpoint");
    let me = world.get("/me", tokens.last().and_then(Option::as_deref)).await.body;
    for (function, method, path) in INTERNAL {
        let mut sent = body(path);
        if path.starts_with("/notifications/") {
            sent["user_id"] = me["id"].clone();
        }
        let found = statuses(&world, function, method, path, sent, &tokens).await;
        assert_eq!(found, [401, 200, 401, 401, 401, 401], "{method} {path} by {CALLERS:?}");
    }
    world.finish().await;
}
