//! What tests of several crates need: a real database each, real brokers, and waiting with a bound.
//!
//! Belongs here: the outside world for tests. Never here: a function, or a normal dependency of
//! anything.

mod apache_kafka;
mod database;

use std::{
    future::Future,
    time::{Duration, Instant},
};

pub use apache_kafka::ApacheKafka;
pub use database::TestDatabase;

/// How long a condition may take to come true: far longer than any does, so that a slow machine
/// fails no test.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until `look` finds something, and returns it.
///
/// # Panics
/// `what` does not come true in time.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let started = Instant::now();
    let mut interval = tokio::time::interval(LOOK_EVERY);
    loop {
        interval.tick().await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
    }
}
