//! Who may call what: every endpoint, with every kind of caller.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use testing::eventually;
use tests::{Setup, Student, World, contract};
use uuid::Uuid;

/// The callers, in the order of the columns below.
pub(super) const CALLERS: [&str; 8] = [
    "nobody",
    "a service",
    "a student of another class",
    // Of the owner.
    "a classmate",
    "a teacher of another class",
    "an admin",
    // Of the owner's class, in which the requested resources are.
    "their teacher",
    // The student to whom the requested resources belong. Comes last, since they may delete them.
    "the owner",
];

/// What each of them gets.
type Statuses = [u16; CALLERS.len()];

/// Anyone may; what they send is incomplete, so that nothing comes of it.
const OPEN: Statuses = [422; 8];
/// Anyone may.
const PROBE: Statuses = [200; 8];
/// Whoever is logged in.
const LOGGED_IN: Statuses = [401, 401, 200, 200, 200, 200, 200, 200];
/// Whoever is logged in; what they send is incomplete.
const INCOMPLETE: Statuses = [401, 401, 422, 422, 422, 422, 422, 422];
/// Whoever is logged in; nothing that would confirm it is sent.
const UNCONFIRMED: Statuses = [401, 401, 415, 415, 415, 415, 415, 415];
/// Whoever is logged in; which version is meant is not sent.
const UNCONDITIONAL: Statuses = [401, 401, 428, 428, 428, 428, 428, 428];
/// Whoever may read what belongs to the owner.
const READS: Statuses = [401, 401, 404, 404, 404, 200, 200, 200];
/// The owner; who may only read it knows that it exists.
const CHANGES: Statuses = [401, 401, 404, 404, 404, 403, 403, 200];
/// Nobody: what is sent names nothing that there is.
const UNKNOWN: Statuses = [404; 8];
/// The owner, and nobody else knows that it exists.
const KEEPS: Statuses = [401, 401, 404, 404, 404, 404, 404, 200];
/// Whoever is logged in, and has tried often enough, which none of them has.
const TOO_EARLY: Statuses = [401, 401, 409, 409, 409, 409, 409, 409];
/// Whoever is a teacher.
const TEACHES: Statuses = [401, 401, 403, 403, 200, 200, 200, 403];
/// The owner's teachers: what belongs to the class, and what only teachers see of a student.
const MANAGES: Statuses = [401, 401, 403, 403, 404, 200, 200, 403];
/// Administrators.
const ADMINISTERS: Statuses = [401, 401, 403, 403, 403, 200, 403, 403];
/// Administrators; there is no such thing.
const ADMIN_SEEKS: Statuses = [401, 401, 403, 403, 403, 404, 403, 403];
/// Students; there is no class with this code.
const JOINS: Statuses = [401, 401, 404, 404, 403, 403, 403, 404];

/// What is expected of each endpoint of the gateway. Any success counts as 200. Deleting comes last.
const GATEWAY: [(&str, &str, Statuses); 104] = [
    ("GET", "/api/v1/health", PROBE),
    ("GET", "/api/v1/ready", PROBE),
    ("POST", "/api/v1/auth/register", OPEN),
    ("POST", "/api/v1/auth/login", OPEN),
    ("POST", "/api/v1/auth/refresh", OPEN),
    ("POST", "/api/v1/auth/logout", OPEN),
    ("GET", "/api/v1/me", LOGGED_IN),
    ("PATCH", "/api/v1/me", LOGGED_IN),
    ("POST", "/api/v1/me/password", INCOMPLETE),
    ("GET", "/api/v1/me/sessions", LOGGED_IN),
    ("POST", "/api/v1/me/exports", LOGGED_IN),
    ("GET", "/api/v1/me/exports", LOGGED_IN),
    ("GET", "/api/v1/me/exports/{id}", KEEPS),
    ("GET", "/api/v1/me/exports/{id}/download", KEEPS),
    ("DELETE", "/api/v1/me", UNCONFIRMED),
    ("GET", "/api/v1/progress/{user_id}", READS),
    ("GET", "/api/v1/progress/{user_id}/history", READS),
    ("POST", "/api/v1/query", LOGGED_IN),
    ("GET", "/api/v1/queries/{id}", READS),
    ("PUT", "/api/v1/queries/{id}/rating", CHANGES),
    ("GET", "/api/v1/queries/{id}/stream", READS),
    ("POST", "/api/v1/queries/{id}/report", CHANGES),
    ("GET", "/api/v1/reports", TEACHES),
    ("GET", "/api/v1/modules", PROBE),
    ("GET", "/api/v1/modules/{slug}", PROBE),
    ("GET", "/api/v1/topics/{slug}", PROBE),
    ("GET", "/api/v1/concepts", PROBE),
    ("POST", "/api/v1/quizzes", LOGGED_IN),
    ("GET", "/api/v1/quizzes", LOGGED_IN),
    ("GET", "/api/v1/quizzes/{id}", READS),
    ("PUT", "/api/v1/quizzes/{id}/answers/{number}", CHANGES),
    ("POST", "/api/v1/quizzes/{id}/submission", CHANGES),
    ("GET", "/api/v1/quizzes/{id}/result", READS),
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
    ("PUT", "/api/v1/drafts/{key}", LOGGED_IN),
    ("GET", "/api/v1/drafts/{key}", LOGGED_IN),
    ("DELETE", "/api/v1/drafts/{key}", UNCONDITIONAL),
    ("POST", "/api/v1/executions", LOGGED_IN),
    ("GET", "/api/v1/executions/{id}", READS),
    ("GET", "/api/v1/notifications", LOGGED_IN),
    ("POST", "/api/v1/notifications/{id}/read", KEEPS),
    ("POST", "/api/v1/notifications/read", LOGGED_IN),
    ("GET", "/api/v1/notifications/settings", LOGGED_IN),
    ("PUT", "/api/v1/notifications/settings", LOGGED_IN),
    ("GET", "/api/v1/notifications/subscriptions", LOGGED_IN),
    ("POST", "/api/v1/notifications/subscriptions", LOGGED_IN),
    ("POST", "/api/v1/notifications/subscriptions/{id}/secret", KEEPS),
    ("GET", "/api/v1/notifications/subscriptions/{id}/deliveries", KEEPS),
    ("POST", "/api/v1/notifications/subscriptions/{id}/deliveries/{delivery_id}/retry", KEEPS),
    ("POST", "/api/v1/notifications/unsubscribe/{id}/{secret}", UNKNOWN),
    ("DELETE", "/api/v1/notifications/subscriptions/{id}", KEEPS),
    ("POST", "/api/v1/classes", TEACHES),
    ("GET", "/api/v1/classes", TEACHES),
    ("GET", "/api/v1/classes/{id}", MANAGES),
    ("PATCH", "/api/v1/classes/{id}", MANAGES),
    ("POST", "/api/v1/classes/{id}/invite-code", MANAGES),
    ("POST", "/api/v1/classes/{id}/teachers", MANAGES),
    ("GET", "/api/v1/classes/{id}/roster", MANAGES),
    ("POST", "/api/v1/classes/{id}/roster", MANAGES),
    ("POST", "/api/v1/classes/{id}/roster/preview", MANAGES),
    ("GET", "/api/v1/classes/{id}/roster.csv", MANAGES),
    ("GET", "/api/v1/classes/{id}/overview", MANAGES),
    ("GET", "/api/v1/classes/{id}/heatmap", MANAGES),
    ("GET", "/api/v1/classes/{id}/errors", MANAGES),
    ("GET", "/api/v1/classes/{id}/gradebook.csv", MANAGES),
    ("POST", "/api/v1/classes/{id}/assignments", MANAGES),
    ("GET", "/api/v1/classes/{id}/assignments", MANAGES),
    ("GET", "/api/v1/classes/{id}/assignments/{assignment_id}", MANAGES),
    ("GET", "/api/v1/assignments", LOGGED_IN),
    ("GET", "/api/v1/students/{id}/timeline", MANAGES),
    ("GET", "/api/v1/alerts", TEACHES),
    ("GET", "/api/v1/alerts/{id}", MANAGES),
    ("POST", "/api/v1/alerts/{id}/acknowledge", MANAGES),
    ("POST", "/api/v1/alerts/{id}/resolve", MANAGES),
    ("POST", "/api/v1/classes/join", JOINS),
    ("GET", "/api/v1/me/classes", LOGGED_IN),
    ("POST", "/api/v1/ws/ticket", LOGGED_IN),
    ("GET", "/api/v1/admin/users", ADMINISTERS),
    ("GET", "/api/v1/admin/users/{id}", ADMINISTERS),
    ("PATCH", "/api/v1/admin/users/{id}", ADMINISTERS),
    ("GET", "/api/v1/admin/usage", ADMINISTERS),
    ("GET", "/api/v1/admin/dead-letters", ADMINISTERS),
    ("GET", "/api/v1/admin/dead-letters/{id}", ADMIN_SEEKS),
    ("POST", "/api/v1/admin/dead-letters/{id}/replay", ADMIN_SEEKS),
    ("GET", "/api/v1/admin/traces/{id}", ADMINISTERS),
    ("GET", "/api/v1/admin/lanes", ADMINISTERS),
    ("GET", "/api/v1/admin/health", ADMINISTERS),
    ("DELETE", "/api/v1/conversations/{id}", CHANGES),
    ("DELETE", "/api/v1/classes/{id}/teachers/{teacher_id}", MANAGES),
    ("DELETE", "/api/v1/classes/{id}/assignments/{assignment_id}", MANAGES),
    ("DELETE", "/api/v1/classes/{id}/roster/{entry_id}", MANAGES),
    ("DELETE", "/api/v1/me/classes/{id}", LOGGED_IN),
    ("DELETE", "/api/v1/me/sessions", LOGGED_IN),
    // The last one, since it ends the owner's session.
    ("DELETE", "/api/v1/me/sessions/{id}", KEEPS),
];

/// The endpoints for other services, where they are not on loopback.
const INTERNAL: [(&str, &str, &str); 12] = [
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
    ("progress", "GET", "/progress/{user_id}"),
    ("progress", "POST", "/progress"),
];

/// What is sent to an endpoint; an empty object where nothing must come of it.
fn body(path: &str) -> Value {
    let path = path.trim_start_matches("/api/v1");
    match path {
        "/query" | "/triage" => json!({ "question": "What is a list?" }),
        "/me" => json!({ "time_zone": "Europe/Berlin" }),
        "/queries/{id}/rating" => json!({ "helpful": true }),
        "/queries/{id}/report" => json!({ "reason": "wrong" }),
        "/quizzes/{id}/answers/{number}" => json!({ "choice": 1 }),
        "/exercises/generate" => json!({ "topic": "lists", "difficulty": "easy" }),
        "/classes" => json!({ "name": "Python" }),
        "/classes/join" => json!({ "code": "0000-0000-0000" }),
        "/classes/{id}/teachers" => json!({ "email": "teacher@example.org" }),
        "/classes/{id}/assignments" => json!({ "topic": "lists" }),
        // A CSV file.
        "/classes/{id}/roster" | "/classes/{id}/roster/preview" => json!("email,name\n"),
        "/explain" => json!({ "concept": "lists" }),
        "/notifications/settings" => {
            json!({ "time_zone": "UTC", "quiet_hours": null, "digest_at": "07:00" })
        }
        "/notifications/subscriptions" | "/notifications/subscribe" => {
            json!({ "channel": "in_app" })
        }
        "/notifications/publish" => json!({ "alert": { "title": "Exam", "text": "At nine." } }),
        "/debug" => json!({ "code": "print(x)" }),
        "/drafts/{key}" => json!({ "text": "print(x)" }),
        "/reviews" | "/review" | "/executions" | "/execute" | "/exercises/{id}/submissions" => {
            json!({ "code": "print(1)" })
        }
        _ => json!({}),
    }
}

/// An export that is ready: its id.
async fn export(world: &World, token: &str) -> String {
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let export = world.post("/me/exports", Some(token), &json!({})).await.body;
    let status = text(&export["status_url"]);
    world.advance(6);
    eventually("the export is made", async || {
        let export = world.get(status.trim_start_matches("/api/v1"), Some(token)).await.body;
        (export["state"] == "ready").then_some(())
    })
    .await;
    text(&export["id"])
}

/// The things that belong to the owner and their class: each path's ids.
pub(super) async fn things(world: &World, people: &People) -> impl Fn(&str) -> String + use<> {
    let (token, class) = (people.owner.token.as_str(), people.class.clone());
    let alert = tests::put_alert(world, &people.idle, "lists", "low_quiz").await.to_string();
    let assignments = format!("/classes/{class}/assignments");
    let topic = json!({ "topic": "lists" });
    let assignment = world.post(&assignments, Some(&people.teacher.token), &topic).await;
    let assignment = assignment.body["id"].as_str().expect("an id").to_owned();
    let student = people.owner.id.to_string();
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
    let quiz = world.post("/quizzes", Some(token), &json!({ "topic": "lists" })).await.body;
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
    let export = export(world, token).await;
    let ids = [
        ("/notifications/subscriptions/", subscription),
        ("/notifications/", id(&inbox["items"][0]["notification"]["id"])),
        ("/queries/", id(&query["id"])),
        ("/conversations/", id(&query["conversation_id"])),
        ("/executions/", id(&run["id"])),
        ("/submissions/", id(&solution["id"])),
        ("/exports/", export),
        ("/quizzes/", id(&quiz["id"])),
        ("/exercises/", exercise),
        ("/classes/", class),
        ("/students/", student.clone()),
        ("/admin/users/", student),
        ("/admin/dead-letters/", Uuid::nil().to_string()),
        ("/admin/traces/", id(&query["id"])),
        ("/alerts/", alert),
    ];
    let session = id(&world.get("/me/sessions", Some(token)).await.body["items"][0]["id"]);
    let me = world.get("/me", Some(token)).await;
    let me = id(&me.body["id"]);
    move |path| {
        let path = path.replace("/sessions/{id}", &format!("/sessions/{session}"));
        let path = path.replace("{user_id}", &me);
        let id = ids.iter().find(|(part, _)| path.contains(part)).map(|(_, id)| id.as_str());
        let slug = if path.contains("/modules/") { "basics" } else { "lists" };
        let path = path.replace("{slug}", slug).replace("{number}", "1");
        let path = path.replace("{key}", "workspace");
        // Removing who is not there changes nothing.
        let nobody = Uuid::nil().to_string();
        let path = path.replace("{teacher_id}", &nobody).replace("{entry_id}", &nobody);
        let path = path.replace("{assignment_id}", &assignment).replace("{delivery_id}", &delivery);
        path.replace("{id}", id.unwrap_or_default())
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
            let request = match sent.as_str() {
                _ if !has_body => request,
                Some(csv) => request.header("content-type", "text/csv").body(csv.to_owned()),
                None => request.json(&sent),
            };
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

/// The callers, and what belongs to some of them.
pub(super) struct People {
    /// In the order of [`CALLERS`].
    pub(super) tokens: Vec<Option<String>>,
    owner: Student,
    teacher: Student,
    /// Another classmate of the owner, who calls nothing: an alert resolves itself when its student does well.
    idle: Student,
    /// Of the owner, the classmate and the teacher.
    class: String,
}

pub(super) async fn people(world: &World) -> People {
    let [other, classmate, owner] =
        [world.student("eve").await, world.student("bob").await, world.student("ada").await];
    let idle = world.student("zoe").await;
    let other_teacher = world.teacher("tess").await;
    world.class(&other_teacher, &[&other]).await;
    let teacher = world.log_in("teacher@example.org", "learnflow-teacher").await;
    let class = world.class(&teacher, &[&classmate, &owner, &idle]).await;
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let persons = [&other, &classmate, &other_teacher, &admin, &teacher, &owner];
    let tokens = persons.map(|person| Some(person.token.clone()));
    let tokens = [None, Some(world.service_token())].into_iter().chain(tokens).collect();
    People { tokens, owner, teacher, idle, class }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_of_the_gateway_admits_the_right_callers() {
    let world = World::new().await;
    let people = people(&world).await;
    let address = things(&world, &people).await;
    let tokens = people.tokens;
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
    let tokens = people(&world).await.tokens;
    let listed: BTreeSet<_> =
        INTERNAL.iter().map(|(function, _, path)| (*function, *path)).collect();
    let served: BTreeSet<_> = world.stack().internal_endpoints().collect();
    assert_eq!(listed, served, "the table names every endpoint");
    let owner = tokens.last().and_then(Option::as_deref).expect("a token");
    let me = world.get("/me", Some(owner)).await.body["id"].clone();
    for (function, method, path) in INTERNAL {
        let mut sent = body(path);
        if path == "/progress" {
            sent =
                json!({ "user_id": me, "type": "quiz_submitted", "topic": "lists", "score": 80 });
        }
        if path.starts_with("/notifications/") {
            sent["user_id"] = me.clone();
        }
        let at = path.replace("{user_id}", me.as_str().expect("an id"));
        let found = statuses(&world, function, method, &at, sent, &tokens).await;
        assert_eq!(
            found,
            [401, 200, 401, 401, 401, 401, 401, 401],
            "{method} {path} by {CALLERS:?}"
        );
    }
    world.finish().await;
}
