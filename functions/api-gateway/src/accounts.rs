//! Accounts: register, log in, refresh, log out, and read one's own account.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::{
    local_time::TimeZone,
    text::{DisplayName, Email},
    user::Role,
};
use ids::{EventId, TokenFamilyId, UserId};
use requests::{idempotency_key, reused_key};
use runtime::{
    Outgoing,
    web::{Caller, ClientAddress, Json, Problem, Student},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use storage::{
    administration, enrollments,
    idempotency::{self, Claim, IdempotencyKey},
    preferences,
    refresh_tokens::{self, Descent, Use},
    subscriptions,
    users::{self, User},
};
use utoipa::ToSchema;

use crate::{
    access::{self, DEFAULT_TIME_ZONE, Profile, Session},
    gateway::Gateway,
    limits,
    passwords::{self, Password},
    refresh_cookie::{self, TokenPlace},
    spec::NAME,
};

/// A new student's account. Teachers and administrators are appointed by an administrator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterRequest {
    /// The address to log in with.
    email: Email,
    /// At least 8 characters.
    #[schema(value_type = String, min_length = 8, max_length = 128)]
    password: Password,
    /// The name that others see.
    #[schema(example = "Ada")]
    display_name: DisplayName,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_in: TokenPlace,
}

/// Creates a student's account and logs in.
#[utoipa::path(post, path = "/auth/register", tag = "Accounts",
    params(("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = RegisterRequest,
    responses((status = 201, body = Session), (status = 409, body = Problem), (status = 422, body = Problem),
              (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn register(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<RegisterRequest>,
) -> Result<Response, Problem> {
    if gateway.signer.is_none() {
        return Err(access::external_only());
    }
    limits::password(&gateway, address, &request.email).await?;
    let key = idempotency_key(&headers)?;
    let place = request.refresh_token_in;
    let clock = &gateway.services.clock;
    let now = clock.now();
    let id = UserId::from_uuid(clock.new_id());
    // Without the password, which could be guessed from an unsalted hash. It is compared with the account's.
    let request_hash =
        Sha256::digest([request.email.as_str(), request.display_name.as_str()].join("\n"));
    let user = User {
        id,
        email: request.email.into(),
        display_name: request.display_name.into(),
        password_hash: Some(passwords::hash(request.password.clone()).await?),
        role: Role::Student,
        time_zone: DEFAULT_TIME_ZONE.to_owned(),
        created_at: now,
    };
    let mut tx = gateway.services.store.begin(NAME).await?;
    if let Some(key) = key {
        let owner = address.to_string();
        let key = IdempotencyKey {
            operation: "register",
            owner: &owner,
            key: &key,
            request_hash: request_hash.into(),
        };
        match idempotency::claim(tx.conn(), &key, id.as_uuid(), now).await? {
            Claim::New => {}
            Claim::Conflict => return Err(reused_key()),
            Claim::Repeated(first) => {
                let first = users::find(tx.conn(), UserId::from_uuid(first)).await?;
                let first = first.ok_or_else(|| Problem::not_found("the account was deleted"))?;
                drop(tx);
                return log_in_again(&gateway, &headers, &first, request.password, place).await;
            }
        }
    }
    if !users::insert(tx.conn(), &user).await? {
        let detail =
            "an account with this e-mail address exists already; log in, or use another address";
        return Err(Problem::new(StatusCode::CONFLICT, "email_taken", detail));
    }
    session(&gateway, &headers, tx, &user, StatusCode::CREATED, place).await
}

/// A registration that was sent before. The same request has the same password, so it may log in.
async fn log_in_again(
    gateway: &Gateway,
    headers: &HeaderMap,
    first: &User,
    password: Password,
    place: TokenPlace,
) -> Result<Response, Problem> {
    if !passwords::fits(password, first.password_hash.clone()).await? {
        return Err(reused_key());
    }
    let tx = gateway.services.store.begin(NAME).await?;
    session(gateway, headers, tx, first, StatusCode::CREATED, place).await
}

/// An address and its password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// The address of the account.
    #[schema(example = "student@example.org")]
    email: Email,
    /// Its password.
    #[schema(value_type = String, example = "learnflow-student")]
    password: Password,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_in: TokenPlace,
}

/// Logs in.
#[utoipa::path(post, path = "/auth/login", tag = "Accounts", request_body = LoginRequest,
    responses((status = 200, body = Session), (status = 401, body = Problem),
              (status = 403, description = "The account is disabled", body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn login(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<LoginRequest>,
) -> Result<Response, Problem> {
    limits::password(&gateway, address, &request.email).await?;
    let user = {
        let mut conn = gateway.services.store.connection().await?;
        users::find_by_email(&mut conn, &request.email).await?
    };
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let fits = passwords::fits(request.password, hash).await?;
    let user = user.filter(|_| fits);
    let wrong = || Problem::unauthorized("the e-mail address or the password is wrong");
    let user = user.ok_or_else(wrong)?;
    let mut tx = gateway.services.store.begin(NAME).await?;
    // Whoever changes the password or erases the account meanwhile ends this login, too.
    if !users::lock_with_password(tx.conn(), user.id, user.password_hash.as_deref()).await? {
        return Err(wrong());
    }
    session(&gateway, &headers, tx, &user, StatusCode::OK, request.refresh_token_in).await
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshRequest {
    /// The one that the last login or refresh returned; without it, the one in the cookie.
    refresh_token: Option<String>,
}

impl RefreshRequest {
    /// The token, and where its successor goes.
    fn token(self, headers: &HeaderMap) -> Result<(String, TokenPlace), Problem> {
        if let Some(token) = self.refresh_token {
            return Ok((token, TokenPlace::Body));
        }
        Ok((refresh_cookie::read(headers)?, TokenPlace::Cookie))
    }
}

/// Exchanges a refresh token for a new pair. A token that is used twice was stolen, so everyone who holds one of the
/// same login is logged out, within a minute.
///
/// If the answer is lost, the same token may be sent again within 15 seconds,
/// as long as no successor of it was used; so may several pages that share a cookie.
#[utoipa::path(post, path = "/auth/refresh", tag = "Accounts", request_body = RefreshRequest,
    responses((status = 200, body = Session), (status = 401, body = Problem)))]
pub(crate) async fn refresh(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Json(request): Json<RefreshRequest>,
) -> Result<Response, Problem> {
    let now = gateway.services.clock.now();
    let refused = || Problem::unauthorized("the refresh token is no longer valid; log in again");
    let (token, place) = request.token(&headers)?;
    let mut tx = gateway.services.store.begin(NAME).await?;
    match refresh_tokens::use_up(tx.conn(), &access::hash(&token), now).await? {
        Use::Refused => Err(refused()),
        Use::Reused { user_id, family_id } => {
            tx.commit(EventId::from_uuid(family_id.as_uuid()), Outgoing::none(), now).await?;
            gateway.services.store.forget(user_id);
            tracing::warn!(%family_id, "a refresh token was used twice, its family is revoked");
            Err(refused())
        }
        Use::Accepted { user_id, successor } => {
            let user = users::find(tx.conn(), user_id).await?.ok_or_else(refused)?;
            let agent = access::user_agent(&headers);
            let session = access::issue(&gateway, tx.conn(), &user, successor, agent).await?;
            let cause = EventId::from_uuid(successor.family_id.as_uuid());
            tx.commit(cause, Outgoing::none(), now).await?;
            Ok(refresh_cookie::answer(StatusCode::OK, session, place, &headers))
        }
    }
}

/// Logs out: every token of that login ends, its access tokens within a minute. An unknown token is ignored.
#[utoipa::path(post, path = "/auth/logout", tag = "Accounts", request_body = RefreshRequest,
    responses((status = 204), (status = 401, description = "A page of another site sent the cookie", body = Problem)))]
pub(crate) async fn logout(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Json(request): Json<RefreshRequest>,
) -> Result<Response, Problem> {
    let (token, place) = request.token(&headers)?;
    let clock = &gateway.services.clock;
    let now = clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    let hash = access::hash(&token);
    let owner = refresh_tokens::revoke_family_of(tx.conn(), &hash, now).await?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    if let Some(owner) = owner {
        gateway.services.store.forget(owner);
    }
    Ok(refresh_cookie::removed(place))
}

/// The caller's own account.
#[utoipa::path(get, path = "/me", tag = "Accounts", security(("bearer" = [])),
    responses((status = 200, body = Profile), (status = 401, body = Problem)))]
pub(crate) async fn me(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<Json<Profile>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let user = users::find(&mut conn, caller.id).await?;
    let user = user.ok_or_else(|| Problem::not_found("there is no account with this id here"))?;
    Ok(Json(Profile::from(&user)))
}

/// What people change about their own account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileChanges {
    /// The name that others see.
    display_name: Option<DisplayName>,
    /// Where they live, an IANA name such as `Europe/Berlin`.
    time_zone: Option<TimeZone>,
}

/// Changes the caller's own account: what is sent.
#[utoipa::path(patch, path = "/me", operation_id = "change_me", tag = "Accounts", security(("bearer" = [])),
    request_body = ProfileChanges,
    responses((status = 200, body = Profile), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change_me(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Json(request): Json<ProfileChanges>,
) -> Result<Json<Profile>, Problem> {
    let changes = users::Changes {
        display_name: request.display_name.as_ref().map(DisplayName::as_str),
        time_zone: request.time_zone,
    };
    let clock = &gateway.services.clock;
    let now = clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    users::change(tx.conn(), caller.id, changes).await?;
    if request.time_zone.is_some() {
        let next = preferences::find(tx.conn(), caller.id).await?.next_digest(now);
        subscriptions::move_digests(tx.conn(), caller.id, next).await?;
    }
    let user = users::find(tx.conn(), caller.id).await?;
    let user = user.ok_or_else(|| Problem::not_found("there is no account with this id here"))?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    Ok(Json(Profile::from(&user)))
}

async fn session(
    gateway: &Gateway,
    headers: &HeaderMap,
    mut tx: runtime::Transaction<'_>,
    user: &User,
    status: StatusCode,
    place: TokenPlace,
) -> Result<Response, Problem> {
    let family_id = TokenFamilyId::from_uuid(gateway.services.clock.new_id());
    if administration::is_disabled(tx.conn(), user.id).await? {
        let detail = "this account is disabled; ask an administrator";
        return Err(Problem::new(StatusCode::FORBIDDEN, "account_disabled", detail));
    }
    if user.role == Role::Student {
        let now = gateway.services.clock.now();
        enrollments::accept_invitations(tx.conn(), &user.email, user.id, now).await?;
    }
    let agent = access::user_agent(headers);
    let descent = Descent::of_login(family_id);
    let session = access::issue(gateway, tx.conn(), user, descent, agent).await?;
    let cause = EventId::from_uuid(family_id.as_uuid());
    tx.commit(cause, Outgoing::none(), gateway.services.clock.now()).await?;
    Ok(refresh_cookie::answer(status, session, place, headers))
}
