//! Rate limits, counted in the database so that they hold across instances.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::DateTime;
use runtime::http::{ClientAddress, Problem};

use crate::Gateway;

/// The length of a window, in seconds.
const WINDOW: i64 = 60;

/// Where a caller stands in the present window.
#[derive(Debug, Clone, Copy)]
struct Standing {
    limit: i32,
    remaining: i32,
    reset_seconds: i64,
}

/// Counts a hit on a bucket.
///
/// # Errors
/// 429 with `Retry-After` beyond the limit; 503 if the database is away.
pub(crate) async fn check(gateway: &Gateway, bucket: &str, limit: i32) -> Result<(), Problem> {
    hit(gateway, bucket, limit).await.map(|_| ())
}

async fn hit(gateway: &Gateway, bucket: &str, limit: i32) -> Result<Standing, Problem> {
    let now = gateway.services.clock.now().timestamp();
    let start = now - now.rem_euclid(WINDOW);
    let reset_seconds = start + WINDOW - now;
    let mut conn = gateway.services.store.connection().await?;
    let window = DateTime::from_timestamp(start, 0).unwrap_or_default();
    let hits = storage::rate_limits::hit(&mut conn, bucket, window).await?;
    if hits > limit {
        let detail = format!("more than {limit} requests a minute; wait {reset_seconds} s");
        let seconds = u32::try_from(reset_seconds).unwrap_or(u32::MAX);
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
            .retry_after(seconds));
    }
    Ok(Standing { limit, remaining: limit - hits, reset_seconds })
}

/// Limits each address, and tells every client where it stands.
pub(crate) async fn per_address(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    let limit = gateway.config.per_address;
    let standing = match hit(&gateway, &format!("address:{address}"), limit).await {
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
