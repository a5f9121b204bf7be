//! The bench of sockets: what an open one costs, and how long a message takes to it, from the beginning of the
//! transaction that emits it.
//!
//! Everything runs in this one process, clients included, on a private PostgreSQL that flushes every commit to disk.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use local_postgres::{Durability, LocalPostgres};
use tempfile::TempDir;
use tests::{
    Setup, World,
    socket::{Socket, emit, enrol, nudge},
};
use tokio::sync::mpsc;

use crate::load::{print, resident_mib};

/// Sockets that are opened at the same time.
const OPENED_AT_ONCE: usize = 50;
/// Messages to one of them after the other.
const ALONE: usize = 3_000;
/// A pause between these: 200 a second.
const PAUSE: Duration = Duration::from_millis(5);
/// Messages of one transaction, when all get one at once.
const TOGETHER: usize = 50;

pub(crate) async fn run(count: usize) -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let postgres = LocalPostgres::start(dir.path(), Durability::Durable)?;
    let settings = vec![
        ("DATABASE_URL", postgres.url("postgres")),
        ("RATE_LIMIT_ADDRESS", "1000000000".to_owned()),
    ];
    let setup = Setup { settings, system_clock: true, is_bench: true, ..Setup::default() };
    let mut world = World::with(setup).await;
    let url = world.stack().url("websocket").unwrap_or_default();
    let students = enrol(&world, count).await;
    let before = resident_mib()?;
    let started = Instant::now();
    let sockets: Vec<_> = stream::iter(&students)
        .map(|(id, token)| Socket::chat_at(&url, *id, token, None))
        .buffer_unordered(OPENED_AT_ONCE)
        .collect()
        .await;
    let seconds = started.elapsed().as_secs_f64();
    let kib = resident_mib()?.saturating_sub(before) * 1024 / u64::try_from(count)?;
    print(&format!(
        "{count} sockets opened in {seconds:.1} s; {kib} KiB of memory for each, with its client"
    ));
    let (received, mut times) = mpsc::unbounded_channel();
    let readers: Vec<_> = sockets
        .into_iter()
        .map(|mut socket| {
            let received = received.clone();
            tokio::spawn(async move {
                while let tests::socket::Received::Frame(frame) = socket.next_ever().await {
                    let sent = frame["content"].as_str().and_then(|text| text.parse().ok());
                    let took =
                        started.elapsed().saturating_sub(Duration::from_micros(sent.unwrap_or(0)));
                    if received.send(took).is_err() {
                        break;
                    }
                }
            })
        })
        .collect();
    let now = || started.elapsed().as_micros().to_string();
    let mut pause = tokio::time::interval(PAUSE);
    for (id, _) in students.iter().cycle().take(ALONE) {
        pause.tick().await;
        emit(&world, &[nudge(*id, now())]).await;
    }
    show("200 messages a second", &mut times, ALONE).await;
    for some in students.chunks(TOGETHER) {
        let all: Vec<_> = some.iter().map(|(id, _)| nudge(*id, now())).collect();
        emit(&world, &all).await;
    }
    show("one to everybody at once", &mut times, count).await;
    print(&format!("{} MiB in use at the end", resident_mib()?));
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    world.finish_unchecked().await;
    Ok(())
}

async fn show(what: &str, times: &mut mpsc::UnboundedReceiver<Duration>, count: usize) {
    let mut sorted = Vec::new();
    while sorted.len() < count {
        let Some(took) = times.recv().await else { break };
        sorted.push(took.as_secs_f64() * 1e3);
    }
    sorted.sort_by(f64::total_cmp);
    let at = |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len() - 1));
    let [p50, p95, p99, most] =
        [50, 95, 99, 100].map(|percent| at(percent).copied().unwrap_or(0.0));
    print(&format!(
        "{what}: p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, longest {most:.1} ms"
    ));
}
