//! The source of programs, and what is the same in every run.

use domain::execution::Verdict::{Error, Ok, SourceTooLarge, SyntaxError};
use serde_json::json;

use super::{check, prints, row, run, run_code, workers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_text_is_a_program_or_gets_an_error() {
    check(vec![
        prints("145a", "", ""),
        prints("145b", "# nothing", ""),
        prints("145c", "   \n\t\n", ""),
        row("146", "print(1)\0", SyntaxError).says("zero character"),
        prints("147", "\u{feff}print('bom')", "bom\n"),
        prints("148", "if 1:\r\n    print(1)\r\x0cprint(2)\nprint(3)", "1\n2\n3\n"),
        prints("149", "# -*- coding: latin-1 -*-\nprint('é')", "é\n"),
        row("149b", "# coding: nonsense\nprint(1)", Ok).or(SyntaxError),
        row("150a", "if 1:\n\tx = 1\n        y = 2", SyntaxError).says("tabs and spaces are mixed"),
        row("150b", "print(“hello”)", SyntaxError).says("curly quote “"),
        row("150c", "x\u{a0}= 1", SyntaxError),
        row("150d", "x\u{200b} = 1", SyntaxError),
        row("151a", "print \"x\"", SyntaxError).says("has no parentheses"),
        row("151b", "if x = 1:\n    pass", SyntaxError).says("a single ="),
        row("151c", "if True\n    pass", SyntaxError)
            .says("A colon is missing at the end of line 1"),
        row("151d", "print((1)\nx = 2", SyntaxError).says("never closed"),
        row("151e", "if 1:\n    pass\nelse if 2:\n    pass", SyntaxError).says("elif"),
        row("151f", "x = 'abc", SyntaxError).says("no closing quote"),
        row("151g", "def f():\nprint(1)", SyntaxError)
            .says("The block of `def` on line 1 is missing"),
        row("151h", "x = 1\n  y = 2", SyntaxError).says("further to the right"),
        row("151i", "return 5", SyntaxError).says("'return' outside function"),
        row("151j", "x = [1 2]", SyntaxError).says("commas"),
        row("152a", "x".repeat(300_000), SourceTooLarge),
        prints("153", "π = 3\nprint('😀', π)", "😀 3\n"),
        row("155a", "random = 5\nimport random\nlist = [1]\nlist()", Error).says("`list`"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_module_is_real() {
    check(vec![
        prints("154a", "print(__name__, __file__)\nimport __main__\nprint(__main__.__name__)", "__main__ /main.py\n__main__\n"),
        prints("154b", "import pickle\nclass A: x = 1\nprint(pickle.loads(pickle.dumps(A())).x)", "1\n"),
        prints("154c", "import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f))", "def f():\n    return 1\n\n"),
        row("154d", "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): self.assertEqual(1, 1)\nunittest.main()", Ok).says("Ran 1 test"),
        row("154e", "def f():\n    '''\n    >>> f()\n    2\n    '''\n    return 1\nimport doctest\nprint(doctest.testmod())", Ok).says("failed=1, attempted=1"),
        prints("154f", "from dataclasses import dataclass\nfrom typing import get_type_hints\n@dataclass\nclass A:\n    x: int = 1\nprint(A(), get_type_hints(A))", "A(x=1) {'x': <class 'int'>}\n"),
    ])
    .await;
    let place = run_code("x = 'é'; y = [][5]").await.error.expect("an error");
    assert_eq!((place.line, place.column, place.end_column), (Some(1), Some(14), Some(19)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_differ_where_they_should_and_only_there() {
    let workers = workers();
    let chance = "import random, uuid, secrets, os\nprint(random.random(), uuid.uuid4(), secrets.token_hex(8), os.urandom(4).hex())";
    let free = [
        run(&workers, &json!({ "code": chance })).await,
        run(&workers, &json!({ "code": chance })).await,
    ];
    assert_ne!(free[0].stdout, free[1].stdout);
    let fixed = json!({ "code": chance, "seed": 7 });
    let fixed = [run(&workers, &fixed).await, run(&workers, &fixed).await];
    assert_eq!(fixed[0].verdict, Ok, "{:?}", fixed[0]);
    assert_eq!(fixed[0].stdout, fixed[1].stdout);
    let same = json!({ "code": "print({'b', 'a', 'c'}, hash('x'), id(object()))" });
    assert_eq!(run(&workers, &same).await.stdout, run(&workers, &same).await.stdout);
    check(vec![
        prints(
            "157",
            "import math\nprint(math.sin(1e22), round(2.5), 1e308 * 10, 0.1 + 0.2, f'{1/3:.20f}')",
            "-0.8522008497671888 2 inf 0.30000000000000004 0.33333333333333331483\n",
        ),
        row("157b", "import math\nmath.exp(1000)", Error).says("OverflowError"),
        prints(
            "158",
            "import sys, struct\nprint(sys.maxsize, struct.calcsize('P'), len(range(2**31 - 1)))",
            "2147483647 4 2147483647\n",
        ),
        row("158b", "len(range(2**40))", Error).says("OverflowError").says("2 billion"),
    ])
    .await;
}
