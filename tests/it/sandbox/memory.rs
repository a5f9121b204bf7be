//! Programs that use too much memory.

use code_execution::workers::Workers;
use domain::execution::Verdict::{Error, MemoryLimit, Ok, Recursion, Timeout};
use serde_json::json;
use tests::worker_command;

use super::{check, prints, row, run, workers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_has_an_end_and_the_verdict_says_so() {
    check(vec![
        row("34a", "l = []\nwhile True: l.append(0)", MemoryLimit).says("50 MB").says("line 2"),
        row("34b", "import itertools\nlist(itertools.count())", MemoryLimit),
        row("36a", "bytearray(10**9)", MemoryLimit),
        row("36b", "'a' * 10**9", MemoryLimit),
        row("36c", "[0] * 10**9", MemoryLimit),
        row("37", "'a' * 10**10", Error).says("OverflowError").says("2 billion"),
        row("38", "1 << (1 << 34)", Error).says("OverflowError").or(MemoryLimit),
        row("39a", "f'{1:>{10**8}}'", MemoryLimit),
        row("39b", "'%*d' % (10**8, 1)", MemoryLimit),
        row("40a", "a = [0]\nwhile True: a = a + a", MemoryLimit),
        row("40b", "d = {}\ni = 0\nwhile True:\n    d[i] = str(i)\n    i += 1", MemoryLimit),
        row("40c", "import copy\na = [0] * 10\nwhile True: a = [copy.deepcopy(a), copy.deepcopy(a)]", MemoryLimit).or(Timeout),
        row("41", "import itertools\nlist(itertools.product(range(1000), repeat=3))", MemoryLimit),
        row("42a", "import zlib\nd = zlib.compress(b'0' * 10**7)\nx = [zlib.decompress(d) for _ in range(20)]", MemoryLimit),
        row("42b", "import xml.etree.ElementTree as E\nx = '<!DOCTYPE l [<!ENTITY a \"' + 'lol' * 100 + '\">' + ''.join(f'<!ENTITY {chr(97+i)} \"{f\"&{chr(96+i)};\" * 10}\">' for i in range(1, 9)) + ']><l>&i;</l>'\nE.fromstring(x)", MemoryLimit).or(Error),
        row("43a", format!("x = [{}]", "1,".repeat(20_000)), Ok),
        row("43b", "int('9' * 5_000_000)", Error).says("ValueError"),
        row("44", "import gc\ngc.disable()\nwhile True:\n    a = []\n    a.append(a)", MemoryLimit),
        row("45", "l = []\ndef fill():\n    while True: l.append('x' * 100)\nfill()", MemoryLimit).says("line 3"),
        row("46a", "import os\nprint(len(os.urandom(2 * 10**7)))", Ok),
        row("46b", "import os\nos.urandom(10**9)", MemoryLimit),
        row("46c", "import random\nrandom.randbytes(10**8)", MemoryLimit),
        row("49", "import sys\nsys.setrecursionlimit(10**6)\ndef f(n): return f(n + 1)\nf(0)", Recursion).or(MemoryLimit),
        prints("48", "f = [lambda: i for i in range(50000)]\nprint(len(f))", "50000\n"),
        prints("50", "for i in range(20):\n    b = bytearray(30 * 10**6)\n    del b\nprint('ok')", "ok\n"),
        prints("34c", "b = bytearray(45 * 10**6)\nprint(len(b))", "45000000\n"),
    ])
    .await;
    check(vec![
        row(
            "35",
            "l = []\nwhile True:\n    try: l.append('x' * 10**6)\n    except MemoryError: pass",
            Timeout,
        )
        .limit(800),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_used_is_reported_and_freed() {
    let workers = workers();
    let small = run(&workers, &json!({ "code": "print(1)" })).await;
    let large = run(&workers, &json!({ "code": "b = bytearray(40 * 2**20)" })).await;
    assert!(small.memory_bytes < 2 << 20, "{}", small.memory_bytes);
    assert!((38 << 20..51 << 20).contains(&large.memory_bytes), "{}", large.memory_bytes);
    // Row 47: repeated growth to the limit does not change the host.
    for _ in 0..40 {
        let grown =
            run(&workers, &json!({ "code": "l = []\nwhile True: l.append('x' * 65536)" })).await;
        assert_eq!(grown.verdict, MemoryLimit, "{grown:?}");
    }
    let resident = super::service::resident_kib(workers.process_ids()[0]);
    assert!(resident < 200 << 10, "the worker has {resident} KiB");
}

/// Each page that a run changes is copied, and restored afterwards: most of the cost of a short run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_program_changes_few_pages() {
    const RUNS: u64 = 40;
    // We measured 63 here, 163 before the image was laid out.
    const MOST: u64 = 110;
    let workers = Workers::processes(&worker_command(), 1);
    let hello = json!({ "code": "print('hi')" });
    let runs = async || {
        for _ in 0..RUNS {
            assert_eq!(run(&workers, &hello).await.verdict, Ok);
        }
    };
    // By then everything that is kept for the next run has been allocated.
    runs().await;
    let [process] = workers.process_ids()[..] else { panic!("one worker") };
    let before = page_faults(process);
    runs().await;
    let faults = (page_faults(process) - before) / RUNS;
    assert!(faults <= MOST, "{faults} page faults a run");
}

/// The minor page faults of a process, which need no disk.
fn page_faults(process: u32) -> u64 {
    let figures = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    // The name ends with the last bracket; then come the state, six more fields, and this one.
    let (_, figures) = figures.rsplit_once(')').expect("a name");
    figures.split_whitespace().nth(7).expect("a number").parse().expect("a number")
}
