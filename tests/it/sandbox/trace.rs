//! What a trace shows, compared with what the program itself says.

use std::fmt::Write as _;

use domain::{
    execution::{ExecutionResult, Verdict},
    trace::{Trace, TraceEvent, TraceKind, TraceStep, TraceValue},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::json;

use super::{run, workers};

async fn traced(code: &str) -> ExecutionResult {
    run(&workers(), &json!({ "code": code, "trace": true, "seed": 1 })).await
}

fn trace(result: ExecutionResult) -> Trace {
    result.trace.expect("a trace")
}

/// A variable of the innermost frame, as Python would print it.
fn local(step: &TraceStep, name: &str) -> Option<String> {
    let value = step.frames.last()?.locals.get(name)?;
    let mut text = String::new();
    show(step, value, &mut Vec::new(), &mut text);
    Some(text)
}

/// Writes a value as Python prints it, also one that holds itself.
fn show(step: &TraceStep, value: &TraceValue, within: &mut Vec<u64>, text: &mut String) {
    let number = match value {
        TraceValue::None => return text.push_str("None"),
        TraceValue::Bool(value) => return text.push_str(if *value { "True" } else { "False" }),
        TraceValue::Integer(value) => return write!(text, "{value}").expect("room"),
        TraceValue::Float(value) => return write!(text, "{value:?}").expect("room"),
        TraceValue::String(value) => return write!(text, "'{value}'").expect("room"),
        TraceValue::Text { text: value } => return text.push_str(value),
        TraceValue::Object { r#ref: number } => *number,
    };
    let object = &step.heap[&number.to_string()];
    let (open, close) = match object.kind {
        TraceKind::List => ("[", "]"),
        TraceKind::Tuple => ("(", ")"),
        TraceKind::Dict => ("{", "}"),
        TraceKind::Instance => ("<", ">"),
        _ => return write!(text, "{:?}", object.kind).expect("room"),
    };
    text.push_str(open);
    if within.contains(&number) {
        text.push_str("...");
    } else {
        within.push(number);
        let attributes = object.attributes.iter().flatten();
        let named = attributes.map(|(name, value)| (Some(TraceValue::String(name.clone())), value));
        let entries =
            object.entries.iter().flatten().map(|[key, value]| (Some(key.clone()), value));
        let items = object.items.iter().flatten().map(|value| (None, value));
        for (place, (key, value)) in items.chain(entries).chain(named).enumerate() {
            text.push_str(if place > 0 { ", " } else { "" });
            if let Some(key) = key {
                show(step, &key, within, text);
                text.push_str(": ");
            }
            show(step, value, within, text);
        }
        if object.kind == TraceKind::Tuple && object.length == Some(1) {
            text.push(',');
        }
        within.pop();
    }
    text.push_str(close);
}

/// The names of the variables of random programs.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// A program that changes what its variables share, here and in functions, and prints all of them after each change.
fn program(random: &mut StdRng) -> String {
    let mut code = String::from(
        "class P:\n    def __init__(self, x):\n        self.x = x\n    def __repr__(self):\n        if self in shown: return '<...>'\n        shown.append(self)\n        text = '<' + ', '.join(f'{n!r}: {v!r}' for n, v in sorted(vars(self).items())) + '>'\n        shown.pop()\n        return text\nshown = []\ndef grow(x):\n    if type(x) is list: x.append(x if len(x) == 2 else len(x))\n    if type(x) is dict: x[len(x)] = [x]\n    if type(x) is P: x.y = [vars(x).get('x')]\n    return x\ndef shrink(x):\n    if type(x) in (list, dict): x.clear()\n    if type(x) is P: x.__dict__.clear()\ndef count():\n    n = []\n    while True:\n        n.append(len(n))\n        yield n\ndef rebind(x):\n    global a\n    a = x\ncounts = count()\na = b = c = d = e = 0\n",
    );
    for _ in 0..30 {
        let [x, y, z] = [(); 3].map(|()| *NAMES.choose(random).expect("a name"));
        let number = random.random_range(0..300);
        let change = match random.random_range(0..14) {
            0 => format!("{x} = [{y}, {number}, {z}]"),
            1 => format!("{x} = {{'k': {y}, {number}: {z}}}"),
            2 => format!("{x} = ({y},)"),
            3 => format!("{x} = P({y})"),
            4 => format!("{x} = {y}"),
            5 => format!("{x}, {y} = {y}, {x}"),
            6 => format!("del {x}; {x} = {number}.5"),
            7 => format!("{x} = next(counts)"),
            8 => format!("shrink({x})"),
            9 => format!("rebind({x})"),
            10 => format!("if type({x}) is list and {x}: {x}[0] = {y}"),
            11 => format!("if type({x}) is dict and 'k' in {x}: {x}['j'] = {x}.pop('k')"),
            _ => format!("{x} = grow({y})"),
        };
        writeln!(code, "{change}\nprint([a, b, c, d, e])").expect("room");
    }
    code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_shows_what_the_program_would_print() {
    let workers = workers();
    for seed in 0..40 {
        let code = program(&mut StdRng::seed_from_u64(seed));
        let result = run(&workers, &json!({ "code": code, "trace": true })).await;
        assert_eq!(result.verdict, Verdict::Ok, "{result:?}");
        let lines: Vec<&str> = code.lines().collect();
        let mut printed = result.stdout.lines();
        for step in &result.trace.as_ref().expect("a trace").steps {
            let is_print = lines[step.line as usize - 1].starts_with("print");
            if step.event != TraceEvent::Line || step.function != "<module>" || !is_print {
                continue;
            }
            let values = NAMES.map(|name| local(step, name).expect("a value"));
            let shown = format!("[{}]", values.join(", "));
            assert_eq!(Some(shown.as_str()), printed.next(), "seed {seed}: {code}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_show_calls_generators_and_exceptions() {
    let code = "def outer():\n    n = 0\n    def inner(by):\n        nonlocal n\n        n += by\n        return n\n    inner(2)\n    return n\ndef numbers(l):\n    l.append(1)\n    yield l\n    l.append(2)\nseen = []\nouter()\nit = numbers(seen)\nnext(it)\nseen.append(5)\nfor _ in it: pass\ndef deep(n):\n    if n: return deep(n - 1)\n    raise ValueError(n)\ntry: deep(40)\nexcept ValueError as e: last = 'caught'\n";
    let trace = trace(traced(code).await);
    let at = |event, line| {
        trace.steps.iter().rev().find(move |step| step.event == event && step.line == line)
    };
    let inner = at(TraceEvent::Return, 6).expect("the return of inner");
    assert_eq!(inner.value, Some(TraceValue::Integer(2)));
    let places: Vec<(&str, u32)> =
        inner.frames.iter().map(|frame| (frame.function.as_str(), frame.line)).collect();
    assert_eq!(places, [("<module>", 14), ("outer", 7), ("inner", 6)]);
    assert_eq!(inner.frames[1].locals["n"], TraceValue::Integer(2), "changed from within");
    let resumed = at(TraceEvent::Line, 12).expect("a step of the generator");
    assert_eq!(local(resumed, "l").as_deref(), Some("[1, 5]"));
    assert_eq!(resumed.frames[0].line, 18, "resumed by the loop");
    let raised = at(TraceEvent::Exception, 21).expect("an exception");
    assert_eq!((raised.exception.as_deref(), raised.frames.len()), (Some("ValueError"), 32));
    assert_eq!(raised.frames[30].locals["n"], TraceValue::Integer(1));
    let end = trace.steps.last().expect("a step");
    assert_eq!((local(end, "last").as_deref(), local(end, "e")), (Some("'caught'"), None));
    assert!(!trace.truncated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_step_shows_is_limited() {
    let code = "l = list(range(60))\nl[55] = -1\nl[49] = -2\nd = {i: i for i in range(60)}\ns = 'x' * 300\nmany = [[i] for i in range(50)]\nmore = [[[i]] for i in range(50)]\nmore[0][0].append(1)\nmany.clear()\nlast = 1\n";
    let trace = trace(traced(code).await);
    let before =
        |line| trace.steps.iter().find(move |it| it.line == line && it.event == TraceEvent::Line);
    let step = before(6).expect("a step");
    let list = local(step, "l").expect("a list");
    assert!(list.starts_with("[0, 1, ") && list.ends_with(", 48, -2]"), "{list}");
    let lengths: Vec<Option<u64>> = step.heap.values().map(|object| object.length).collect();
    assert_eq!(lengths, [Some(60), Some(60)]);
    assert_eq!(local(step, "s"), Some(format!("'{}…'", "x".repeat(200))));
    // The first hundred objects are shown with what they hold, and of what these refer to only the classes.
    let shown = |line| {
        let heap = before(line).expect("a step").heap.values();
        heap.filter(|object| object.kind == TraceKind::List).count()
    };
    assert_eq!((shown(8), shown(9), shown(10)), (99, 99, 99));
    assert_eq!(before(9).expect("a step").heap.len(), 150);
    let wide = "l = []\nfor i in range(300):\n    l.append('x' * 190)\n    m = l[:]";
    let wide = self::trace(traced(wide).await);
    let bytes = serde_json::to_string(&wide.steps).expect("JSON").len();
    assert!(wide.truncated && (950_000..=1_001_000).contains(&bytes), "{bytes}");
}
