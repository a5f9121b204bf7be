//! A small API Gateway for sockets: its `@connections` API with its limits, and the events that it sends to a function
//! under AWS Lambda.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use runtime::lambda::LambdaFunction;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

/// Most bytes of a message, in both directions.
const MESSAGE_LIMIT: usize = 128 << 10;

/// What happens to one message that is posted, instead of its delivery.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// It is refused.
    Refused(u16),
    /// It is delivered, and the answer comes when this says so.
    Held(Arc<Notify>),
}

#[derive(Debug, Default)]
struct Client {
    is_open: bool,
    frames: Vec<String>,
    script: VecDeque<Reaction>,
}

type Clients = Arc<Mutex<HashMap<String, Client>>>;

/// The gateway, on loopback.
#[derive(Debug)]
pub struct SocketGateway {
    address: SocketAddr,
    clients: Clients,
    task: JoinHandle<()>,
}

impl Drop for SocketGateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SocketGateway {
    /// A gateway without clients.
    ///
    /// # Panics
    /// No port is free.
    pub async fn start() -> Self {
        let clients = Clients::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let connection = get(look).post(post).delete(close);
        let router = Router::new()
            .route("/prod/@connections/{id}", connection)
            .with_state(Arc::clone(&clients));
        let serving = axum::serve(listener, router).into_future();
        let task =
            tokio::spawn(async move { serving.await.expect("it serves until it is dropped") });
        Self { address, clients, task }
    }

    /// The address of its API.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}/prod", self.address)
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<String, Client>> {
        self.clients.lock().expect("no test panics here")
    }

    /// A client asks for a socket: its name, or the function's refusal.
    ///
    /// # Panics
    /// The invocation fails.
    pub async fn connect(
        &self,
        lambda: &LambdaFunction,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<String, Value> {
        let id = self.ask(lambda, path, query, headers).await?;
        self.open(&id);
        Ok(id)
    }

    /// Like [`Self::connect`], without opening the socket: the function's answer is still on its way.
    ///
    /// # Panics
    /// The invocation fails.
    pub async fn ask(
        &self,
        lambda: &LambdaFunction,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<String, Value> {
        let id = {
            let mut clients = self.clients();
            let id = format!("L0SM{}Cv/8=", clients.len());
            clients.insert(id.clone(), Client::default());
            id
        };
        let mut event = event("CONNECT", &id);
        let mut parameters: BTreeMap<&str, Vec<&str>> = BTreeMap::from([("path", vec![path])]);
        for (name, value) in query {
            parameters.entry(name).or_default().push(value);
        }
        let named: BTreeMap<&str, [&str; 1]> =
            headers.iter().map(|(name, value)| (*name, [*value])).collect();
        event["multiValueQueryStringParameters"] = json!(parameters);
        event["multiValueHeaders"] = json!(named);
        let answer = lambda.invoke(event).await.expect("it answers");
        // A browser closes a socket whose server speaks none of the protocols that it has offered.
        let offers = headers.iter().any(|(name, _)| *name == "Sec-WebSocket-Protocol");
        let chosen = answer["headers"]["Sec-WebSocket-Protocol"].is_string();
        if answer["statusCode"] == 200 && offers == chosen { Ok(id) } else { Err(answer) }
    }

    /// A socket is open from now on.
    ///
    /// # Panics
    /// Nobody has asked for it.
    pub fn open(&self, id: &str) {
        self.clients().get_mut(id).expect("it was asked for").is_open = true;
    }

    /// A client sends a message. One that is too large ends its socket.
    ///
    /// # Errors
    /// The invocation's own, of which the client is told.
    pub async fn say(
        &self,
        lambda: &LambdaFunction,
        id: &str,
        text: &str,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if text.len() > MESSAGE_LIMIT {
            self.leave(lambda, id).await;
            return Ok(());
        }
        let mut event = event("MESSAGE", id);
        event["body"] = json!(text);
        lambda.invoke(event).await.map(drop)
    }

    /// A client closes its socket, and the function hears of it.
    ///
    /// # Panics
    /// The invocation fails.
    pub async fn leave(&self, lambda: &LambdaFunction, id: &str) {
        self.vanish(id);
        lambda.invoke(event("DISCONNECT", id)).await.expect("it is noted");
    }

    /// A client is gone, and nobody says so.
    pub fn vanish(&self, id: &str) {
        if let Some(client) = self.clients().get_mut(id) {
            client.is_open = false;
        }
    }

    /// What happens to the next messages to a client.
    ///
    /// # Panics
    /// There is no such client.
    pub fn plays(&self, id: &str, script: impl IntoIterator<Item = Reaction>) {
        self.clients().get_mut(id).expect("a client").script.extend(script);
    }

    /// Whether a client's socket is open.
    #[must_use]
    pub fn is_open(&self, id: &str) -> bool {
        self.clients().get(id).is_some_and(|client| client.is_open)
    }

    /// What a client has got, in this order.
    ///
    /// # Panics
    /// Something is not JSON.
    #[must_use]
    pub fn frames(&self, id: &str) -> Vec<Value> {
        let clients = self.clients();
        let frames = clients.get(id).into_iter().flat_map(|client| &client.frames);
        frames.map(|text| serde_json::from_str(text).expect("JSON")).collect()
    }
}

/// An event of a WebSocket API, as AWS documents it.
fn event(kind: &str, id: &str) -> Value {
    let route = match kind {
        "CONNECT" => "$connect",
        "DISCONNECT" => "$disconnect",
        _ => "$default",
    };
    json!({
        "requestContext": {
            "routeKey": route, "eventType": kind, "connectionId": id, "messageDirection": "IN", "stage": "prod",
            "domainName": "abc.execute-api.us-east-1.amazonaws.com", "apiId": "abc", "requestId": "x=",
            "extendedRequestId": "x=", "connectedAt": 1_763_757_548_000_i64, "requestTimeEpoch": 1_763_757_548_000_i64,
            "requestTime": "21/Nov/2026:20:39:08 +0000", "identity": { "sourceIp": "192.0.2.1" }
        },
        "isBase64Encoded": false
    })
}

/// Requests must be signed for this service; by whom is not checked.
fn is_signed(headers: &HeaderMap) -> bool {
    let value = headers.get("authorization").and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        value.starts_with("AWS4-HMAC-SHA256 Credential=")
            && value.contains("/us-east-1/execute-api/aws4_request")
    })
}

async fn post(
    State(clients): State<Clients>,
    Path(id): Path<String>,
    headers: HeaderMap,
    text: String,
) -> StatusCode {
    if !is_signed(&headers) {
        return StatusCode::FORBIDDEN;
    }
    let answered = {
        let mut clients = clients.lock().expect("no test panics here");
        let Some(client) = clients.get_mut(&id).filter(|client| client.is_open) else {
            return StatusCode::GONE;
        };
        let reaction = client.script.pop_front();
        if let Some(Reaction::Refused(status)) = reaction {
            return StatusCode::from_u16(status).expect("a status");
        }
        if text.len() > MESSAGE_LIMIT {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        client.frames.push(text);
        reaction
    };
    if let Some(Reaction::Held(answer)) = answered {
        answer.notified().await;
    }
    StatusCode::OK
}

async fn look(
    State(clients): State<Clients>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> (StatusCode, String) {
    let clients = clients.lock().expect("no test panics here");
    let is_open = clients.get(&id).is_some_and(|client| client.is_open);
    let status = match (is_signed(&headers), is_open) {
        (false, _) => StatusCode::FORBIDDEN,
        (true, false) => StatusCode::GONE,
        (true, true) => StatusCode::OK,
    };
    (status, "{}".to_owned())
}

async fn close(
    State(clients): State<Clients>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> StatusCode {
    if !is_signed(&headers) {
        return StatusCode::FORBIDDEN;
    }
    let mut clients = clients.lock().expect("no test panics here");
    match clients.get_mut(&id).filter(|client| client.is_open) {
        Some(client) => {
            client.is_open = false;
            StatusCode::NO_CONTENT
        }
        None => StatusCode::GONE,
    }
}
