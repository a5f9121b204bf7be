//! How programs end.

use domain::execution::Verdict::{Aborted, Error, Exit, Ok};

use super::{check, prints, row, run_code};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_exit_is_reported() {
    check(vec![
        row("93a", "import sys\nsys.exit()", Ok),
        row("93b", "exit()", Ok),
        row("93c", "quit(0)", Ok),
        row("93d", "raise SystemExit", Ok),
        row("95a", "import sys\nsys.exit('bye')", Exit).says("bye"),
        row("95b", "import sys\nsys.exit([1, 2])", Exit).says("[1, 2]"),
        row("96", "import sys\ntry: sys.exit(3)\nfinally: print('f')", Exit).says("f\n"),
        prints("97", "import sys\ntry: sys.exit(3)\nexcept: print('caught')", "caught\n"),
        row("99a", "import os\nos.abort()", Aborted).says("crashed on line 2"),
        row("99b", "import faulthandler\nfaulthandler._sigsegv()", Aborted),
        row("99c", "def f(): pass\nf.__code__ = f.__code__.replace(co_code=b'\\xff' * 20, co_stacksize=100)\nf()", Aborted).or(Error),
        row("100a", "raise KeyboardInterrupt", Error).says("KeyboardInterrupt"),
        row("100b", "raise GeneratorExit", Error),
        row("100c", "raise 'x'", Error).says("exceptions must derive from"),
        row("101a", "import _thread\n_thread.exit()", Ok),
        row("101b", "import _thread\n_thread.interrupt_main()\nfor i in range(1000): pass", Error).says("KeyboardInterrupt"),
        prints("102", "import atexit, weakref\natexit.register(print, 'first')\natexit.register(print, 'second')\nclass A: pass\na = A()\nweakref.finalize(a, print, 'finalized')", "finalized\nsecond\nfirst\n"),
        prints("103", "class A:\n    def __del__(self): print('gone')\na = A()\nprint('end')", "end\ngone\n"),
        row("104", "import sys\nsys.excepthook = lambda *a: print('mine', a[0].__name__)\n1/0", Error).says("mine ZeroDivisionError"),
        row("105", "def g():\n    while True:\n        try: yield\n        except GeneratorExit: pass\nx = g()\nnext(x)\nx.close()", Error).says("generator ignored GeneratorExit"),
        row("106", "class A:\n    def __del__(self): raise ValueError('in del')\na = A()\ndel a\nprint('on')", Ok).says("in del").says("on\n"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statuses_are_those_of_a_shell() {
    for (code, verdict, status) in [
        ("import sys\nsys.exit(7)", Exit, 7),
        ("import sys\nsys.exit(-1)", Exit, 255),
        ("import sys\nsys.exit(10**30)", Exit, 255),
        ("import sys\nsys.exit(True)", Exit, 1),
        ("import os\nprint('kept')\nos._exit(3)", Exit, 3),
        ("1/0", Error, 1),
        ("print(1)", Ok, 0),
    ] {
        let result = run_code(code).await;
        assert_eq!((result.verdict, result.exit_code), (verdict, status), "{code}: {result:?}");
    }
}
