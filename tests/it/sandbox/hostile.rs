//! Programs that try to harm the host and their neighbours: `bench sandbox soak` runs ten thousand of them, this test
//! as many as a test run has time for.

use domain::execution::Verdict::{
    Aborted, Error, MemoryLimit, Ok, OutputLimit, SyntaxError, Timeout,
};
use futures::{StreamExt as _, future::join_all, stream};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tests::hostile::{self, resident_kib};

use super::{check, prints, row, run, run_code, steps, workers};

/// The same seed gives the same programs.
const SEED: u64 = 10;
const COUNT: usize = 300;
/// How much memory a worker may gain after the first third of the programs: the pool keeps pages that programs have
/// touched, and each of its slots is used sooner or later.
const GROWTH_KIB: u64 = 64 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_programs_leak_no_memory_and_all_get_results() {
    let workers = workers();
    let mut random = StdRng::seed_from_u64(SEED);
    let requests: Vec<_> = (0..COUNT).map(|_| hostile::request(&mut random)).collect();
    let mut start = (0, 0);
    let mut lives = std::collections::BTreeSet::new();
    for (third, requests) in requests.chunks(COUNT / 3).enumerate() {
        let faults: Vec<String> = stream::iter(requests)
            .map(async |request| {
                let fault = hostile::fault(&run(&workers, request).await)?;
                Some(format!("{fault}\n    {request:.600}"))
            })
            .buffer_unordered(4)
            .filter_map(async |fault| fault)
            .collect()
            .await;
        assert!(faults.is_empty(), "seed {SEED}: {}", faults.join("\n"));
        let worker = workers.process_ids()[0];
        lives.insert(worker);
        let now = (resident_kib(worker), resident_kib(std::process::id()));
        if third == 0 {
            start = now;
        }
        assert!(now.0 <= start.0 + GROWTH_KIB, "worker: {} KiB, then {}", start.0, now.0);
        // Other tests run in this process, too.
        assert!(now.1 <= start.1 + 8 * GROWTH_KIB, "host: {} KiB, then {}", start.1, now.1);
    }
    assert_eq!(lives.len(), 1, "no worker was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_were_emptied_take_no_memory() {
    let workers = workers();
    let code = "for i in range(13):\n    with open(f'f{i}', 'wb') as f:\n        f.write(b'x' * 9_000_000)\n    open(f'f{i}', 'wb').close()\nprint('done')\nimport time\ntime.sleep(1)";
    let program = json!({ "code": code });
    let measured = async {
        let mut most = 0;
        let running = run(&workers, &program);
        tokio::pin!(running);
        let mut clock = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            tokio::select! {
                result = &mut running => return (result, most),
                _ = clock.tick() => {
                    most = workers.process_ids().iter().map(|id| resident_kib(*id)).chain([most]).max().unwrap_or(0);
                }
            }
        }
    };
    let (result, most) = measured.await;
    assert_eq!(result.stdout, "done\n", "{result:?}");
    assert!(most < 150 << 10, "the worker had {most} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_answer_affects_only_its_own_program() {
    let workers = workers();
    let deep = |levels: usize| json!({ "code": format!("x = 1\nfor i in range({levels}): x = {{'k': [x]}}"), "tests": [{ "name": "deep", "call": "x", "expected": "1" }] });
    let own = json!({ "code": "import time\ntime.sleep(1)\nprint('neighbour')" });
    let neighbour = run(&workers, &own);
    let hostile = async {
        for levels in [13, 19, 20, 21, 41, 60, 400] {
            let result = run(&workers, &deep(levels)).await;
            assert_eq!(result.verdict, Ok, "{levels}: {result:?}");
            assert!(!result.tests[0].actual.is_empty(), "{levels}: {result:?}");
        }
        for (code, verdict) in [
            ("raise type('x' * 3_000_000, (Exception,), {})", Error),
            ("raise type('x' * 20_000_000, (Exception,), {})", Error),
            ("import sys\ng = sys._getframe().f_back.f_globals\ng['Outcome'] = 5\n", Aborted),
        ] {
            let result = run(&workers, &json!({ "code": code })).await;
            assert_eq!(result.verdict, verdict, "{code}: {:?}", result.verdict);
            let error = result.error.expect("it is told why");
            assert!(error.kind.len() + error.traceback.len() < 70_000, "{}", error.kind.len());
        }
    };
    let (neighbour, ()) = tokio::join!(neighbour, hostile);
    assert_eq!(neighbour.stdout, "neighbour\n");
    let worker = workers.process_ids();
    assert_eq!(run(&workers, &own).await.stdout, "neighbour\n");
    assert_eq!(workers.process_ids(), worker, "no worker was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_values_are_still_compared() {
    let nested = |levels: usize| "{'k': (".repeat(levels) + "1" + &",)}".repeat(levels);
    let case = |levels: usize, expected: usize| json!({ "name": format!("{levels} {expected}"), "call": nested(levels), "expected": nested(expected) });
    let request =
        json!({ "code": "", "tests": [case(20, 20), case(20, 19), case(30, 30), case(30, 31)] });
    let result = run(&workers(), &request).await;
    let passed: Vec<bool> = result.tests.iter().map(|test| test.passed).collect();
    assert_eq!(passed, [true, false, true, false], "{:?}", result.tests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_item_of_a_large_value_counts_like_the_first() {
    let case = |last: usize, expected: &str| {
        json!({ "name": format!("{last} {expected}"),
        "call": format!("[0] * 30_000 + [{last}]"), "expected": expected })
    };
    let request = json!({
        "code": "",
        "tests": [case(1, "[0] * 30_000 + [1]"), case(2, "[0] * 30_000 + [1]"), case(1, "[0] * 30_001")]
    });
    let result = run(&workers(), &request).await;
    let passed: Vec<bool> = result.tests.iter().map(|test| test.passed).collect();
    assert_eq!(passed, [true, false, false], "{:?}", result.tests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_with_too_much_memory_is_killed_and_its_programs_are_run_again() {
    let command = code_execution::workers::Command {
        // Enough for two of these programs, not for four.
        max_memory: 150 << 20,
        ..tests::worker_command()
    };
    let workers = code_execution::workers::Workers::processes(&command, 1);
    let program =
        json!({ "code": "import time\nb = bytearray(45 * 2**20)\ntime.sleep(0.6)\nprint(len(b))" });
    assert_eq!(run(&workers, &program).await.verdict, Ok, "one is not too many");
    let before = workers.process_ids();
    let results = join_all((0..4).map(|_| run(&workers, &program))).await;
    assert_ne!(workers.process_ids(), before, "the worker was ended");
    for result in results {
        assert_eq!((result.verdict, result.stdout.as_str()), (Ok, "47185920\n"), "{result:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_kills_its_worker_gets_a_final_verdict() {
    let command =
        code_execution::workers::Command { max_memory: 60 << 20, ..tests::worker_command() };
    let workers = code_execution::workers::Workers::processes(&command, 1);
    let code = "import time\nb = bytearray(45 * 2**20)\ntime.sleep(1)\nprint('whole')";
    let result = run(&workers, &json!({ "code": code })).await;
    assert_eq!(result.verdict, MemoryLimit, "{result:?}");
    assert_eq!(run(&workers, &json!({ "code": "print(1)" })).await.stdout, "1\n");
}

/// Sends a signal to the only worker.
fn signal(workers: &code_execution::workers::Workers, signal: &str) -> u32 {
    let id = workers.process_ids()[0];
    let sent = std::process::Command::new("kill").args([signal, &id.to_string()]).status();
    assert!(sent.expect("there is kill").success());
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_was_starved_of_cpu_is_not_killed() {
    let workers = workers();
    let program = json!({ "code": "print(1)", "timeout_ms": 100 });
    assert_eq!(run(&workers, &program).await.verdict, Ok);
    let worker = signal(&workers, "-STOP");
    // Longer than the time limit of the program and the grace period of a worker's answer.
    let wait = std::time::Duration::from_secs(5);
    let later = async {
        let never = std::future::pending::<()>();
        tokio::time::timeout(wait, never).await.expect_err("it only waits");
        signal(&workers, "-CONT");
    };
    let (result, ()) = tokio::join!(run(&workers, &program), later);
    assert_eq!((result.verdict, result.stdout.as_str()), (Ok, "1\n"), "{result:?}");
    assert_eq!(workers.process_ids(), [worker], "it was not ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_worker_is_killed_and_its_programs_are_run_again() {
    let workers = workers();
    let program = json!({ "code": "print(1)" });
    assert_eq!(run(&workers, &program).await.verdict, Ok);
    let worker = signal(&workers, "-STOP");
    // The client may give up before the host notices.
    let soon = std::time::Duration::from_millis(100);
    assert!(tokio::time::timeout(soon, run(&workers, &program)).await.is_err());
    assert_eq!(run(&workers, &program).await.stdout, "1\n");
    assert_eq!(run(&workers, &program).await.stdout, "1\n");
    assert_ne!(workers.process_ids(), [worker], "it was ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stack_pages_of_a_program_are_freed() {
    let workers = workers();
    let once = json!({ "code": "print(1)" });
    join_all((0..4).map(|_| run(&workers, &once))).await;
    let before = resident_kib(workers.process_ids()[0]);
    let deep = json!({ "code": "class N: pass\nx = None\nfor i in range(100_000):\n    n = N()\n    n.next = x\n    x = n\nn = None\ndel x" });
    for result in join_all((0..4).map(|_| run(&workers, &deep))).await {
        assert!([Ok, Timeout].contains(&result.verdict), "{result:?}");
    }
    let after = resident_kib(workers.process_ids()[0]);
    // Each of the four used some 20 MiB; without freeing them, the worker would exceed its limit.
    assert!(after < before + (40 << 10), "{before} KiB, then {after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_paths_are_limited() {
    check(vec![
        row("h1", "import os\nos.stat('tmp/../' * 2000)", Error).says("ame too long"),
        row("h2", "open('x' * 5_000_000, 'w')", Error).says("ame too long"),
        row("h3", "import os\nfor i in range(900): os.mkdir(str(i))\nl = [os.scandir('/') for _ in range(60)]\nfor s in l: next(s)", Error).says("OSError"),
        prints("h4", "import os\nfor i in range(900): os.mkdir(str(i))\nprint(sum(len(os.listdir('/')) for _ in range(60)))", "54120\n"),
        row("h5", "import sys\nfor i in range(200_000):\n    sys.stdout.write('a')\n    sys.stderr.write('b')", OutputLimit),
        row("h6", "raise type('\\u00e9' * 5000, (Exception,), {})", Error),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lone_surrogates_are_reported_as_python_writes_them() {
    let workers = workers();
    let raised = run(&workers, &json!({ "code": "raise ValueError('a\\ud800b')" })).await;
    let error = raised.error.expect("an error");
    assert_eq!((raised.verdict, error.message.as_str()), (Error, "a\\ud800b"));
    assert!(error.traceback.contains("ValueError: a\\ud800b"), "{error:?}");
    let request = json!({
        "code": "x = 'a\\ud800b'",
        "trace": true,
        "tests": [
            { "name": "same", "call": "x", "expected": "'a\\ud800b'" },
            { "name": "other", "call": "x", "expected": "'a\\udfffb'" },
        ],
    });
    let result = run(&workers, &request).await;
    let passed: Vec<bool> = result.tests.iter().map(|test| test.passed).collect();
    assert_eq!(passed, [true, false], "{:?}", result.tests);
    let trace = run(&workers, &json!({ "code": "x = 'a\\ud800b'\ny = 1", "trace": true })).await;
    let steps = steps(&trace).to_string();
    assert!(steps.contains("a\\\\ud800b"), "{steps}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zero_character_is_shown_where_it_is() {
    let result = run_code("x = 1\ny = 'a\0b'\n").await;
    let error = result.error.expect("an error");
    assert_eq!((result.verdict, error.kind.as_str()), (SyntaxError, "SyntaxError"));
    assert_eq!(error.message, "source code string cannot contain null bytes");
    assert_eq!((error.line, error.column), (Some(2), Some(7)), "{error:?}");
    assert_eq!(error.advice.map(|advice| advice.rule).as_deref(), Some("syntax.null"));
    assert!(result.stderr.contains("y = 'a\u{2400}b'"), "{}", result.stderr);
    let inner = run_code("exec('a\\0')").await.error.expect("an error");
    assert_eq!((inner.kind.as_str(), inner.line), ("SyntaxError", Some(1)), "{inner:?}");
    assert_eq!(inner.message, "source code string cannot contain null bytes", "{inner:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hijacked_reporter_is_still_limited() {
    let takes = |code: &str| format!("import sys\ng = sys._getframe().f_back.f_globals\n{code}");
    check(vec![
        row("h7", takes("r = g['report']\nF = r.Fault\nt = 't' * 2_000_000\nr.Fault = lambda *a: F(t[:500_000], t, 1, 2, 3, None, [], '', [])\n1 / 0"), Error),
        row("h8", takes("g['host'].raised('k' * 7_000_000, 1)\nwhile 1: pass"), Timeout).limit(300),
        row("h9", takes("g['host'].raised('k' * 20_000_000, 1)"), Aborted),
    ])
    .await;
    let workers = workers();
    let request = json!({ "trace": true, "code": takes("g['Recorder'].encoded = lambda s: '[' * 100 + ']' * 100") });
    assert!(run(&workers, &request).await.trace.is_none(), "nobody could read it");
    let request = json!({ "trace": true, "code": takes("g['Recorder'].encoded = lambda s: '[' + '0,' * 2_000_000 + '0]'") });
    assert!(run(&workers, &request).await.trace.is_none(), "nobody would read it");
}
