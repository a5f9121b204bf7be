//! Tests in a run, the step trace, and the image itself.

use domain::execution::{
    ExecutionResult,
    Verdict::{Busy, Error, Ok, Timeout},
};
use serde_json::{Value, json};

use super::{run, run_code, steps, workers};

fn passed(result: &ExecutionResult) -> Vec<bool> {
    result.tests.iter().map(|test| test.passed).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_compared_by_value() {
    let request = json!({
        "code": "def add(a, b): return a + b\ndef pair(a): return (a, [a])\ndef words(t): return {w: t.count(w) for w in t}\ndef half(a): return a / 2\ndef broken(): return [][1]\nclass P:\n    def __init__(s, x): s.x = x\n    def __repr__(s): return f'P({s.x})'\n",
        "tests": [
            { "name": "sum", "call": "add(2, 3)", "expected": "5" },
            { "name": "text", "call": "add('2', '3')", "expected": "'23'" },
            { "name": "not text", "call": "add(2, 3)", "expected": "'5'" },
            { "name": "pair", "call": "pair(1)", "expected": "(1, [1])" },
            { "name": "no list", "call": "pair(1)", "expected": "[1, [1]]" },
            { "name": "dict", "call": "words(['b', 'a', 'b'])", "expected": "{'a': 1, 'b': 2}" },
            { "name": "float", "call": "half(0.6) ", "expected": "0.1 + 0.2" },
            { "name": "raises", "call": "broken()", "expected": "1" },
            { "name": "teacher's slip", "call": "add(1, 1)", "expected": "two" },
            { "name": "object", "call": "P(3)", "expected": "'P(3)'" },
            { "name": "set", "call": "{3, 1, 2}", "expected": "{1, 2, 3}" },
        ],
    });
    let result = run(&workers(), &request).await;
    let expected = [true, true, false, true, false, true, true, false, false, false, true];
    assert_eq!(passed(&result), expected, "{:#?}", result.tests);
    assert_eq!(result.tests[2].actual, "5");
    let raised = &result.tests[7];
    assert_eq!(
        (raised.verdict, raised.error.as_ref().map(|e| e.kind.as_str())),
        (Error, Some("IndexError"))
    );
    let slip = result.tests[8].problem.as_deref().expect("a problem");
    assert!(slip.contains("NameError"), "{slip}");
    assert_eq!(result.verdict, Ok, "the first that did not pass ran to its end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expectation_without_an_end_fails_alone() {
    let case = |expected: &str| json!({ "name": "case", "call": "1", "expected": expected });
    let request = json!({ "code": "", "tests": [case("1"), case("9**9**9"), case("1")] });
    let result = run(&workers(), &request).await;
    assert_eq!(passed(&result), [true, false, false]);
    let problems = result.tests.iter().map(|test| test.problem.is_some());
    assert_eq!(problems.collect::<Vec<_>>(), [false, true, true], "{:?}", result.tests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outputs_are_compared_line_by_line_each_in_a_fresh_state() {
    let request = json!({
        "code": "import os\nname = input()\nseen = os.path.exists('seen')\nopen('seen', 'w').close()\nprint('Hello,', name, seen)",
        "tests": [
            { "name": "Ada", "stdin": "Ada\n", "expected": "Hello, Ada False" },
            { "name": "Bob", "stdin": "Bob\n", "expected": "Hello, Bob False  \n\n" },
            { "name": "wrong", "stdin": "Eve\n", "expected": "Hello, Adam False" },
            { "name": "no input", "expected": "" },
        ],
    });
    let result = run(&workers(), &request).await;
    assert_eq!(passed(&result), [true, true, false, false], "{:#?}", result.tests);
    assert_eq!(result.tests[2].actual, "Hello, Eve False\n");
    assert_eq!(result.stdout, "Hello, Eve False\n", "the first case that did not pass is shown");
    assert!(result.trace.is_none());
    let traced = run(&workers(), &{
        let mut traced = request;
        traced["trace"] = true.into();
        traced
    })
    .await;
    let steps = steps(&traced)["steps"].to_string();
    assert!(
        steps.contains("Eve") && !steps.contains("Ada"),
        "the trace is of the case that is shown"
    );
    assert_eq!(result.tests[3].error.as_ref().map(|e| e.kind.as_str()), Some("EOFError"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_cases_share_one_budget() {
    let case = |name: &str| json!({ "name": name, "call": "f()", "expected": "1" });
    let request = json!({
        "code": "def f():\n    while True: pass",
        "timeout_ms": 600,
        "tests": [case("a"), case("b"), case("c")],
    });
    let result = run(&workers(), &request).await;
    assert!(
        result.tests.iter().all(|test| matches!(test.verdict, Timeout | Busy)),
        "{:?}",
        result.tests
    );
    assert!(result.duration_ms < 1_600, "{}", result.duration_ms);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_shows_frames_values_and_what_is_shared() {
    let request = json!({
        "code": "class Dog:\n    def __init__(self, name):\n        self.name = name\na = [1, 2]\nb = a\nd = Dog('Rex')\nb.append(d)\nprint(len(a))\n",
        "trace": true,
    });
    let workers = workers();
    let result = run(&workers, &request).await;
    let trace = steps(&result);
    let steps = trace["steps"].as_array().expect("steps");
    let last = steps.last().expect("a step");
    assert_eq!((&last["event"], &last["written"]), (&json!("return"), &json!(2)));
    let names = &last["frames"][0]["locals"];
    assert_eq!(names["a"], names["b"], "one list has both names");
    let list = &last["heap"][names["a"]["ref"].to_string()];
    assert_eq!(
        (&list["kind"], &list["items"][0], &list["items"][2]),
        (&json!("list"), &json!(1), &names["d"])
    );
    let dog = &last["heap"][names["d"]["ref"].to_string()];
    assert_eq!((&dog["type"], &dog["attributes"]["name"]), (&json!("Dog"), &json!("Rex")));
    let inside = steps.iter().find(|step| step["function"] == "__init__").expect("a step inside");
    assert_eq!(inside["frames"].as_array().map(Vec::len), Some(2));
    assert_eq!(inside["frames"][1]["locals"]["name"], "Rex");
    // A second run gives the same trace, with no names of the sandbox.
    assert_eq!(run(&workers, &request).await.trace, result.trace);
    assert!(!trace.to_string().contains("sandbox"), "{trace}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_is_bounded_and_ends_where_the_program_does() {
    let workers = workers();
    let long = run(
        &workers,
        &json!({ "code": "n = 0\nfor i in range(5000):\n    n += i\nprint(n)", "trace": true }),
    )
    .await;
    let trace = steps(&long);
    assert_eq!(
        (trace["steps"].as_array().map(Vec::len), &trace["truncated"]),
        (Some(1_000), &json!(true))
    );
    assert_eq!(long.stdout, "12497500\n", "the program went on to its end");
    let wide = run(&workers, &json!({ "code": "l = [['x' * 500] * 100 for _ in range(500)]\nfor i in range(600): pass", "trace": true })).await;
    assert_eq!(wide.verdict, Ok);
    assert!(steps(&wide).to_string().len() < 2_000_000);
    let failing =
        run(&workers, &json!({ "code": "def f(x):\n    return 1 / x\nf(0)", "trace": true })).await;
    let trace = steps(&failing);
    let exceptions: Vec<&Value> = trace["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|step| step["event"] == "exception")
        .collect();
    assert_eq!(
        exceptions.first().map(|step| &step["exception"]),
        Some(&json!("ZeroDivisionError"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn advice_says_what_where_and_why() {
    let workers = workers();
    for (code, stdin, rule, part) in [
        ("total = 1\nprint(totl)", "", "name_error.typo", "There is a `total`"),
        ("print(later)\nlater = 1", "", "name_error.too_early", "further down"),
        ("print(greeting)", "", "name_error.unknown", "needs quotes"),
        ("print(math.pi)", "", "name_error.import", "`math` is a module"),
        (
            "a = [1, 2]\ni = 2\nprint(a[i])",
            "",
            "index_error",
            "the index is 2, and `a` has 2 items: indexes 0 to 1",
        ),
        ("a = []\na[0]", "", "index_error", "`a` is empty"),
        ("d = {'a': 1}\nd['b']", "", "key_error", "`d` has no key 'b'"),
        (
            "age = input()\nprint(age + 1)",
            "7\n",
            "type_error.input_is_text",
            "input() always gives a string",
        ),
        ("x = 'a' + 1", "", "type_error.operands", "do not go together"),
        ("l = [2, 1].sort()\nl[0]", "", "none_value", "`l` is None on line 2"),
        ("def f(): pass\nx = f()\nx.upper()", "", "none_value", "`x` is None"),
        ("def f(a, b): return a\nf(1)", "", "type_error.arguments", "which is defined on line 1"),
        ("x = 5\nx()", "", "type_error.not_callable", "`x`"),
        ("x = 5\nx[0]", "", "type_error.not_subscriptable", "has no items"),
        ("for i in 5: pass", "", "type_error.not_iterable", "a whole number (int)"),
        ("n = 0\ndef f():\n    n += 1\nf()", "", "unbound_local", "inside `f`"),
        ("int('3.5')", "", "value_error.number", "int() reads whole numbers only"),
        ("a, b = [1]", "", "value_error.unpack", "number of names"),
        ("[1].remove(2)", "", "value_error.not_found", "not there"),
        ("'abc'.uper()", "", "attribute_error", "there is an `upper`"),
        ("n = []\nprint(sum(n) / len(n))", "", "zero_division", "`n` is empty"),
        ("d = {[1]: 2}", "", "type_error.unhashable", "used as a key"),
        ("open('data.txt')", "", "file_not_found", "`data.txt`"),
        ("assert 1 == 2", "", "assertion_error", "`assert 1 == 2`"),
    ] {
        let result = run(&workers, &json!({ "code": code, "stdin": stdin })).await;
        let advice = result.error.as_ref().and_then(|error| error.advice.clone());
        let advice = advice.unwrap_or_else(|| panic!("no advice for {code}: {result:?}"));
        assert_eq!(advice.rule, rule, "{code}: {advice:?}");
        let text = format!("{} {} {}", advice.what, advice.why, advice.hint);
        assert!(text.contains(part), "{code}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_library_is_whole() {
    let code = "import importlib, sys\nfrom sys import stdlib_module_names as names\nmissing = []\nfor name in sorted(names):\n    if name.startswith('_') or name in ('this', 'antigravity'): continue\n    try: importlib.import_module(name)\n    except ImportError as error: missing.append(name)\nprint(sys.version.split()[0])\nprint(*missing)";
    let result = run_code(code).await;
    let mut lines = result.stdout.lines();
    assert_eq!(lines.next(), Some(result.python.as_str()), "{result:?}");
    // Each of these needs a feature of an operating system that does not exist here.
    let missing = "bz2 ctypes curses ensurepip fcntl grp idlelib lzma mmap msvcrt nt pty pwd readline resource ssl syslog termios tkinter tty turtle turtledemo venv winreg winsound";
    let expected: Vec<&str> = missing.split(' ').collect();
    let found: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    assert_eq!(found, expected);
}
