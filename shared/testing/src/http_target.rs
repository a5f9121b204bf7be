//! A scripted HTTP server that records what it gets: the target of webhooks, or a service of a cloud.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Most bytes of a request: more than anything sends.
const BODY_LIMIT: usize = 1 << 20;

/// A request that the server got.
#[derive(Debug, Clone)]
pub struct TargetRequest {
    /// Its path.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

/// The server's response to one request.
#[derive(Debug, Clone)]
pub enum TargetAnswer {
    /// This status, and no body.
    Status(u16),
    /// This status with a header.
    With(u16, &'static str, String),
    /// This status with a body.
    Says(u16, String),
    /// None, as long as the client waits.
    Hangs,
}

#[derive(Debug)]
struct Script {
    next: VecDeque<TargetAnswer>,
    otherwise: TargetAnswer,
    requests: Vec<TargetRequest>,
}

/// The server, on loopback.
#[derive(Debug)]
pub struct HttpTarget {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl Drop for HttpTarget {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl HttpTarget {
    /// A server that gives these answers, and then always `otherwise`.
    ///
    /// # Panics
    /// No port is free.
    pub async fn playing(
        script: impl IntoIterator<Item = TargetAnswer>,
        otherwise: TargetAnswer,
    ) -> Self {
        let next = script.into_iter().collect();
        let script = Arc::new(Mutex::new(Script { next, otherwise, requests: Vec::new() }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let serving = axum::serve(listener, router).into_future();
        let task =
            tokio::spawn(async move { serving.await.expect("it serves until it is dropped") });
        Self { address, script, task }
    }

    /// Its address with this path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// All requests so far, oldest first.
    ///
    /// # Panics
    /// Another test panicked while holding the lock.
    #[must_use]
    pub fn requests(&self) -> Vec<TargetRequest> {
        self.script.lock().expect("no test panics here").requests.clone()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, BODY_LIMIT).await.expect("a body");
    let request = TargetRequest {
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        body: String::from_utf8(body.into()).expect("UTF-8"),
    };
    let answer = {
        let mut script = script.lock().expect("no test panics here");
        script.requests.push(request);
        let otherwise = script.otherwise.clone();
        script.next.pop_front().unwrap_or(otherwise)
    };
    let status = |status| StatusCode::from_u16(status).expect("a status");
    match answer {
        TargetAnswer::Status(code) => status(code).into_response(),
        TargetAnswer::With(code, name, value) => (status(code), [(name, value)]).into_response(),
        TargetAnswer::Says(code, body) => (status(code), body).into_response(),
        TargetAnswer::Hangs => std::future::pending().await,
    }
}
