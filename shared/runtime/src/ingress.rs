//! Events that come by HTTP: from a Knative `KafkaSource` (binary or structured CloudEvents at
//! `POST /`) or from Dapr.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use events::{HeaderStyle, Topic};
use serde_json::json;

use crate::{
    http::Problem,
    http::json::read_body,
    message::Message,
    process::{Outcome, Processor},
};

/// The name of the Dapr component that stands for Kafka.
const DAPR_PUBSUB: &str = "kafka";
/// Seconds after which a sender may try again.
const RETRY_SECONDS: u32 = 1;

pub(crate) fn routes(processor: Arc<Processor>, topics: Vec<Topic>) -> Router {
    let subscriptions: Vec<_> = topics
        .iter()
        .map(|topic| {
            json!({ "pubsubname": DAPR_PUBSUB, "topic": topic.name(), "route": "/dapr/events" })
        })
        .collect();
    Router::new()
        .route("/", post(knative))
        .route("/dapr/subscribe", get(async move || Json(subscriptions.clone())))
        .route("/dapr/events", post(dapr))
        .with_state(processor)
}

/// Knative: 204 done; 503 retried by the source; 422 never retried, sent to the dead-letter sink.
async fn knative(
    State(processor): State<Arc<Processor>>,
    request: Request,
) -> Result<Response, Problem> {
    let message = read(request).await?;
    Ok(match processor.process(&message).await {
        Outcome::Done => StatusCode::NO_CONTENT.into_response(),
        Outcome::DeadLettered(reasons) => {
            let detail = format!("the event can never be handled: {}", reasons.join(": "));
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "dead_lettered", detail).into_response()
        }
        Outcome::Retry | Outcome::Unavailable => {
            let detail = "the event was not handled; send it again";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail)
                .retry_after(RETRY_SECONDS)
                .into_response()
        }
    })
}

/// Dapr: always 200, since it drops on 404 and retries on anything else; the body says what to do.
async fn dapr(State(processor): State<Arc<Processor>>, request: Request) -> Response {
    let status = match read(request).await {
        Err(_unreadable) => "DROP",
        Ok(message) => match processor.process(&message).await {
            Outcome::Done => "SUCCESS",
            Outcome::DeadLettered(_) => "DROP",
            Outcome::Retry | Outcome::Unavailable => "RETRY",
        },
    };
    Json(json!({ "status": status })).into_response()
}

async fn read(request: Request) -> Result<Message, Problem> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    Ok(Message {
        origin: "http".to_owned(),
        style: HeaderStyle::Http,
        key: None,
        headers: headers
            .map(|(name, value)| {
                (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))
            })
            .collect(),
        value: read_body(body).await?,
    })
}
