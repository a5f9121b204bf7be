use super::Unset;
use crate::Program;

/// The name, the line and the reason of the first name that may have no value.
fn first(source: &str) -> Option<(String, u32, Unset)> {
    let program = Program::read(source).expect("it is Python");
    program.unbound().first().map(|found| (found.name.to_owned(), found.line, found.why))
}

#[test]
fn a_name_may_have_no_value_after_a_loop_a_branch_or_a_try() {
    for (source, name, line, why) in [
        (
            "def f(xs):\n    for x in xs:\n        last = x\n    return last\n",
            "last",
            4,
            Unset::Loop(2),
        ),
        ("def f(xs):\n    for x in xs:\n        pass\n    return x\n", "x", 4, Unset::Loop(2)),
        (
            "def f(n):\n    while n > 3:\n        m = n\n        n -= 1\n    return m\n",
            "m",
            5,
            Unset::Loop(2),
        ),
        (
            "def f(xs):\n    if xs == ():\n        return 0\n    for x in xs:\n        pass\n    return x\n",
            "x",
            6,
            Unset::Loop(4),
        ),
        ("def f(n):\n    if n > 3:\n        m = n\n    return m\n", "m", 4, Unset::Branch(2)),
        (
            "def f(n):\n    try:\n        m = int(n)\n    except ValueError:\n        print(1)\n    return m\n",
            "m",
            6,
            Unset::Attempt(2),
        ),
        ("def f(n):\n    del n\n    return n\n", "n", 3, Unset::Deleted(2)),
        ("def f(n):\n    print(m)\n    m = n\n", "m", 2, Unset::Later),
        ("n = 0\ndef f():\n    n += 1\n", "n", 3, Unset::Later),
        ("print(n)\nn = 3\n", "n", 1, Unset::Later),
        ("for x in input():\n    y = x\nprint(y)\n", "y", 3, Unset::Loop(1)),
    ] {
        assert_eq!(first(source), Some((name.to_owned(), line, why)), "{source}");
    }
}

#[test]
fn a_name_that_has_a_value_on_each_path_is_not_named() {
    for source in [
        "def f(xs):\n    if not xs:\n        return 0\n    for x in xs:\n        pass\n    return x\n",
        "def f(xs):\n    if len(xs) == 0:\n        return 0\n    n = len(xs)\n    for i in range(n):\n        pass\n    return i\n",
        "def f(n):\n    if n > 3:\n        m = 1\n    else:\n        m = 2\n    return m\n",
        "def f(n):\n    if n > 3:\n        m = 1\n    else:\n        return 0\n    return m\n",
        "def f():\n    while True:\n        n = int(input())\n        if n > 3:\n            break\n    return n\n",
        "def f():\n    while True:\n        try:\n            n = int(input())\n            break\n        except ValueError:\n            print(1)\n    return n\n",
        "def f(xs):\n    while xs:\n        for x in xs:\n            if x:\n                y = x\n        xs.remove(y)\n",
        "def f(xs):\n    most = max(xs)\n    for x in xs:\n        if x == most:\n            y = x\n    return y\n",
        "def f(xs):\n    return [x for x in xs if x]\n",
        "def f():\n    global n\n    n += 1\n",
        "def f():\n    for i in range(3):\n        m = i\n    return m\n",
        "def f(x):\n    match x:\n        case 1:\n            y = 1\n        case _:\n            y = 2\n    return y\n",
        "def f(x):\n    g = lambda: y\n    y = x\n    return g()\n",
        "def f():\n    if (n := 3) > 2:\n        return n\n    return n\n",
    ] {
        assert_eq!(first(source), None, "{source}");
    }
}
