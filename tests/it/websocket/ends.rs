//! How a socket ends, and what keeps it open.

use std::time::Duration;

use chrono::TimeDelta;
use domain::user::Role;
use reqwest::StatusCode;
use serde_json::json;
use testing::eventually;
use tests::{
    PASSWORD, Student, World,
    socket::{Received, Socket, emit, nudge, token},
};

use super::{id_of, text_of, world_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_ends_with_its_token_unless_another_one_comes() {
    let world = World::new().await;
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let short = token(&world, ada.id, Role::Student, TimeDelta::seconds(2));
    let mut ends = Socket::chat(&world, ada.id, &short, None).await;
    let mut stays = Socket::chat(&world, ada.id, &short, None).await;
    stays.say(&json!({ "type": "auth", "token": eve.token })).await;
    assert_eq!(stays.next().await.frame()["code"], "forbidden");
    stays.say(&json!({ "type": "auth", "token": ada.token })).await;
    assert_eq!(ends.closed().await, 4401);
    emit(&world, &[nudge(ada.id, "Still there?")]).await;
    assert_eq!(text_of(&stays.next().await.frame()), "Still there?");
    world.finish().await;
}

/// Ends a login.
pub(super) async fn log_out(world: &World, student: &Student) {
    let body = json!({ "refresh_token": student.refresh_token });
    assert_eq!(world.post("/auth/logout", None, &body).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_ends_with_its_session_when_a_ping_is_due() {
    let world = world_with([("SOCKET_PING_SECONDS", "1")]).await;
    let phone = world.student("ada").await;
    let (laptop, tablet) = (
        world.log_in("ada@example.org", PASSWORD).await,
        world.log_in("ada@example.org", PASSWORD).await,
    );
    let mut ends = Socket::chat(&world, phone.id, &phone.token, None).await;
    let mut moved = Socket::chat(&world, tablet.id, &tablet.token, None).await;
    let mut stays = Socket::chat(&world, laptop.id, &laptop.token, None).await;
    // From now on it is a socket of the other session.
    moved.say(&json!({ "type": "auth", "token": laptop.token })).await;
    log_out(&world, &phone).await;
    log_out(&world, &tablet).await;
    assert_eq!(ends.closed().await, 4401);
    // Reading answers pings.
    let three = Duration::from_secs(3);
    assert_eq!(tokio::join!(stays.within(three), moved.within(three)), (None, None));
    log_out(&world, &laptop).await;
    assert_eq!(tokio::join!(stays.closed(), moved.closed()), (4401, 4401));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_of_an_ended_session_or_disabled_account_asks_nothing() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let admin = world.student("root").await;
    let mut hers = Socket::chat(&world, ada.id, &ada.token, None).await;
    let mut his = Socket::chat(&world, bob.id, &bob.token, None).await;
    log_out(&world, &ada).await;
    let role = token(&world, admin.id, Role::Admin, TimeDelta::hours(1));
    let path = format!("/admin/users/{}", bob.id);
    let disabled = world.patch(&path, &role, &json!({ "disabled": true })).await;
    assert_eq!(disabled.status, StatusCode::OK);
    for (socket, student) in [(&mut hers, &ada), (&mut his, &bob)] {
        socket.say(&json!({ "content": "What is a list?" })).await;
        assert_eq!(socket.closed().await, 4401);
        let sql = "SELECT count(*) FROM queries WHERE student_id = $1";
        assert_eq!(world.count(sql, student.id).await, 0, "it was not accepted");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_in_one_frame_or_message_ends_the_socket() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let (mut frame, mut message, mut fits) = (
        Socket::chat(&world, ada.id, &ada.token, None).await,
        Socket::chat(&world, ada.id, &ada.token, None).await,
        Socket::chat(&world, ada.id, &ada.token, None).await,
    );
    // The server may close before all of it is sent.
    drop(frame.send_in_parts(&"x".repeat(33 << 10), 64 << 10).await);
    assert_eq!(frame.closed().await, 1009);
    drop(message.send_in_parts(&"x".repeat(129 << 10), 16 << 10).await);
    assert_eq!(message.closed().await, 1009);
    let long = json!({ "content": "Why?", "code": "x".repeat(120 << 10) }).to_string();
    fits.send_in_parts(&long, 30 << 10).await.expect("it is sent");
    assert_eq!(fits.next().await.frame()["errors"][0]["field"], "code");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_instance_asks_its_clients_to_come_back() {
    let mut world = World::new().await;
    let ada = world.student("ada").await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(Socket::chat(&world, ada.id, &ada.token, None).await);
    }
    let closed = tokio::spawn(async move {
        let mut codes = Vec::new();
        for mut socket in sockets {
            codes.push(socket.closed().await);
        }
        codes
    });
    world.stop().await;
    assert_eq!(closed.await.expect("they end"), [1012; 3]);
    world.start(Default::default()).await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    world.kill().await;
    assert_eq!(socket.closed().await, 1006, "a crash says nothing");
    world.start(Default::default()).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_has_a_planned_end() {
    let world = world_with([("SOCKET_LIFE_SECONDS", "1")]).await;
    let ada = world.student("ada").await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    assert_eq!(socket.closed().await, 4000);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_answers_no_ping_is_gone() {
    let world = world_with([("SOCKET_PING_SECONDS", "1")]).await;
    let ada = world.student("ada").await;
    let mut awake = Socket::chat(&world, ada.id, &ada.token, None).await;
    let mut asleep = Socket::chat(&world, ada.id, &ada.token, None).await;
    // Reading answers pings.
    assert_eq!(awake.within(Duration::from_secs(4)).await, None);
    assert_eq!(asleep.closed().await, 4408);
    emit(&world, &[nudge(ada.id, "Still there?")]).await;
    assert_eq!(text_of(&awake.next().await.frame()), "Still there?");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_delays_nobody_and_loses_nothing() {
    // Far more than the buffers of both systems hold.
    const MESSAGES: usize = 120;
    const BYTES: usize = 100_000;
    let world = world_with([("SOCKET_STALL_SECONDS", "1"), ("SOCKETS_PER_USER", "2")]).await;
    let url = world.stack().url("websocket").expect("it runs");
    let ada = world.student("ada").await;
    let mut deaf = Socket::deaf_chat_at(&url, ada.id, &ada.token).await;
    let mut other = Socket::chat_at(&url, ada.id, &ada.token, None).await;
    let reader = tokio::spawn(async move {
        for number in 0..MESSAGES {
            let frame = other.next().await.frame();
            assert!(text_of(&frame).starts_with(&format!("{number} x")), "in order, all of them");
        }
        other
    });
    for number in 0..MESSAGES {
        emit(&world, &[nudge(ada.id, format!("{number} {}", "x".repeat(BYTES)))]).await;
    }
    let other = reader.await.expect("it gets all of them");
    // It has its place until it is given up.
    let path = format!("/ws/chat/{}?token={}", ada.id, ada.token);
    eventually("there is a place again", async || Socket::open(&url, &path, &[]).await.ok()).await;
    let mut received = Vec::new();
    let code = loop {
        match deaf.next().await {
            Received::Frame(frame) => received.push(frame),
            Received::Closed(code) => break code,
        }
    };
    assert!([4408, 1006].contains(&code) && received.len() < MESSAGES, "{code}");
    other.close().await;
    let last = received.last().map(id_of).expect("the first ones were sent");
    let mut again = Socket::chat_at(&url, ada.id, &ada.token, Some(&last)).await;
    for number in received.len()..MESSAGES {
        let frame = again.next().await.frame();
        assert!(text_of(&frame).starts_with(&format!("{number} x")), "what was missed");
    }
    world.finish().await;
}
