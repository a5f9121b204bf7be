//! One question, all the way through.

use reqwest::StatusCode;
use serde_json::json;
use testing::ApacheKafka;
use tests::{Setup, World};
use uuid::Uuid;

const QUESTION: &str = "What is the difference between a list and a tuple?";

async fn check_question_is_answered(world: World) {
    let student = world.student("ada").await;
    let reply = world.ask(&student, QUESTION, 20).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    assert_eq!(reply.body["agent"], "concepts");
    assert_eq!(reply.body["answered_by"], "offline");
    let answer = &reply.body["answer"];
    assert_eq!(answer["topics"], json!(["lists", "tuples"]));
    assert!(answer["content"].as_str().is_some_and(|text| text.contains("a list can change")));
    assert!(
        answer["examples"][0]["output"].as_str().is_some_and(|text| text.starts_with("['milk'"))
    );
    let id = reply.body["id"].as_str().expect("an id").to_owned();
    let stored = world.get(&format!("/queries/{id}"), Some(&student.token)).await;
    assert_eq!(stored.body["answer"], *answer);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_answered_over_the_local_broker() {
    check_question_is_answered(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_answered_over_apache_kafka() {
    if let Some(kafka) = ApacheKafka::start().await.expect("Apache Kafka starts") {
        let setup = Setup { kafka: Some(kafka.brokers()), ..Setup::default() };
        check_question_is_answered(World::with(setup).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_patience_the_answer_is_found_later() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let reply = world.ask(&student, "What is a set?", 0).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let id = reply.body["id"].as_str().expect("an id");
    assert_eq!(reply.headers["location"], format!("/api/v1/queries/{id}"));
    let answered = world.answer(&student, id).await;
    assert_eq!(answered["answer"]["topics"], json!(["sets"]));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hop_belongs_to_one_request_and_names_its_cause() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let reply = world.ask(&student, "What is a variable?", 20).await;
    let query: Uuid = reply.body["id"].as_str().expect("an id").parse().expect("a UUID");
    let rows: Vec<(String, Uuid, Option<Uuid>, Option<Uuid>)> = {
        let sql = "SELECT type, id, causation_id, subject FROM events WHERE correlation_id = $1
                   ORDER BY occurred_at, topic DESC";
        let mut conn = world.database().await;
        sqlx::query_as(sql).bind(query).fetch_all(&mut conn).await.expect("the audit trail")
    };
    let mut types: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    types.sort_unstable();
    assert_eq!(types, ["question.answered.v1", "question.asked.v1", "question.routed.v1"]);
    let find = |name: &str| rows.iter().find(|row| row.0 == name).expect("the event is kept");
    assert_eq!(find("question.asked.v1").2, Some(query));
    assert_eq!(find("question.routed.v1").2, Some(find("question.asked.v1").1));
    assert_eq!(find("question.answered.v1").2, Some(find("question.routed.v1").1));
    assert!(rows.iter().all(|row| row.3 == Some(student.id)));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_another_agent_is_answered_honestly_by_triage() {
    let world = World::new().await;
    let student = world.student("ada").await;
    for (question, agent, words) in [
        ("what is my progress?", "progress", "not part of this"),
        ("What is the capital of France?", "off_topic", "learning Python"),
    ] {
        let reply = world.ask(&student, question, 20).await;
        assert_eq!(reply.status, StatusCode::OK, "{question}");
        assert_eq!(reply.body["agent"], "triage", "{question}");
        assert_eq!(reply.body["routing"]["agent"], agent, "{question}");
        let content = reply.body["answer"]["content"].as_str().expect("content");
        assert!(content.contains(words), "{question}: {content}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_functions_answer_directly_on_their_own_ports() {
    let world = World::new().await;
    let explained = world
        .send("concepts", |client, url| {
            client
                .post(format!("{url}/explain"))
                .json(&json!({ "concept": "tuples", "level": "mastered" }))
        })
        .await;
    assert_eq!(explained.status, StatusCode::OK, "{:?}", explained.body);
    assert!(explained.body["explanation"].as_str().is_some_and(|text| text.contains("shallow")));
    let missing = world
        .send("concepts", |client, url| {
            client.post(format!("{url}/explain")).json(&json!({ "concept": "decorators" }))
        })
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let triaged = world
        .send("triage", |client, url| {
            client.post(format!("{url}/triage")).json(&json!({ "question": "quiz me on sets" }))
        })
        .await;
    assert_eq!(triaged.body["agent"], "exercise");
    let listed = world.send("concepts", |client, url| client.get(format!("{url}/concepts"))).await;
    assert_eq!(listed.body.as_array().map(Vec::len), Some(31));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_for_practice_is_answered_with_an_exercise_of_its_topic() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let reply = world.ask(&student, "Give me a hard exercise about dictionaries", 20).await;
    assert_eq!(reply.body["agent"], "exercise", "{:?}", reply.body);
    let set = &reply.body["answer"]["details"];
    let shown = [&set["kind"], &set["topic"], &set["difficulty"]];
    assert_eq!(shown, [&json!("exercise"), &json!("dictionaries"), &json!("hard")]);
    assert!(set["reference"].is_null() && set["tests"].as_array().is_some_and(|t| !t.is_empty()));
    let listed = world.send("exercise", |client, url| {
        client.get(format!("{url}/exercises?topic=dictionaries&difficulty=hard"))
    });
    assert_eq!(listed.await.body[0]["slug"], set["slug"]);
    let body = json!({ "topic": "no-such", "difficulty": "easy" });
    let refused = world.send("exercise", |client, url| {
        client.post(format!("{url}/exercises/generate")).json(&body)
    });
    assert_eq!(refused.await.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish().await;
}
