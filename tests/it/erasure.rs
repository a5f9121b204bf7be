//! Erasing an account leaves nothing of it, and touches nobody else's.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Cursor, Read},
    time::{Duration, Instant},
};

use api_gateway::responses::{ExportState, OwnExport, OwnExports};
use base64::{Engine, engine::general_purpose::STANDARD};
use events::{Topic, topic::PARTITIONS};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use reqwest::{Method, StatusCode};
use runtime::{fault::FaultPoint, fault::Faults};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use testing::{bench::publish, eventually};
use tests::{PASSWORD, Reply, Student, World, socket::Socket};
use uuid::Uuid;

/// In everything that the student writes; as a name of a class in Python, too.
const MARKER: &str = "zqxmarkervw";

/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the marker may look: as it is, in hexadecimal, and in base64 at each of three positions.
fn forms() -> Vec<String> {
    let hex = MARKER.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![MARKER.to_owned(), hex];
    for shift in 0..3 {
        let text = STANDARD.encode([&b"xxx"[..shift], MARKER.as_bytes()].concat());
        // Without what depends on its neighbours.
        forms.push(text[4 * shift.div_ceil(3)..text.len() - 4].to_owned());
    }
    forms
}

fn has_marker(text: &str) -> bool {
    let text_in_small = text.to_ascii_lowercase();
    forms().iter().enumerate().any(|(number, form)| match number {
        0 | 1 => text_in_small.contains(form),
        _ => text.contains(form),
    })
}

#[test]
fn the_marker_is_found_in_all_its_forms() {
    for text in [format!("a {MARKER}!"), format!("class {}", MARKER.to_uppercase())] {
        assert!(has_marker(&text));
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(text.contains('!') == has_marker(&hex));
    }
    for before in ["", "a", "ab", "abc"] {
        assert!(has_marker(&STANDARD.encode(format!("{before}{MARKER} and more"))), "{before}");
    }
    assert!(!has_marker("zqxmarker"));
}

/// The tables in which the marker is.
async fn marked_tables(world: &World) -> BTreeSet<String> {
    let mut conn = world.database().await;
    let sql = "SELECT table_name::text FROM information_schema.tables
               WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";
    let tables: Vec<String> =
        sqlx::query_scalar(sql).fetch_all(&mut conn).await.expect("it is valid");
    let mut marked = BTreeSet::new();
    for table in tables {
        let sql = format!("SELECT t::text FROM {table} AS t");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut conn).await.expect("it is valid");
        if rows.iter().any(|row| has_marker(row.get(0))) {
            marked.insert(table);
        }
    }
    marked
}

/// Every record of every topic: the topic, with key and body.
fn records(brokers: &str) -> Vec<(String, Vec<u8>)> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "test");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let (mut from, mut expected) = (TopicPartitionList::new(), 0);
    for topic in Topic::ALL {
        for partition in 0..PARTITIONS {
            let marks = consumer.fetch_watermarks(topic.name(), partition, PATIENCE);
            let (low, high) = marks.expect("the topic is there");
            let offset = Offset::Offset(low);
            from.add_partition_offset(topic.name(), partition, offset).expect("a partition");
            expected += high - low;
        }
    }
    consumer.assign(&from).expect("they can be read");
    let mut all = Vec::new();
    let started = Instant::now();
    while i64::try_from(all.len()).expect("not many") < expected {
        assert!(started.elapsed() < PATIENCE, "{} of {expected} records were read", all.len());
        if let Some(record) = consumer.poll(Duration::from_millis(200)) {
            let record = record.expect("a record");
            let parts = [record.key().unwrap_or_default(), record.payload().unwrap_or_default()];
            all.push((record.topic().to_owned(), parts.join(&b'\n')));
        }
    }
    all
}

/// The topics in whose records the marker is, also in what they hold in base64.
fn marked_topics(world: &World) -> BTreeSet<String> {
    let records = records(world.kafka());
    assert!(records.len() > 20, "{} records were read", records.len());
    let marked = records.into_iter().filter(|(_, record)| {
        has_marker(&String::from_utf8_lossy(record))
            || record.split(|byte| *byte == b'"').any(|text| {
                let decoded = STANDARD.decode(text).unwrap_or_default();
                has_marker(&String::from_utf8_lossy(&decoded))
            })
    });
    marked.map(|(topic, _)| topic).collect()
}

async fn erase(world: &World, student: &Student, body: &Value) -> Reply {
    let token = student.token.clone();
    world
        .send("api-gateway", |client, url| {
            let request = client.request(Method::DELETE, format!("{url}/api/v1/me"));
            request.bearer_auth(token).json(body)
        })
        .await
}

fn password() -> Value {
    json!({ "password": PASSWORD })
}

/// Waits until nothing is left to do for erased accounts at this time.
async fn until_erased(world: &World) {
    // Periodic work is due again.
    world.advance(6);
    eventually("the account is emptied", async || {
        let sql =
            "SELECT count(*) FROM users WHERE erased_at IS NOT NULL AND erase_next_at = erased_at
                   AND $1 IS NOT NULL";
        (world.count(sql, Uuid::nil()).await == 0).then_some(())
    })
    .await;
}

/// A student who leaves the marker wherever something can be written.
async fn marked_student(world: &World, teacher: &Student) -> Student {
    let email = format!("{MARKER}@example.org");
    let body = json!({ "email": email, "password": PASSWORD, "display_name": MARKER });
    let registered = world.send("api-gateway", |client, url| {
        let request = client.post(format!("{url}/api/v1/auth/register")).json(&body);
        request.header("idempotency-key", MARKER).header("user-agent", MARKER)
    });
    let ada: Student =
        registered.await.expect::<api_gateway::responses::Session>(StatusCode::CREATED).into();
    let class = world.class(teacher, &[&ada]).await;
    let other = world.class(teacher, &[]).await;
    let csv = format!("email,name\n{email},{MARKER}\nsomebody@example.org,Somebody\n");
    for class in [&class, &other] {
        let path = format!("/classes/{class}/roster");
        let imported = world.post_csv(&path, &teacher.token, csv.clone()).await;
        assert!(imported.status.is_success(), "{:?}", imported.body);
    }
    let now = [("prefer", "wait=20"), ("idempotency-key", MARKER)];
    let post = async |path: &str, body: Value| {
        let reply = world.post_with(path, &ada.token, &body, now).await;
        assert!(reply.status.is_success(), "{path}: {:?}", reply.body);
        reply.body
    };
    let code =
        format!("class {MARKER}(Exception): pass\nprint('{MARKER}')\nraise {MARKER}('{MARKER}')");
    let asked = post(
        "/query",
        json!({ "question": format!("{MARKER}: why does it fail?"), "code": code, "error": MARKER }),
    )
    .await;
    let query = asked["id"].as_str().expect("an id").to_owned();
    let report = json!({ "reason": "wrong", "comment": MARKER });
    let report = world.post(&format!("/queries/{query}/report"), Some(&ada.token), &report).await;
    assert!(report.status.is_success(), "{:?}", report.body);
    for number in 0..6 {
        let code = format!("{code}\nx = {number}");
        let run = json!({ "code": code });
        let run = world.post_with("/executions", &ada.token, &run, [("prefer", "wait=20")]).await;
        assert_eq!(run.body["error"]["type"], MARKER, "{:?}", run.body);
    }
    let exercises = world.get("/exercises", Some(&ada.token)).await.body;
    let exercise = exercises["items"][0]["id"].as_str().expect("an exercise").to_owned();
    post(&format!("/exercises/{exercise}/submissions"), json!({ "code": code })).await;
    let key = format!("exercise:{exercise}");
    let draft = world.send("api-gateway", |client, url| {
        let request = client.put(format!("{url}/api/v1/drafts/{key}")).bearer_auth(&ada.token);
        request.json(&json!({ "text": code }))
    });
    assert_eq!(draft.await.status, StatusCode::CREATED);
    let quiz = post("/quizzes", json!({ "topic": "lists" })).await;
    let quiz = quiz["id"].as_str().expect("an id").to_owned();
    let submit = format!("/quizzes/{quiz}/submission");
    assert!(world.post(&submit, Some(&ada.token), &json!({})).await.status.is_success());
    let hook = json!({ "channel": "webhook", "target": format!("https://localhost:1/{MARKER}") });
    post("/notifications/subscriptions", hook).await;
    eventually("the teacher is told", async || {
        let inbox = world.get("/notifications", Some(&teacher.token)).await;
        has_marker(&inbox.body.to_string()).then_some(())
    })
    .await;
    ada
}

/// Checks that an export has everything that was written, explained, and no secrets.
fn has_what_was_written(files: &BTreeMap<String, String>) {
    for file in [
        "users",
        "queries",
        "executions",
        "submissions",
        "answer_reports",
        "editor_drafts",
        "alerts",
        "subscriptions",
    ] {
        let text = &files[&format!("{file}.json")];
        assert!(has_marker(text), "{file} has what was written: {text}");
        let rows: Value = serde_json::from_str(text).expect("JSON");
        assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{file}");
    }
    let all: String = files.values().map(String::as_str).collect();
    for secret in ["password", "token_hash", "data_key", "whsec_"] {
        assert!(
            !all.contains(secret) || secret == "password" && !all.contains("argon2"),
            "{secret}"
        );
    }
    for (name, text) in files {
        assert!(
            files["README.md"].contains(name.as_str()) || name == "README.md",
            "{name}: {text}"
        );
    }
}

/// Erases an account, which is no account from then on.
async fn ends_at_once(world: &World, ada: &Student) {
    let mut socket = Socket::chat(world, ada.id, &ada.token, None).await;
    assert_eq!(erase(world, ada, &password()).await.status, StatusCode::NO_CONTENT);

    assert_eq!(socket.closed().await, 4401);
    let me = world.get("/me", Some(&ada.token)).await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED, "{:?}", me.body);
    assert_eq!(world.ask(ada, "What is a list?", 0).await.status, StatusCode::UNAUTHORIZED);
    let refresh = json!({ "refresh_token": ada.refresh_token });
    let refreshed = world.post("/auth/refresh", None, &refresh).await;
    assert_eq!(refreshed.status, StatusCode::UNAUTHORIZED);
    let login = json!({ "email": format!("{MARKER}@example.org"), "password": PASSWORD });
    let login = world.post("/auth/login", None, &login).await;
    assert_eq!(login.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_account_is_left_in_any_table_or_topic() {
    let world = World::new().await;
    let (teacher, bob) = (world.teacher("tom").await, world.student("bob").await);
    let kept = world.ask(&bob, "What is a list?", 20).await;
    assert_eq!(kept.status, StatusCode::OK);
    let ada = marked_student(&world, &teacher).await;
    let export = exported(&world, &ada).await;
    let files = unpacked(&world, &ada, &export).await;
    has_what_was_written(&files);
    // What models have cost stays counted.
    let sql =
        "INSERT INTO model_usage VALUES ($1, $2, 'debug', 'a-model', 1, 1, 7, 1, false, now())";
    let spend = sqlx::query(sql).bind(Uuid::from_u128(1)).bind(ada.id);
    spend.execute(&mut world.database().await).await.expect("a row");

    let marked = marked_tables(&world).await;
    for table in [
        "users",
        "queries",
        "executions",
        "submissions",
        "answer_reports",
        "editor_drafts",
        "alerts",
        "notifications",
        "subscriptions",
        "refresh_tokens",
        "idempotency_keys",
    ] {
        assert!(marked.contains(table), "{table} has the marker: {marked:?}");
    }
    assert!(!marked.contains("events") && !marked.contains("rate_limits"), "{marked:?}");
    assert_eq!(marked_topics(&world), BTreeSet::new(), "all of it is sealed");

    let wrong = erase(&world, &ada, &json!({ "password": "wrong password" })).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.body["errors"][0]["field"], "password");
    let missing = erase(&world, &ada, &json!({})).await;
    assert_eq!(missing.body["errors"][0]["field"], "password", "{:?}", missing.body);
    let mut another = Socket::chat(&world, bob.id, &bob.token, None).await;
    ends_at_once(&world, &ada).await;
    // And soon.
    until_erased(&world).await;
    assert_eq!(marked_tables(&world).await, BTreeSet::new());
    assert_eq!(marked_topics(&world), BTreeSet::new());

    let sql = "SELECT count(*) FROM model_usage WHERE id = $1 AND student_id IS NULL AND cost_micro_usd = 7";
    assert_eq!(world.count(sql, Uuid::from_u128(1)).await, 1);
    let path = format!("/queries/{}", kept.body["id"].as_str().expect("an id"));
    let again = world.get(&path, Some(&bob.token)).await;
    assert_eq!(again.body["answer"], kept.body["answer"], "nobody else's is touched");
    assert_eq!(world.ask(&bob, "What is a tuple?", 20).await.status, StatusCode::OK);
    another.next_of("ai_response").await;
    let asked =
        world.events_of_request(kept.body["id"].as_str().expect("an id"), "question.asked.v1");
    assert_eq!(asked.await[0]["question"], "What is a list?");
    // Whoever it was may come again, as somebody else.
    let again = json!({ "email": format!("{MARKER}@example.org"), "password": PASSWORD, "display_name": "Ada" });
    let again = world.post("/auth/register", None, &again).await;
    assert_eq!(again.status, StatusCode::CREATED, "{:?}", again.body);
    // At last not even the id is known.
    world.advance(31 * 86_400);
    eventually("the account is forgotten", async || {
        let sql = "SELECT count(*) FROM users WHERE id = $1";
        (world.count(sql, ada.id).await == 0).then_some(())
    })
    .await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_was_cut_off_by_a_crash_is_completed() {
    let mut world = World::new().await;
    let ada = world.student("ada").await;
    assert_eq!(world.ask(&ada, "What is a list?", 20).await.status, StatusCode::OK);
    world.stop().await;
    let faults = Faults::armed("api-gateway", FaultPoint::Committed);
    world.start(faults.clone()).await;
    let url = world.stack().url("api-gateway").expect("the gateway");
    let client = runtime::http_client().expect("a client");
    let request = client.request(Method::DELETE, format!("{url}/api/v1/me"));
    let erasing = tokio::spawn(tests::reply(request.bearer_auth(&ada.token).json(&password())));
    faults.reached().await;
    world.kill().await;
    erasing.abort();
    let sql = "SELECT count(*) FROM queries WHERE student_id = $1";
    world.start(Faults::default()).await;
    assert_eq!(world.get("/me", Some(&ada.token)).await.status, StatusCode::UNAUTHORIZED);
    // A relay sends what the dead process has not.
    world.advance(11);
    until_erased(&world).await;
    assert_eq!(world.count(sql, ada.id).await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_about_an_erased_account_are_skipped_and_changed_ones_given_up() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let sealed = async |student: &Student| -> Value {
        let reply = world.ask(student, "What is a list?", 20).await;
        assert_eq!(reply.status, StatusCode::OK);
        let sql = "SELECT data FROM events WHERE partition_key = $1 AND type = 'question.asked.v1'";
        let query = sqlx::query_scalar(sql).bind(student.id.to_string());
        query.fetch_one(&mut world.database().await).await.expect("it is there")
    };
    let (of_ada, of_bob) = (sealed(&ada).await, sealed(&bob).await);
    assert!(of_ada["sealed"].is_string(), "{of_ada}");
    let again = |number: u128, student: &Student, data: &Value| {
        json!({ "specversion": "1.0", "id": Uuid::from_u128(number), "source": "learnflow/api-gateway",
                "type": "question.asked.v1", "subject": student.id, "partitionkey": student.id,
                "correlationid": Uuid::from_u128(number), "datacontenttype": "application/json", "data": data })
    };
    assert_eq!(erase(&world, &ada, &password()).await.status, StatusCode::NO_CONTENT);
    for (number, student, data) in [(1, &ada, &of_ada), (2, &bob, &of_bob)] {
        let event = again(number, student, data).to_string();
        let topic = Topic::LearningRequests.name();
        publish(world.kafka(), topic, &student.id.to_string(), Some(event.as_bytes())).await;
    }
    let letters = eventually("what was changed is given up", async || {
        let letters = world.dead_letters("triage").await;
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    assert_eq!(letters[0]["reasons"][0], "sealed data is damaged, or belongs to another event");
    eventually("what nobody can read is counted", async || {
        let metrics = world.stack().url("triage").expect("triage") + "/metrics";
        let text = reqwest::get(metrics).await.ok()?.text().await.ok()?;
        text.contains("learnflow_events_erased_total").then_some(())
    })
    .await;
    let sql = "SELECT count(*) FROM delivery_attempts WHERE event_id = $1";
    assert_eq!(world.count(sql, Uuid::from_u128(1)).await, 0, "it is not retried");
    until_erased(&world).await;
    world.finish_with_dead_letters("triage", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_teacher_of_a_class_cannot_go_and_all_others_can() {
    let world = World::new().await;
    let (tom, tess) = (world.teacher("tom").await, world.teacher("tess").await);
    let ada = world.student("ada").await;
    let class = world.class(&tom, &[&ada]).await;
    let refused = erase(&world, &tom, &password()).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.body["code"], "only_teacher");
    let path = format!("/classes/{class}");
    let name = world.get(&path, Some(&tom.token)).await.body["name"].clone();
    let detail = refused.body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(name.as_str().expect("a name")), "{detail}");
    let body = json!({ "email": "tess@example.org" });
    let added = world.post(&format!("{path}/teachers"), Some(&tom.token), &body).await;
    assert!(added.status.is_success(), "{:?}", added.body);
    assert_eq!(erase(&world, &tom, &password()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&path, Some(&tess.token)).await.status, StatusCode::OK);
    // An archived class goes with its last teacher.
    let archived = world.patch(&path, &tess.token, &json!({ "archived": true })).await;
    assert_eq!(archived.status, StatusCode::OK, "{:?}", archived.body);
    assert_eq!(erase(&world, &tess, &password()).await.status, StatusCode::NO_CONTENT);
    let sql = "SELECT count(*) FROM classes WHERE id = $1";
    assert_eq!(world.count(sql, class.parse().expect("an id")).await, 0);
    assert_eq!(world.get("/me", Some(&ada.token)).await.status, StatusCode::OK);
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let last = erase(&world, &admin, &json!({ "password": "learnflow-admin" })).await;
    assert_eq!((last.status, &last.body["code"]), (StatusCode::CONFLICT, &json!("last_admin")));
    until_erased(&world).await;
    world.finish().await;
}

/// The files of an export.
async fn unpacked(
    world: &World,
    student: &Student,
    export: &OwnExport,
) -> BTreeMap<String, String> {
    assert_eq!(export.state, ExportState::Ready, "{export:?}");
    let gateway = world.stack().url("api-gateway").expect("the gateway");
    let url = gateway + export.download_url.as_deref().expect("an address");
    let client = runtime::http_client().expect("a client");
    let sent = client.get(url).bearer_auth(&student.token).send().await.expect("a response");
    assert_eq!(sent.headers()["content-type"], "application/zip");
    let bytes = sent.bytes().await.expect("a file");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP file");
    let mut files = BTreeMap::new();
    for number in 0..zip.len() {
        let mut file = zip.by_index(number).expect("a file");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        files.insert(file.name().expect("a name").to_string(), text);
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_export_is_made_at_a_time_and_it_is_its_owners() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let ask = async || world.post("/me/exports", Some(&ada.token), &json!({})).await;
    let first: OwnExport = ask().await.expect(StatusCode::ACCEPTED);
    let path = first.status_url.trim_start_matches("/api/v1").to_owned();
    for path in [path.clone(), format!("{path}/download"), "/me/exports/x".to_owned()] {
        let refused = world.get(&path, Some(&bob.token)).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
    let again: OwnExport = ask().await.expect(StatusCode::ACCEPTED);
    // The clock stands still, so no periodic work has made it meanwhile, unless it was the first of the process.
    assert!(again.id == first.id || again.state == ExportState::Pending);
    let made = exported(&world, &ada).await;
    assert_eq!(made.state, ExportState::Ready);
    let listed = async |student: &Student| {
        world.get("/me/exports", Some(&student.token)).await.ok::<OwnExports>().items
    };
    world.advance(1);
    let last: OwnExport = ask().await.expect(StatusCode::ACCEPTED);
    let own = listed(&ada).await;
    assert_eq!(own[0].id, last.id, "the latest first");
    assert!(own.contains(&made), "with all that is said of it: {own:?}");
    assert_eq!(listed(&bob).await, []);
    world.finish().await;
}

/// Asks for an export and waits until it is made.
async fn exported(world: &World, student: &Student) -> OwnExport {
    let asked = world.post("/me/exports", Some(&student.token), &json!({})).await;
    let asked: OwnExport = asked.expect(StatusCode::ACCEPTED);
    let path = asked.status_url.trim_start_matches("/api/v1").to_owned();
    // Periodic work is due again.
    world.advance(6);
    eventually("the export is made", async || {
        let export: OwnExport = world.get(&path, Some(&student.token)).await.ok();
        (export.state != ExportState::Pending).then_some(export)
    })
    .await
}
