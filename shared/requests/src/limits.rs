//! Rate limits, counted in the database so that they hold across instances and doors.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use http::StatusCode;
use ids::UserId;
use runtime::{
    Services,
    web::{Problem, network},
};

use crate::counters::Counters;

/// The length of a window, in seconds.
const WINDOW: i64 = 60;

/// What a caller has used of the current window.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Requests in a window.
    pub limit: i32,
    /// What is left of them.
    pub remaining: i32,
    /// Seconds until the next window.
    pub reset_seconds: i64,
}

/// Requests in the current window.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    /// Their number, the last one included.
    pub hits: i32,
    /// Seconds until the next window.
    pub reset_seconds: i64,
}

impl Count {
    /// Whether there were no more than `limit`.
    ///
    /// # Errors
    /// 429 with `Retry-After` beyond it.
    pub fn within(&self, limit: i32) -> Result<(), Problem> {
        if self.hits <= limit {
            return Ok(());
        }
        let detail = format!("more than {limit} requests a minute; wait {} s", self.reset_seconds);
        let seconds = u32::try_from(self.reset_seconds).unwrap_or(u32::MAX);
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
            .retry_after(seconds))
    }
}

/// The bucket of a person's own requests, at all doors together.
#[must_use]
pub fn per_user(user: UserId) -> String {
    format!("user:{user}")
}

/// The bucket of all requests from one address, or from one network of addresses that one client has.
#[must_use]
pub fn per_address(address: IpAddr) -> String {
    format!("address:{}", network(address))
}

/// Counts a request on a bucket.
///
/// # Errors
/// 429 with `Retry-After` beyond the limit; 503 if the database is away.
pub async fn hit(
    services: &Services,
    counters: &Counters,
    bucket: &str,
    limit: i32,
) -> Result<Standing, Problem> {
    let now = services.clock.now();
    let (window, reset_seconds) = window(now);
    let hits = counters.hit(&services.store, bucket, window, now).await?;
    Count { hits, reset_seconds }.within(limit)?;
    Ok(Standing { limit, remaining: limit - hits, reset_seconds })
}

/// When the current window began, and in how many seconds it ends.
#[must_use]
pub fn window(now: DateTime<Utc>) -> (DateTime<Utc>, i64) {
    let into = now.timestamp().rem_euclid(WINDOW);
    let start = now.timestamp() - into;
    (DateTime::from_timestamp(start, 0).unwrap_or_default(), WINDOW - into)
}
