//! A scripted server with `OpenAI`'s API, over real HTTP.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// Characters in each streamed piece.
const PIECE: usize = 17;

/// The server's response to one request.
#[derive(Debug, Clone)]
pub enum Scripted {
    /// Streams this text, and reports the tokens used.
    Says(String),
    /// Streams the beginning of this text, and closes the connection.
    Cuts(String),
    /// Waits, then streams this text.
    After(Duration, String),
    /// Never answers.
    Hangs,
    /// Streams a refusal.
    Refuses,
    /// Responds with a status, and `Retry-After` if there are seconds.
    Status(u16, Option<u64>),
    /// Responds with an event stream without JSON.
    Garbles,
    /// Streams these chunks, as a server of another make sends them.
    Streams(Vec<Value>),
}

/// A request as received.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Value,
}

impl ModelRequest {
    /// The model's input besides its instructions.
    ///
    /// # Panics
    /// The request has no such message.
    #[must_use]
    pub fn data(&self) -> Value {
        let text = self.body["messages"][1]["content"].as_str().expect("a user's message");
        serde_json::from_str(text).expect("the data are JSON")
    }
}

type Responder = Box<dyn Fn(&ModelRequest) -> Scripted + Send>;

struct Script {
    next: VecDeque<Scripted>,
    otherwise: Responder,
    requests: Vec<ModelRequest>,
}

/// The server; it stops when dropped.
pub struct ModelServer {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for ModelServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ModelServer {
    /// A server that plays these responses in turn, then responds with 500.
    pub async fn playing(script: impl IntoIterator<Item = Scripted>) -> Self {
        let server = Self::answering(|_| Scripted::Status(500, None)).await;
        server.script.lock().expect("no test panics here").next = script.into_iter().collect();
        server
    }

    /// A server that responds with `respond`.
    ///
    /// # Panics
    /// No port is free.
    pub async fn answering(respond: impl Fn(&ModelRequest) -> Scripted + Send + 'static) -> Self {
        let script =
            Script { next: VecDeque::new(), otherwise: Box::new(respond), requests: Vec::new() };
        let script = Arc::new(Mutex::new(script));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(Arc::clone(&script));
        let serving = axum::serve(listener, router).into_future();
        let task =
            tokio::spawn(async move { serving.await.expect("it serves until it is dropped") });
        Self { address, script, task }
    }

    /// The value for `OPENAI_BASE_URL`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Plays these responses before any others.
    ///
    /// # Panics
    /// Another test panicked while holding the lock.
    pub fn then(&self, script: impl IntoIterator<Item = Scripted>) {
        self.script.lock().expect("no test panics here").next.extend(script);
    }

    /// All requests so far, oldest first.
    ///
    /// # Panics
    /// Another test panicked while holding the lock.
    #[must_use]
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.script.lock().expect("no test panics here").requests.clone()
    }
}

async fn complete(
    State(script): State<Arc<Mutex<Script>>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let scripted = {
        let mut script = script.lock().expect("no test panics here");
        let request = ModelRequest { headers, body };
        let scripted = script.next.pop_front().unwrap_or_else(|| (script.otherwise)(&request));
        script.requests.push(request);
        scripted
    };
    match scripted {
        Scripted::Says(text) => response(chunks(&text, Some("stop"))),
        Scripted::Cuts(text) => response(chunks(&text, None)),
        Scripted::After(delay, text) => {
            let silence = stream::once(async move {
                pause(delay).await;
                Bytes::new()
            });
            response(silence.chain(chunks(&text, Some("stop"))))
        }
        Scripted::Hangs => std::future::pending().await,
        Scripted::Refuses => {
            let delta = json!({ "choices": [{ "index": 0, "delta": { "refusal": "I cannot." } }] });
            response(stream::iter([line(&delta)]))
        }
        Scripted::Status(status, retry_after) => refusal(status, retry_after),
        Scripted::Streams(chunks) => {
            let chunks: Vec<Bytes> = chunks.iter().map(line).collect();
            response(stream::iter(chunks))
        }
        Scripted::Garbles => response(stream::iter([Bytes::from("data: {\"choices\": [oops\n\n")])),
    }
}

fn refusal(status: u16, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let error = json!({ "error": { "message": "as the test wants", "type": "scripted", "param": null, "code": null } });
    let mut response = (status, Json(error)).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[expect(clippy::disallowed_methods, reason = "a slow server is what the test wants")]
async fn pause(delay: Duration) {
    tokio::time::sleep(delay).await;
}

fn line(chunk: &Value) -> Bytes {
    Bytes::from(format!("data: {chunk}\n\n"))
}

fn chunks(text: &str, finish: Option<&str>) -> impl Stream<Item = Bytes> + Send + use<> {
    let chunk = |delta: Value, finish: Value| {
        json!({ "id": "c", "object": "chat.completion.chunk", "created": 0, "model": "scripted",
                "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
    };
    let chars: Vec<char> = text.chars().collect();
    let pieces = chars.chunks(PIECE).map(|piece| piece.iter().collect::<String>());
    let mut lines: Vec<Bytes> =
        pieces.map(|piece| line(&chunk(json!({ "content": piece }), Value::Null))).collect();
    if let Some(reason) = finish {
        lines.push(line(&chunk(json!({}), json!(reason))));
        let usage = json!({ "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150 });
        lines.push(line(&json!({ "choices": [], "usage": usage })));
        lines.push(Bytes::from("data: [DONE]\n\n"));
    }
    stream::iter(lines)
}

fn response(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let body = Body::from_stream(lines.map(Ok::<_, Infallible>));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}
