//! What tests of several crates need: a real database each, real brokers, and waiting with a bound.
//!
//! Belongs here: the outside world for tests. Never here: a function, or a normal dependency of
//! anything.

mod apache_kafka;
mod database;
mod fault_proxy;
mod model_server;

use std::{
    future::Future,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

pub use apache_kafka::ApacheKafka;
pub use database::TestDatabase;
pub use fault_proxy::{Fault, FaultProxy};
pub use model_server::{ModelRequest, ModelServer, Scripted};

/// How long a condition may take to come true: far longer than any does, so that a slow machine
/// fails no test.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A free port that nothing takes while the server that belongs there is stopped.
///
/// It is outside the range from which the system gives ports away. (A client that tries to reconnect to a closed port
/// of that range may even connect to itself, and then holds it.)
///
/// # Panics
/// A thousand ports in a row are taken.
pub fn restart_port() -> u16 {
    const FIRST: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own_range = u16::try_from(std::process::id() % 10).unwrap_or(0) * 1_000;
    let candidates =
        (0..1_000).map(|_| FIRST + own_range + NEXT.fetch_add(1, Ordering::Relaxed) % 1_000);
    let mut free =
        candidates.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().expect("one of a thousand ports is free")
}

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
