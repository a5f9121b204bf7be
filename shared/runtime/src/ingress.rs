//! Events that come by HTTP: from a Knative `KafkaSource` (binary or structured CloudEvents at
//! `POST /`) or from Dapr.
//!
//! Only from the platform, which sends `INGRESS_TOKEN`: a secret and not a separate port, since a Knative service has
//! one port, and since Dapr (`dapr.io/app-token-secret`) and a `KafkaSource` (`ceOverrides.extensions.ingresstoken`)
//! can both send one.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use delivery::{
    message::{Message, Record},
    periodic::{PeriodicError, PeriodicWork},
    process::{ACT_LIMIT, Outcome, Processor},
};
use environment::{chain, config::SharedSecret, deadline};
use events::{HeaderStyle, Topic, envelope::MAX_DATA_BYTES};
use serde_json::json;
use web::{Path, Problem, read_body};

/// The name of the Dapr component that stands for Kafka.
const DAPR_PUBSUB: &str = "kafka";
/// Most bytes of an event: what Kafka takes, and some more for the structured form.
const EVENT_LIMIT: usize = MAX_DATA_BYTES + (128 << 10);
/// Seconds after which a sender may try again.
const RETRY_SECONDS: u32 = 1;

/// The header in which Dapr sends the token.
const DAPR_TOKEN: &str = "dapr-api-token";
/// The header in which a Knative source sends it: an extension that it adds to every event.
const KNATIVE_TOKEN: &str = "ce-ingresstoken";

/// The headers in which a Knative `KafkaSource` and Dapr tell the partition and the offset of an event.
const PLACES: [(&str, &str); 2] =
    [("ce-knativekafkapartition", "ce-knativekafkaoffset"), ("__partition", "__offset")];
/// The header in which Dapr tells a record's time, in milliseconds since 1970.
const DAPR_TIMESTAMP: &str = "__timestamp";

pub(crate) fn routes(
    processor: Arc<Processor>,
    work: PeriodicWork,
    topics: &[Topic],
    token: SharedSecret,
) -> Router {
    let subscriptions: Vec<_> = topics
        .iter()
        .map(|topic| {
            // Without a dead-letter topic: with one Dapr would try nothing again.
            json!({ "pubsubname": DAPR_PUBSUB, "topic": topic.name(), "route": "/dapr/events" })
        })
        .collect();
    let token = Arc::new(token);
    let guard = |refusal| {
        middleware::from_fn_with_state(Guard { token: Arc::clone(&token), refusal }, require_token)
    };
    let knative = Router::new().route("/", post(knative)).route_layer(guard(nothing_here));
    Router::new()
        .route("/dapr/subscribe", get(async move || Json(subscriptions.clone())))
        .route("/dapr/events", post(dapr))
        .route_layer(guard(no_token))
        .merge(
            Router::new()
                .route("/periodic/{name}", post(periodic))
                .route_layer(guard(no_token))
                .with_state(work),
        )
        .merge(knative)
        .with_state(processor)
}

/// Admits the platform, and refuses others with a status that means "try again": a source whose token is being changed
/// loses no events.
#[derive(Clone)]
struct Guard {
    token: Arc<SharedSecret>,
    refusal: fn() -> Problem,
}

/// Knative sends again after 404, and gives up after 401.
fn nothing_here() -> Problem {
    Problem::not_found("there is no such endpoint; see /docs")
}

/// Dapr sends again after 401, and gives up after 404.
fn no_token() -> Problem {
    Problem::unauthorized("events are delivered by the platform")
}

async fn require_token(
    State(Guard { token, refusal }): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // Removed, since headers are stored with an event.
    let headers = request.headers_mut();
    let shown = [headers.remove(DAPR_TOKEN), headers.remove(KNATIVE_TOKEN)];
    if shown.iter().flatten().any(|shown| token.is(shown.as_bytes())) {
        return Ok(next.run(request).await);
    }
    if shown.iter().flatten().next().is_some() {
        tracing::warn!("events are refused: the token that comes with them is not INGRESS_TOKEN");
    }
    Err(refusal())
}

/// Knative: 204 done; 503 retried by the source; 422 never retried, sent to the dead-letter sink.
async fn knative(
    State(processor): State<Arc<Processor>>,
    request: Request,
) -> Result<Response, Problem> {
    let message = read(request).await?;
    deadline::allow(ACT_LIMIT);
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
        // An incomplete body will be sent again; one that is too large never gets smaller.
        Err(problem) if problem.status() != StatusCode::PAYLOAD_TOO_LARGE => "RETRY",
        Err(_too_large) => "DROP",
        Ok(message) => {
            deadline::allow(ACT_LIMIT);
            match processor.process(&message).await {
                Outcome::Done => "SUCCESS",
                Outcome::DeadLettered(_) => "DROP",
                Outcome::Retry | Outcome::Unavailable => "RETRY",
            }
        }
    };
    Json(json!({ "status": status })).into_response()
}

/// Called by a schedule of the platform: a cron binding of Dapr, a `PingSource`, or a cron job.
async fn periodic(
    State(work): State<PeriodicWork>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    deadline::allow(ACT_LIMIT);
    match work.run(Some(&name)).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error @ PeriodicError::Unknown(_)) => Err(Problem::not_found(error.to_string())),
        Err(error) => {
            tracing::warn!(name, error = %chain(&error), "periodic work was interrupted");
            let detail = "the run was interrupted; the next one continues";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail)
                .retry_after(RETRY_SECONDS))
        }
    }
}

/// Where Kafka has the event, if the sender tells.
fn record(headers: &HeaderMap) -> Option<Record> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
    let found = PLACES.iter().find_map(|(partition, offset)| {
        Some((i32::try_from(number(partition)?).ok()?, number(offset)?))
    });
    found.map(|(partition, offset)| Record::at_millis(partition, offset, number(DAPR_TIMESTAMP)))
}

async fn read(request: Request) -> Result<Message, Problem> {
    let (parts, body) = request.into_parts();
    // The stored copy of an event that cannot be handled must not contain the secret.
    let secret = |name: &HeaderName| [header::AUTHORIZATION, header::COOKIE].contains(name);
    let headers = parts.headers.iter().filter(|(name, _)| !secret(name));
    Ok(Message {
        origin: "http".to_owned(),
        record: record(&parts.headers),
        style: HeaderStyle::Http,
        key: None,
        headers: headers
            .map(|(name, value)| {
                (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))
            })
            .collect(),
        value: read_body(body, EVENT_LIMIT).await?,
    })
}
