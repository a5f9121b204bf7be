use std::time::{Duration, Instant};

use super::advise;
use crate::failure::{Advice, Ending, Failure};

/// The advice on a text that is not Python, with nothing but the most general of all messages.
fn advice_on(source: &str) -> Advice {
    told(source, "SyntaxError", "invalid syntax", None)
}

fn told(source: &str, kind: &str, message: &str, line: Option<u32>) -> Advice {
    let found = advise(&Failure {
        ending: Ending::Exception,
        kind,
        bases: &["SyntaxError".to_owned()],
        message,
        line,
        function: None,
        variables: &[],
        source,
        stdin: "",
    });
    found.expect("there is advice on each syntax error")
}

/// A text, the cause, and the marked part of which line.
const CAUSES: &[(&str, &str, &str, u32)] = &[
    // Headers.
    ("if x > 3\n    print(x)\n", "syntax.colon", "", 1),
    ("for i in range(3)\n    print(i)\n", "syntax.colon", "", 1),
    ("def f(x)\n    return x\n", "syntax.colon", "", 1),
    ("class A\n    pass\n", "syntax.colon", "", 1),
    ("if x:\n    pass\nelse\n    pass\n", "syntax.colon", "", 3),
    ("while n > 0 print(n)\n", "syntax.colon", "", 1),
    ("try\n    f()\nexcept ValueError:\n    pass\n", "syntax.colon", "", 1),
    ("if x > 3;\n    print(x)\n", "syntax.wrong_colon", ";", 1),
    ("while x < 3,\n    x += 1\n", "syntax.wrong_colon", ",", 1),
    ("if x:\n    a()\nelse if y:\n    b()\n", "syntax.else_if", "else if", 3),
    ("if x:\n    a()\nelseif y:\n    b()\n", "syntax.else_if", "elseif", 3),
    ("elif x:\n    a()\n", "syntax.alone", "elif", 1),
    ("else:\n    a()\n", "syntax.alone", "else", 1),
    ("if x:\n    a()\nb()\nelse:\n    c()\n", "syntax.alone", "else", 4),
    ("if x:\n    a()\nelse:\n    b()\nelif y:\n    c()\n", "syntax.elif_after_else", "elif", 5),
    ("try:\n    a()\nprint(1)\n", "syntax.try_alone", "try", 1),
    ("except ValueError:\n    a()\n", "syntax.alone", "except", 1),
    ("if x:\n    a()\nelse x > 2:\n    b()\n", "syntax.else_condition", "x > 2", 3),
    ("while:\n    a()\n", "syntax.missing_condition", "while", 1),
    ("if :\n    a()\n", "syntax.missing_condition", "if", 1),
    ("def :\n    a()\n", "syntax.missing_name", "def", 1),
    ("for i range(4):\n    a()\n", "syntax.for_in", "range", 1),
    ("for i of range(4):\n    a()\n", "syntax.for_in", "of", 1),
    ("for each x in xs:\n    a()\n", "syntax.for_in", "each", 1),
    ("for i in range 4:\n    a()\n", "syntax.call_parentheses", "range", 1),
    ("for (i = 0; i < 3; i++):\n    a()\n", "syntax.c_for", "for", 1),
    ("for i = 1 to 10:\n    a()\n", "syntax.c_for", "for", 1),
    ("for \"x\" in xs:\n    a()\n", "syntax.loop_target", "\"x\"", 1),
    ("if x: a() else: b()\n", "syntax.one_line_block", "else", 1),
    ("x = 5:\n", "syntax.extra_colon", ":", 1),
    ("print('a'):\n", "syntax.extra_colon", ":", 1),
    ("def f():;\n    pass\n", "syntax.extra_semicolon", ";", 1),
    ("whlie x:\n    a()\n", "syntax.keyword_typo", "whlie", 1),
    ("If x:\n    a()\n", "syntax.keyword_typo", "If", 1),
    ("retrun x\n", "syntax.keyword_typo", "retrun", 1),
    ("improt math\n", "syntax.keyword_typo", "improt", 1),
    ("defmain():\n    pass\n", "syntax.keyword_stuck", "defmain", 1),
    // Definitions.
    ("def f:\n    pass\n", "syntax.def_parentheses", "f", 1),
    ("def f a, b:\n    pass\n", "syntax.def_parentheses", "f", 1),
    ("def my func():\n    pass\n", "syntax.space_in_name", "my func", 1),
    ("def my-func():\n    pass\n", "syntax.hyphen_name", "my-func", 1),
    ("def 2f():\n    pass\n", "syntax.name_digit", "2f", 1),
    ("def f(2):\n    pass\n", "syntax.parameter_form", "2", 1),
    ("def f(self.x):\n    pass\n", "syntax.parameter_form", "self.x", 1),
    ("def f(a=1, b):\n    pass\n", "syntax.parameter_order", "b", 1),
    ("def f(class):\n    pass\n", "syntax.keyword_name", "class", 1),
    ("def f(int x):\n    pass\n", "syntax.declaration", "int", 1),
    ("lambda (x): x\n", "syntax.lambda_parentheses", "(", 1),
    // Operators.
    ("if x =< 3:\n    a()\n", "syntax.operator_order", "=<", 1),
    ("if x => 3:\n    a()\n", "syntax.operator_order", "=>", 1),
    ("if x !< 3:\n    a()\n", "syntax.operator_order", "!<", 1),
    ("if x <> 3:\n    a()\n", "syntax.other_comparison", "<>", 1),
    ("if x === 3:\n    a()\n", "syntax.other_comparison", "===", 1),
    ("if a && b:\n    c()\n", "syntax.word_operator", "&&", 1),
    ("if a || b:\n    c()\n", "syntax.word_operator", "||", 1),
    ("if !a:\n    c()\n", "syntax.word_operator", "!", 1),
    ("x++\n", "syntax.increment", "++", 1),
    ("for i in xs:\n    i--\n", "syntax.increment", "--", 2),
    ("if x > = 3:\n    a()\n", "syntax.operator_space", "> =", 1),
    ("x = 3 */ 4\n", "syntax.operators_in_a_row", "*/", 1),
    ("if x == 1 or == 2:\n    a()\n", "syntax.missing_operand", "or ==", 1),
    ("if x > 1 and < 5:\n    a()\n", "syntax.missing_operand", "and <", 1),
    ("x = 3 +\n", "syntax.missing_operand", "+", 1),
    ("x =\n", "syntax.missing_operand", "=", 1),
    ("if x ==:\n    a()\n", "syntax.missing_operand", "==", 1),
    ("if x in not xs:\n    a()\n", "syntax.word_order", "in not", 1),
    ("x = y ? 1 : 2\n", "syntax.question_mark", "?", 1),
    ("xs.[0]\n", "syntax.dot", ".", 1),
    ("x..y\n", "syntax.extra_dot", "..", 1),
    // Assignments.
    ("if x = 3:\n    a()\n", "syntax.assignment_in_condition", "=", 1),
    ("while x.y = 3:\n    a()\n", "syntax.assignment_in_condition", "=", 1),
    ("return x = 3\n", "syntax.assignment_in_condition", "=", 1),
    ("5 = x\n", "syntax.assign_literal", "5", 1),
    ("'a' = x\n", "syntax.assign_literal", "'a'", 1),
    ("f(x) = 3\n", "syntax.assign_call", "f(x)", 1),
    ("a + b = c\n", "syntax.assign_expression", "a + b", 1),
    ("x + 1 += 2\n", "syntax.assign_expression", "x + 1", 1),
    ("None = 3\n", "syntax.assign_constant", "None", 1),
    ("class = 5\n", "syntax.keyword_name", "class =", 1),
    ("for = 5\n", "syntax.keyword_name", "for =", 1),
    ("my name = 5\n", "syntax.space_in_name", "my name", 1),
    ("my-name = 5\n", "syntax.hyphen_name", "my-name", 1),
    ("int x = 5\n", "syntax.declaration", "int", 1),
    ("var x = 5\n", "syntax.declaration", "var", 1),
    ("x := 5\n", "syntax.walrus_statement", ":=", 1),
    ("d = {'a' = 1}\n", "syntax.dict_equals", "=", 1),
    ("del f(x)\n", "syntax.delete", "f(x)", 1),
    // Brackets, calls and items.
    ("print('a'\nx = 1\n", "syntax.unclosed", "(", 1),
    ("x = [1, 2\nprint(x)\n", "syntax.unclosed", "[", 1),
    ("if (x > 3:\n    a()\n", "syntax.unclosed", "(", 1),
    ("print('a'))\n", "syntax.unmatched", ")", 1),
    ("x = (1, 2]\n", "syntax.bracket_mismatch", "]", 1),
    ("print 'a'\n", "syntax.print", "print", 1),
    ("if x:\n    print x\n", "syntax.print", "print", 2),
    ("x = input 'a'\n", "syntax.call_parentheses", "input", 1),
    ("sum[x for x in xs]\n", "syntax.square_call", "[", 1),
    ("x = [1, 2 3]\n", "syntax.comma", "", 1),
    ("print('a' x)\n", "syntax.comma", "", 1),
    ("f(1, , 2)\n", "syntax.extra_comma", ",", 1),
    ("x = [1; 2]\n", "syntax.semicolon_comma", ";", 1),
    ("d = {'a': 1, 'b'}\n", "syntax.dict_value", "'b'", 1),
    ("d = {'a' 1}\n", "syntax.dict_value", "'a'", 1),
    ("x = 3 4\n", "syntax.number_space", "", 1),
    ("x = 1 y = 2\n", "syntax.two_statements", "", 1),
    ("x = a b\n", "syntax.two_values", "", 1),
    ("x = 1 if y\n", "syntax.if_without_else", "if", 1),
    ("x = [for i in xs: i]\n", "syntax.comprehension_order", "for", 1),
    ("f('a' = 1)\n", "syntax.keyword_target", "'a'", 1),
    ("x = return 3\n", "syntax.statement_inside", "return", 1),
    ("x.class\n", "syntax.keyword_name", "class", 1),
    ("prnt 'a'\n", "syntax.keyword_typo", "prnt", 1),
    ("fro x in y:\n    a()\n", "syntax.keyword_typo", "fro", 1),
    ("print(Hello World)\n", "syntax.unquoted_text", "Hello World", 1),
    ("def f(a b):\n    pass\n", "syntax.comma", "", 1),
    ("[x for x in y if x else 0]\n", "syntax.comprehension_else", "else", 1),
    ("[x for x xs]\n", "syntax.for_in", "xs", 1),
    ("lambda x x + 1\n", "syntax.lambda_colon", "", 1),
    ("import my-module\n", "syntax.hyphen_name", "-", 1),
    ("global x = 5\n", "syntax.global_value", "=", 1),
    ("raise ValueError 'bad'\n", "syntax.call_parentheses", "ValueError", 1),
    ("with open('f') f:\n    pass\n", "syntax.with_as", "f", 1),
    ("break 2\n", "syntax.nothing_follows", "2", 1),
    ("if x == 3::\n    pass\n", "syntax.extra_colon", ":", 1),
    ("@name\nx = 1\n", "syntax.decorator", "@", 1),
    ("x = if y: 3 else: 4\n", "syntax.statement_inside", "if", 1),
    ("try:\n    a()\ncatch:\n    b()\n", "syntax.other_word", "catch", 3),
    ("xs = [a[1, b]\n", "syntax.unclosed", "[", 1),
    ("x = seq[len(seq))-1]\n", "syntax.unmatched", ")", 1),
    ("new = (\nfor i in xs:\n    a()\n", "syntax.unclosed", "(", 1),
    // Strings, numbers and characters.
    ("x = 'abc\n", "syntax.unterminated_text", "'", 1),
    ("print('abc)\n", "syntax.unterminated_text", "'", 1),
    ("x = \"abc'\n", "syntax.quotes_differ", "'", 1),
    ("x = 'I don't know'\n", "syntax.quote_inside", "'", 1),
    ("x = \"say \"hi\" now\"\n", "syntax.quote_inside", "\"", 1),
    ("x = \"C:\\\\dir\\\"\n", "syntax.backslash_quote", "\\\"", 1),
    ("x = '''abc\ny\n", "syntax.unterminated_triple", "'''", 1),
    ("print(f'{x')\n", "syntax.fstring_brace", "{", 1),
    ("print(f'x}')\n", "syntax.fstring_brace", "}", 1),
    ("print(f'{}')\n", "syntax.fstring_empty", "{}", 1),
    ("print(f'{a b}')\n", "syntax.fstring_expression", "{a b}", 1),
    ("x = 2y\n", "syntax.name_digit", "2y", 1),
    ("2nd = 3\n", "syntax.name_digit", "2nd", 1),
    ("x = 007\n", "syntax.leading_zero", "007", 1),
    ("x = 1,050\n", "syntax.number_comma", "050", 1),
    ("x = 1.2.3\n", "syntax.number_points", "1.2.3", 1),
    ("x = “abc”\n", "syntax.curly_quotes", "“", 1),
    ("print（x)\n", "syntax.look_alike", "（", 1),
    ("x = 3 – 2\n", "syntax.look_alike", "–", 1),
    ("if x ≤ 3:\n    a()\n", "syntax.look_alike", "≤", 1),
    ("x = \u{200b}3\n", "syntax.invisible", "\u{200b}", 1),
    ("x = 1\0\n", "syntax.null", "\0", 1),
    ("x = $y\n", "syntax.character", "$", 1),
    ("x = `y`\n", "syntax.backquote", "`", 1),
    // Something else.
    (">>> x = 3\n", "syntax.prompt", ">>>", 1),
    ("pip install x\n", "syntax.shell", "pip", 1),
    ("// a comment here\n", "syntax.comment", "//", 1),
    ("x = 3 // set the x\n", "syntax.comment", "//", 1),
    ("if (x > 3) {\n    a()\n}\n", "syntax.braces", "{", 1),
    ("function f(x):\n    return x\n", "syntax.other_word", "function", 1),
    ("if x > 3 then:\n    a()\n", "syntax.other_word", "then", 1),
    ("This program adds numbers\n", "syntax.prose", "This program adds numbers", 1),
    ("import sin from math\n", "syntax.import_order", "from", 1),
    ("from math import sin and cos\n", "syntax.import_and", "and", 1),
    ("from math import\n", "syntax.import_name", "import", 1),
    ("import 'math'\n", "syntax.import_text", "'math'", 1),
];

#[test]
fn the_cause_and_the_place_are_found() {
    let mut wrong = Vec::new();
    for (source, rule, marked, line) in CAUSES {
        let found = advice_on(source);
        let place = found.place;
        let at = place.map(|place| {
            let text = source.lines().nth(place.line as usize - 1).unwrap_or_default();
            let marked: String =
                text.chars().skip(place.column as usize - 1).take(place.width as usize).collect();
            (marked, place.line)
        });
        // A place between two words has no text of its own.
        let is_there = at
            .as_ref()
            .is_some_and(|(text, at)| at == line && (marked.is_empty() || text == marked));
        if found.rule != *rule || !is_there {
            wrong.push(format!("{source:?}: {} at {at:?}, not {rule}: {}", found.rule, found.what));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CAUSES.len(), wrong.join("\n"));
}

#[test]
fn the_cause_is_found_below_and_above_other_lines() {
    for (source, rule, _, line) in
        CAUSES.iter().filter(|(_, rule, ..)| *rule != "syntax.unterminated_triple")
    {
        let longer = format!("a = 1\nb = [a,\n     2]\n\n{source}\nc = 3\n");
        let found = advice_on(&longer);
        let at = found.place.map(|place| place.line);
        assert_eq!((found.rule, at), (*rule, Some(line + 4)), "{longer}");
    }
}

#[test]
fn two_faults_in_a_line_are_both_named() {
    for (source, first, second) in [
        ("if x = 3\n    a()\n", "a colon is missing", "single ="),
        ("while x =< 3\n    a()\n", "`=<`", "colon is missing"),
        ("if a && b = 3:\n    c()\n", "`&&`", "single ="),
        ("print('a' x))\n", "No `(`", "Nothing stands between"),
    ] {
        let what = advice_on(source).what.to_lowercase();
        let has = |text: &str| what.contains(&text.to_lowercase());
        assert!(has(first) && has(second), "{source}: {what}");
    }
    // The second one never shows the line as it would be without the first.
    let said = advice_on("while total =< 10\n    a()\n").what;
    assert!(said.contains("colon") && !said.contains("<="), "{said}");
    // One fault is one fault.
    assert_eq!(
        advice_on("if x =< 3:\n    a()\n").what,
        "`=<` on line 1 is not an operator of Python."
    );
}

#[test]
fn pythons_own_words_decide_what_only_its_compiler_sees() {
    for (source, message, rule, place) in [
        ("return 3\n", "'return' outside function", "syntax.outside", (1, 1, 6)),
        ("x = 1\nif x:\n    break\n", "'break' outside loop", "syntax.outside", (3, 5, 5)),
        (
            "f(a=1, 2)\n",
            "positional argument follows keyword argument",
            "syntax.positional_after_keyword",
            (1, 1, 1),
        ),
        (
            "def f():\n    print(n)\n    global n\n",
            "name 'n' is used prior to global declaration",
            "syntax.global_late",
            (3, 12, 1),
        ),
    ] {
        let line = place.0;
        let found = told(source, "SyntaxError", message, Some(line));
        assert_eq!(found.rule, rule);
        assert_eq!(found.place.map(|place| (place.line, place.column, place.width)), Some(place));
    }
}

#[test]
fn indentation_is_explained_by_the_lines_around() {
    for (source, message, line, rule, says) in [
        (
            "if x:\na()\n",
            "expected an indented block after 'if' statement on line 1",
            2,
            "indentation.missing_block",
            "block of `if` on line 1",
        ),
        ("x = 1\n    y = 2\n", "unexpected indent", 2, "indentation.unexpected", "Line 2 begins"),
        (
            "if x:\n      a()\n    b()\n",
            "unindent does not match any outer indentation level",
            3,
            "indentation.mismatch",
            "4 spaces",
        ),
    ] {
        let found = told(source, "IndentationError", message, Some(line));
        assert_eq!(found.rule, rule);
        assert!(found.what.contains(says), "{}", found.what);
    }
    let tabs = told(
        "if x:\n        a()\n\tb()\n",
        "TabError",
        "inconsistent use of tabs and spaces in indentation",
        Some(3),
    );
    assert!(tabs.rule == "indentation.tabs" && tabs.what.contains("1 tab"), "{}", tabs.what);
}

#[test]
fn a_message_without_a_program_is_explained() {
    let found = told("", "SyntaxError", "'return' outside function", Some(4));
    assert!(found.what.contains("`return` on line 4"), "{}", found.what);
    assert_eq!(told("", "SyntaxError", "'(' was never closed", Some(4)).rule, "syntax.unclosed");
}

/// Text that a hostile or unlucky student sends is answered within this time, unoptimised.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn long_and_deep_text_is_answered() {
    let long = 60 << 10;
    for source in [
        "(".repeat(10_000),
        ")".repeat(10_000),
        "[{(".repeat(3_000),
        format!("x = {}", "1 ".repeat(long / 2)),
        format!("x = {}", "a,, ".repeat(long / 4)),
        format!("if {}", "x = 3 and ".repeat(long / 10)),
        format!("x = f'{}'", "{'".repeat(long / 2)),
        format!("print({}", "'a' b, ".repeat(long / 7)),
        "if x\n".repeat(long / 5),
        "else:\n    x\n".repeat(long / 12),
        "'".repeat(long + 1),
        "“".repeat(long / 3),
        "def f(a=1, b".repeat(long / 12),
    ] {
        let start = Instant::now();
        advice_on(&source);
        assert!(start.elapsed() < PATIENCE, "{:?}: {}", start.elapsed(), &source[..12]);
    }
}
