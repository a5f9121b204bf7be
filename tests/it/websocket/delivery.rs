//! What comes on a socket, and what a client may send.

use std::time::Duration;

use chrono::TimeDelta;
use domain::struggle::Severity;
use events::{
    notification_made::{Notification, NotificationMade},
    submission_graded::{Feedback, SubmissionGraded},
};
use ids::{ExerciseId, NotificationId, SubmissionId, UserId};
use reqwest::StatusCode;
use serde_json::json;
use testing::{ModelServer, Scripted};
use tests::{
    Setup, World,
    socket::{Socket, emit, nudge},
};
use uuid::Uuid;

use super::text_of;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_accepted_and_answered_as_at_the_gateway() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    let question = "What is a list?";
    socket
        .say(&json!({ "id": "1", "content": question, "context": { "topic_id": "lists" } }))
        .await;
    let accepted = socket.next().await.frame();
    assert_eq!(accepted["type"], "ai_delta", "{accepted}");
    assert_eq!((&accepted["reply_to"], text_of(&accepted)), (&json!("1"), ""));
    let query = accepted["query_id"].as_str().expect("an id").to_owned();
    let answer = socket.next_of("ai_response").await;
    let stored = world.answer(&ada, &query).await;
    let stored = serde_json::to_value(stored).expect("JSON");
    assert_eq!(answer["query_id"], query.as_str());
    assert_eq!(answer["student_id"], json!(ada.id));
    assert_eq!(answer["agent"], "concepts");
    assert_eq!(answer["content"], stored["answer"]["content"]);
    for part in ["answer", "routing", "answered_by"] {
        assert_eq!(answer[part], stored[part], "{part}");
    }
    assert_eq!(answer["timestamp"], stored["answered_at"]);
    // The same frame, and the same request at the other door, with the same key: nothing new.
    socket
        .say(&json!({ "id": "1", "content": question, "context": { "topic_id": "lists" } }))
        .await;
    assert_eq!(socket.next_of("ai_delta").await["query_id"], query.as_str());
    let body = json!({ "question": question, "topic": "lists" });
    let again = world.post_with("/query", &ada.token, &body, [("idempotency-key", "1")]).await;
    assert_eq!(again.body["id"], query.as_str());
    socket.say(&json!({ "id": "1", "content": "Something else?" })).await;
    let refused = socket.next().await.frame();
    assert_eq!(refused["code"], "idempotency_key_reused", "{refused}");
    let sql = "SELECT count(*) FROM queries WHERE student_id = $1";
    assert_eq!(world.count(sql, ada.id).await, 1);
    // A new conversation begins on request.
    world.advance(1);
    socket.say(&json!({ "id": "2", "content": question, "new_conversation": true })).await;
    socket.next_of("ai_response").await;
    let sql = "SELECT count(*) FROM conversations WHERE student_id = $1";
    assert_eq!(world.count(sql, ada.id).await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_frame_gets_an_error_and_the_socket_stays() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    let long = "x".repeat(30_000);
    for (sent, code, field) in [
        ("no JSON".to_owned(), "malformed_json", None),
        ("[]".to_owned(), "validation_failed", Some("")),
        (json!({}).to_string(), "validation_failed", Some("content")),
        (json!({ "content": "" }).to_string(), "validation_failed", Some("content")),
        (json!({ "content": long }).to_string(), "validation_failed", Some("content")),
        (
            json!({ "content": "Why?", "answer": 1 }).to_string(),
            "validation_failed",
            Some("answer"),
        ),
        (json!({ "content": "Why?", "code": 1 }).to_string(), "validation_failed", Some("code")),
        (
            json!({ "content": "Why?", "new_conversation": 1 }).to_string(),
            "validation_failed",
            Some("new_conversation"),
        ),
        (
            json!({ "content": "Why?", "context": { "exercise_id": "x" } }).to_string(),
            "validation_failed",
            Some("context.exercise_id"),
        ),
        (
            json!({ "content": "Why?", "context": { "topic": "x" } }).to_string(),
            "validation_failed",
            Some("topic"),
        ),
        (json!({ "content": "Why?", "id": "" }).to_string(), "validation_failed", Some("id")),
        (json!({ "type": "shout" }).to_string(), "validation_failed", Some("type")),
        (json!({ "type": "auth", "token": "x" }).to_string(), "unauthorized", None),
    ] {
        socket.send(&sent).await;
        let frame = socket.next().await.frame();
        let found = (frame["type"].as_str(), frame["code"].as_str());
        assert_eq!(found, (Some("error"), Some(code)), "{:.80} {frame:.200}", sent);
        assert_eq!(frame["errors"][0]["field"].as_str(), field, "{:.80} {frame:.200}", sent);
        assert!(!text_of(&frame).is_empty() && frame["message_id"].is_string(), "{frame}");
    }
    socket.send_binary(b"bytes".to_vec()).await.expect("it is sent");
    assert_eq!(socket.next().await.frame()["type"], "error");
    socket.say(&json!({ "content": "What is a list?" })).await;
    socket.next_of("ai_response").await;
    let alerts = world.log_in("teacher@example.org", "learnflow-teacher").await;
    let url = world.stack().url("websocket").expect("it runs");
    let mut alerts = Socket::open(&url, &format!("/ws/alerts?token={}", alerts.token), &[])
        .await
        .expect("it is opened");
    alerts.say(&json!({ "id": "a", "content": "Why?" })).await;
    let frame = alerts.next().await.frame();
    assert_eq!((&frame["code"], &frame["reply_to"]), (&json!("forbidden"), &json!("a")), "{frame}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_count_towards_the_limit_of_requests() {
    let settings = vec![("RATE_LIMIT_USER", "3".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let ada = world.student("ada").await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    assert_eq!(world.ask(&ada, "What is a list?", 20).await.status, StatusCode::OK);
    socket.next_of("ai_response").await;
    // What a door has counted is added up with its next request, at most every 50 ms.
    world.advance(1);
    world.get("/me", Some(&ada.token)).await;
    for _ in 0..2 {
        socket.send("{}").await;
        assert_eq!(socket.next().await.frame()["code"], "validation_failed");
    }
    socket.say(&json!({ "content": "What is a tuple?" })).await;
    let frame = socket.next().await.frame();
    assert_eq!(frame["code"], "rate_limited", "{frame}");
    assert!(frame["retry_after"].as_u64().is_some_and(|seconds| seconds <= 60), "{frame}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_grades_and_friendly_words_come_as_they_are_made() {
    let world = World::new().await;
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    let mut other = Socket::chat(&world, eve.id, &eve.token, None).await;
    let wait = [("prefer", "wait=20")];
    let run =
        world.post_with("/executions", &ada.token, &json!({ "code": "print(1)" }), wait).await;
    let frame = socket.next().await.frame();
    assert_eq!(frame["type"], "execution", "{frame}");
    assert_eq!(frame["execution_id"], run.body["id"]);
    assert_eq!(frame["result"]["stdout"], "1\n", "{frame}");
    let page = world.get("/exercises", Some(&ada.token)).await.body;
    let exercise = page["items"][0]["id"].as_str().expect("an exercise");
    let path = format!("/exercises/{exercise}/submissions");
    let graded = world.post_with(&path, &ada.token, &json!({ "code": "print(1)" }), wait).await;
    // Runs of agents are theirs.
    let frame = socket.next().await.frame();
    assert_eq!(frame["type"], "progress", "{frame}");
    assert_eq!(frame["submission_id"], graded.body["id"]);
    assert_eq!(frame["feedback"]["passed"], false);
    emit(&world, &[nudge(ada.id, "Have a break.")]).await;
    let frame = socket.next().await.frame();
    assert_eq!((frame["type"].as_str(), text_of(&frame)), (Some("alert"), "Have a break."));
    emit(&world, &[nudge(eve.id, "Go on.")]).await;
    assert_eq!(text_of(&other.next().await.frame()), "Go on.", "the others' frames are not hers");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teachers_get_their_notifications_on_their_own_path() {
    let world = World::new().await;
    let teacher = world.log_in("teacher@example.org", "learnflow-teacher").await;
    let url = world.stack().url("websocket").expect("it runs");
    let path = format!("/ws/alerts?token={}", teacher.token);
    let mut alerts = Socket::open(&url, &path, &[]).await.expect("it is opened");
    let mut chat = Socket::chat(&world, teacher.id, &teacher.token, None).await;
    let ada = world.student("ada").await;
    let mut student = Socket::chat(&world, ada.id, &ada.token, None).await;
    let made = |to: Uuid, about: Option<Uuid>, text: &str| NotificationMade {
        user_id: UserId::from_uuid(to),
        request_id: to,
        notification: Notification {
            id: NotificationId::from_uuid(to),
            title: "Struggling".to_owned(),
            text: text.to_owned(),
            severity: Severity::High,
            alert_id: None,
            change: None,
            student_id: about.map(UserId::from_uuid),
            created_at: world.now(),
        },
    };
    let words = "Ada has run the same error five times.";
    emit(&world, &[made(teacher.id, Some(ada.id), words), made(ada.id, None, "Quiz tomorrow.")])
        .await;
    let frame = alerts.next().await.frame();
    assert_eq!((frame["type"].as_str(), text_of(&frame)), (Some("alert"), words));
    assert_eq!(frame["student_id"], json!(ada.id));
    assert_eq!(frame["notification"]["severity"], "high");
    assert_eq!(text_of(&student.next().await.frame()), "Quiz tomorrow.");
    emit(&world, &[nudge(teacher.id, "Hello.")]).await;
    assert_eq!(text_of(&chat.next().await.frame()), "Hello.", "the notification is not repeated");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_streamed_in_pieces_before_it_comes() {
    // In the order of the schema, as a model writes it.
    let explanation = "A list is like a row of boxes.\n\nEach box of the list has a number.";
    let rest = json!({
        "examples": [{ "title": "Adding a box", "code": "boxes = [1, 2]\nboxes.append(3)\nprint(boxes)" }],
        "common_mistakes": ["Counting the boxes from one."],
        "diagram": "flowchart LR\n  a[0] --> b[1]"
    });
    let text = format!("{{\"explanation\": {}, {}", json!(explanation), &rest.to_string()[1..]);
    let server = ModelServer::playing([Scripted::Says(text)]).await;
    let settings = vec![("OPENAI_BASE_URL", server.base_url())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let ada = world.student("ada").await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    socket.say(&json!({ "content": "What is a list?" })).await;
    let mut pieces = Vec::new();
    let answer = loop {
        let frame = socket.next().await.frame();
        match frame["type"].as_str() {
            Some("ai_delta") => {
                pieces.push((frame["sequence"].as_u64(), text_of(&frame).to_owned()));
            }
            _ => break frame,
        }
    };
    assert_eq!(answer["answered_by"], "model", "{answer}");
    let expected = [
        (None, String::new()),
        (Some(0), "A list is like a row of boxes.\n\n".to_owned()),
        (Some(1), "Each box of the list has a number.".to_owned()),
    ];
    assert_eq!(pieces, expected);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_for_a_frame_is_found_at_its_address() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    let feedback = |message: String| SubmissionGraded {
        submission_id: SubmissionId::from_uuid(ada.id),
        student_id: UserId::from_uuid(ada.id),
        exercise_id: ExerciseId::from_uuid(ada.id),
        feedback: Feedback {
            passed: true,
            tested: true,
            score: 100,
            tests: Vec::new(),
            not_as_asked: Vec::new(),
            quality: None,
            message,
            attempt: 1,
            best: 100,
            parsons: false,
        },
    };
    let large = "x".repeat(200_000);
    emit(&world, &[feedback(large), feedback("Well done.".to_owned())]).await;
    let frame = socket.next().await.frame();
    assert!(frame["feedback"].is_null() && frame["content"].is_null(), "it has no room");
    assert_eq!(frame["url"], format!("/api/v1/submissions/{}", ada.id));
    assert_eq!(text_of(&socket.next().await.frame()), "Well done.");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_outlives_the_broker() {
    let mut world = World::new().await;
    let ada = world.student("ada").await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    world.stop_broker().await;
    let run = json!({ "content": "What is a list?" });
    socket.say(&run).await;
    assert_eq!(socket.next().await.frame()["type"], "ai_delta", "accepted work is kept");
    assert!(socket.within(Duration::from_millis(200)).await.is_none());
    world.start_broker().await;
    world.advance(TimeDelta::minutes(1).num_seconds());
    socket.next_of("ai_response").await;
    world.finish().await;
}
