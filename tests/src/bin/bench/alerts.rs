//! The bench of alerts: how long it takes from a student's fifth failed run to the teacher's socket.
//!
//! Everything runs in this one process, clients included, on a private PostgreSQL that flushes every commit to disk.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, future::join_all, stream};
use local_postgres::{Durability, LocalPostgres};
use serde_json::json;
use tempfile::TempDir;
use tests::{
    Setup, Student, World,
    socket::{Received, Socket},
};

use crate::load::print;

/// Students who fail at the same time.
const AT_ONCE: usize = 20;
/// Students of a class: fewer than make a hot spot, of which the teacher would hear instead.
const CLASS: usize = 3;
/// Programs that fail in different ways.
const FAILING: [&str; 5] = ["print(a)", "1 + ''", "[][1]", "{}['x']", "int('x')"];
/// How long the last alert may take.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) async fn run(count: usize) -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let postgres = LocalPostgres::start(dir.path(), Durability::Durable)?;
    let unlimited = "1000000000".to_owned();
    let limits =
        ["RATE_LIMIT_ADDRESS", "RATE_LIMIT_USER", "RATE_LIMIT_PASSWORD", "RATE_LIMIT_LOGIN"];
    let mut settings = vec![("DATABASE_URL", postgres.url("postgres"))];
    settings.extend(limits.map(|limit| (limit, unlimited.clone())));
    let setup = Setup { settings, system_clock: true, is_bench: true, ..Setup::default() };
    let mut world = World::with(setup).await;
    // One of the demo accounts: this database is not the one of tests.
    let teacher = world.log_in("teacher@example.org", "learnflow-teacher").await;
    let names: Vec<String> = (0..count).map(|n| format!("student{n}")).collect();
    let students: Vec<Student> = join_all(names.iter().map(|name| world.student(name))).await;
    for class in students.chunks(CLASS) {
        world.class(&teacher, &class.iter().collect::<Vec<_>>()).await;
    }
    let url = world.stack().url("websocket").unwrap_or_default();
    let protocols = format!("learnflow.v1, bearer.{}", teacher.token);
    let headers = [("sec-websocket-protocol", protocols.as_str())];
    let opened = Socket::open(&url, "/ws/alerts", &headers).await;
    let mut socket = opened.map_err(|(status, _)| anyhow::anyhow!("refused: {status}"))?;

    let heard = async {
        let mut heard = HashMap::new();
        while heard.len() < count {
            let Some(Received::Frame(frame)) = socket.within(LIMIT).await else { break };
            if frame["type"] == "alert" {
                let about = frame["notification"]["student_id"].as_str().unwrap_or_default();
                heard.entry(about.to_owned()).or_insert_with(Instant::now);
            }
        }
        heard
    };
    let failed = stream::iter(&students)
        .map(async |student| {
            let mut done = Instant::now();
            for code in FAILING {
                let body = json!({ "code": code });
                world
                    .post_with("/executions", &student.token, &body, [("prefer", "wait=20")])
                    .await;
                done = Instant::now();
            }
            (student.id.to_string(), done)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>();
    let (heard, failed) = tokio::join!(heard, failed);
    let mut times: Vec<f64> = failed
        .iter()
        .filter_map(|(student, done)| Some(heard.get(student)?.saturating_duration_since(*done)))
        .map(|took| took.as_secs_f64() * 1e3)
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied()
    };
    let [p50, p95, p99] = [50, 95, 99].map(|percent| at(percent).unwrap_or(f64::NAN));
    print(&format!(
        "{} of {count} alerts, {AT_ONCE} students at once: from the fifth failed run to the teacher's socket \
         p50 {p50:.0} ms, p95 {p95:.0} ms, p99 {p99:.0} ms; aim: p99 1,000 ms",
        times.len()
    ));
    world.finish_unchecked().await;
    Ok(())
}
