//! Calls and data that are nested too deeply.

use domain::execution::Verdict::{Error, MemoryLimit, Ok, Recursion, SyntaxError, Timeout};

use super::{check, prints, row};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_with_endless_recursion_are_named() {
    let special = |body: &str, call: &str| format!("class A:\n    {body}\na = A()\n{call}\n");
    check(vec![
        row("51", "def f(n): return f(n+1)\nf(0)", Recursion).says("`f` (line 1) calls itself"),
        row("52", "def a(n):\n    return b(n)\ndef b(n):\n    return a(n)\na(1)", Recursion)
            .says("keep calling each other"),
        row("53a", special("def __eq__(s, o): return s == o", "a == A()"), Recursion)
            .says("uses == on itself"),
        row("53b", special("def __lt__(s, o): return s < o", "sorted([a, A()])"), Recursion)
            .says("__lt__"),
        row("53c", special("def __hash__(s): return hash(s)", "hash(a)"), Recursion),
        row("53d", special("def __str__(s): return str(s)", "print(a)"), Recursion),
        row("53e", special("@property\n    def x(s): return s.x", "a.x"), Recursion),
        row("53f", special("def __getattr__(s, n): return s.y", "a.x"), Recursion),
        row("53g", special("def __setattr__(s, n, v): s.n = v", "a.x = 1"), Recursion),
        row("53h", "class A:\n    def __init__(s): A()\nA()", Recursion),
        row("53i", "def g():\n    yield from g()\nlist(g())", Recursion),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_data_ends_in_an_exception_and_not_in_a_crash() {
    check(vec![
        row("54a", "l = []\nfor _ in range(200000): l = [l]\nrepr(l)", Recursion)
        // Python looks for cycles at each level, so a slow machine does not reach the last one.
        .or(Timeout),
        prints("54b", "l = []\nl.append(l)\nprint(l)\nd = {}\nd[1] = d\nprint(d)", "[[...]]\n{1: {...}}\n"),
        row("55", "m = []; m.append(m); n = []; n.append(n)\nm == n", Recursion),
        row("56a", "import json\njson.loads('[' * 10**5)", Recursion).or(Error),
        row("56b", "import copy\nl = []\nfor _ in range(100000): l = [l]\ncopy.deepcopy(l)", Recursion),
        row("56c", "import pickle\nl = []\nfor _ in range(100000): l = [l]\npickle.dumps(l)", Recursion),
        prints("57", "head = None\nfor i in range(200000): head = [i, head]\ndel head\nprint('ok')", "ok\n"),
        row("58", "l = []\nfor _ in range(1000000): l = [l]\ndel l\n", Recursion).or(Ok).or(MemoryLimit),
        row("61", "import re\nre.compile('(' * 5000 + ')' * 5000)", Recursion).or(Error),
        row("62", "import ast\nn = ast.Constant(1)\nfor _ in range(100000): n = ast.UnaryOp(ast.USub(), n)\ncompile(ast.fix_missing_locations(ast.Expression(n)), 'x', 'eval')", Recursion).or(MemoryLimit),
        row("63a", "e = None\nfor i in range(300):\n    try:\n        raise ValueError(i) from e\n    except ValueError as x: e = x\nraise e", Error).says("more lines …"),
        row("63b", "raise ExceptionGroup('many', [ValueError(i) for i in range(10000)])", Error).says("and 9985 more exceptions"),
        row("63c", "class E(Exception):\n    def __str__(self): raise ValueError\nraise E", Error).says("<exception str() failed>"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_nested_too_deep_is_refused() {
    let elifs: String = (0..3_000).map(|i| format!("elif x == {i}: pass\n")).collect();
    check(vec![
        row("59a", "eval('(' * 5000)", Error).or(SyntaxError).or(Recursion).or(MemoryLimit),
        row("59b", "eval('-' * 100000 + '1')", Error).or(Recursion).or(MemoryLimit),
        row("59c", "eval('lambda:' * 5000 + '1')", Error).or(Recursion).or(MemoryLimit),
        row("59d", "a = 1\neval('a' + '.a' * 50000)", Error).or(Recursion).or(MemoryLimit),
        row("59e", "def f(): return f\neval('f' + '()' * 50000)", Ok).or(Recursion).or(MemoryLimit),
        row("59f", format!("x = 1\nif x == -1: pass\n{elifs}"), Ok)
            .or(Recursion)
            .or(MemoryLimit)
            .or(SyntaxError),
        row("59g", format!("x = {}1", "1+".repeat(100_000)), Ok)
            .or(Recursion)
            .or(MemoryLimit)
            .or(SyntaxError),
        row("60a", format!("{}1{}", "f'{".repeat(200), "}'".repeat(200)), SyntaxError)
            .or(Recursion),
        row(
            "60b",
            (0..110).map(|i| format!("{}if 1:\n", " ".repeat(i))).collect::<String>(),
            SyntaxError,
        )
        .says("indent"),
    ])
    .await;
}
