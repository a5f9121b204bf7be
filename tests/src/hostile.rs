//! Programs that try to do harm, with sizes, depths and characters that nobody expects. The suite runs some hundred of
//! them, `bench sandbox soak` any number.

use domain::execution::{ExecutionResult, MAX_RESULT_BYTES, Verdict};
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

/// The time limit of a program: most have done their worst by then.
const LIMIT_MS: u32 = 1_000;
/// Sizes and counts, for `{N}`.
const SIZES: [u32; 9] = [0, 1, 50, 300, 5_000, 70_000, 1_000_000, 3_000_000, 9_000_000];
/// Depths, for `{D}`.
const DEPTHS: [u32; 10] = [1, 14, 20, 39, 40, 41, 43, 51, 127, 900];
/// Characters as Python escapes, for `{T}`.
const TEXTS: [&str; 12] = [
    "x",
    "\\0",
    "\\x01",
    "\\x1b",
    "\\x7f",
    "\\n",
    "\\\\",
    "\\\"",
    "\\xe9",
    "\\u2028",
    "\\ud800",
    "\\U0001f600",
];

/// Replaces what the interpreter reports with the program's own words.
const TAKES_OVER: &str = "import sys\ng = sys._getframe().f_back.f_globals\n";

/// The programs.
const PROGRAMS: [&str; 46] = [
    // Files: grown and truncated, named, opened, listed, nested.
    "l = []\nfor i in range(60):\n    f = open(f'f{i}', 'wb')\n    f.write(b'x' * {N})\n    f.truncate(0)\n    l.append(f)",
    "for i in range(990):\n    with open(f'f{i}', 'wb') as f:\n        f.write(b'x' * {N})\n    open(f'f{i}', 'wb').close()",
    "f = open('f', 'wb')\nfor i in range(2000):\n    f.truncate({N})\n    f.truncate(i % 9)",
    "f = open('f', 'wb')\nfor i in range(200): print(f.seek({N} * i), f.write(b'y'), f.flush())",
    "for i in range(2000): open('{T}' * 200 + str(i), 'w').close()",
    "import os\nfor i in range(2000): os.mkdir('n' * 250 + str(i))",
    "import os\nfor i in range(999): os.mkdir(str(i) + 'n' * 250)\nl = [os.scandir('/') for _ in range(100)]\nprint(sum(len(list(s)) for s in l))",
    "import os\nfor i in range(900):\n    os.mkdir(str(i) + 'n' * 240)\n    if i: os.rename(str(i - 1) + 'n' * 240, str(i) + 'n' * 240 + '/' + str(i - 1) + 'n' * 240)",
    "import os\nos.stat('tmp/../' * {N})",
    "open('{T}' * {N}, 'w')",
    "import os\nos.rename('main.py', '{T}' * {N})",
    "l = [open(f'f{i}', 'w') for i in range({N})]",
    "open('f', 'w', errors='surrogatepass').write('{T}' * {N})",
    "for i in range(20): open(f'f{i}', 'wb').write(bytes(range(256)) * ({N} // 256))",
    // Exceptions: class, message, notes, causes, location.
    "raise type('{T}' * {N}, (Exception,), {})",
    "class M(type):\n    __name__ = __qualname__ = __module__ = property(lambda c: '{T}' * {N})\nclass E(Exception, metaclass=M): pass\nraise E",
    "class M(type):\n    __name__ = property(lambda c: 5)\nclass E(Exception, metaclass=M): pass\nraise E",
    "raise Exception('{T}' * {N})",
    "class E(Exception):\n    def __str__(self): return '{T}' * {N}\nraise E",
    "e = Exception('{T}')\ne.add_note('{T}' * {N})\nraise e",
    "e = None\nfor i in range({D}):\n    n = ValueError('{T}' * 1000)\n    n.__cause__ = e\n    e = n\nraise e",
    "e = ValueError('{T}' * 100)\nfor i in range({D}): e = ExceptionGroup('{T}' * 100, [e, e])\nraise e",
    "c = Exception\nfor i in range({D}): c = type('C' * {N}, (c,), {})\nraise c",
    "def f(): 1 / 0\nf.__code__ = f.__code__.replace(co_name='{T}' * {N}, co_qualname='{T}' * {N})\nf()",
    "def f(): 1 / 0\nf.__code__ = f.__code__.replace(co_firstlineno={N}, co_filename='{T}' * {N})\nf()",
    "raise SyntaxError('{T}' * {N}, ('{T}' * 9, {N}, {N}, '{T}' * {N}, {N}, {N}))",
    "exec('a\\0' * {D})",
    "a = '{T}' * {N}; b = [a] * 5; c = {a: a}; class_ = type('C' * {N}, (), {})(); a.x, b, c, class_",
    "import sys\nsys.exit('{T}' * {N})",
    "import sys\nsys.excepthook = lambda *a: print('{T}' * {N})\n1 / 0",
    // Output.
    "import sys\nfor i in range({N}):\n    sys.stdout.write('{T}'[:1] if '{T}' < '\\ud800' else '?')\n    sys.stderr.write('b')",
    "import sys\nsys.stdout.buffer.write('{T}'.encode('utf-8', 'surrogatepass') * {N})",
    "print('{T}' * {N})",
    "import sys\nsys.stdout.buffer.write(b'\\xff' * {N})",
    // Test results, and what a trace shows.
    "x = '{T}' * {N}\ndef f(): return x",
    "x = {T!}\nfor i in range({D}): x = [x]\ndef f(): return x",
    "x = {T!}\nfor i in range({D}): x = {'{T}': (x,)}\ndef f(): return x",
    "x = {i: '{T}' * 50 for i in range({N})}\ndef f(): return x",
    "x = 7 ** {N}\ndef f(): return x",
    "C = type('C' * {N}, (), {'__repr__': lambda s: '{T}' * {N}})\nx = C()\nx.__dict__['{T}' * {N}] = 1\nglobals()['{T}' * {N}] = x\ny = 1\ndef f(): return x",
    // An interpreter that reports what the program wants.
    "{!}r = g['report']\nF = r.Fault\nt = '{T}' * {N}\nr.Fault = lambda *a: F(t, t, 2**32 - 1, 0, 7, t, [t] * {D}, t, [])\n1 / 0",
    "{!}V = g['report'].Variable\ng['report']._variables = lambda *a: [V('v' * 99, 'k' * 99, 0, 't')] * {N}\n1 / 0",
    "{!}g['values'].encoded = lambda v: '{\"value\":' + '{\"list\":[' * {D} + '\"none\"' + ']}' * {D} + ',\"text\":\"' + 'x' * {N} + '\"}'\ndef f(): return 1",
    "{!}g['Recorder'].encoded = lambda s: '[' * {D} + ','.join('0' * {N}) + ']' * {D}",
    "{!}g['host'].raised('{T}' * {N}, 5)\nwhile 1: pass",
    "{!}g['Outcome'] = lambda *a: '{T}' * {N}\n1 / 0",
];

/// The next random request for `execute`.
#[must_use]
pub fn request(random: &mut StdRng) -> Value {
    let code = PROGRAMS.choose(random).copied().unwrap_or_default();
    let text = TEXTS.choose(random).copied().unwrap_or_default();
    let size = SIZES.choose(random).copied().unwrap_or_default().to_string();
    let depth = DEPTHS.choose(random).copied().unwrap_or_default().to_string();
    let mut code = code
        .replace("{!}", TAKES_OVER)
        .replace("{T!}", &format!("'{text}'"))
        .replace("{T}", text)
        .replace("{N}", &size)
        .replace("{D}", &depth);
    if random.random_bool(0.05) {
        let at = random.random_range(0..=code.len());
        code.insert(code.floor_char_boundary(at), '\0');
    }
    let case = |i: usize| json!({ "name": "n".repeat(1 + i * 4), "call": "f()", "expected": format!("'{text}' * {}", i * 50_000) });
    let tests: Vec<Value> = match random.random_range(0..20) {
        0 => (0..50).map(case).collect(),
        1..8 => vec![case(0)],
        _ => Vec::new(),
    };
    json!({ "code": code, "timeout_ms": LIMIT_MS, "trace": random.random_bool(0.3), "tests": tests })
}

/// A fault in the result of such a request, if there is one.
#[must_use]
pub fn fault(result: &ExecutionResult) -> Option<String> {
    if result.verdict == Verdict::Internal {
        return Some("nobody knows how it ended".to_owned());
    }
    let mut problems = result.tests.iter().filter_map(|test| test.problem.as_deref());
    if let Some(problem) = problems.find(|it| it.contains("try again") || it.len() > 16 << 10) {
        return Some(format!("an expected value was not worked out: {problem:.200}"));
    }
    let seen =
        result.error.iter().chain(result.tests.iter().filter_map(|test| test.error.as_ref()));
    for error in seen {
        let names = error.kind.len() + error.function.as_ref().map_or(0, String::len);
        if names > 4 << 10 || error.message.len() > 16 << 10 || error.traceback.len() > 128 << 10 {
            return Some(format!("an error of {names} bytes of names"));
        }
    }
    let sent = serde_json::to_string(&result.clone().trimmed()).unwrap_or_default();
    if sent.len() > MAX_RESULT_BYTES {
        return Some(format!("a trimmed result of {} bytes", sent.len()));
    }
    // In an event, the envelope adds to the depth.
    let event = format!("{{\"data\":{{\"result\":[[[[{sent}]]]]}}}}");
    serde_json::from_str::<Value>(&event).err().map(|error| format!("nobody can read it: {error}"))
}

/// The resident memory of a process, in KiB.
#[must_use]
pub fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
