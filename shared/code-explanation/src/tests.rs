//! Explanations of small programs, with traces as the sandbox makes them.

use domain::{execution::ExecutionResult, level::Level};
use serde_json::{Value, json};

use crate::{Question, Subject, explain, plan};

const SUM: &str = "total = 0\nfor n in range(4):\n    total += n * 2\nprint(total)\n";

/// A step among the program's own lines.
fn step(line: u32, locals: Value, written: u64) -> Value {
    json!({ "event": "line", "line": line, "function": "<module>", "written": written, "heap": {},
        "frames": [{ "function": "<module>", "line": line, "locals": locals }] })
}

fn result(verdict: &str, stdout: &str, steps: Vec<Value>) -> ExecutionResult {
    let result = json!({ "verdict": verdict, "exit_code": 0, "stdout": stdout, "stderr": "", "transcript": [],
        "truncated": false, "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "python": "3.14",
        "trace": { "steps": steps, "truncated": false } });
    serde_json::from_value(result).unwrap()
}

/// What happens in `SUM`.
fn sum() -> ExecutionResult {
    let mut steps = vec![step(1, json!({}), 0)];
    let mut total = 0;
    for n in 0..4 {
        let before =
            if n == 0 { json!({ "total": 0 }) } else { json!({ "total": total, "n": n - 1 }) };
        steps.push(step(2, before, 0));
        steps.push(step(3, json!({ "total": total, "n": n }), 0));
        total += 2 * n;
    }
    steps.push(step(2, json!({ "total": 12, "n": 3 }), 0));
    steps.push(step(4, json!({ "total": 12, "n": 3 }), 0));
    let mut last = step(4, json!({ "total": 12, "n": 3 }), 3);
    last["event"] = json!("return");
    last["value"] = json!(null);
    steps.push(last);
    result("ok", "12\n", steps)
}

fn told(code: &str, subject: &Subject, level: Level, run: Option<&ExecutionResult>) -> String {
    let plan = plan(code, subject);
    explain(Question { code, subject, level }, plan.as_ref(), run).text
}

fn beginner(code: &str, subject: &Subject) -> String {
    told(code, subject, Level::Beginner, None)
}

#[test]
fn a_program_is_explained_line_by_line_with_the_values_of_its_run() {
    let text = told(SUM, &Subject::Program, Level::Beginner, Some(&sum()));
    for part in [
        "It printed:\n\n```text\n12\n```",
        "**Line 2** `for n in range(4):` runs line 3 `4` times: `n` counts from `0` to `3`. In the run `n` is `0`, `1`, `2`, `3`.",
        "**Line 3** `total += n * 2` adds `n * 2` to `total`. In the run `total` is then `0`, `2`, `6`, `12`.",
        "**Line 4** `print(total)` prints `total`. In the run it prints `12`.",
    ] {
        assert!(text.contains(part), "{part}\n\n{text}");
    }
}

#[test]
fn who_knows_more_gets_less_detail() {
    let lengths = Level::ALL.map(|level| told(SUM, &Subject::Program, level, Some(&sum())).len());
    assert!(lengths[0] > lengths[1] && lengths[1] > lengths[3], "{lengths:?}");
    let text = told(SUM, &Subject::Program, Level::Mastered, Some(&sum()));
    assert!(text.contains("a loop over the whole numbers from 0 up to, but not including, `4`. In the run its first line ran 4 times."), "{text}");
}

#[test]
fn a_line_is_explained_with_what_is_around_it() {
    let text = told(SUM, &Subject::Lines(3, 3), Level::Beginner, Some(&sum()));
    assert!(text.contains("It stands inside the loop that begins on line 2."), "{text}");
    let text = beginner(SUM, &Subject::Lines(9, 9));
    assert!(text.contains("has 4 lines, so there is no line 9"), "{text}");
    assert!(beginner("# a note\nx = 1\n", &Subject::Lines(1, 1)).contains("is a comment"));
}

#[test]
fn a_name_is_explained_by_its_role_and_its_values() {
    let text = told(SUM, &Subject::Name("total".to_owned()), Level::Learning, Some(&sum()));
    for part in [
        "begins on line 1 and is changed step by step on line 3",
        "In the run it is `0`, `2`, `6`, `12`.",
        "It is on lines 1, 3 and 4.",
    ] {
        assert!(text.contains(part), "{part}\n\n{text}");
    }
}

#[test]
fn an_expression_is_explained_without_a_program() {
    for (text, words) in [
        ("x[::-1]", "`x[::-1]` is `x` from back to front."),
        ("7 // 2", "`7 // 2` is `7` divided by `2`, rounded down to a whole number."),
        ("a += 1", "`a += 1` adds `1` to `a`."),
        ("a, b = b, a", "swaps `a` and `b`"),
    ] {
        let told = beginner("", &Subject::Expression(text.to_owned()));
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_text_that_is_no_program_is_explained_by_its_mistake() {
    let text = beginner("x = 1\nif x > 0\n    print(x)\n", &Subject::Program);
    assert!(text.contains("The place is line 2") && text.contains("colon"), "{text}");
}

#[test]
fn what_ended_the_run_is_said() {
    let of = |verdict: &str| {
        told(
            "while True:\n    pass\n",
            &Subject::Program,
            Level::Beginner,
            Some(&result(verdict, "", vec![step(1, json!({}), 0)])),
        )
    };
    assert!(of("timeout").contains("did not come to an end"), "{}", of("timeout"));
    assert!(of("internal").contains("I have no run that shows"));
}

#[test]
fn a_value_of_a_failed_call_of_our_own_is_not_told() {
    let code = "def f(n):\n    return n + unknown\n";
    let plan = plan(code, &Subject::Program).unwrap();
    assert!(plan.example.is_some());
    let mut run = result("error", "", vec![step(1, json!({}), 0)]);
    run.error = Some(serde_json::from_value(json!({ "type": "NameError", "message": "", "line": 2, "function": "f", "traceback": "" })).unwrap());
    let question = Question { code, subject: &Subject::Program, level: Level::Beginner };
    let text = explain(question, Some(&plan), Some(&run)).text;
    assert!(!text.contains("NameError") && !text.contains("the run"), "{text}");
}

#[test]
fn the_constructs_of_a_first_course_are_explained() {
    for (code, words) in [
        ("x = input('n')\n", "what the user types after the text `'n'`"),
        (
            "print('a', 'b', sep='-', end='')\n",
            "with `'-'` between them, and ends with `''` instead of a new line",
        ),
        (
            "for i, x in enumerate(xs):\n    print(x)\n",
            "`i` is its position, counted from 0, and `x` is the item",
        ),
        (
            "for a, b in zip(p, q):\n    print(a)\n",
            "`a` is the next item of `p` and `b` the next item of `q`",
        ),
        ("for k, v in d.items():\n    print(k)\n", "`k` is its key and `v` its value"),
        ("while n > 1:\n    n //= 2\n", "as long as this is so: `n` is greater than `1`"),
        ("while True:\n    break\n", "it is left by `break`"),
        (
            "if a > 1 and not b:\n    pass\nelif c:\n    pass\nelse:\n    pass\n",
            "no condition before it was true",
        ),
        ("def f(a, b=3):\n    return a\n", "`b` (`3` if nothing is given)"),
        ("def f(n):\n    return f(n - 1)\n", "It calls itself"),
        ("def f():\n    yield 1\n", "It is a generator"),
        (
            "x = {k: v for k, v in d}\n",
            "a dictionary with the key `k` with the value `v` for each `k, v` in `d`",
        ),
        (
            "try:\n    f()\nexcept ValueError as e:\n    pass\nfinally:\n    g()\n",
            "if the error is a `ValueError`, which is called `e` there",
        ),
        (
            "with open('a.txt') as f:\n    print(f.read())\n",
            "opens the file `'a.txt'` to read it, as `f` for line 2",
        ),
        (
            "class Dog(Animal):\n    def __init__(self, name):\n        self.name = name\n",
            "keeps `name` in the object itself, under the name `name`",
        ),
        ("import math as m\n", "the module `math` under the name `m`"),
        ("def f():\n    global x\n    x = 1\n", "means the name of the whole program"),
        ("assert x > 0\n", "makes sure that `x` is greater than `0`"),
        (
            "match x:\n    case 1:\n        pass\n    case _:\n        pass\n",
            "fits everything else",
        ),
        ("a, b = 1, 2\n", "gives `a` the value `1` and `b` the value `2`"),
        ("xs[0] = 5\n", "stores `5` in `xs` at `0`"),
        ("raise ValueError('no')\n", "raises a `ValueError`, with the message `'no'`"),
    ] {
        let text = beginner(code, &Subject::Program);
        assert!(text.contains(words), "{words}\n\n{text}");
    }
}

#[test]
fn unusual_programs_are_answered_within_bounds() {
    let long = "x = 1\n".repeat(10_000);
    let wide = format!("x = '{}'\n", "a".repeat(64 << 10));
    let nested: String = (0..60).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    let brackets = "(".repeat(10_000);
    for code in [
        long.as_str(),
        &wide,
        &format!("{nested}{}pass\n", " ".repeat(60)),
        &brackets,
        "",
        "# only a comment\n",
    ] {
        for level in Level::ALL {
            for subject in [
                Subject::Program,
                Subject::LastLine,
                Subject::Name("x".to_owned()),
                Subject::Statement("if"),
            ] {
                let text = told(code, &subject, level, None);
                assert!(!text.is_empty() && text.len() < 12_000, "{} {subject:?}", text.len());
            }
        }
    }
    assert_eq!(plan(&brackets, &Subject::Program), None);
}
