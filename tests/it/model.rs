//! The model path: what a model says reaches the student only after it was checked, and whatever goes wrong with the
//! model, the student gets an answer.

use std::{pin::pin, time::Duration};

use domain::agent::AnsweredBy;
use events::{CloudEvent, HeaderStyle};
use futures::future::{Either, join_all, select};
use rdkafka::{
    ClientConfig, Message as _,
    consumer::{Consumer as _, StreamConsumer},
};
use reqwest::StatusCode;
use runtime::Store;
use serde_json::{Value, json};
use testing::{ModelRequest, ModelServer, Scripted, eventually};
use tests::{Reply, Setup, Student, World};

async fn world(server: &ModelServer, more: &[(&'static str, &str)]) -> World {
    let mut settings = vec![("OPENAI_BASE_URL", server.base_url())];
    settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    World::with(Setup { settings, ..Setup::default() }).await
}

fn explanation(examples: &[(&str, &str)]) -> String {
    let examples: Vec<Value> =
        examples.iter().map(|(title, code)| json!({ "title": title, "code": code })).collect();
    // In the order of the schema, as a model writes it.
    let text = "A list is like a row of boxes.\n\nEach box of the list has a number.";
    let rest = json!({
        "examples": examples,
        "common_mistakes": ["Counting the boxes from one."],
        "diagram": "flowchart LR\n  a[0] --> b[1]"
    });
    format!("{{\"explanation\": {}, {}", json!(text), &rest.to_string()[1..])
}

const GOOD: (&str, &str) = ("Adding a box", "boxes = [1, 2]\nboxes.append(3)\nprint(boxes)");

async fn ask(world: &World, student: &Student, question: &str) -> Reply {
    let reply = world.ask(student, question, 20).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_explains_and_its_examples_carry_what_they_really_print() {
    let broken = ("A mistake", "print(boxes[9]");
    let server = ModelServer::playing([Scripted::Says(explanation(&[GOOD, broken]))]).await;
    let world = world(&server, &[]).await;
    let student = world.student("ada").await;
    let question = "I am ada@example.org, what is a list good for in my shop of 20231104417 boxes?";
    let reply = ask(&world, &student, question).await;
    assert_eq!(reply.body["answered_by"], "model", "{:?}", reply.body);
    let answer = &reply.body["answer"];
    let expected = json!([{ "title": GOOD.0, "code": GOOD.1, "output": "[1, 2, 3]\n" }]);
    assert_eq!(answer["examples"], expected, "what fails is withheld");
    let content = answer["content"].as_str().expect("a text");
    assert!(content.contains("like a row of boxes") && content.contains("```mermaid"), "{content}");
    let request = &server.requests()[0];
    assert_eq!(request.data()["topic"], "Lists");
    assert!(request.data()["lesson"].as_str().is_some_and(|lesson| lesson.len() > 100));
    let sent = request.body.to_string();
    assert!(sent.contains("[email]") && sent.contains("[number]"), "{sent}");
    assert!(!sent.contains("example.org") && !sent.contains("20231104417"), "{sent}");
    assert!(!sent.contains(&student.id.to_string()), "{sent}");
    server.then([Scripted::Says(explanation(&[GOOD]))]);
    let body = json!({ "concept": "lists", "level": "learning" });
    let direct = world
        .send("concepts", |client, url| client.post(format!("{url}/explain")).json(&body))
        .await;
    assert_eq!(direct.body["answered_by"], "model", "{:?}", direct.body);
    assert_eq!(
        (&direct.body["concept"], &direct.body["level"]),
        (&json!("lists"), &json!("learning"))
    );
    assert!(direct.body["diagram"].as_str().is_some_and(|text| text.starts_with("flowchart")));
    let spent = "SELECT sum(tokens_in * 1000 + tokens_out) FROM model_usage WHERE student_id = $1";
    assert_eq!(world.count(spent, student.id).await, 100_050);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_streamed_in_order_and_not_stored() {
    let server = ModelServer::playing([Scripted::Says(explanation(&[GOOD]))]).await;
    let world = world(&server, &[]).await;
    let student = world.student("ada").await;
    let reply = ask(&world, &student, "What is a list?").await;
    let id = reply.body["id"].as_str().expect("an id");
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", world.kafka())
        .set("group.id", "a-test")
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer");
    consumer.subscribe(&["learning.responses"]).expect("it subscribes");
    let mut received = Vec::new();
    let store = Store::open(world.database_url()).expect("a database");
    loop {
        let message = tokio::time::timeout(Duration::from_secs(30), consumer.recv()).await;
        let message = message.expect("events are there").expect("they can be read");
        let payload = message.payload().expect("a body");
        let event = CloudEvent::decode(HeaderStyle::Kafka, [], payload).expect("an event");
        let event = store.keys().open_event(event).await.expect("a key").expect("an account");
        let events::Data::Json(data) = event.data else { panic!("no JSON") };
        let data: serde_json::Value = data.read().expect("an object");
        assert_eq!(data["query_id"], id);
        received.push((event.event_type, data["sequence"].clone(), data["text"].clone()));
        if received.last().is_some_and(|(kind, ..)| kind == "question.answered.v1") {
            break;
        }
    }
    let delta =
        |number: u32, text: &str| ("answer.delta.v1".to_owned(), json!(number), json!(text));
    assert_eq!(received[0], delta(0, "A list is like a row of boxes.\n\n"));
    assert_eq!(received[1], delta(1, "Each box of the list has a number."));
    assert_eq!(received.len(), 3);
    // Before its broker goes: it would wait for it.
    drop(consumer);
    assert_eq!(world.events_of_request(id, "question.answered.v1").await.len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_with_the_model_the_course_answers() {
    let server = ModelServer::playing([
        Scripted::Status(401, None),
        Scripted::Cuts(explanation(&[GOOD])),
        Scripted::Says("Sorry, as a model I cannot.".to_owned()),
        Scripted::Says(explanation(&[("It fails", "print(1 / 0)")])),
        Scripted::Hangs,
    ])
    .await;
    let world = world(&server, &[("MODEL_TIMEOUT_MS", "700")]).await;
    let student = world.student("ada").await;
    for question in [
        "What is a list?",
        "What is a tuple?",
        "What is a variable?",
        "What is a set?",
        "What is a dictionary?",
    ] {
        let reply = ask(&world, &student, question).await;
        assert_eq!(reply.body["answered_by"], "offline", "{question}");
        let examples = reply.body["answer"]["examples"].as_array().map_or(0, Vec::len);
        assert!(examples > 0, "{question}: {:?}", reply.body);
    }
    assert_eq!(server.requests().len(), 5);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_identical_questions_at_once_cost_one_call() {
    let delay = Duration::from_millis(600);
    let server =
        ModelServer::answering(move |_| Scripted::After(delay, explanation(&[GOOD]))).await;
    let world = world(&server, &[]).await;
    let mut students = Vec::new();
    for number in 0..6 {
        students.push(world.student(&format!("s{number}")).await);
    }
    let asking = students.iter().map(|student| ask(&world, student, "What is a list?"));
    for reply in join_all(asking).await {
        assert_eq!(reply.body["answered_by"], "model");
    }
    assert_eq!(server.requests().len(), 1);
    // And whoever asks later gets it at once, until an hour has passed.
    let late = world.student("late").await;
    assert_eq!(ask(&world, &late, "explain lists").await.body["answered_by"], "model");
    assert_eq!(server.requests().len(), 1);
    let cached = "SELECT count(*) FROM model_usage WHERE student_id = $1 AND cached";
    assert_eq!(world.count(cached, late.id).await, 1);
    world.advance(3_601);
    ask(&world, &late, "What is a list?").await;
    assert_eq!(server.requests().len(), 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_too_many_wait_further_questions_are_answered_without_the_model() {
    const OTHERS: &str =
        "INSERT INTO drafts (id, query_id, agent, body, waits_for, created_at, deadline_at)
        SELECT gen_random_uuid(), query_id, agent, body, waits_for, created_at, deadline_at
        FROM drafts, generate_series(1, 199) WHERE waits_for IS NOT NULL";
    const PARKED: &str = "SELECT count(*) FROM model_usage WHERE student_id = $1 AND cached";
    let slow = Scripted::After(Duration::from_secs(3), explanation(&[GOOD]));
    let server = ModelServer::playing([slow]).await;
    let world = world(&server, &[]).await;
    let [ada, bob, eve] =
        [world.student("ada").await, world.student("bob").await, world.student("eve").await];
    world.ask(&ada, "What is a list?", 0).await;
    eventually("the model is asked", async || (!server.requests().is_empty()).then_some(())).await;
    let waits = world.ask(&bob, "What is a list?", 0).await;
    let parked = async || (world.count(PARKED, bob.id).await == 1).then_some(());
    eventually("the second question waits", parked).await;
    let mut database = world.database().await;
    sqlx::query(OTHERS).execute(&mut database).await.expect("it is valid");
    assert_eq!(ask(&world, &eve, "What is a list?").await.body["answered_by"], "offline");
    let id = waits.body["id"].as_str().expect("an id");
    assert_eq!(world.answer(&bob, id).await.answered_by, Some(AnsweredBy::Model));
    assert_eq!(server.requests().len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spent_budget_stops_calls_but_not_answers() {
    let server = ModelServer::answering(|_| Scripted::Says(explanation(&[GOOD]))).await;
    let world = world(&server, &[("MODEL_STUDENT_DAILY_CALLS", "1")]).await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let first = ask(&world, &ada, "What is a list?").await;
    assert_eq!(first.body["answered_by"], "model");
    let second = ask(&world, &ada, "What can a list hold?").await;
    assert_eq!(second.body["answered_by"], "offline");
    let other = ask(&world, &bob, "What can a list hold?").await;
    assert_eq!(other.body["answered_by"], "model");
    world.advance(24 * 3_600 + 1);
    let body = json!({ "email": "ada@example.org", "password": tests::PASSWORD });
    let login = world.post("/auth/login", None, &body).await;
    let token = login.body["access_token"].as_str().expect("a token").to_owned();
    let ada = Student { token, ..ada };
    let next_day = ask(&world, &ada, "explain lists").await;
    assert_eq!(next_day.body["answered_by"], "model");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_model_delays_nobody_else() {
    let slow = |request: &ModelRequest| {
        let delay = if request.data()["topic"] == "Lists" { 2_000 } else { 0 };
        Scripted::After(Duration::from_millis(delay), explanation(&[GOOD]))
    };
    let server = ModelServer::answering(slow).await;
    let world = world(&server, &[]).await;
    let ada = world.student("ada").await;
    // More than there are partitions, so that some are of hers.
    let mut others = Vec::new();
    for number in 0..10 {
        others.push(world.student(&format!("s{number}")).await);
    }
    {
        let waits = pin!(ask(&world, &ada, "What is a list?"));
        // An answer that must be withheld, so that it is the course's.
        let quick = others.iter().map(|student| ask(&world, student, "What is a tuple?"));
        match select(pin!(join_all(quick)), waits).await {
            Either::Left((_, waits)) => drop(waits.await),
            Either::Right(_) => panic!("the slow one was answered before all others were"),
        }
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_may_be_rephrased_if_it_reveals_no_more() {
    let words = "What does `totl` on line 2 look like, next to the names above it?";
    let server = ModelServer::playing([
        Scripted::Says(json!({ "hint": words }).to_string()),
        Scripted::Says(json!({ "hint": "Change `totl` to `total` on line 2." }).to_string()),
    ])
    .await;
    let world = world(&server, &[]).await;
    for (name, by) in [("ada", "model"), ("bob", "offline")] {
        let student = world.student(name).await;
        let body = json!({ "code": "total = 1\nprint(totl)\n", "question": "why is it broken?" });
        let reply = world.post_with("/debug", &student.token, &body, [("prefer", "wait=20")]).await;
        assert_eq!(reply.body["answered_by"], by, "{:?}", reply.body);
        let content = reply.body["answer"]["content"].as_str().expect("a text");
        assert_eq!(content.contains(words), by == "model", "{content}");
        assert!(!content.contains("Change `totl`"), "{content}");
        let hint = reply.body["answer"]["details"]["hint"]["text"].as_str().expect("a hint");
        assert!(content.contains(hint), "{content}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_is_shown_if_its_suggestion_does_the_same() {
    let code = "numbers = [1, 2, 3]\ntotal = 0\nfor number in numbers:\n    total += number\nprint(total)\n";
    let note = |line: u32, before: &str, after: &str| {
        json!({ "line": line, "message": "There is a shorter way.", "why": "Less to read.",
                "before": before, "after": after })
    };
    let loop_lines = "total = 0\nfor number in numbers:\n    total += number";
    let notes =
        [note(2, loop_lines, "total = sum(numbers)"), note(5, "print(total)", "print(total + 1)")];
    let answer = json!({ "praise": "The names say what they hold.", "notes": notes });
    let server = ModelServer::playing([Scripted::Says(answer.to_string())]).await;
    let world = world(&server, &[]).await;
    let student = world.student("ada").await;
    let reply = world
        .post_with("/reviews", &student.token, &json!({ "code": code }), [("prefer", "wait=20")])
        .await;
    assert_eq!(reply.body["answered_by"], "model", "{:?}", reply.body);
    let report = &reply.body["answer"]["details"];
    assert_eq!(report["praise"], "The names say what they hold.");
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["after"], "total = sum(numbers)");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_routes_a_question_only_if_the_rules_leave_it_open() {
    let server = ModelServer::answering(|request| {
        let says = match request.body["response_format"]["json_schema"]["name"].as_str() {
            Some("classify") => json!({ "agent": "exercise", "reason": "wants to do something" }),
            _ => json!({}),
        };
        Scripted::Says(says.to_string())
    })
    .await;
    let world = world(&server, &[]).await;
    let student = world.student("ada").await;
    let open = ask(&world, &student, "help please").await;
    assert_eq!(open.body["agent"], "exercise", "{:?}", open.body);
    assert_eq!(open.body["routing"]["reasons"][0], "the model: wants to do something");
    let before = server.requests().len();
    let clear = ask(&world, &student, "give me an exercise about lists").await;
    assert_eq!(clear.body["agent"], "exercise");
    assert_eq!(server.requests().len(), before, "nothing was open");
    world.finish().await;
}
