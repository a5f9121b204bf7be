//! The control endpoint of a running poller: HTTP with JSON, for this machine.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{Path, Request as HttpRequest, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;

use crate::poller::{MappingView, Outcome, Request, Target};

/// Requests that wait for a mapping.
const REQUESTS_LIMIT: usize = 16;

/// The ways to the mappings, by their names.
type Mappings = Arc<BTreeMap<String, mpsc::Sender<(Request, oneshot::Sender<Outcome>)>>>;

/// A way to a mapping, and what the mapping receives on it.
pub(crate) fn channel()
-> (mpsc::Sender<(Request, oneshot::Sender<Outcome>)>, crate::poller::Requests) {
    mpsc::channel(REQUESTS_LIMIT)
}

/// What a command says besides its name.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// All partitions, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) partition: Option<i32>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<i64>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<String>,
}

/// Serves until `stop`; the address is where it listens.
pub(crate) async fn serve(
    address: SocketAddr,
    mappings: BTreeMap<String, mpsc::Sender<(Request, oneshot::Sender<Outcome>)>>,
    stop: CancellationToken,
) -> std::io::Result<(SocketAddr, impl Future<Output = ()> + Send)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .route("/lanes", get(lanes))
        .route("/mappings/{mapping}/{command}", post(command))
        .layer(middleware::from_fn(only_from_here))
        .with_state(Arc::new(mappings));
    let served = async move {
        let server = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = server.await {
            tracing::error!(%error, "the control endpoint has ended");
        }
    };
    Ok((address, served))
}

/// Refuses what a web page in a browser of this machine may send.
async fn only_from_here(request: HttpRequest, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let address: Result<IpAddr, _> = name.trim_matches(['[', ']']).parse();
    if headers.contains_key(header::ORIGIN) || name != "localhost" && address.is_err() {
        return (StatusCode::FORBIDDEN, "not for web pages").into_response();
    }
    next.run(request).await
}

async fn lanes(State(mappings): State<Mappings>) -> Json<Vec<MappingView>> {
    let mut views = Vec::new();
    for mapping in mappings.values() {
        if let Some(Outcome::View(view)) = ask(mapping, Request::View).await {
            views.push(view);
        }
    }
    Json(views)
}

async fn ask(
    mapping: &mpsc::Sender<(Request, oneshot::Sender<Outcome>)>,
    request: Request,
) -> Option<Outcome> {
    let (reply, outcome) = oneshot::channel();
    mapping.send((request, reply)).await.ok()?;
    outcome.await.ok()
}

async fn command(
    State(mappings): State<Mappings>,
    Path((mapping, command)): Path<(String, String)>,
    Json(order): Json<Order>,
) -> (StatusCode, String) {
    let Some(to) = mappings.get(&mapping) else {
        let known: Vec<&str> = mappings.keys().map(String::as_str).collect();
        let reason = format!("there is no mapping `{mapping}`, but {}", known.join(", "));
        return (StatusCode::NOT_FOUND, reason);
    };
    let request = match request(&command, &order) {
        Ok(Some(request)) => request,
        Ok(None) => return (StatusCode::NOT_FOUND, format!("there is no command `{command}`")),
        Err(reason) => return (StatusCode::UNPROCESSABLE_ENTITY, reason),
    };
    match ask(to, request).await {
        Some(Outcome::Done(done)) => (StatusCode::OK, done),
        Some(Outcome::Refused(reason)) => (StatusCode::CONFLICT, reason),
        Some(Outcome::View(_)) | None => {
            (StatusCode::SERVICE_UNAVAILABLE, "the mapping does not answer".to_owned())
        }
    }
}

fn request(command: &str, order: &Order) -> Result<Option<Request>, String> {
    let partition = order.partition;
    let is_plain = order.offset.is_none() && order.time.is_none();
    Ok(Some(match command {
        "pause" if is_plain => Request::Pause(partition),
        "resume" if is_plain => Request::Resume(partition),
        "step" if is_plain => Request::Step(partition),
        "rewind" => match (order.offset, &order.time) {
            (Some(offset), None) => Request::Rewind(partition, Target::Offset(offset)),
            (None, Some(time)) => {
                let time = DateTime::parse_from_rfc3339(time)
                    .map_err(|_error| format!("`{time}` is no time as in RFC 3339"))?;
                Request::Rewind(partition, Target::Time(time.timestamp_millis()))
            }
            _ => return Err("either an offset or a time is needed".to_owned()),
        },
        "pause" | "resume" | "step" => {
            return Err("offset and time are for `rewind`".to_owned());
        }
        _ => return Ok(None),
    }))
}
