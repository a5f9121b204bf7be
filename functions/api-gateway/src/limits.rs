//! Rate limits, counted in the database so that they hold across instances.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::text::Email;
use ids::UserId;
use requests::{Count, Standing};
use runtime::web::{ClientAddress, Problem, network};
use sha2::{Digest, Sha256};

use crate::gateway::Gateway;

/// Attempts from one network on an account whose password others are guessing: enough for its owner.
const BESIEGED: i32 = 2;

/// Counts a request on a bucket.
///
/// # Errors
/// 429 with `Retry-After` beyond the limit; 503 if the database is away.
pub(crate) async fn check(gateway: &Gateway, bucket: &str, limit: i32) -> Result<(), Problem> {
    hit(gateway, bucket, limit).await.map(|_standing| ())
}

/// Counts an attempt with an address and a password: by network, since each costs us 19 MiB and tens of milliseconds;
/// and by network and account, so that nobody is locked out by others. An account that is tried very often from many
/// networks is not locked but allows each network few attempts, so its owner still gets in.
///
/// # Errors
/// 429 with `Retry-After` beyond a limit; 503 if the database is away.
pub(crate) async fn password(
    gateway: &Gateway,
    address: IpAddr,
    email: &Email,
) -> Result<(), Problem> {
    let config = &gateway.config;
    // The counters outlive an erased account by some minutes, so they do not have its address.
    let (network, email) = (network(address), fingerprint(email));
    let attempts = count(gateway, &format!("passwords:{network}")).await?;
    attempts.within(config.per_password)?;
    let here = count(gateway, &format!("login:{network}:{email}")).await?;
    here.within(config.per_login)?;
    let everywhere = count(gateway, &format!("account:{email}")).await?;
    if everywhere.hits > config.per_account {
        here.within(BESIEGED)?;
    }
    Ok(())
}

/// Stands for an address where it must not be stored.
fn fingerprint(email: &Email) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(email.as_str()))
}

/// Counts a guess at an invite code: by person, and by network, since one person can register many accounts.
///
/// # Errors
/// 429 with `Retry-After` beyond a limit; 503 if the database is away.
pub(crate) async fn invite_code(
    gateway: &Gateway,
    address: IpAddr,
    person: UserId,
) -> Result<(), Problem> {
    let by_network = count(gateway, &format!("codes:{}", network(address))).await?;
    by_network.within(gateway.config.per_password)?;
    let by_person = count(gateway, &format!("code:{person}")).await?;
    by_person.within(gateway.config.per_login)
}

/// Counts in the database at once: a guess must be counted before it is made.
async fn count(gateway: &Gateway, bucket: &str) -> Result<Count, Problem> {
    let (window, reset_seconds) = requests::window(gateway.services.clock.now());
    let mut conn = gateway.services.store.connection().await?;
    let hits = storage::rate_limits::hit(&mut conn, bucket, window).await?;
    Ok(Count { hits, reset_seconds })
}

async fn hit(gateway: &Gateway, bucket: &str, limit: i32) -> Result<Standing, Problem> {
    requests::hit(&gateway.services, &gateway.counters, bucket, limit).await
}

/// Limits each address, and reports the state of the limit to every client.
pub(crate) async fn per_address(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    let limit = gateway.config.per_address;
    let standing = match hit(&gateway, &requests::per_address(address), limit).await {
        Ok(standing) => standing,
        Err(problem) => return problem.into_response(),
    };
    let mut response = next.run(request).await;
    for (name, value) in [
        ("ratelimit-limit", i64::from(standing.limit)),
        ("ratelimit-remaining", i64::from(standing.remaining)),
        ("ratelimit-reset", standing.reset_seconds),
    ] {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    response
}
