//! What tests of several crates need: a real database each, real brokers, and bounded waits.
//!
//! Belongs here: the outside world for tests. Never here: a function, or a normal dependency of
//! anything.

mod apache_kafka;
pub mod bench;
mod certificates;
mod database;
mod fault_proxy;
mod http_target;
mod model_server;
mod moto;
mod msk_api;
mod opened;
pub mod outside_tools;
mod smtp_server;
mod socket_gateway;

use std::{
    future::Future,
    net::{Ipv4Addr, TcpListener},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

pub use apache_kafka::ApacheKafka;
pub use bench::Bench;
pub use certificates::Certificates;
pub use database::TestDatabase;
pub use fault_proxy::{Fault, FaultProxy};
pub use http_target::{HttpTarget, TargetAnswer, TargetRequest};
pub use model_server::{ModelRequest, ModelServer, Scripted};
pub use moto::Moto;
pub use msk_api::MskApi;
pub use opened::opened;
pub use smtp_server::{Mail, SmtpServer};
pub use socket_gateway::{Reaction, SocketGateway};

/// Signs the tokens of all tests.
pub const JWT_SECRET: &str = "a secret for tests, 32 bytes long or more";
/// How long a condition may take to become true: far longer than usual, so that no test fails on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ports of a test process: one for each server that is restarted.
const PORTS: u16 = 200;
/// How often a condition is checked.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Returns a free port that nothing else takes, also before its server starts and while it is stopped.
///
/// It is outside the system's range of ephemeral ports. (A client that reconnects to a closed port in that range may
/// even connect to itself, and then occupy it.) No other test process takes it, either: its clients would look for
/// their own broker and find ours.
///
/// # Panics
/// No port is free.
pub fn reserved_port() -> u16 {
    static RANGE: LazyLock<(TcpListener, u16)> = LazyLock::new(own_ports);
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let mut candidates = (1..PORTS)
        .map(|_| RANGE.1 + 1 + NEXT.fetch_add(1, Ordering::Relaxed) % (PORTS - 1))
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    candidates.next().expect("one of this process's ports is free")
}

/// Reserves ports for one test process: it holds the first one as long as it runs, and owns the ones that follow.
fn own_ports() -> (TcpListener, u16) {
    const FIRST: u16 = 20_000;
    const LAST: u16 = 29_999;
    let ranges = (FIRST..=LAST).step_by(usize::from(PORTS));
    let mut free = ranges
        .filter_map(|first| Some((TcpListener::bind((Ipv4Addr::LOCALHOST, first)).ok()?, first)));
    free.next().expect("fewer than fifty processes test at a time")
}

/// Waits until `look` returns something, and returns it.
///
/// # Panics
/// `what` does not come true within the time limit.
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
