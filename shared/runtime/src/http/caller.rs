//! Who makes a request.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use domain::user::Role;
use ids::UserId;

use super::Problem;
use crate::auth::{TokenError, Verifier};

/// Seconds after which a token may be shown again whose keys could not be fetched.
const PROVIDER_RETRY_SECONDS: u32 = 2;

/// The person behind a valid access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub id: UserId,
    /// What they may do.
    pub role: Role,
    /// Whether an external identity provider vouches for them.
    pub external: bool,
}

impl<S> FromRequestParts<S> for Caller
where
    Arc<Verifier>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        bearer(parts, &Arc::from_ref(state)).await
    }
}

pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(crate) async fn bearer(parts: &Parts, verifier: &Verifier) -> Result<Caller, Problem> {
    let token = bearer_token(&parts.headers).ok_or_else(|| {
        Problem::unauthorized("send the header Authorization: Bearer with an access token")
    })?;
    verifier.verify(token).await.map_err(|error| {
        tracing::debug!(error = %crate::process::chain(&error), "token refused");
        match error {
            TokenError::ProviderAway(_) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Problem::new(status, "unavailable", error.to_string())
                    .retry_after(PROVIDER_RETRY_SECONDS)
            }
            TokenError::Expired | TokenError::Invalid(_) | TokenError::UnknownKey => {
                Problem::unauthorized(error.to_string())
            }
        }
    })
}

/// Who asks at an internal endpoint: a person with a token, or on a private port this machine.
#[derive(Debug, Clone, Copy)]
pub struct Asker(Option<Caller>);

impl Asker {
    /// Lets a student ask for themselves only; teachers, administrators and this machine for anyone.
    ///
    /// # Errors
    /// 403 for another student's id.
    pub fn may_ask_for(&self, student: Option<UserId>) -> Result<(), Problem> {
        match (self.0, student) {
            (Some(Caller { id, role: Role::Student, .. }), Some(student)) if id != student => {
                let detail = "student_id: a student asks for themselves; send your own or none";
                Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
            }
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Caller>().copied()))
    }
}
