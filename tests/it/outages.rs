//! The broker or the database goes away and comes back.

use local_postgres::{Durability, LocalPostgres};
use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;
use testing::{eventually, restart_port};
use tests::{Setup, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_kafka_is_away_questions_are_accepted_and_answered_when_it_returns() {
    let mut world = World::new().await;
    let student = world.student("ada").await;
    assert_eq!(world.ask(&student, "What is a list?", 20).await.status, StatusCode::OK);
    world.stop_broker().await;
    let reply = world.ask(&student, "What is a set?", 0).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{:?}", reply.body);
    let ready = world.get("/ready", None).await;
    assert_eq!(ready.status, StatusCode::OK, "work is accepted, so traffic is welcome");
    world.start_broker().await;
    let id = reply.body["id"].as_str().expect("an id");
    let answered = world.answer(&student, id).await;
    assert_eq!(answered["answer"]["topics"], json!(["sets"]));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_nothing_is_accepted_and_the_client_is_told_when_to_return() {
    let dir = TempDir::new().expect("a folder");
    std::fs::write(dir.path().join("port"), restart_port().to_string()).expect("it is noted");
    let start =
        || LocalPostgres::start(dir.path(), Durability::Disposable).expect("PostgreSQL starts");
    let postgres = start();
    let settings = vec![("DATABASE_URL", postgres.url("postgres"))];
    let mut world = World::with(Setup { settings, ..Setup::default() }).await;
    let student = world.student("ada").await;
    assert_eq!(world.ask(&student, "What is a list?", 20).await.status, StatusCode::OK);
    tokio::task::spawn_blocking(move || drop(postgres)).await.expect("PostgreSQL stops");
    let refused = world.ask(&student, "What is a set?", 0).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{:?}", refused.body);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(world.get("/ready", None).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.get("/health", None).await.status, StatusCode::OK);
    let _postgres = start();
    let reply = eventually("questions are accepted again", async || {
        let reply = world.ask(&student, "What is a set?", 20).await;
        (reply.status == StatusCode::OK).then_some(reply)
    })
    .await;
    assert_eq!(reply.body["answer"]["topics"], json!(["sets"]));
    world.stop().await;
}
