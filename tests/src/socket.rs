//! A WebSocket client, for tests and benches.

use std::time::Duration;

use chrono::TimeDelta;
use domain::user::Role;
use events::{Event, progress_updated::NudgeGiven};
use futures::{SinkExt, StreamExt};
use ids::{EventId, UserId};
use reqwest::StatusCode;
use runtime::{
    Outgoing,
    auth::{AuthConfig, Signer},
    config::Settings,
};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue},
        protocol::WebSocketConfig,
        protocol::frame::{
            Frame,
            coding::{Data as OpData, OpCode},
        },
    },
};
use uuid::Uuid;

use crate::{JWT_SECRET, World};

/// How long a frame may take: far longer than usual.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that a client who reads nothing lets the system keep.
const SMALL_BUFFER: u32 = 4 << 10;

/// Bytes of a client's own buffer.
const READ_BUFFER: usize = 4 << 10;

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The protocol that the server has chosen.
    pub protocol: Option<String>,
}

/// What comes on a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// A frame.
    Frame(Value),
    /// The socket was closed, with this code; 1006 if the connection broke.
    Closed(u16),
}

impl Received {
    /// The frame.
    ///
    /// # Panics
    /// The socket was closed.
    #[must_use]
    pub fn frame(self) -> Value {
        match self {
            Self::Frame(frame) => frame,
            Self::Closed(code) => panic!("closed with {code}"),
        }
    }
}

impl Socket {
    /// Opens a socket at a path of a server.
    ///
    /// # Errors
    /// The status and the body of a refusal.
    ///
    /// # Panics
    /// Nobody listens there.
    pub async fn open(
        url: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, (StatusCode, Value)> {
        Self::open_with(url, path, headers, None).await
    }

    async fn open_with(
        url: &str,
        path: &str,
        headers: &[(&str, &str)],
        buffer: Option<u32>,
    ) -> Result<Self, (StatusCode, Value)> {
        let address = url.trim_start_matches("http://");
        let mut request =
            format!("ws://{address}{path}").into_client_request().expect("an address");
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a header");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(buffer) = buffer {
            socket.set_recv_buffer_size(buffer).expect("a small buffer");
        }
        let tcp = socket.connect(address.parse().expect("an address")).await.expect("a server");
        // By default it would have 128 KiB for what it reads.
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        match client_async_with_config(request, tcp, Some(config)).await {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.and_then(|name| name.to_str().ok()).map(str::to_owned);
                Ok(Self { stream, protocol })
            }
            Err(Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                let body = serde_json::from_slice(body).unwrap_or(Value::Null);
                let status = StatusCode::from_u16(response.status().as_u16());
                Err((status.expect("a status"), body))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a person's chat on a server, behind the message `after`.
    ///
    /// # Panics
    /// It is refused.
    pub async fn chat_at(url: &str, id: Uuid, token: &str, after: Option<&str>) -> Self {
        Self::slow_chat_at(url, id, token, after, None).await
    }

    /// Opens a chat as a client whose system keeps few bytes for it.
    ///
    /// # Panics
    /// It is refused.
    pub async fn deaf_chat_at(url: &str, id: Uuid, token: &str) -> Self {
        Self::slow_chat_at(url, id, token, None, Some(SMALL_BUFFER)).await
    }

    async fn slow_chat_at(
        url: &str,
        id: Uuid,
        token: &str,
        after: Option<&str>,
        buffer: Option<u32>,
    ) -> Self {
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let protocols = format!("learnflow.v1, bearer.{token}");
        let headers = [("sec-websocket-protocol", protocols.as_str())];
        let path = format!("/ws/chat/{id}{after}");
        Self::open_with(url, &path, &headers, buffer).await.expect("it is opened")
    }

    /// Opens a person's chat.
    pub async fn chat(world: &World, id: Uuid, token: &str, after: Option<&str>) -> Self {
        let url = world.stack().url("websocket").expect("there is such a function");
        Self::chat_at(&url, id, token, after).await
    }

    /// What comes next.
    ///
    /// # Panics
    /// Nothing within the time limit, or something that is not JSON.
    pub async fn next(&mut self) -> Received {
        tokio::time::timeout(PATIENCE, self.receive()).await.expect("something comes")
    }

    /// What comes next, however long that takes.
    pub async fn next_ever(&mut self) -> Received {
        self.receive().await
    }

    /// What comes within this time.
    pub async fn within(&mut self, limit: Duration) -> Option<Received> {
        tokio::time::timeout(limit, self.receive()).await.ok()
    }

    async fn receive(&mut self) -> Received {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Received::Frame(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Received::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return Received::Closed(1006),
            }
        }
    }

    /// The next frame of this type; others before it are skipped.
    ///
    /// # Panics
    /// The socket is closed before.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.frame();
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The code with which the socket is closed; frames before that are skipped.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Received::Closed(code) = self.next().await {
                return code;
            }
        }
    }

    /// Sends a frame.
    pub async fn say(&mut self, frame: &Value) {
        self.send(&frame.to_string()).await;
    }

    /// Sends a text as it is.
    ///
    /// # Panics
    /// The connection is broken.
    pub async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("it is sent");
    }

    /// Sends bytes as one frame, which the server may refuse to read.
    ///
    /// # Errors
    /// The connection broke meanwhile.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        self.stream.send(Message::binary(bytes)).await
    }

    /// Sends a text in frames of this many bytes, which the server may refuse to read.
    ///
    /// # Errors
    /// The connection broke meanwhile.
    pub async fn send_in_parts(&mut self, text: &str, size: usize) -> Result<(), Error> {
        let parts: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        for (number, part) in parts.iter().enumerate() {
            let kind = if number == 0 { OpData::Text } else { OpData::Continue };
            let is_last = number + 1 == parts.len();
            let frame = Frame::message(part.to_vec(), OpCode::Data(kind), is_last);
            self.stream.send(Message::Frame(frame)).await?;
        }
        Ok(())
    }

    /// Closes the socket properly.
    pub async fn close(mut self) {
        // The connection may be broken already, which is as good.
        drop(self.stream.close(None).await);
    }
}

/// A token of ours that lives for this long.
///
/// # Panics
/// It cannot be signed.
#[must_use]
pub fn token(world: &World, id: Uuid, role: Role, life: TimeDelta) -> String {
    let mut settings = Settings::from_pairs([("JWT_SECRET", JWT_SECRET)]);
    let signer = Signer::new(&AuthConfig::read(&mut settings)).expect("a secret");
    let (token_id, now) = (world.clock().new_id(), world.now());
    signer.sign(UserId::from_uuid(id), role, token_id, now, life).expect("it can be signed")
}

/// Has a function emit events, in one transaction.
///
/// # Panics
/// The database is away.
pub async fn emit<E: Event>(world: &World, events: &[E]) {
    let services = world.stack().services();
    let mut outgoing = Outgoing::none();
    for event in events {
        outgoing = outgoing.with(event).expect("it fits");
    }
    let cause = EventId::from_uuid(services.clock.new_id());
    let tx = services.store.begin("a test").await.expect("a transaction");
    tx.commit(cause, outgoing, services.clock.now()).await.expect("it is committed");
}

/// A friendly word with a text that tells it from others.
#[must_use]
pub fn nudge(student: Uuid, text: impl Into<String>) -> NudgeGiven {
    NudgeGiven {
        student_id: UserId::from_uuid(student),
        request_id: student,
        text: text.into(),
        topic: None,
        exercise_id: None,
    }
}

/// Makes accounts without passwords, which would take a core for each.
///
/// # Panics
/// The database is away.
pub async fn enrol(world: &World, count: usize) -> Vec<(Uuid, String)> {
    let mut people = Vec::new();
    for _ in 0..count {
        let id = world.clock().new_id();
        people.push((id, token(world, id, Role::Student, TimeDelta::hours(1))));
    }
    let ids: Vec<Uuid> = people.iter().map(|(id, _)| *id).collect();
    let sql = "INSERT INTO users (id, email, display_name, role, created_at)
               SELECT id, id || '@example.org', 'A student', 'student', now() FROM UNNEST($1::uuid[]) AS id";
    let conn = world.stack().services().store.connection().await;
    let mut conn = conn.expect("a connection");
    let insert = sqlx::query(sql).bind(ids).execute(&mut *conn).await;
    insert.expect("the accounts are made");
    people
}
