use crate::{Advice, Ending, Failure, Variable, advise, advise_on_report};

fn failed(source: &str, kind: &str, message: &str, line: u32, function: Option<&str>) -> Advice {
    told(source, kind, message, line, function, &[])
}

fn told(
    source: &str,
    kind: &str,
    message: &str,
    line: u32,
    function: Option<&str>,
    variables: &[Variable],
) -> Advice {
    let advice = advise(&Failure {
        ending: Ending::Exception,
        kind,
        bases: &[],
        message,
        line: Some(line),
        function,
        variables,
        source,
        stdin: "",
    });
    advice.unwrap_or_else(|| panic!("there is no advice on {kind}: {message}"))
}

const UNBOUND: &str = "cannot access local variable 'm' where it is not associated with a value";

#[test]
fn a_local_name_without_a_value_is_explained_by_the_path_that_was_taken() {
    for (body, line, rule, says) in [
        (
            "    for x in xs:\n        m = x\n    return m\n",
            4,
            "unbound_local.loop",
            "loop on line 2",
        ),
        (
            "    while xs:\n        m = xs.pop()\n    return m\n",
            4,
            "unbound_local.loop",
            "loop on line 2",
        ),
        ("    if xs:\n        m = 1\n    return m\n", 4, "unbound_local.branch", "block on line 2"),
        (
            "    try:\n        m = int(xs)\n    except ValueError:\n        pass\n    return m\n",
            6,
            "unbound_local.attempt",
            "`try` on line 2",
        ),
        ("    m = 1\n    del m\n    return m\n", 4, "unbound_local.deleted", "`del` on line 3"),
        ("    m += 1\n", 2, "unbound_local", "local name"),
        ("    self.m = 1\n    m += 1\n", 3, "unbound_local.self", "belongs to the object"),
    ] {
        let source = format!("def f(xs):\n{body}");
        let found = failed(&source, "UnboundLocalError", UNBOUND, line, Some("f"));
        assert!(
            found.rule == rule && found.why.contains(says),
            "{source}{}: {}",
            found.rule,
            found.why
        );
    }
}

#[test]
fn an_unknown_name_is_looked_for_where_it_may_be() {
    for (source, name, line, rule, says) in [
        ("def f():\n    total = 1\nf()\nprint(total)\n", "total", 4, "name_error.scope", "in `f`"),
        ("def f():\n    print(m)\nf()\nm = 1\n", "m", 2, "name_error.too_early", "on line 4"),
        (
            "def f():\n    m = 1\nprint(m)\ndef g():\n    m = 2\n",
            "m",
            3,
            "name_error.scope",
            "in `f`",
        ),
        ("for x in []:\n    m = x\nprint(m)\n", "m", 3, "unbound_local.loop", "loop on line 1"),
        ("print(math.pi)\n", "math", 1, "name_error.import", "`math` is a module"),
        ("print(sqrt(2))\n", "sqrt", 1, "name_error.import", "module `math`"),
        ("x = true\n", "true", 1, "name_error.constant", "`True`"),
        (
            "class A:\n    def f(self):\n        self.n = 1\n        print(n)\n",
            "n",
            4,
            "name_error.self",
            "`self.n`",
        ),
        ("total = 1\nprint(totl)\n", "totl", 2, "name_error.typo", "`total`"),
        ("\u{440}rint(1)\n", "\u{440}rint", 1, "name_error.look_alike", "U+0440"),
        ("print(hello)\n", "hello", 1, "name_error.unknown", "quotes"),
    ] {
        let message = format!("name '{name}' is not defined");
        let found = failed(source, "NameError", &message, line, None);
        let text = format!("{} {} {}", found.what, found.why, found.hint);
        assert!(found.rule == rule && text.contains(says), "{source}{}: {text}", found.rule);
    }
}

const ANIMAL: &str = "class Animal:\n    def __init__(self):\n        self.name = 1\n\n";

#[test]
fn a_missing_attribute_is_explained_by_the_class() {
    for (class, rule, says) in [
        (
            "class Dog(Animal):\n    def __init__(self):\n        self.age = 1\n",
            "attribute_error.base_init",
            "of `Animal`",
        ),
        (
            "class Dog:\n    def _init_(self):\n        self.name = 1\n",
            "class.init_name",
            "`_init_`",
        ),
        (
            "class Dog:\n    def __init__(self, name):\n        name = name\n",
            "attribute_error.local",
            "line 7",
        ),
        (
            "class Dog:\n    def __init__(self):\n        pass\n    def call(self):\n        self.name = 1\n",
            "attribute_error.not_set_yet",
            "`call`",
        ),
    ] {
        let source = format!("{ANIMAL}{class}print(Dog().name)\n");
        let line = u32::try_from(source.lines().count()).expect("it is short");
        let found =
            failed(&source, "AttributeError", "'Dog' object has no attribute 'name'", line, None);
        assert!(found.rule == rule && found.why.contains(says), "{}: {}", found.rule, found.why);
    }
    let init = "class Dog:\n    def __int__(self, name):\n        self.name = name\nDog('Rex')\n";
    assert_eq!(
        failed(init, "TypeError", "Dog() takes no arguments", 4, None).rule,
        "class.init_name"
    );
    let append = failed(
        "x = 'a'\nx.append('b')\n",
        "AttributeError",
        "'str' object has no attribute 'append'",
        2,
        None,
    );
    assert!(append.what.contains("method of lists"), "{}", append.what);
}

#[test]
fn exceptions_of_files_loops_and_imports_are_explained() {
    let source = "x = 1\ny = 2\n";
    for (kind, message, rule) in [
        ("StopIteration", "", "stop_iteration"),
        ("RuntimeError", "dictionary changed size during iteration", "runtime_error.changed_size"),
        ("RuntimeError", "generator raised StopIteration", "runtime_error.generator"),
        ("JSONDecodeError", "Expecting value: line 1 column 1 (char 0)", "json_error.nothing"),
        ("JSONDecodeError", "Extra data: line 2 column 1 (char 9)", "json_error.extra"),
        (
            "UnicodeDecodeError",
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
            "unicode_error.decode",
        ),
        ("UnicodeEncodeError", "'charmap' codec can't encode character", "unicode_error.narrow"),
        (
            "ValueError",
            "invalid literal for int() with base 10: '\\ufeff12'",
            "unicode_error.byte_order_mark",
        ),
        (
            "ModuleNotFoundError",
            "No module named 'os.pth'; 'os' is not a package",
            "import_error.not_package",
        ),
        (
            "ImportError",
            "attempted relative import with no known parent package",
            "import_error.relative",
        ),
        (
            "ImportError",
            "cannot import name 'x' from partially initialized module 'y' (most likely due to a circular import) (y.py)",
            "import_error.circle",
        ),
        (
            "ImportError",
            "cannot import name 'squareroot' from 'math' (unknown location)",
            "import_error.name",
        ),
        ("RecursionError", "maximum recursion depth exceeded", "recursion.nesting"),
        ("TypeError", "object of type 'int' has no len()", "type_error.no_length"),
        ("TypeError", "__init__() should return None, not 'int'", "type_error.init_returns"),
    ] {
        assert_eq!(failed(source, kind, message, 2, None).rule, rule, "{message}");
    }
    let second = "try:\n    import numpy\nexcept ImportError:\n    import nunpy\n";
    let found = failed(second, "ModuleNotFoundError", "No module named 'nunpy'", 4, None);
    assert!(found.what.contains("`try` on line 1 had failed before"), "{}", found.what);
    let mark = Variable {
        name: "row".to_owned(),
        kind: "dict".to_owned(),
        length: Some(1),
        text: Some("{'\\ufeffname': 'A'}".to_owned()),
    };
    let key = told(source, "KeyError", "'name'", 2, None, &[mark]);
    assert_eq!(key.rule, "unicode_error.byte_order_mark");
}

#[test]
fn nothing_is_said_of_a_line_that_is_not_known() {
    for (kind, message) in [
        ("AttributeError", "module 'shapes' has no attribute 'circle'"),
        ("AttributeError", "'str' object has no attribute 'push'"),
        ("AttributeError", "'NoneType' object has no attribute 'append'"),
        ("TypeError", "unsupported operand type(s) for +: 'NoneType' and 'int'"),
        ("TypeError", "can only concatenate str (not \"int\") to str"),
        ("NameError", "name 'totl' is not defined"),
        ("IndexError", "list index out of range"),
        ("IndexError", "pop from empty list"),
        ("KeyError", "'age'"),
        ("ZeroDivisionError", "division by zero"),
        ("ValueError", "invalid literal for int() with base 10: 'x'"),
        ("JSONDecodeError", "Expecting ',' delimiter: line 1 column 5 (char 4)"),
        ("ModuleNotFoundError", "No module named 'shape'"),
        ("ImportError", "attempted relative import with no known parent package"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'a.txt'"),
        ("StopIteration", ""),
        ("AssertionError", ""),
        ("OverflowError", "math range error"),
        ("RecursionError", "maximum recursion depth exceeded"),
        ("EOFError", "EOF when reading a line"),
    ] {
        let advice = advise_on_report(kind, message, None, "").unwrap();
        for text in [advice.what, advice.why, advice.hint] {
            assert!(!text.to_lowercase().contains("some line"), "{kind}: {text}");
            assert!(!text.starts_with(char::is_lowercase), "{kind}: {text}");
        }
    }
}
