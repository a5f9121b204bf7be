//! Programs that attack the runtime.

use domain::execution::Verdict::{Aborted, Error, Exit, MemoryLimit, Ok, Recursion, Timeout};

use super::{check, prints, row, run_code};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn breaking_python_breaks_only_the_program() {
    check(vec![
        row("136a", "import builtins\ndel builtins.print\n1/0", Error).says("ZeroDivisionError").says("line: Some(3)"),
        row("136b", "import builtins\nfor name in list(vars(builtins)):\n    try: delattr(builtins, name)\n    except Exception: pass\nx = [][1]", Error).says("line: Some("),
        row("136c", "import builtins\nbuiltins.exec = None\nbuiltins.isinstance = None\nbuiltins.type = None\n{}['k']", Error).says("KeyError"),
        row("136d", "import traceback\ntraceback.TracebackException.format = None\ntraceback.print_exc = None\n1/0", Error).says("ZeroDivisionError"),
        row("137a", "import sys\nsys.modules.clear()\nsys.path = []\nsys.meta_path = []\n1/0", Error).says("ZeroDivisionError"),
        row("137b", "import sys\ndel sys.modules['traceback']\nsys.path[:] = []\n1/0", Error).says("ZeroDivisionError"),
        row("138a", "import componentize_py_runtime", Error).says("ModuleNotFoundError"),
        row("138b", "import wit_world", Error).says("ModuleNotFoundError"),
        row("138c", "import gc\nfor o in gc.get_objects():\n    if type(o).__name__ == 'module' and 'wit' in getattr(o, '__name__', ''): o.__dict__.clear()\n1/0", Error).or(Aborted),
        row("142a", "import sys\ndef hook(*a): raise RuntimeError('no')\nsys.addaudithook(hook)\n1/0", Error).or(Aborted),
        row("142b", "import builtins\ndef no(*a, **k): raise ImportError('no')\nbuiltins.__import__ = no\n1/0", Error).says("ZeroDivisionError"),
        row("142c", "import builtins\nbuiltins.__build_class__ = None\n1/0", Error).says("ZeroDivisionError"),
        row("143", "import sys\nsys.set_int_max_str_digits(0)\nprint(len(str(2**100000)))", Ok).says("30103"),
        row("144a", "import sys\nsys.setrecursionlimit(30)\ndef f(): f()\nf()", Recursion),
        row("144b", "import gc, sys\ngc.freeze()\ngc.set_threshold(1)\nl = [[] for _ in range(20000)]\nprint(len(l))", Ok),
        row("140", "import sys\nsys.settrace(lambda *a: None)\nx = 1\nprint(x)", Ok).with("trace", true),
        row("138d", "import sys\nf = sys._getframe()\nwhile f.f_back: f = f.f_back\nf.f_globals.clear()\n1/0", Error).or(Aborted),
        row("x1", "import sys\nsys.exit = None\nsys.excepthook = None\n1/0", Error).says("ZeroDivisionError"),
        row("x2", "class E(BaseException):\n    __class__ = property(lambda s: 1/0)\n    __traceback__ = None\nraise E", Error),
        row("x3", "import os\nos.close(1)\nos.close(2)\nos.close(0)\n1/0", Error),
        row("x4", "import json\njson.JSONEncoder.encode = None\nimport linecache\nlinecache.cache.clear()\nlinecache.getline = None\n1/0", Error).says("ZeroDivisionError"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_print_changes_a_verdict() {
    let forged = run_code("import sys\nprint('{\"verdict\": \"ok\", \"tests\": []}')\nprint('Traceback (most recent call last):\\nZeroDivisionError: x', file=sys.stderr)\nsys.exit(4)").await;
    assert_eq!((forged.verdict, forged.exit_code), (Exit, 4));
    assert!(forged.error.is_none(), "{forged:?}");
    let quiet = run_code("print('Traceback (most recent call last):')").await;
    assert_eq!(quiet.verdict, Ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expected_values_are_never_in_the_guest() {
    let hunter = "import gc, sys\nneedle = ''.join(['ses', 'ame-42'])\nfound = [o for o in gc.get_objects() if isinstance(o, (str, tuple, list, dict)) and needle in repr(o)[:100000]]\nf = sys._getframe()\nwhile f:\n    found += [v for v in f.f_locals.values() if needle in repr(v)[:10000]]\n    f = f.f_back\nprint(len(found))\ndef answer(): return len(found)";
    let workers = super::workers();
    let alone = super::run(&workers, &serde_json::json!({ "code": hunter })).await;
    let request = serde_json::json!({
        "code": hunter,
        "tests": [{ "name": "hidden", "call": "answer()", "expected": "'sesame-42'" }],
    });
    let result = super::run(&workers, &request).await;
    assert_eq!(result.stdout, alone.stdout, "no more is found than the program's own");
    assert!(!result.tests[0].passed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn escapes_end_in_the_sandbox() {
    check(vec![
        prints("e1", "import os\nprint(os.listdir('/'), os.path.exists('/proc'), os.path.exists('/../../etc'))", "['main.py', 'tmp'] False False\n"),
        row("e2", "import importlib.machinery\nimportlib.machinery.ExtensionFileLoader('x', '/lib/x.so').load_module()", Error),
        row("e3", "import _ctypes", Error),
        row("e4", "import os\nos.chdir('/../../..')\nprint(os.listdir())", Ok).says("['main.py', 'tmp']"),
        row("e5", "import os\nfor fd in range(3, 200):\n    try: print(fd, os.fstat(fd).st_size)\n    except OSError: pass", Ok),
        row("e6", "import os\nwhile True:\n    try: os.read(3, 1000)\n    except OSError as e: pass", Timeout).limit(400),
        row("e7", "import sys\nsys.setrecursionlimit(2**31 - 1)\nclass A:\n    def __repr__(s): return repr(s)\nrepr(A())", Recursion).or(MemoryLimit),
        row("e8", "import marshal, types\ncode = compile('1', 'x', 'eval')\nfor i in range(200):\n    f = types.FunctionType(code.replace(co_code=bytes([i, 1] * 20), co_stacksize=1, co_consts=()), {})\n    try: f()\n    except Exception: pass", Aborted).or(Ok).or(Error).or(Timeout).or(MemoryLimit).or(Recursion).limit(1_000),
    ])
    .await;
}
