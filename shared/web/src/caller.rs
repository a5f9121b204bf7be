//! The caller of a request, and access control.
//!
//! An endpoint's signature says whom it serves: [`Caller<Student>`] is anyone who is logged in, [`Caller<Teacher>`]
//! teachers and administrators, [`Caller<Admin>`] administrators. Internal endpoints serve other services
//! ([`Service`]), which the server checks for all of them. Three statuses refuse a caller:
//!
//! - 401: there is no token, or none that is valid here: expired, malformed, for another audience, or of an account or
//!   session that has ended.
//! - 403: the token is valid, and its role does not suffice. It depends on the role and the endpoint alone, so it
//!   reveals nothing about what exists.
//! - 404: there is no such resource, or it is somebody else's. Both look the same, so nobody can find out which ids
//!   exist. The endpoint decides what a caller may see.

use std::{fmt, marker::PhantomData, ops::Deref, sync::Arc};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use domain::user::Role;
use ids::TokenFamilyId;

use crate::{
    Problem,
    auth::{Person, Service, TokenError, Verified, Verifier},
};

/// Seconds after which to retry with a token whose keys could not be fetched.
const PROVIDER_RETRY_SECONDS: u32 = 2;

/// A role that an endpoint requires, as a type.
pub trait RequiredRole: Send + Sync + 'static {
    /// The role; those above it are admitted, too.
    const ROLE: Role;
}

macro_rules! required_roles {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl RequiredRole for $name {
            const ROLE: Role = Role::$name;
        }
    )+};
}

required_roles! {
    /// Anyone who is logged in.
    Student,
    /// A teacher or an administrator.
    Teacher,
    /// An administrator.
    Admin,
}

/// A person whose role is `R` or above it.
pub struct Caller<R> {
    verified: Verified,
    required: PhantomData<R>,
}

impl<R> fmt::Debug for Caller<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verified.person.fmt(f)
    }
}

impl<R> Caller<R> {
    /// All that the token says.
    #[must_use]
    pub const fn verified(&self) -> Verified {
        self.verified
    }

    /// The login that the token descends from, if it is one of ours.
    #[must_use]
    pub const fn session(&self) -> Option<TokenFamilyId> {
        self.verified.session
    }
}

impl<R> Deref for Caller<R> {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.verified.person
    }
}

impl<S, R> FromRequestParts<S> for Caller<R>
where
    Arc<Verifier>: FromRef<S>,
    S: Send + Sync,
    R: RequiredRole,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = required_token(&parts.headers, "an access token")?;
        let verified = Arc::from_ref(state).verify(token).await.map_err(refused)?;
        if !verified.person.role.includes(R::ROLE) {
            let required = R::ROLE.as_str();
            return Err(Problem::forbidden(format!("this needs the role {required}")));
        }
        Ok(Self { verified, required: PhantomData })
    }
}

/// The token in the `Authorization` header.
#[must_use]
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn required_token<'a>(headers: &'a HeaderMap, kind: &str) -> Result<&'a str, Problem> {
    bearer_token(headers).ok_or_else(|| {
        Problem::unauthorized(format!("send the header Authorization: Bearer with {kind}"))
    })
}

/// The service that makes a request.
pub(crate) async fn service(headers: &HeaderMap, verifier: &Verifier) -> Result<Service, Problem> {
    let token = required_token(headers, "a service token")?;
    verifier.verify_service(token).await.map_err(refused)
}

/// What a client learns about a token that is refused.
pub fn refused(error: TokenError) -> Problem {
    tracing::debug!(error = %environment::chain(&error), "token refused");
    match error {
        TokenError::ProviderAway(_) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Problem::new(status, "unavailable", error.to_string())
                .retry_after(PROVIDER_RETRY_SECONDS)
        }
        TokenError::AccountsAway(error) => error.into(),
        TokenError::Expired
        | TokenError::Invalid(_)
        | TokenError::UnknownKey
        | TokenError::Erased
        | TokenError::Disabled
        | TokenError::SessionEnded => Problem::unauthorized(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{
        Router,
        body::Body,
        http::{Request, StatusCode, header},
        routing::get,
    };
    use chrono::TimeDelta;
    use domain::user::Role;
    use environment::{Clock, config::Settings};
    use ids::UserId;
    use tower::ServiceExt;

    use super::{Admin, Caller, Student, Teacher};
    use crate::auth::{AuthConfig, Signer, Verifier};

    async fn status(router: &Router, path: &str, token: Option<&str>) -> StatusCode {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn an_endpoint_admits_its_role_and_those_above_it() {
        let mut settings =
            Settings::from_pairs([("JWT_SECRET", "a secret of thirty-two bytes or more")]);
        let config = AuthConfig::read(&mut settings);
        let signer = Signer::new(&config).unwrap();
        let clock = Clock::System;
        let client = environment::http_client().unwrap();
        let verifier = Arc::new(Verifier::new(config, client, clock.clone()));
        let router = Router::new()
            .route("/student", get(async |_: Caller<Student>| ()))
            .route("/teacher", get(async |_: Caller<Teacher>| ()))
            .route("/admin", get(async |_: Caller<Admin>| ()))
            .with_state(verifier);
        let (now, life) = (clock.now(), TimeDelta::hours(1));
        let token = |role| {
            let user = UserId::from_uuid(clock.new_id());
            signer.sign(user, role, clock.new_id(), now, life).unwrap()
        };
        let service = signer.sign_service("gateway", clock.new_id(), now, life).unwrap();
        for (token, expected) in [
            (None, [401, 401, 401]),
            (Some(service), [401, 401, 401]),
            (Some(token(Role::Student)), [200, 403, 403]),
            (Some(token(Role::Teacher)), [200, 200, 403]),
            (Some(token(Role::Admin)), [200, 200, 200]),
        ] {
            for (path, expected) in ["/student", "/teacher", "/admin"].into_iter().zip(expected) {
                let found = status(&router, path, token.as_deref()).await;
                assert_eq!(found, expected, "{path} with {token:?}");
            }
        }
    }
}
