//! Each check on programs that have its fault, and on programs that only look like it.

use super::{RULES, Severity, review};

/// What is found, as `line rule`.
fn found(source: &str) -> Vec<String> {
    review(source).findings.iter().map(|f| format!("{} {}", f.line, f.rule.name)).collect()
}

/// A program for each rule, and where it is found.
const CASES: &[(&str, &str)] = &[
    ("if x\n    print(1)\n", "1 syntax"),
    ("total = 1\nprint(totl)\n", "2 undefined_name"),
    ("def f(n):\n    if n > 0:\n        return 1\n\nprint(f(1))\n", "1 missing_return"),
    (
        "def f(n):\n    for i in range(n):\n        if i:\n            return i\n\nprint(f(1))\n",
        "1 missing_return",
    ),
    ("def f(n):\n    print(n * 2)\n\nx = f(2)\nprint(x + 1)\n", "1 prints_instead_of_returns"),
    ("count = 0\ndef f():\n    count += 1\n\nf()\n", "3 local_before_value"),
    ("x = 1\nx + 1\nprint(x)\n", "2 no_effect"),
    ("def f():\n    print(1)\n\nf\n", "4 named_not_called"),
    ("a = [2, 1]\nb = a.sort()\nprint(b)\n", "2 in_place_result"),
    ("s = 'a'\ns.upper()\nprint(s)\n", "2 text_result_dropped"),
    ("x = input()\nif x == 'a' or 'b':\n    print(x)\n", "2 or_with_value"),
    (
        "a = [1, 2]\nfor x in a:\n    if x > 1:\n        a.remove(x)\nprint(a)\n",
        "4 changed_while_looping",
    ),
    ("a = [1]\nprint(a[len(a)])\n", "2 off_by_one"),
    ("a = [1]\nfor i in range(len(a) + 1):\n    print(a[i])\n", "3 off_by_one"),
    ("a = [1]\nfor i in range(1, len(a) + 1):\n    print(a[i])\n", "3 off_by_one"),
    ("n = 3\nwhile n > 0:\n    print(n)\n", "2 endless_loop"),
    ("while True:\n    print(1)\n", "1 endless_loop"),
    ("def f():\n    return 1\n    print(2)\n\nprint(f())\n", "3 unreachable"),
    (
        "def f(a):\n    for x in a:\n        if x:\n            print(x)\n        return x\n    return None\n\nprint(f([1]))\n",
        "5 first_round_return",
    ),
    ("def f(n):\n    n = 5\n    return n\n\nprint(f(1))\n", "2 parameter_overwritten"),
    ("x = 3\nif x is 3:\n    print(x)\n", "2 is_with_value"),
    ("x = 3\nx = x\nprint(x)\n", "2 self_assignment"),
    ("def f(a=[]):\n    return a\n\nprint(f())\n", "1 mutable_default"),
    ("n = input()\nif n > 3:\n    print(n)\n", "2 input_as_number"),
    ("n = input()\nprint(n + 1)\n", "2 input_as_number"),
    ("try:\n    print(1)\nexcept:\n    print(2)\n", "3 broad_except"),
    ("try:\n    print(1)\nexcept Exception:\n    pass\n", "3 silent_except"),
    ("list = [1]\nprint(list)\n", "1 shadowed_builtin"),
    ("for x in [1]:\n    x = 2\n    print(x)\n", "2 loop_name_reassigned"),
    (
        "def f(n):\n    if n == 1:\n        return 2\n    if n == 2:\n        return 4\n    if n == 3:\n        return 6\n    return 0\n\nprint(f(1))\n",
        "1 answers_written_down",
    ),
    ("f = open('a')\nprint(f.read())\n", "1 file_left_open"),
    ("x = input()\nprint(eval(x))\n", "2 runs_text_as_code"),
    ("s = ''\nfor i in range(3):\n    s += 'a'\nprint(s, i)\n", "3 text_built_in_loop"),
    ("x = True\nif x == True:\n    print(x)\n", "2 compares_to_bool"),
    ("x = None\nif x == None:\n    print(x)\n", "2 compares_to_none"),
    (
        "def f(n):\n    if n > 1:\n        return True\n    else:\n        return False\n\nprint(f(1))\n",
        "2 returns_bool",
    ),
    (
        "def f(n):\n    if n > 1:\n        return True\n    return False\n\nprint(f(1))\n",
        "2 returns_bool",
    ),
    (
        "def f(n):\n    if n > 1:\n        return n\n    else:\n        return 1\n\nprint(f(1))\n",
        "4 else_after_return",
    ),
    ("def f(n):\n    x = 1\n    return n\n\nprint(f(1))\n", "2 unused_variable"),
    ("import math\nprint(1)\n", "1 unused_import"),
    ("a = [1]\nfor i in range(len(a)):\n    print(a[i])\n", "2 index_loop"),
    ("x = 1\nif x > 0:\n    if x < 5:\n        print(x)\n", "3 mergeable_if"),
    (
        "def f(a, b, c, d, e, g):\n    return a + b + c + d + e + g\n\nprint(f(1, 2, 3, 4, 5, 6))\n",
        "1 too_long",
    ),
    (
        "x = 1\nfor a in [x]:\n    for b in [x]:\n        for c in [x]:\n            if c:\n                print(a, b, c)\n",
        "5 too_deep",
    ),
    ("myValue = 1\nprint(myValue)\n", "1 name_style"),
    ("l = 1\nprint(l)\n", "1 ambiguous_name"),
];

#[test]
fn each_rule_is_found_where_it_is() {
    let wrong: Vec<String> = CASES
        .iter()
        .filter(|(source, expected)| found(source) != [*expected])
        .map(|(source, expected)| format!("{source}{expected}, not {:?}", found(source)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let mut untested: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    untested
        .retain(|name| !CASES.iter().any(|(_, expected)| expected.ends_with(&format!(" {name}"))));
    assert_eq!(untested, [""; 0], "these rules have no case");
}

#[test]
fn nothing_is_invented_where_a_program_only_looks_like_it() {
    for source in [
        "import sys\n\nwhile True:\n    line = sys.stdin.readline()\n    if not line:\n        break\n    print(line)\n",
        "def f(n):\n    while True:\n        n += 1\n        if n > 9:\n            return n\n\nprint(f(1))\n",
        "def gen(n):\n    while n:\n        yield n\n        n -= 1\n\nprint(list(gen(3)))\n",
        "def f(n):\n    if n > 0:\n        return 'a'\n    elif n < 0:\n        return 'b'\n    raise ValueError(n)\n\nprint(f(1))\n",
        "def f(items=None):\n    if items is None:\n        items = []\n    return items\n\nprint(f())\n",
        "a = [1, 2]\nfor x in a:\n    if x == 2:\n        a.remove(x)\n        break\nprint(a)\n",
        "a = [1, 2]\nfor x in a[:]:\n    a.remove(x)\nprint(a)\n",
        "items = [1]\nwhile items:\n    print(items.pop())\n",
        "def f(match):\n    match match:\n        case [x, *rest]:\n            return x, rest\n        case _:\n            return None\n\nprint(f([1]))\n",
        "try:\n    print(int('x'))\nexcept (ValueError, TypeError) as error:\n    print(error)\n",
        "with open('a.txt', 'w') as file:\n    file.write('x')\n",
        "for line in [' a']:\n    line = line.strip()\n    print(line)\n",
        "class Bag:\n    def __init__(self):\n        self.items = []\n\n    def append(self, item):\n        self.items.append(item)\n        return self\n\n\nbag = Bag()\nother = bag.append(1)\nprint(other.items)\n",
        "def outer():\n    count = 0\n\n    def inner():\n        nonlocal count\n        count += 1\n        return count\n\n    return inner\n\n\nprint(outer()())\n",
        "n = int(input())\nif n > 3:\n    print(n)\n",
        "x = [a for a in range(3) if a]\nprint(x, (lambda b: b)(1))\n",
        "for i in range(len([1])):\n    print(i)\n",
        "a = [1, 2]\nfor i in range(len(a)):\n    a[i] = a[i] + 1\nprint(a)\n",
        "def greet(name):\n    print('Hello', name)\n\n\ngreet('Ada')\n",
    ] {
        assert_eq!(found(source), [""; 0], "{source}");
    }
}

#[test]
fn the_score_follows_its_formula_and_names_what_it_costs() {
    let clean = review("a = 1\nb = 2\nprint(a + b)\n");
    assert_eq!((clean.score, clean.deductions.len()), (Some(100), 0));
    assert_eq!(review("print(1)\n").score, None);
    // 3 statements, one error: 100 - 800 / 13 = 38.46.
    let with_error = review("a = 1\na + 1\nprint(a)\n");
    assert_eq!(with_error.score, Some(38));
    assert_eq!(
        (with_error.deductions[0].rule.name, with_error.deductions[0].points),
        ("no_effect", 62)
    );
    assert_eq!(with_error.findings[0].rule.severity, Severity::Error);
}
