//! How fast the sandbox is, compared with the machine's own `python3` in the same run; with `fuzz SECONDS`, whether
//! random programs can make it fail; with `soak COUNT SEED`, whether hostile ones can, and how much memory they leave
//! behind.

#![expect(clippy::print_stdout, reason = "a bench's answer to a person")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use code_execution::{
    execute::execute,
    workers::{Busy, Workers},
};
use domain::execution::{ExecutionResult, Program, Verdict};
use futures::{
    StreamExt as _,
    stream::{self, FuturesUnordered},
};
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use runtime::{
    Clock,
    config::Settings,
    telemetry::{self, TelemetryConfig},
};
use serde_json::json;
use tests::{hostile, worker_command};

/// How long random programs are tried by default.
const FUZZ: Duration = Duration::from_mins(10);
/// The default number of hostile programs.
const SOAK: u64 = 10_000;

/// The operating system's own Python, if it has one.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";

const HELLO: &str = "print(\"hi\")";

/// CPU-bound programs that print their duration in seconds.
const WORK: [(&str, &str); 6] = [
    ("fib", "def fib(n): return n if n < 2 else fib(n-1) + fib(n-2)\nfib(23)"),
    ("loop", "t = 0\nfor i in range(1_000_000): t += i * i % 7"),
    ("dict", "d = {}\nfor i in range(200_000): d[i % 5000] = d.get(i % 5000, 0) + i"),
    (
        "sort",
        "x = 1\nl = []\nfor i in range(100_000):\n    x = x * 1103515245 % 2147483647\n    l.append(x)\nfor _ in range(3): sorted(l)",
    ),
    (
        "text",
        "s = 0\nfor i in range(60_000): s += len(('a' * (i % 50)).replace('a', 'bc').upper().split('B'))",
    ),
    (
        "objects",
        "class P:\n    def __init__(s, x): s.x = x\n    def move(s, d): s.x += d; return s.x\np = P(0)\nfor i in range(200_000): p.move(i)",
    ),
];

/// Runs all benches, or those that the arguments name.
pub(crate) async fn main(arguments: &[&str]) -> anyhow::Result<()> {
    match *arguments {
        [] => speed().await,
        ["fuzz"] => fuzz(FUZZ).await,
        ["fuzz", seconds] => fuzz(Duration::from_secs(seconds.parse()?)).await,
        ["soak"] => soak(SOAK, rand::random()).await,
        ["soak", count] => soak(count.parse()?, rand::random()).await,
        ["soak", count, seed] => soak(count.parse()?, seed.parse()?).await,
        _ => anyhow::bail!("sandbox, sandbox fuzz [SECONDS], or sandbox soak [COUNT] [SEED]"),
    }
}

async fn speed() -> anyhow::Result<()> {
    println!("one run of each, in milliseconds");
    let cold = cold_starts(20).await;
    let one = Workers::processes(&worker_command(), 1);
    let inside = Workers::thread(worker_command().image)?;
    let installed = interpreter()?;
    let [mut python, mut itself, mut system, mut warm, mut without_pipe] =
        <[Vec<f64>; 5]>::default();
    // Alternating, so that good and bad moments of the machine affect all.
    for _ in 0..10 {
        python.extend(starts_of_python("python3", 10)?);
        itself.extend(starts_of_python(&installed, 10)?);
        if Path::new(SYSTEM_PYTHON).exists() {
            system.extend(starts_of_python(SYSTEM_PYTHON, 10)?);
        }
        warm.extend(self::warm(&one, 300).await);
        without_pipe.extend(self::warm(&inside, 300).await);
    }
    show("python3 -I -c, as on the path", &python);
    show("its interpreter, started itself", &itself);
    show(SYSTEM_PYTHON, &system);
    show("sandbox, a new worker process", &cold);
    show("sandbox, fresh interpreter", &warm);
    show("sandbox, without the pipe", &without_pipe);
    let ratio = |native: &[f64]| percentile(native, 50) / percentile(&warm, 50);
    println!(
        "python3 / sandbox, p50: {:.1}; {installed}: {:.1}; {SYSTEM_PYTHON}: {:.1}",
        ratio(&python),
        ratio(&itself),
        ratio(&system)
    );

    println!("\nruns per second");
    let single = throughput(&one).await;
    let two = Workers::processes(&worker_command(), 2);
    let double = throughput(&two).await;
    println!("one worker {single:.0}, two workers {double:.0}, ratio {:.2}", double / single);

    mixed(&two).await;
    slowdown(&one).await?;
    trace(&one).await;
    Ok(())
}

async fn run(workers: &Workers, request: serde_json::Value) -> ExecutionResult {
    try_run(workers, request).await.expect("there is room")
}

async fn try_run(workers: &Workers, request: serde_json::Value) -> Result<ExecutionResult, Busy> {
    let program: Program = serde_json::from_value(request).expect("a program");
    execute(workers, &program, Clock::System.now()).await
}

/// The real `python3` executable: the one on the path can be a script that looks for it.
fn interpreter() -> anyhow::Result<String> {
    let code = "import sys; print(sys.executable, end='')";
    Ok(String::from_utf8(Command::new("python3").args(["-c", code]).output()?.stdout)?)
}

fn starts_of_python(program: &str, count: usize) -> anyhow::Result<Vec<f64>> {
    let start = |_| {
        let started = Instant::now();
        Command::new(program).args(["-I", "-c", HELLO]).stdout(Stdio::null()).status()?;
        Ok(milliseconds(started))
    };
    (0..count).map(start).collect()
}

async fn cold_starts(count: usize) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..count {
        let started = Instant::now();
        let workers = Workers::processes(&worker_command(), 1);
        assert_eq!(run(&workers, json!({ "code": HELLO })).await.verdict, Verdict::Ok);
        times.push(milliseconds(started));
    }
    times
}

async fn warm(workers: &Workers, count: usize) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..count {
        let started = Instant::now();
        assert_eq!(run(workers, json!({ "code": HELLO })).await.verdict, Verdict::Ok);
        times.push(milliseconds(started));
    }
    times
}

async fn throughput(workers: &Workers) -> f64 {
    const RUNS: usize = 4_000;
    let started = Instant::now();
    stream::iter(0..RUNS)
        .map(async |_| run(workers, json!({ "code": HELLO })).await)
        .buffer_unordered(8)
        .for_each(async |result| assert_eq!(result.verdict, Verdict::Ok))
        .await;
    RUNS as f64 / started.elapsed().as_secs_f64()
}

/// A thousand programs, a hundred a second, every fifth of them endless.
async fn mixed(workers: &Workers) {
    let mut clock = tokio::time::interval(Duration::from_millis(10));
    let mut running = FuturesUnordered::new();
    let mut results: Vec<(bool, f64, Verdict)> = Vec::new();
    let mut refused = 0;
    let mut next = 0;
    while next < 1_000 || !running.is_empty() {
        tokio::select! {
            _ = clock.tick(), if next < 1_000 => {
                let looper = next % 5 == 4;
                next += 1;
                running.push(async move {
                    let started = Instant::now();
                    let code = if looper { "while True: pass" } else { HELLO };
                    let result = try_run(workers, json!({ "code": code })).await.ok()?;
                    Some((looper, milliseconds(started), result.verdict))
                });
            }
            Some(result) = running.next() => match result {
                Some(result) => results.push(result),
                // On a slow machine the endless loops take all turns.
                None => refused += 1,
            },
        }
    }
    let of = |wanted| -> Vec<f64> {
        results.iter().filter(|(looper, ..)| *looper == wanted).map(|(_, time, _)| *time).collect()
    };
    println!("\n1000 programs, 100 a second, 200 of them endless loops");
    show("short programs", &of(false));
    show("endless loops", &of(true));
    let internal = results.iter().filter(|(.., verdict)| *verdict == Verdict::Internal).count();
    println!("internal: {internal}, refused: {refused}");
}

async fn slowdown(workers: &Workers) -> anyhow::Result<()> {
    println!("\nCPU-bound programs, seconds: sandbox / python3");
    let mut product = 1.0;
    for (name, work) in WORK {
        let body = work.replace('\n', "\n    ");
        let code = format!(
            "import time\ndef work():\n    {body}\nstart = time.perf_counter()\nwork()\nprint(time.perf_counter() - start)"
        );
        let native = Command::new("python3").args(["-I", "-c", &code]).output()?;
        let native: f64 = String::from_utf8_lossy(&native.stdout).trim().parse()?;
        let ours: f64 = run(workers, json!({ "code": code })).await.stdout.trim().parse()?;
        println!("{name:<10} {ours:.3} / {native:.3} = {:.2}", ours / native);
        product *= ours / native;
    }
    println!("geometric mean {:.2}", product.powf(1.0 / WORK.len() as f64));
    Ok(())
}

async fn trace(workers: &Workers) {
    let code = "a = []\nb = {'x': a}\nfor i in range(2000):\n    a.append(i)\n    if len(a) > 5: a.clear()";
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..30 {
        for (traced, times) in [false, true].into_iter().zip(&mut times) {
            let started = Instant::now();
            let result = run(workers, json!({ "code": code, "trace": traced })).await;
            assert_eq!(result.verdict, Verdict::Ok);
            times.push(milliseconds(started));
        }
    }
    let [plain, traced] = times.map(|times| percentile(&times, 50));
    println!(
        "\ntrace: {:.1} µs a step (1000 steps: {traced:.1} ms, none: {plain:.1} ms)",
        (traced - plain) * 1e3 / 1e3
    );
}

/// Runs hostile programs, and prints the memory of all processes after each thousand.
async fn soak(count: u64, seed: u64) -> anyhow::Result<()> {
    println!("seed {seed}");
    // The reason for a lost worker is only logged.
    let config = TelemetryConfig::read(&mut Settings::from_process());
    let _guard = telemetry::install(&config, "bench");
    let workers = Workers::processes(&worker_command(), 2);
    let mut random = StdRng::seed_from_u64(seed);
    let requests = (0..count).map(|_| hostile::request(&mut random));
    let mut verdicts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut lives = BTreeSet::new();
    let mut faults = 0;
    let mut outcomes = stream::iter(requests)
        .map(async |request| {
            let result = run(&workers, request.clone()).await;
            (request, result.verdict, hostile::fault(&result))
        })
        .buffer_unordered(8)
        .enumerate();
    while let Some((i, (request, verdict, fault))) = outcomes.next().await {
        *verdicts.entry(verdict.as_str()).or_default() += 1;
        lives.extend(workers.process_ids());
        if let Some(fault) = fault {
            faults += 1;
            println!("{fault}\n    {:.600}", request.to_string());
        }
        if i % 1_000 == 99 || i as u64 + 1 == count {
            let resident = |id| format!("{} MiB", hostile::resident_kib(id) >> 10);
            let of_workers: Vec<_> = workers.process_ids().into_iter().map(resident).collect();
            let host = resident(std::process::id());
            println!("{:>6} programs: host {host}, workers {of_workers:?}", i + 1);
        }
    }
    println!("{verdicts:?}, {} worker processes", lives.len());
    anyhow::ensure!(faults == 0, "{faults} faults");
    Ok(())
}

/// Tries random bytes, random tokens and broken programs as source, input and files.
async fn fuzz(time: Duration) -> anyhow::Result<()> {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let workers = Workers::processes(&worker_command(), 2);
    let mut random = StdRng::seed_from_u64(seed);
    let started = Instant::now();
    let requests = std::iter::from_fn(|| (started.elapsed() < time).then(|| request(&mut random)));
    let mut verdicts: BTreeMap<String, u64> = BTreeMap::new();
    let mut outcomes = stream::iter(requests)
        .map(async |request| {
            let result = run(&workers, request.clone()).await;
            (request, result.verdict)
        })
        .buffer_unordered(8);
    while let Some((request, verdict)) = outcomes.next().await {
        *verdicts.entry(verdict.as_str().to_owned()).or_default() += 1;
        anyhow::ensure!(verdict != Verdict::Internal, "internal for {request}");
    }
    println!("{verdicts:?}");
    Ok(())
}

const TOKENS: [&str; 48] = [
    "def f(x):\n    ",
    "class A:\n    ",
    "while True:\n    ",
    "for i in range(9):\n    ",
    "if x:\n    ",
    "try:\n    ",
    "except:\n    ",
    "\n",
    "    ",
    "x",
    "f(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"\"\"",
    "=",
    "==",
    "+",
    "**",
    "lambda: ",
    "yield ",
    "await ",
    "import sys\n",
    "import os\n",
    "os.",
    "sys.",
    "gc.",
    "exit(",
    "print(",
    "input()",
    "open('f', 'wb')",
    ".write(b'\\xff' * 999)",
    "sys.settrace(f)",
    "sys.stdout",
    " = None\n",
    "del ",
    "raise x\n",
    "1/0\n",
    "9**9**9",
    "[0] * 10**8",
    "\0",
    "\u{202e}",
    "😀",
    "__import__('gc').get_objects()",
    "f.__code__.replace(co_code=b'\\x01\\xff')",
];

fn request(random: &mut StdRng) -> serde_json::Value {
    let code = if random.random_bool(0.3) {
        bytes(random, 2_000)
    } else {
        let count = random.random_range(0..60);
        (0..count).filter_map(|_| TOKENS.choose(random).copied()).collect()
    };
    let mut files = serde_json::Map::new();
    for i in 0..random.random_range(0..4) {
        files.insert(format!("f{i}"), bytes(random, 5_000).into());
    }
    json!({
        "code": code,
        "stdin": bytes(random, 3_000),
        "files": files,
        "timeout_ms": 300,
        "trace": random.random_bool(0.2),
        "tests": if random.random_bool(0.1) { json!([{ "name": "t", "call": bytes(random, 30).replace('\0', "") + "1", "expected": bytes(random, 30) }]) } else { json!([]) },
    })
}

fn bytes(random: &mut StdRng, most: usize) -> String {
    let mut bytes = vec![0; random.random_range(0..most)];
    random.fill_bytes(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn milliseconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

fn percentile(times: &[f64], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

fn show(what: &str, times: &[f64]) {
    let [p50, p95, p99, max] = [50, 95, 99, 100].map(|percent| percentile(times, percent));
    println!("{what:<32} p50 {p50:8.2}  p95 {p95:8.2}  p99 {p99:8.2}  max {max:8.2}");
}
