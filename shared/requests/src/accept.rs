//! Accepting a request: it is stored before anybody is told so, and done once however often it is sent.

use chrono::{DateTime, Utc};
use events::Event;
use http::StatusCode;
use ids::{EventId, UserId};
use runtime::{
    HandlerError, Outgoing, Services, UnitOfWork, WorkOrigin,
    web::{Person, Problem},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use storage::idempotency::{self, Claim, IdempotencyKey};
use uuid::Uuid;

/// The longest idempotency key.
pub const KEY_LIMIT: usize = 200;

/// What a student asks a function to do.
pub trait StudentRequest: Serialize + Send + Sync + 'static {
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

/// Where a request comes in.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// The services of the function.
    pub services: &'a Services,
    /// The function's name.
    pub function: &'static str,
}

/// The outcome of accepting a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance<S> {
    /// It is new, and stored.
    New(S),
    /// It was sent before, under this id.
    Repeated(Uuid),
}

/// Accepts a request under `id`, unless its key says that it was accepted before.
///
/// # Errors
/// The key belongs to another request (422), the account is gone (401), or the database is away (503).
pub async fn accept<R: StudentRequest>(
    door: Door<'_>,
    caller: &Person,
    key: Option<String>,
    id: Uuid,
    now: DateTime<Utc>,
    request: R,
) -> Result<Acceptance<R::Stored>, Problem> {
    let stored = serde_json::to_value(&request).map_err(|error| Problem::internal(&error))?;
    let origin = WorkOrigin {
        function: door.function,
        cause: EventId::from_uuid(id),
        student: caller.id.as_uuid(),
        now,
        arrival: None,
    };
    let work = Work { request, id, student: caller.id, key, stored, now };
    match door.services.store.transact(origin, work).await.map_err(without_account)? {
        Outcome::Stored(stored) => Ok(Acceptance::New(stored)),
        Outcome::Repeated(first) => Ok(Acceptance::Repeated(first)),
        Outcome::Conflict => Err(reused_key()),
    }
}

/// Whether a text may be an idempotency key: 1 to [`KEY_LIMIT`] visible ASCII characters.
#[must_use]
pub fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= KEY_LIMIT
        && text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

/// A request that is being accepted.
struct Work<R> {
    request: R,
    id: Uuid,
    student: UserId,
    key: Option<String>,
    stored: serde_json::Value,
    now: DateTime<Utc>,
}

enum Outcome<S> {
    /// It is new, and stored.
    Stored(S),
    /// Its key belongs to another request.
    Conflict,
    /// It was sent before, under this id.
    Repeated(Uuid),
}

impl<R: StudentRequest> UnitOfWork for Work<R> {
    type Output = Outcome<R::Stored>;

    async fn run(
        &self,
        conn: &mut PgConnection,
    ) -> Result<(Outcome<R::Stored>, Outgoing), HandlerError> {
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

impl<R: StudentRequest> Work<R> {
    async fn claim(&self, conn: &mut PgConnection) -> sqlx::Result<Claim> {
        let Some(key) = &self.key else { return Ok(Claim::New) };
        let owner = self.student.to_string();
        let request_hash = Sha256::digest(self.stored.to_string()).into();
        let key = IdempotencyKey { operation: R::OPERATION, owner: &owner, key, request_hash };
        idempotency::claim(conn, &key, self.id, self.now).await
    }
}

/// The error of a unit of work, for its caller.
#[must_use]
pub fn failed(error: HandlerError) -> Problem {
    let (HandlerError::Retry(cause) | HandlerError::Fail(cause)) = error;
    match cause.downcast::<sqlx::Error>() {
        Ok(error) => error.into(),
        Err(cause) => Problem::internal(cause.as_ref()),
    }
}

/// The error of a unit of work for a caller whose valid token may have outlived their account.
#[must_use]
pub fn without_account(error: HandlerError) -> Problem {
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
#[must_use]
pub fn reused_key() -> Problem {
    let detail = "this Idempotency-Key was used for another request; use a new one";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
}
