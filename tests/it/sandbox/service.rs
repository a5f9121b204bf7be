//! The function as a service: limits, lost workers, many concurrent programs.

use std::fs;

use domain::execution::{
    Program,
    Verdict::{Internal, MemoryLimit, Ok, Timeout},
};
use futures::{StreamExt as _, future::join_all, stream};
use reqwest::StatusCode;
use serde_json::json;
use testing::eventually;
use tests::World;

use super::{run, workers};

fn status(id: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The resident memory of a process.
pub(super) fn resident_kib(process: u32) -> u64 {
    status(process, "VmRSS:")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_explained() {
    let world = World::new().await;
    for (body, status, part) in [
        ("{".to_owned(), StatusCode::BAD_REQUEST, "malformed_json"),
        (json!({}).to_string(), StatusCode::UNPROCESSABLE_ENTITY, "missing field `code`"),
        (json!({ "code": 5 }).to_string(), StatusCode::UNPROCESSABLE_ENTITY, "code"),
        (
            json!({ "code": "", "timeout_ms": 60_000 }).to_string(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "between 1 and 5000",
        ),
        (
            json!({ "code": "", "files": { "/etc/passwd": "" } }).to_string(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "file names",
        ),
        (
            json!({ "code": "", "tests": [{ "name": "", "expected": "" }] }).to_string(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "tests[0].name",
        ),
        (
            json!({ "code": "", "colour": 1 }).to_string(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "colour",
        ),
        (
            json!({ "code": "x".repeat(600 << 10) }).to_string(),
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
        ),
    ] {
        let reply = world.execute_raw(body).await;
        assert_eq!(reply.status, status, "{:?}", reply.body);
        assert!(reply.body.to_string().contains(part), "{part}: {:?}", reply.body);
    }
    let good = world.execute_raw(json!({ "code": "print(6 * 7)" }).to_string()).await;
    assert_eq!(
        (good.status, &good.body["stdout"]),
        (StatusCode::OK, &json!("42\n")),
        "{:?}",
        good.body
    );
    assert_eq!(good.body["verdict"], "ok");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_workers_are_full_the_response_says_when_to_retry() {
    let world = World::with(tests::Setup {
        settings: vec![("SANDBOX_WORKERS", "1".to_owned())],
        ..tests::Setup::default()
    })
    .await;
    let looper = json!({ "code": "import time\ntime.sleep(4)" }).to_string();
    let replies = join_all((0..70).map(|_| world.execute_raw(looper.clone()))).await;
    let busy: Vec<_> =
        replies.iter().filter(|reply| reply.status == StatusCode::SERVICE_UNAVAILABLE).collect();
    assert_eq!(busy.len(), 6, "64 are run at once");
    assert!(busy.iter().all(|reply| reply.headers.contains_key("retry-after")));
    assert!(
        replies
            .iter()
            .filter(|reply| reply.status == StatusCode::OK)
            .all(|reply| reply.body["verdict"] == "ok")
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_worker_loses_no_program() {
    let workers = workers();
    let request = json!({ "code": "import time\ntime.sleep(0.5)\nprint('done')" });
    let program = run(&workers, &request);
    let killer = async {
        let worker = eventually("a worker", async || workers.process_ids().first().copied()).await;
        let killed = std::process::Command::new("kill").args(["-9", &worker.to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()));
    };
    let (result, ()) = tokio::join!(program, killer);
    assert_eq!(
        (result.verdict, result.stdout.as_str()),
        (Ok, "done\n"),
        "it was run again: {result:?}"
    );
    assert_eq!(run(&workers, &json!({ "code": "print(1)" })).await.verdict, Ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_nobody_waits_for_is_stopped() {
    let workers = workers();
    let looper: Program =
        serde_json::from_value(json!({ "code": "while True: pass" })).expect("a program");
    let now = runtime::Clock::System.now();
    let execute = code_execution::execute::execute;
    // All places are taken by programs whose clients disconnect immediately.
    for _ in 0..2 {
        let all = join_all((0..64).map(|_| execute(&workers, &looper, now)));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), all).await.is_err());
    }
    let after = run(&workers, &json!({ "code": "print(1)", "timeout_ms": 1000 })).await;
    assert_eq!(after.verdict, Ok, "{after:?}");
    assert!(after.duration_ms < 500, "{}", after.duration_ms);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tenants_never_mix_and_endless_loops_delay_nobody() {
    let workers = workers();
    let loopers = join_all((0..6).map(|_| async {
        run(&workers, &json!({ "code": "while True: pass", "timeout_ms": 2_500 })).await
    }));
    let quick = async {
        for i in 0..60 {
            let result = run(&workers, &json!({ "code": format!("print({i})") })).await;
            assert_eq!((result.verdict, result.stdout), (Ok, format!("{i}\n")));
        }
    };
    let (loopers, ()) = tokio::join!(loopers, quick);
    assert!(loopers.iter().all(|result| result.verdict == Timeout), "{loopers:?}");
    assert!(loopers.iter().all(|result| result.duration_ms <= 3_500), "{loopers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_runs_leave_the_worker_as_it_was() {
    let workers = workers();
    assert_eq!(run(&workers, &json!({ "code": "print(0)" })).await.verdict, Ok);
    let own = workers.process_ids()[0];
    let figures = |id: u32| {
        let descriptors = fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count);
        (status(id, "VmRSS:"), descriptors, status(id, "Threads:"))
    };
    let programs = [
        ("print('hi')", Ok),
        ("x = [i * i for i in range(200)]", Ok),
        ("1/0", domain::execution::Verdict::Error),
        ("import sys\nsys.exit(3)", domain::execution::Verdict::Exit),
        ("open('f', 'w').write('x' * 1000)", Ok),
        ("x = bytearray(10**9)", MemoryLimit),
        ("def f(): f()\nf()", domain::execution::Verdict::Recursion),
        ("import os\nos.abort()", domain::execution::Verdict::Aborted),
    ];
    let rounds = async |count: usize| {
        stream::iter(0..count)
            .map(|i| programs[if i % 50 < 44 { i % 2 } else { i % 8 }])
            .map(async |(code, verdict)| (run(&workers, &json!({ "code": code })).await, verdict))
            .buffer_unordered(4)
            .for_each(async |(result, verdict)| {
                assert_ne!(result.verdict, Internal);
                assert_eq!(result.verdict, verdict, "{result:?}");
            })
            .await;
    };
    rounds(400).await;
    let start = figures(own);
    rounds(1_600).await;
    let end = figures(own);
    assert!(end.0 < start.0 + (8 << 10), "resident KiB: {} then {}", start.0, end.0);
    assert_eq!((start.1, start.2), (end.1, end.2), "descriptors and threads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_cannot_start_says_why_and_delays_nobody() {
    let image = std::path::PathBuf::from("/nowhere/python.cwasm");
    let command = code_execution::workers::Command { image, ..tests::worker_command() };
    let output = std::process::Command::new(&command.program)
        .args(&command.arguments)
        .arg(&command.image)
        .output()
        .expect("the worker's program starts");
    assert!(!output.status.success());
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("/nowhere/python.cwasm cannot be used"), "{log}");
    let workers = code_execution::workers::Workers::processes(&command, 1);
    let result = run(&workers, &json!({ "code": "print(1)" })).await;
    assert_eq!(result.verdict, Internal);
}
