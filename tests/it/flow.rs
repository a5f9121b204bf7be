//! One question, all the way through.

use api_gateway::responses::QueryResponse;
use domain::{
    agent::{Agent, AnsweredBy, Author},
    difficulty::Difficulty,
};
use events::question_answered::Details;
use reqwest::StatusCode;
use serde_json::json;
use testing::ApacheKafka;
use tests::{Setup, World};
use uuid::Uuid;

const QUESTION: &str = "What is the difference between a list and a tuple?";

async fn check_question_is_answered(world: World) {
    let student = world.student("ada").await;
    let query: QueryResponse = world.ask(&student, QUESTION, 20).await.ok();
    assert_eq!(query.agent, Some(Author::Concepts));
    assert_eq!(query.answered_by, Some(AnsweredBy::Offline));
    let answer = query.answer.as_ref().expect("an answer");
    assert_eq!(answer.topics, ["lists", "tuples"]);
    assert!(answer.content.contains("a list can change"), "{}", answer.content);
    assert!(answer.examples[0].output.starts_with("['milk'"), "{:?}", answer.examples);
    let path = format!("/queries/{}", query.id);
    let stored: QueryResponse = world.get(&path, Some(&student.token)).await.ok();
    assert_eq!(stored, query);
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
async fn without_waiting_the_answer_is_found_later() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let reply = world.ask(&student, "What is a set?", 0).await;
    let location = reply.headers["location"].clone();
    let query: QueryResponse = reply.expect(StatusCode::ACCEPTED);
    assert_eq!(location, format!("/api/v1/queries/{}", query.id));
    let answered = world.answer(&student, query.id).await;
    assert_eq!(answered.answer.expect("an answer").topics, ["sets"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hop_belongs_to_one_request_and_names_its_cause() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let query: QueryResponse = world.ask(&student, "What is a variable?", 20).await.ok();
    let query = query.id.as_uuid();
    let rows: Vec<(String, Uuid, Option<Uuid>, Option<Uuid>)> = {
        let sql = "SELECT type, id, causation_id, subject FROM events
                   WHERE correlation_id = $1
                     AND type IN ('question.asked.v1', 'question.routed.v1', 'question.answered.v1')
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
async fn progress_is_told_by_its_agent_and_what_is_off_topic_by_triage() {
    let world = World::new().await;
    let student = world.student("ada").await;
    for (question, author, agent, words) in [
        ("what is my progress?", Author::Progress, Agent::Progress, "no score yet"),
        ("What is the capital of France?", Author::Triage, Agent::OffTopic, "learn Python"),
    ] {
        let query: QueryResponse = world.ask(&student, question, 20).await.ok();
        assert_eq!(query.agent, Some(author), "{question}");
        assert_eq!(query.routing.map(|routing| routing.agent), Some(agent), "{question}");
        let content = query.answer.expect("an answer").content;
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
    let wish = "Give me a hard exercise about dictionaries";
    let query: QueryResponse = world.ask(&student, wish, 20).await.ok();
    assert_eq!(query.agent, Some(Author::Exercise));
    let details = query.answer.and_then(|answer| answer.details);
    let Some(Details::Exercise(exercise)) = details else { panic!("no exercise: {details:?}") };
    assert_eq!((exercise.topic.as_str(), exercise.difficulty), ("dictionaries", Difficulty::Hard));
    assert!(!exercise.tests.is_empty());
    let listed = world.send("exercise", |client, url| {
        client.get(format!("{url}/exercises?topic=dictionaries&difficulty=hard"))
    });
    assert_eq!(listed.await.body["items"][0]["id"], exercise.id.to_string());
    let body = json!({ "topic": "no-such", "difficulty": "easy" });
    let refused = world.send("exercise", |client, url| {
        client.post(format!("{url}/exercises/generate")).json(&body)
    });
    assert_eq!(refused.await.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish().await;
}
