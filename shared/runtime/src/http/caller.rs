//! Who makes a request.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts},
    http::{header, request::Parts},
};
use domain::user::Role;
use ids::UserId;

use super::Problem;
use crate::auth::Verifier;

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

pub(crate) async fn bearer(parts: &Parts, verifier: &Verifier) -> Result<Caller, Problem> {
    let token = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            Problem::unauthorized("send the header Authorization: Bearer with an access token")
        })?;
    verifier.verify(token).await.map_err(|error| {
        tracing::debug!(error = %crate::process::chain(&error), "token refused");
        Problem::unauthorized(error.to_string())
    })
}

/// The address that a request comes from, for rate limits: the peer's, or what API Gateway says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let told = parts.extensions.get::<Self>().copied();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| Self(info.0.ip()));
        Ok(told.or(peer).unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}
