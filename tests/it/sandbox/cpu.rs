//! Programs that take too long, and some that only seem to.

use std::time::Instant;

use domain::execution::{
    ExecutionResult,
    Verdict::{Error, MemoryLimit, Ok, SourceTooLarge, Timeout},
};

use futures::future::join_all;
use serde_json::json;

use super::{
    GRACE_MS, PATIENCE, check, is_delayed, prints, row, run, run_code, undelayed, workers,
};

const SHORT: u32 = 500;
/// What messages round times to, halved.
const ROUNDED_MS: f64 = 50.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_loops_are_stopped_and_named() {
    let rows = vec![
        row("1", "while True: pass", Timeout)
            .says("still in the loop on line 1")
            .says("there is none in this loop"),
        row(
            "2",
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            Timeout,
        )
        .says("line 3"),
        row("3", "while (n:=1): pass", Timeout).says("limit.walrus"),
        row("16", "s = 'ab'\nwhile True:\n    s = s.replace('a', 'b').replace('b', 'a')", Timeout)
            .says("line 2"),
        row("22", "import time\nt = time.time()\nwhile time.time() < t + 10: pass", Timeout)
            .says("line 3"),
        row(
            "25",
            "import sys\ndef t(frame, event, argument):\n    while True: pass\nsys.settrace(t)\ndef f(): pass\nf()",
            Timeout,
        ),
        row(
            "27",
            "import sys\nwhile True:\n    try: sys.exit(0)\n    except SystemExit: pass",
            Timeout,
        ),
        row(
            "29",
            "import time\nfor i in range(1000):\n    print(i)\n    time.sleep(0.01)",
            Timeout,
        )
        .says("0\n1\n2\n")
        .says("limit.sleep"),
        row("33", "b = bytearray(10**7)\nwhile 1: b[:] = bytes(10**7)", Timeout),
        row("1b", "n = 3\nwhile n != 0:\n    n -= 2\n", Timeout)
            .says("limit.while")
            .says("`n != 0`"),
        row("1c", "done = False\nwhile not done:\n    x = 1\n", Timeout)
            .says("Nothing in the loop changes `done`"),
        row("1d", "items = [1]\nfor item in items:\n    items.append(item)\n", Timeout)
            .or(MemoryLimit),
    ];
    check(rows.into_iter().map(|row| row.limit(SHORT)).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_work_inside_the_interpreter_is_stopped_too() {
    let rows = vec![
        row("4", "sum(range(10**12))", Timeout).says("line 1"),
        row("5", "9**(9**9)", Timeout).says("limit.huge_number"),
        row("7", "import re\nre.match(r'(a+)+$', 'a'*40+'b')", Timeout)
            .says("limit.regular_expression"),
        row("8a", "import itertools\n-1 in itertools.count()", Timeout).says("never runs out"),
        row(
            "8b",
            "import itertools\n(1).__class__\nprint(any(x == 2 for x in itertools.repeat(1)))",
            Timeout,
        ),
        row("9a", "import itertools\nmax(itertools.count())", Timeout),
        row("9b", "any(iter(int, 1))", Timeout),
        row(
            "9c",
            "from collections import deque\nimport itertools\ndeque(itertools.repeat(0), maxlen=0)",
            Timeout,
        ),
        row(
            "11",
            "class A:\n    def __lt__(self, other):\n        while True: pass\nsorted([A(), A()])",
            Timeout,
        )
        .says("line 3"),
        row("12a", "import math\nmath.factorial(3_000_000)", Timeout),
        row("12b", "import math\nmath.comb(10**7, 5*10**6)", Timeout),
        row(
            "13",
            "import decimal\ndecimal.getcontext().prec = 10**7\ndecimal.Decimal(2).sqrt()",
            Timeout,
        )
        .or(MemoryLimit),
        row(
            "14a",
            "import hashlib\nh = hashlib.sha256()\nfor i in range(1000): h.update(b'x' * 10**6)",
            Timeout,
        ),
        row(
            "15",
            "import sqlite3\nsqlite3.connect(':memory:').execute('with recursive c(x) as (select 1 union all select x+1 from c) select count(*) from c').fetchone()",
            Timeout,
        ),
        row("17", "d = {}\nfor i in range(20000): d[i * (2**31 - 1)] = i", Timeout).or(Ok),
        row("18", "import itertools\nsum(1 for _ in itertools.permutations(range(12)))", Timeout)
            .says("permutations"),
        row("10", "sorted(range(10**7), key=lambda x: -x)", Timeout).or(MemoryLimit),
    ];
    check(rows.into_iter().map(|row| row.limit(SHORT)).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_and_exit_handlers_count_towards_the_time_limit() {
    let rows = vec![
        row("19", "import time\ntime.sleep(10)", Timeout).says("It was sleeping").says("line 2"),
        row("21a", "import select\nselect.select([], [], [], 10)", Timeout),
        row("21b", "import asyncio\nasyncio.run(asyncio.sleep(10))", Timeout),
        row("21c", "import threading\nc = threading.Condition()\nwith c: c.wait(10)", Timeout)
            // The C library sees immediately that no thread can notify it.
            .or(Ok),
        row(
            "23a",
            "class A:\n    def __del__(self):\n        while True: pass\na = A()\ndel a",
            Timeout,
        )
        .says("line 3"),
        row("23b", "class A:\n    def __del__(self):\n        while True: pass\na = A()", Timeout)
            .says("line 3"),
        row(
            "24",
            "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
            Timeout,
        )
        .says("kind: \"E\""),
        row(
            "26",
            "class M(type):\n    def __instancecheck__(self, x):\n        while True: pass\nclass A(metaclass=M): pass\nisinstance(1, A)",
            Timeout,
        ),
        row(
            "28",
            "import atexit\ndef loop():\n    while True: pass\natexit.register(loop)",
            Timeout,
        )
        .says("line 3"),
    ];
    check(rows.into_iter().map(|row| row.limit(SHORT)).collect()).await;
    check(
        vec![
            row("20a", "import time\ntime.sleep(float('inf'))", Error).says("OverflowError"),
            row("20b", "import time\ntime.sleep(-1)", Error).says("ValueError"),
            row("32a", "exec('x=1;' * 200000)", MemoryLimit).or(Ok).or(Error).or(Timeout),
            row("32b", "compile('[' + '1,' * 2000000 + ']', 'x', 'eval')", MemoryLimit).or(Timeout),
            row("32c", "x = 1\n".repeat(60_000), SourceTooLarge),
            row("14b", "import hashlib\nhashlib.pbkdf2_hmac('sha256', b'a', b'b', 1)", Error)
                .says("AttributeError"),
            prints("6", "print(len(str(7**30_000)))", "").or(Error),
        ]
        .into_iter()
        .map(|mut row| {
            row.stdout = None;
            row
        })
        .collect(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_do_not_use_up_a_programs_time() {
    let workers = workers();
    let busy = "total = 0\nfor i in range(1_000_000):\n    total += i\nprint(total)";
    let alone = run(&workers, &json!({ "code": busy })).await;
    let limit = (alone.cpu_ms * 9 / 5).min(5_000);
    // Both need more time by the clock than they have, since a worker runs one at a time.
    let request = json!({ "code": busy, "timeout_ms": limit });
    for result in join_all((0..2).map(|_| run(&workers, &request))).await {
        if is_delayed(&result) {
            // Beside other tests and builds even twice the limit may be over; but not less.
            let all = seconds_by_the_clock(&result);
            assert!(all * 1_000.0 >= f64::from(2 * limit) - ROUNDED_MS, "{limit} ms: {result:?}");
        } else {
            assert_eq!(
                (result.verdict, &result.stdout),
                (Ok, &alone.stdout),
                "{limit}: {result:?}"
            );
        }
        assert!(result.duration_ms < limit, "{limit} ms: {result:?}");
    }
}

/// When a program was stopped that had not had the processor, as its error says.
fn seconds_by_the_clock(result: &ExecutionResult) -> f64 {
    let message = &result.error.as_ref().expect("an error").message;
    let rest = message.strip_prefix("stopped after ").expect("a time");
    rest.split(' ').next().expect("a number").parse().expect("seconds")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_machine_gives_a_program_twice_its_limit_by_the_clock() {
    let workers = workers();
    let request = json!({ "code": "while True: pass", "timeout_ms": 400 });
    let all = async || {
        let begun = Instant::now();
        let results = join_all((0..8).map(|_| run(&workers, &request))).await;
        (begun.elapsed().as_millis(), results)
    };
    let latest = 800 + u128::from(GRACE_MS);
    let until = Instant::now() + PATIENCE;
    let (took, results) = undelayed(until, all, |(took, _)| *took >= latest).await;
    assert!((800..latest).contains(&took), "{took} ms");
    for result in results {
        assert_eq!(result.verdict, Timeout, "{result:?}");
        let message = result.error.expect("it says why").message;
        assert!(message.contains("line 1; the machine is busy"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_seconds_are_five_seconds() {
    let looper = run_code("print('so far')\nwhile True: pass");
    let (looper, late) = tokio::join!(
        looper,
        run_code(
            "import time\nend = time.monotonic() + 4.6\nwhile time.monotonic() < end: pass\nprint('done')"
        )
    );
    assert_eq!(looper.verdict, Timeout);
    assert_eq!((looper.stdout.as_str(), looper.exit_code), ("so far\n", 124));
    let all_its_time = (5_000..6_000).contains(&looper.duration_ms);
    assert!(all_its_time || is_delayed(&looper), "{}", looper.duration_ms);
    assert_eq!((late.verdict, late.stdout.as_str()), (Ok, "done\n"), "{late:?}");
}
