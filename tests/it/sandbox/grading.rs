//! Tests of functions: what is graded, what is shown, and what happens when many programs run at once.

use std::{collections::BTreeSet, sync::Mutex};

use code_execution::execute::execute_in;
use domain::execution::{
    ExecutionResult, Program, TestResult,
    Verdict::{Busy, Error, Internal, Ok, Timeout},
};
use futures::future::join_all;
use rdkafka::{
    ClientConfig,
    producer::{FutureProducer, FutureRecord},
};
use runtime::Clock;
use serde_json::{Value, json};
use testing::eventually;
use tests::{Setup, World};
use uuid::Uuid;

use super::{is_delay, run, workers};

/// A correct solution of the exercise that all tests here use.
const RIGHT: &str = "def ends(items):\n    return items[0], items[-1]\n";

/// Runs a program with one test of `ends`.
fn request(code: &str) -> Value {
    json!({ "code": code, "tests": [{ "name": "ends", "call": "ends([1, 2, 3])", "expected": "(1, 3)" }] })
}

fn only(result: &ExecutionResult) -> &TestResult {
    assert_eq!(result.tests.len(), 1, "{result:?}");
    &result.tests[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_function_passes_whatever_the_file_does_below_it() {
    let workers = workers();
    for below in [
        "if __name__ == '__main__':\n    print(ends(input().split()))",
        "if __name__ == \"__main__\":\n    import sys\n    sys.exit(ends)",
        "def main():\n    print(ends(input('items? ').split()))\nif __name__ == '__main__':\n    main()",
        "import sys\nsys.exit()",
        "import sys\nsys.exit(3)",
        "import sys\nsys.exit('bye')",
        "exit()",
        "quit(1)",
        "raise SystemExit",
        "raise SystemExit(2)",
        "import os\nos._exit(1)",
        "print('Tests:', ends([5]))",
        "for i in range(1000): print('noise', i)",
        "import unittest\nunittest.main()",
        "import main\nassert main.ends is ends",
        "import pickle\nclass A: pass\nassert type(pickle.loads(pickle.dumps(A()))) is A",
    ] {
        let result = run(&workers, &request(&format!("{RIGHT}{below}\n"))).await;
        let test = only(&result);
        assert!(test.passed && test.verdict == Ok, "{below}: {result:?}");
    }
    // A program that is tested by its output is started, not imported.
    let started = json!({ "code": "print(__name__, input())",
        "tests": [{ "name": "echo", "stdin": "a\n", "expected": "__main__ a" }] });
    assert!(only(&run(&workers, &started).await).passed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_that_cannot_begin_has_advice() {
    let workers = workers();
    for (code, rule, part) in [
        (format!("{RIGHT}items = input()\n"), "not_tested.reads_input", "asks for input on line 3"),
        (
            format!("{RIGHT}def main():\n    n = int(input())\nmain()\n"),
            "not_tested.reads_input",
            "on line 4",
        ),
        (
            RIGHT.replace("ends", "x"),
            "not_tested.missing",
            "There is no function `ends`; yours is called `x`.",
        ),
        (
            RIGHT.replace("ends", "Ends"),
            "not_tested.missing",
            "There is no function `ends`; yours is called `Ends`.",
        ),
        ("print('hello')".to_owned(), "not_tested.missing", "There is no function `ends` in"),
        (
            format!("if __name__ == '__main__':\n    {}", RIGHT.replace("\n    ", "\n        ")),
            "not_tested.inside",
            "defined on line 2, but inside",
        ),
        (format!("exit()\n{RIGHT}"), "not_tested.left", "ends itself before line 2"),
        (
            "def ends(items):\n    exit()\n".to_owned(),
            "test.leaves",
            "ends the whole program on line 2",
        ),
        (
            "import os\ndef ends(items):\n    os._exit(0)\n".to_owned(),
            "test.leaves",
            "ends the whole program on line 3",
        ),
        (
            "def ends(items):\n    raise SystemExit(0)\n".to_owned(),
            "test.leaves",
            "ends the whole program on line 2",
        ),
    ] {
        let result = run(&workers, &request(&code)).await;
        let test = only(&result);
        let advice = test.error.as_ref().and_then(|error| error.advice.as_ref());
        let advice = advice.unwrap_or_else(|| panic!("no advice: {code}: {result:?}"));
        assert_eq!((&*advice.rule, test.passed, test.verdict), (rule, false, Error), "{code}");
        assert!(advice.what.contains(part), "{code}: {}", advice.what);
    }
    // If there is input, a program may read it.
    let mut reading = request(&format!("items = input()\n{RIGHT}"));
    reading["tests"][0]["stdin"] = "a\n".into();
    assert!(only(&run(&workers, &reading).await).passed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_call_can_raise_the_expected_exception() {
    let workers = workers();
    let asked = |code: &str| {
        json!({ "code": code,
        "tests": [{ "name": "t", "call": "f(0)", "raises": "ValueError", "expected": "None" }] })
    };
    for (code, passes) in [
        ("def f(x): raise ValueError(x)", true),
        ("def f(x): return int('a')", true),
        ("def f(x): return 1", false),
        ("def f(x): raise KeyError(x)", false),
        ("def f(x): pass\nint('a')", false),
        ("raise ValueError", false),
    ] {
        assert_eq!(only(&run(&workers, &asked(code)).await).passed, passes, "{code}");
    }
}

/// Programs that leak their arguments into something that is shown, each in a different way.
pub(crate) const CHANNELS: [&str; 18] = [
    "return x",
    "print(x); return 1",
    "import sys; print(x, file=sys.stderr); return 1",
    "raise type(x, (Exception,), {})",
    "raise type(x, (type(x, (Exception,), {}),), {})(x)",
    "raise KeyError(x)",
    "raise SyntaxError(x, (x, 1, 1, x))",
    "raise ExceptionGroup(x, [ValueError(x)])",
    "e = ValueError(); e.add_note(x); raise e",
    "open('secret', 'w').write(x); open(x, 'w').close(); return 1",
    "exec(compile(f'def {x}(): {x}()\\n{x}()', x, 'exec'))",
    "exec(compile('1/0', x, 'exec'))",
    "import sys; sys.exit(x)",
    "import os; os._exit(len(x) + ord(x[-1]))",
    "while True: print(x)",
    "class R:\n        __repr__ = lambda s: x\n    return R()",
    "import sys, threading; sys.excepthook = lambda *a: print(x); raise MemoryError(x)",
    // Has the runtime report the program as rejected, with a fault of its own.
    "import sys\n    frame = sys._getframe()\n    while 'Ending_Rejected' not in frame.f_globals: frame = frame.f_back\n    \
     ours = frame.f_globals\n    fault = ours['Fault'](x, x, 1, 1, 1, x, [x], x, [])\n    \
     ours['Ending_Completed'] = lambda: ours['Ending_Rejected'](fault)\n    return 1",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_result_of_a_hidden_test_has_only_our_own_words() {
    let workers = workers();
    let case = |call: String, hidden: bool| json!({ "name": "case", "call": call, "expected": "'right'", "hidden": hidden });
    for (number, channel) in CHANNELS.iter().enumerate() {
        let code = format!("def f(x):\n    if x == 'shown': return 2\n    {channel}\n");
        let hidden = case(format!("f('Secret{number}')"), true);
        let request = json!({ "code": code, "timeout_ms": 1_000, "trace": true,
            "tests": [hidden, case("f('shown')".to_owned(), false)] });
        let result = run(&workers, &request).await;
        assert_eq!(result.tests.len(), 2);
        assert!(!result.tests[0].passed && result.tests[1].actual == "2", "{channel}: {result:?}");
        let shown = serde_json::to_string(&result).expect("JSON");
        assert!(!shown.contains("Secret") && !shown.contains("right', "), "{channel}: {shown}");
        assert_eq!((&*result.tests[0].expected, result.tests[0].duration_ms), ("", 0));
        // Nothing else that is shown depends on the hidden case.
        assert_eq!((result.verdict, &result.files.len()), (Ok, &0), "{channel}: {shown}");
    }
    let all_hidden = json!({ "code": RIGHT, "tests": [
        { "name": "a", "call": "ends([1])", "expected": "(1, 1)", "hidden": true }] });
    let result = run(&workers, &all_hidden).await;
    assert_eq!((result.verdict, only(&result).passed), (Ok, true), "{result:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visible_cases_run_before_hidden_ones() {
    let case = |name: &str, hidden: bool| json!({ "name": name, "call": "f()", "expected": "1", "hidden": hidden });
    let request = json!({ "code": "def f():\n    while True: pass", "timeout_ms": 300,
        "tests": [case("a", true), case("b", false), case("c", true)] });
    let result = run(&workers(), &request).await;
    let names: Vec<&str> = result.tests.iter().map(|test| test.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let first = &result.tests[1];
    let had_all = first.duration_ms >= 300 || is_delay(first.error.as_ref());
    assert!(had_all, "it had all the time: {result:?}");
    assert!(result.tests.iter().all(|test| matches!(test.verdict, Timeout | Busy)), "{result:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_solution_that_a_busy_machine_gave_no_time_is_not_judged() {
    let workers = workers();
    let slow =
        "def ends(items):\n    for _ in range(5_000_000): pass\n    return items[0], items[-1]\n";
    let alone = run(&workers, &request(slow)).await;
    let limit = (alone.cpu_ms * 2).min(5_000);
    let mut request = request(slow);
    request["timeout_ms"] = limit.into();
    // Together they need twice as long as a busy machine gives each of them by the clock.
    let results = join_all((0..8).map(|_| run(&workers, &request))).await;
    let unjudged = results.iter().filter(|result| !result.is_judged()).count();
    assert!(unjudged > 0, "{results:?}");
    for result in results {
        assert!(only(&result).passed || !result.is_judged(), "{limit} ms: {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_knowing_what_is_expected_nothing_is_judged() {
    let workers = workers();
    // The expected result takes a while to compute, and its worker is lost each time; the program itself would end
    // well.
    let request = json!({ "code": "def f(): return 1",
        "tests": [{ "name": "t", "call": "f()", "expected": "sum(range(10**10)) and 1" }] });
    let program = run(&workers, &request);
    let killer = async {
        let mut killed = BTreeSet::new();
        for _ in 0..2 {
            let worker = eventually("another worker", async || {
                workers.process_ids().into_iter().find(|id| !killed.contains(id))
            })
            .await;
            let status =
                std::process::Command::new("kill").args(["-9", &worker.to_string()]).status();
            assert!(status.is_ok_and(|status| status.success()));
            killed.insert(worker);
        }
    };
    let (result, ()) = tokio::join!(program, killer);
    assert_eq!((result.verdict, result.tests.len()), (Internal, 0), "{result:?}");
    assert!(!result.is_judged());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_endless_programs_is_run_first_come_first_served() {
    let workers = workers();
    let program: Program = serde_json::from_value(
        json!({ "code": "def f():\n    while True: pass\nf()", "timeout_ms": 100 }),
    )
    .expect("a program");
    let (begun, now) = (Mutex::new(Vec::new()), Clock::System.now());
    let all = join_all((0..600).map(async |number: usize| {
        let turn = workers.turn().await;
        begun.lock().expect("no test panics here").push(number);
        execute_in(turn, &program, now).await
    }));
    let results = all.await;
    let other = results.iter().find(|result| !matches!(result.verdict, Timeout | Busy));
    assert!(other.is_none(), "{other:?}");
    let order = begun.into_inner().expect("no test panics here");
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_endless_programs_loses_nobody_their_work() {
    const PROGRAMS: u32 = 600;
    let settings = vec![("SANDBOX_WORKERS", "1".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", world.kafka()).create().expect("a producer");
    // Each from a different student, so that all are concurrent; with tests, so that each would queue again.
    let sent = (0..PROGRAMS).map(async |number| {
        let id = Uuid::from_u128(u128::from(number) + 1);
        let tests = json!([{ "name": "t", "call": "f()", "expected": "1" },
                           { "name": "u", "call": "f()", "expected": "2" }]);
        let program = json!({ "code": "def f():\n    while True: pass", "timeout_ms": 200, "tests": tests });
        let event = json!({
            "specversion": "1.0", "id": id, "source": "learnflow/api-gateway", "type": "execution.requested.v1",
            "subject": id, "time": "2026-01-01T00:00:00Z", "correlationid": id, "datacontenttype": "application/json",
            "data": { "execution_id": id, "student_id": id, "program": program }
        })
        .to_string();
        let key = id.to_string();
        let record = FutureRecord::to("code.executions").key(&key).payload(&event);
        producer.send(record, std::time::Duration::from_secs(20)).await.expect("it is taken");
    });
    join_all(sent).await;
    let results = "SELECT count(*) FROM events WHERE type = 'execution.finished.v1'
                   AND data->'result'->>'verdict' IN ('timeout', 'busy') AND $1 IS NOT NULL";
    eventually("all have their verdict", async || {
        (world.count(results, Uuid::nil()).await == i64::from(PROGRAMS)).then_some(())
    })
    .await;
    // No event is a dead letter, either.
    world.finish().await;
}
