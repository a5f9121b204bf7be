//! Who may open a socket, and how they say who they are.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use domain::user::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{
    Setup, World,
    socket::{Socket, token},
};
use tracing::subscriber::NoSubscriber;

async fn refusal(url: &str, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    match Socket::open(url, path, headers).await {
        Ok(_) => (101, Value::Null),
        Err((status, body)) => (status.as_u16(), body),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_for_whom_its_path_names() {
    let world = World::new().await;
    let url = world.stack().url("websocket").expect("it runs");
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let teacher = world.log_in("teacher@example.org", "learnflow-teacher").await;
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let late = token(&world, ada.id, Role::Student, TimeDelta::hours(-1));
    let own = format!("/ws/chat/{}", ada.id);
    let service = world.service_token();
    for (path, token, expected) in [
        (own.as_str(), "", 401),
        (&own, "nonsense", 401),
        (&own, &late, 401),
        (&own, &service, 401),
        (&own, &eve.token, 403),
        (&own, &teacher.token, 403),
        (&own, &admin.token, 403),
        ("/ws/chat/nobody", &ada.token, 403),
        (&own, &ada.token, 101),
        ("/ws/alerts", "", 401),
        ("/ws/alerts", &ada.token, 403),
        ("/ws/alerts", &teacher.token, 101),
        ("/ws/alerts", &admin.token, 101),
    ] {
        let protocols = format!("learnflow.v1, bearer.{token}");
        let by_protocol = [("sec-websocket-protocol", protocols.as_str())];
        let bearer = format!("Bearer {token}");
        let by_header = [("authorization", bearer.as_str())];
        let in_address = format!("{path}?token={token}");
        for (path, headers) in
            [(path, by_protocol.as_slice()), (path, by_header.as_slice()), (&in_address, &[])]
        {
            let (status, body) = refusal(&url, path, headers).await;
            assert_eq!(status, expected, "{path} {headers:?} {body}");
        }
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_names_the_protocol_that_it_speaks() {
    let world = World::new().await;
    let url = world.stack().url("websocket").expect("it runs");
    let ada = world.student("ada").await;
    let socket = Socket::chat_at(&url, ada.id, &ada.token, None).await;
    assert_eq!(socket.protocol.as_deref(), Some("learnflow.v1"));
    let alone = format!("bearer.{}", ada.token);
    let headers = [("sec-websocket-protocol", alone.as_str())];
    let (status, body) = refusal(&url, &format!("/ws/chat/{}", ada.id), &headers).await;
    assert_eq!((status, &body["code"]), (400, &json!("no_protocol")));
    let by_http = world.send("websocket", |client, url| {
        client.get(format!("{url}/ws/chat/{}", ada.id)).bearer_auth(&ada.token)
    });
    assert_eq!(by_http.await.status, StatusCode::UPGRADE_REQUIRED);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_opens_one_socket_within_thirty_seconds() {
    let world = World::new().await;
    let url = world.stack().url("websocket").expect("it runs");
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let ticket = async || {
        let reply = world.post("/ws/ticket", Some(&ada.token), &json!({})).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{:?}", reply.body);
        reply.body["ticket"].as_str().expect("a ticket").to_owned()
    };
    let path = |id, ticket: &str| format!("/ws/chat/{id}?ticket={ticket}");
    let first = ticket().await;
    let _open = Socket::open(&url, &path(ada.id, &first), &[]).await.expect("it is opened");
    let (status, _) = refusal(&url, &path(ada.id, &first), &[]).await;
    assert_eq!(status, 401, "it works once");
    let (status, _) = refusal(&url, &path(eve.id, &ticket().await), &[]).await;
    assert_eq!(status, 403, "it is hers");
    let late = ticket().await;
    world.advance(31);
    let (status, _) = refusal(&url, &path(ada.id, &late), &[]).await;
    assert_eq!(status, 401, "it is too old");
    let ended = ticket().await;
    super::ends::log_out(&world, &ada).await;
    let (status, _) = refusal(&url, &path(ada.id, &ended), &[]).await;
    assert_eq!(status, 401, "its session has ended");
    let sql = "SELECT count(*) FROM socket_tickets WHERE user_id = $1";
    assert_eq!(world.count(sql, ada.id).await, 0, "none is kept");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_origins_may_not_open_sockets() {
    let settings = vec![("CORS_ORIGINS", "https://school.example".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let url = world.stack().url("websocket").expect("it runs");
    let ada = world.student("ada").await;
    let path = format!("/ws/chat/{}?token={}", ada.id, ada.token);
    for (origin, expected) in [("https://school.example", 101), ("https://evil.example", 403)] {
        assert_eq!(refusal(&url, &path, &[("origin", origin)]).await.0, expected, "{origin}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_limited_for_a_person_and_for_all() {
    let settings = [("SOCKETS_PER_USER", "2"), ("SOCKETS_LIMIT", "3")];
    let settings = settings.map(|(name, value)| (name, value.to_owned())).into();
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let url = world.stack().url("websocket").expect("it runs");
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let path =
        |student: &tests::Student| format!("/ws/chat/{}?token={}", student.id, student.token);
    let first = Socket::open(&url, &path(&ada), &[]).await.expect("it is opened");
    let _second = Socket::open(&url, &path(&ada), &[]).await.expect("it is opened");
    assert_eq!(refusal(&url, &path(&ada), &[]).await.0, 429);
    let _third = Socket::open(&url, &path(&eve), &[]).await.expect("it is opened");
    assert_eq!(refusal(&url, &path(&eve), &[]).await.0, 503);
    first.close().await;
    testing::eventually("there is a place again", async || {
        Socket::open(&url, &path(&ada), &[]).await.ok()
    })
    .await;
    world.finish().await;
}

/// What is logged, by every thread of the test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// On one thread, so that all of the functions' work is logged to the test's own log.
#[tokio::test]
async fn what_is_in_an_address_is_never_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // A second one, since a process with just one asks the thread that comes first to a line whether anybody wants it, and
    // other tests' threads have none (tracing-core 0.1.36, `callsite.rs`).
    let _other = tracing::Dispatch::new(NoSubscriber::default());
    let logged = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    let url = world.stack().url("websocket").expect("it runs");
    let ada = world.student("ada").await;
    let ticket = world.post("/ws/ticket", Some(&ada.token), &json!({})).await;
    let ticket = ticket.body["ticket"].as_str().expect("a ticket").to_owned();
    let own = format!("/ws/chat/{}", ada.id);
    let open = Socket::open(&url, &format!("{own}?token={}", ada.token), &[]).await;
    open.expect("it is opened").close().await;
    let open = Socket::open(&url, &format!("{own}?ticket={ticket}"), &[]).await;
    open.expect("it is opened").close().await;
    let open = Socket::chat_at(&url, ada.id, &ada.token, None).await;
    open.close().await;
    for path in ["/ws/alerts?token=", "/ws/nothing?token=", "/ws/chat/x?after=x&token="] {
        let refused = Socket::open(&url, &format!("{path}{}", ada.token), &[]).await;
        assert!(refused.is_err());
    }
    world.finish().await;
    drop(logged);
    let log = String::from_utf8_lossy(&log.0.lock().expect("no panic")).into_owned();
    assert!(log.contains("/ws/chat/{student_id}"), "requests are logged by their route");
    let signature = ada.token.rsplit('.').next().expect("a token has three parts");
    for secret in [signature, &ticket] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}
