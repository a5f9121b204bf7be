//! Accepting requests. A request is stored before the client gets a response, done once however often it is sent, and
//! answered in the same response if the answer comes in time.

use std::time::Duration;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::user::Role;
use events::{CloudEvent, Event};
use ids::{EventId, UserId};
use runtime::{
    HandlerError, Outgoing, UnitOfWork, WorkOrigin,
    web::{Json, Person, Problem},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use storage::idempotency::{self, Claim, IdempotencyKey};
use uuid::Uuid;

use crate::{gateway::Gateway, limits, spec::NAME};

/// How long a client waits for an answer if it does not say, in seconds.
const DEFAULT_PATIENCE: u64 = 5;
/// The longest that a client may wait in one request, in seconds; API Gateway cuts off at 30.
const LONGEST_PATIENCE: u64 = 25;
/// The longest `Idempotency-Key`.
const KEY_LIMIT: usize = 200;

/// What a student asks a function to do.
pub(crate) trait StudentRequest: Serialize + Send + Sync + 'static {
    /// The event that asks the function for it.
    type Event: Event + Sync;
    /// The event that carries the answer.
    type Answer: Event;
    /// What is known of it once it is stored.
    type Stored: Send;

    /// Separates the keys of different kinds of requests.
    const OPERATION: &'static str;

    /// Stores it; `stored` is its JSON.
    fn store(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        student: UserId,
        stored: &serde_json::Value,
        now: DateTime<Utc>,
    ) -> impl Future<Output = sqlx::Result<Self::Stored>> + Send;

    /// The event that asks for it.
    fn event(&self, id: Uuid, student: UserId) -> Self::Event;
}

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
    let bucket = format!("user:{}", caller.id);
    limits::check(gateway, &bucket, gateway.config.per_user).await?;
    let patience = patience(headers)?;
    let key = idempotency_key(headers)?;
    let services = &gateway.services;
    let now = services.clock.now();
    let id = services.clock.new_id();
    let stored = serde_json::to_value(&request).map_err(|error| Problem::internal(&error))?;
    // Subscribed before the request is stored, so that no answer can be missed.
    let waiter = services.replies.expect::<R::Answer>(id);
    let origin = WorkOrigin {
        function: NAME,
        cause: EventId::from_uuid(id),
        student: caller.id.as_uuid(),
        now,
        is_event: false,
    };
    let acceptance = Acceptance {
        request,
        id,
        student: caller.id,
        external: caller.external.then_some(caller.role),
        key,
        stored,
        now,
    };
    match services.store.transact(origin, acceptance).await.map_err(without_account)? {
        Outcome::Stored(stored) => {
            let answer = waiter.wait(patience).await.map(|event| Answered { stored, event });
            Ok(Accepted { id, at: now, answer })
        }
        Outcome::Conflict => Err(reused_key()),
        Outcome::Repeated(first) => Ok(Accepted { id: first, at: now, answer: None }),
    }
}

/// A request that is being accepted.
struct Acceptance<R> {
    request: R,
    id: Uuid,
    student: UserId,
    /// The role of a student of another identity provider, who may have no account here yet.
    external: Option<Role>,
    key: Option<String>,
    stored: serde_json::Value,
    now: DateTime<Utc>,
}

/// The outcome of accepting a request.
enum Outcome<S> {
    /// It is new, and stored.
    Stored(S),
    /// Its key belongs to another request.
    Conflict,
    /// It was sent before, under this id.
    Repeated(Uuid),
}

impl<R: StudentRequest> UnitOfWork for Acceptance<R> {
    type Output = Outcome<R::Stored>;

    async fn run(
        &self,
        conn: &mut PgConnection,
    ) -> Result<(Outcome<R::Stored>, Outgoing), HandlerError> {
        if let Some(role) = self.external {
            storage::users::ensure_external(conn, self.student, role, self.now)
                .await
                .map_err(HandlerError::retry)?;
        }
        match self.claim(conn).await.map_err(HandlerError::retry)? {
            Claim::New => {}
            Claim::Conflict => return Ok((Outcome::Conflict, Outgoing::none())),
            Claim::Repeated(first) => return Ok((Outcome::Repeated(first), Outgoing::none())),
        }
        let stored = self.request.store(conn, self.id, self.student, &self.stored, self.now).await;
        let stored = stored.map_err(HandlerError::retry)?;
        let event = self.request.event(self.id, self.student);
        Ok((Outcome::Stored(stored), Outgoing::none().with(&event)?))
    }
}

impl<R: StudentRequest> Acceptance<R> {
    async fn claim(&self, conn: &mut PgConnection) -> sqlx::Result<Claim> {
        let Some(key) = &self.key else { return Ok(Claim::New) };
        let owner = self.student.to_string();
        let request_hash = Sha256::digest(self.stored.to_string()).into();
        let key = IdempotencyKey { operation: R::OPERATION, owner: &owner, key, request_hash };
        idempotency::claim(conn, &key, self.id, self.now).await
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

/// The client's promise that equal keys mean the same request.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= KEY_LIMIT => Ok(Some(key.to_owned())),
        _ => Err(Problem::field(
            "Idempotency-Key",
            format!("1 to {KEY_LIMIT} visible ASCII characters"),
        )),
    }
}

/// The error of a unit of work, for its caller.
pub(crate) fn failed(error: HandlerError) -> Problem {
    let (HandlerError::Retry(cause) | HandlerError::Fail(cause)) = error;
    match cause.downcast::<sqlx::Error>() {
        Ok(error) => error.into(),
        Err(cause) => Problem::internal(cause.as_ref()),
    }
}

/// A valid token can outlive its account.
pub(crate) fn without_account(error: HandlerError) -> Problem {
    let (HandlerError::Retry(cause) | HandlerError::Fail(cause)) = &error;
    let constraint = cause
        .downcast_ref::<sqlx::Error>()
        .and_then(sqlx::Error::as_database_error)
        .and_then(|error| error.constraint());
    if constraint.is_some_and(|name| name.ends_with("_student_id_fkey")) {
        Problem::unauthorized("this account no longer exists; register again")
    } else {
        failed(error)
    }
}

/// 422: the key belongs to another request.
pub(crate) fn reused_key() -> Problem {
    let detail = "this Idempotency-Key was used for another request; use a new one";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
}
