//! The product's stories, from the first request to what people see, over HTTP, Kafka and sockets.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Student, World, socket::Socket};

async fn run(world: &World, student: &Student, code: &str) {
    let body = json!({ "code": code });
    let reply =
        world.post_with("/executions", &student.token, &body, [("prefer", "wait=20")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    world.advance(10);
}

async fn alerts_socket(world: &World, teacher: &Student) -> Socket {
    let url = world.stack().url("websocket").expect("there is such a function");
    let protocols = format!("learnflow.v1, bearer.{}", teacher.token);
    let headers = [("sec-websocket-protocol", protocols.as_str())];
    Socket::open(&url, "/ws/alerts", &headers).await.expect("it is opened")
}

/// Given a class, when one of its students fails five times in a row, then the teacher hears of it at once, with the
/// evidence, and the student gets a friendly word; when the student recovers, the alert resolves itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_teacher_of_a_struggling_student_hears_of_it() {
    let world = World::new().await;
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let (teacher, other) = (world.teacher("grace").await, world.teacher("alan").await);
    world.class(&teacher, &[&ada]).await;
    world.class(&other, &[&eve]).await;
    let mut hers = alerts_socket(&world, &teacher).await;
    let mut chat = Socket::chat(&world, ada.id, &ada.token, None).await;
    for code in ["print(a)", "1 + ''", "[][1]", "{}['x']", "int('x')"] {
        run(&world, &ada, code).await;
    }
    let alert = hers.next_of("alert").await;
    let text = alert.to_string();
    assert!(text.contains("5 failed runs in a row"), "{text}");
    let word = loop {
        let frame = chat.next().await.frame();
        if frame["type"] == "alert" {
            break frame;
        }
    };
    assert!(!word.to_string().to_lowercase().contains("struggl"), "{word}");
    let path = "/alerts?status=open";
    let mine: Value = world.get(path, Some(&teacher.token)).await.body;
    let [item] = mine["items"].as_array().expect("a list").as_slice() else { panic!("{mine}") };
    assert_eq!(item["trigger"], "failed_runs", "{item}");
    let theirs = world.get(path, Some(&other.token)).await.body;
    assert_eq!(theirs["items"], json!([]), "another teacher's class");
    run(&world, &ada, "print('at last')").await;
    let over = hers.next_of("alert").await;
    assert!(over.to_string().contains("ran to its end"), "{over}");
    let mine = world.get(path, Some(&teacher.token)).await.body;
    assert_eq!(mine["items"], json!([]), "it resolved itself");
    world.finish().await;
}

/// Given a quiz of the course, when it goes badly, then mastery shows it, the teacher has an alert, and the next quiz
/// with a better result resolves it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiz_shows_in_mastery_and_to_the_teacher() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let teacher = world.teacher("grace").await;
    world.class(&teacher, &[&ada]).await;
    let mut hers = alerts_socket(&world, &teacher).await;
    let quiz = world.post("/quizzes", Some(&ada.token), &json!({ "topic": "lists" })).await;
    let id = quiz.body["id"].as_str().expect("an id").to_owned();
    let submitted =
        world.post(&format!("/quizzes/{id}/submission"), Some(&ada.token), &json!({})).await;
    assert_eq!(submitted.status, StatusCode::OK, "{:?}", submitted.body);
    assert_eq!(submitted.body["score"], 0, "nothing was answered");
    let alert = hers.next_of("alert").await.to_string();
    assert!(alert.contains("A quiz with 0 percent"), "{alert}");
    let report = world.get("/progress/me", Some(&ada.token)).await.body;
    assert_eq!(report["overall"]["level"], "beginner", "{report}");
    let answer = world.ask(&ada, "How am I doing?", 20).await.body;
    let text = answer["answer"]["content"].as_str().unwrap_or_default();
    assert!(text.contains("| Lists |"), "{text}");
    world.finish().await;
}
