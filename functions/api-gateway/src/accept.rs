//! Accepting requests. A request is stored before the client gets a response, done once however often it is sent, and
//! answered in the same response if the answer comes in time.

use std::time::Duration;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use events::CloudEvent;
use requests::{Acceptance, Door, StudentRequest, idempotency_key};
use runtime::web::{Json, Person, Problem};
use serde::Serialize;
use uuid::Uuid;

use crate::{gateway::Gateway, limits, spec::NAME};

/// How long a client waits for an answer if it does not say, in seconds.
const DEFAULT_PATIENCE: u64 = 5;
/// The longest that a client may wait in one request, in seconds; API Gateway cuts off at 30.
const LONGEST_PATIENCE: u64 = 25;

/// A request that was accepted.
pub(crate) struct Accepted<S> {
    /// Its id; for a repeated request, the id of the first one.
    pub(crate) id: Uuid,
    /// When it was accepted.
    pub(crate) at: DateTime<Utc>,
    /// The answer, if it came before the client stopped waiting.
    pub(crate) answer: Option<Answered<S>>,
}

/// A request that was answered in time.
pub(crate) struct Answered<S> {
    /// What is known of the request.
    pub(crate) stored: S,
    /// The event that answered it.
    pub(crate) event: CloudEvent,
}

/// Accepts a request and waits for its answer.
pub(crate) async fn accept<R: StudentRequest>(
    gateway: &Gateway,
    caller: &Person,
    headers: &HeaderMap,
    request: R,
) -> Result<Accepted<R::Stored>, Problem> {
    limits::check(gateway, &requests::per_user(caller.id), gateway.config.per_user).await?;
    let patience = patience(headers)?;
    let key = idempotency_key(headers)?;
    let services = &gateway.services;
    let (id, now) = (services.clock.new_id(), services.clock.now());
    // Subscribed before the request is stored, so that no answer can be missed.
    let waiter = services.replies.expect::<R::Answer>(id);
    let door = Door { services, function: NAME };
    match requests::accept(door, caller, key, id, now, request).await? {
        Acceptance::New(stored) => {
            let answer = waiter.wait(patience).await.map(|event| Answered { stored, event });
            Ok(Accepted { id, at: now, answer })
        }
        Acceptance::Repeated(first) => Ok(Accepted { id: first, at: now, answer: None }),
    }
}

/// `202`: the answer is still to come, and will be at `status_url`.
pub(crate) fn pending(status_url: &str, body: &impl Serialize) -> Response {
    let location = HeaderValue::from_str(status_url);
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// How long the client wants to wait (RFC 7240, section 4.3).
fn patience(headers: &HeaderMap) -> Result<Duration, Problem> {
    let wishes = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let wait = wishes
        .flat_map(|value| value.split([',', ';']))
        .find_map(|wish| wish.trim().strip_prefix("wait="));
    let seconds = match wait {
        None => DEFAULT_PATIENCE,
        Some(text) => text.trim().parse().map_err(|_not_a_number| {
            Problem::field("Prefer", "write wait= and whole seconds, such as wait=5")
        })?,
    };
    Ok(Duration::from_secs(seconds.min(LONGEST_PATIENCE)))
}
