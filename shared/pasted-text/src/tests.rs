//! Pastes as students make them, and what must hold for any text.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::{
    Part, clean_code, damage, foreign_language, foreign_program, pieces, read_report, split,
};

/// Longer than any of them takes, and much shorter than what is quadratic.
const SOON: Duration = Duration::from_secs(60);

/// Checks which parts of a text, written one after the other, are found.
#[track_caller]
fn check(expected: &[(Part, &str)]) {
    let text: String = expected.iter().map(|(_, text)| *text).collect();
    let found: Vec<(Part, &str)> =
        pieces(&text).iter().map(|piece| (piece.part, piece.text)).collect();
    assert_eq!(found, expected);
}

#[test]
fn prose_behind_the_last_line_of_a_report_is_prose() {
    check(&[
        (Part::Code, "print(total)\n"),
        (Part::Report, "NameError: name 'total' is not defined"),
        (Part::Prose, " how can that be? I wrote it above"),
    ]);
    check(&[
        (Part::Prose, "It says "),
        (Part::Report, "KeyError: 'age'"),
        (Part::Prose, " but I have that key"),
    ]);
}

#[test]
fn a_message_ends_where_python_ends_it() {
    for (report, said) in [
        (
            "TypeError: f() missing 1 required positional argument: 'k'",
            " And from where should it come",
        ),
        (
            "SyntaxError: cannot assign to literal here. Maybe you meant '==' instead of '='?",
            " To me it is fine",
        ),
        ("ValueError: my own words", " how can I get rid of it"),
    ] {
        check(&[(Part::Report, report), (Part::Prose, said)]);
    }
}

#[test]
fn a_string_that_never_ends_does_not_swallow_the_report() {
    check(&[
        (
            Part::Report,
            "  File \"a.py\", line 1\n    text = \"\"\"Once\n           ^\nSyntaxError: unterminated triple-quoted string literal (detected at line 2)\n",
        ),
        (Part::Code, "text = \"\"\"Once\n"),
    ]);
}

#[test]
fn a_report_in_one_line_is_taken_out_of_its_sentence() {
    check(&[
        (Part::Prose, "Oh no "),
        (
            Part::Report,
            "Traceback (most recent call last): File \"a.py\", line 2, in <module> x[9] IndexError: list index out of range",
        ),
        (Part::Prose, " and now?"),
    ]);
}

#[test]
fn a_header_without_its_colon_is_code() {
    for header in
        ["for i in range(4)", "if x == 3", "while n < 10", "def area(w, h)", "for c in \"abc\""]
    {
        check(&[(Part::Code, &format!("{header}\n")), (Part::Prose, "what is missing there")]);
        check(&[(Part::Code, header)]);
    }
}

#[test]
fn code_inside_a_sentence_is_found() {
    check(&[
        (Part::Prose, "why does "),
        (Part::Inline, "grid = [[0]*3]*3"),
        (Part::Prose, " change every row"),
    ]);
    check(&[
        (Part::Prose, "is "),
        (Part::Mark, "`"),
        (Part::Inline, "xs[-1]"),
        (Part::Mark, "`"),
        (Part::Prose, " the last one"),
    ]);
}

#[test]
fn a_program_that_begins_in_a_sentence_is_whole() {
    let paste = split("here it is: a = 1\nb = 2\nprint(a + b)\nwhat is wrong");
    assert_eq!(paste.code, "a = 1\nb = 2\nprint(a + b)\n");
}

#[test]
fn sessions_keep_their_errors_and_lose_their_output() {
    check(&[
        (Part::Code, ">>> word = 'tea'\n>>> word\n"),
        (Part::Output, "'tea'\n"),
        (Part::Code, ">>> word[3]\n"),
        (
            Part::Report,
            "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nIndexError: string index out of range\n",
        ),
        (Part::Prose, "but it has three letters"),
    ]);
}

#[test]
fn a_notebook_is_taken_apart() {
    check(&[
        (Part::Code, "In [1]: n = '4'\n\nIn [2]: n + 1\n"),
        (
            Part::Report,
            "--------------------------------------------\nTypeError          Traceback (most recent call last)\n\
             Cell In[2], line 1\n----> 1 n + 1\n\nTypeError: can only concatenate str (not \"int\") to str\n",
        ),
    ]);
    check(&[(Part::Code, "In [1]: 3 * 4\n"), (Part::Output, "Out[1]: 12\n")]);
}

#[test]
fn terminals_and_editors_are_no_prose() {
    for command in [
        "$ python tea.py",
        "PS C:\\work> python tea.py",
        "ada@home:~$ python3 tea.py",
        "% python tea.py",
    ] {
        check(&[
            (Part::Command, &format!("{command}\n")),
            (Part::Output, "Milk? yes\n"),
            (Part::Report, "ValueError: no milk\n"),
            (Part::Prose, "why does it end there"),
        ]);
    }
    check(&[
        (Part::Command, "= RESTART: C:/tea.py =\n"),
        (Part::Output, "12\n"),
        (Part::Command, "Process finished with exit code 0"),
    ]);
}

#[test]
fn a_docstring_with_an_example_leaves_the_program_a_program() {
    let program = "def half(x):\n    \"\"\"Half of x.\n\n    >>> half(4)\n    2.0\n    \"\"\"\n    return x / 2\n";
    check(&[(Part::Code, program)]);
    assert_eq!(clean_code(program), program);
}

#[test]
fn programs_of_other_languages_are_set_aside() {
    check(&[
        (Part::Prose, "how is this in Python?\n"),
        (
            Part::Foreign("Java"),
            "int n = 3;\nwhile (n > 0) {\n    System.out.println(n);\n    n--;\n}\n",
        ),
    ]);
}

#[test]
fn damaged_code_is_code() {
    for program in [
        "f0r i in range(l0):\nprint(i)\n",
        "print(“hi”)\nname = ‘Ada’\n",
        "x ＝ 3\nprint（x）\n",
        "whi1e n > 0:\nn -= 1\n",
        "\u{202b}x = 3\nprint(x)\n",
        "\u{440}rint(3)\nx = 4\n",
    ] {
        check(&[(Part::Prose, "what is this\n"), (Part::Code, program)]);
    }
}

#[test]
fn output_is_told_from_code_by_its_introduction() {
    check(&[
        (Part::Code, "print(2 * 3)\n\n"),
        (Part::Prose, "It prints:\n"),
        (Part::Output, "6\n"),
        (Part::Prose, "I want 5"),
    ]);
}

#[test]
fn a_report_is_read_out_of_any_words() {
    for (text, class) in [
        ("my list object is not callable, why", Some("TypeError")),
        ("it keeps saying list index out of range", Some("IndexError")),
        ("I don't know what invalid literal for int() is", Some("ValueError")),
        ("int object is not iterable :(", Some("TypeError")),
        ("what is an index", None),
    ] {
        let found = read_report(text);
        assert_eq!(found.map(|report| report.error_type).as_deref(), class, "{text}");
    }
}

/// Everything that is done with a paste.
fn read_all(text: &str) {
    let whole: String = pieces(text).iter().map(|piece| piece.text).collect();
    assert_eq!(whole, text);
    let paste = split(text);
    let _ = (read_report(text), foreign_language(text), foreign_program(text));
    let _ = (clean_code(text), clean_code(&paste.code), damage(text));
}

#[test]
fn long_lines_and_many_brackets_are_read_soon() {
    const LONG: usize = 64 << 10;
    let begun = Instant::now();
    let parts = [
        "(",
        "[",
        ")",
        "'",
        "\"",
        "`",
        "``` ",
        "\"\"\"",
        "'''a",
        "a=",
        "a ",
        "a.",
        "f(",
        "f() and ",
        "x, ",
        "not ",
        "1",
        "#",
        ">>> ",
        "... ",
        "In [",
        "NameError: ",
        "File \"",
        "a: ",
        "for i in ",
        "if x: ",
        "字",
        "０",
        "ａ",
        "＝",
        "🤖",
        "\u{202e}",
        "-",
        "~",
        "{;",
        "x = 1 why ",
        "'a' ",
        "\\",
        "is not defined ",
    ];
    for part in parts {
        read_all(&part.repeat(LONG / part.len()));
        let lines = format!("{part}\n");
        read_all(&lines.repeat(10_000 / lines.len()));
    }
    read_all(&"[".repeat(10_000));
    read_all(&format!("x = {}{}", "(".repeat(10_000), ")".repeat(10_000)));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// Lines of all kinds in any order.
fn mixed() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "\\PC{0,40}",
        "[ａ-ｚ０-９（）＝：“”‘’´…。、字é\u{440}\u{5d0}\u{200b}\u{202e}🤖 a1=(]{0,20}",
        "[a-z '\"`=\\[\\](){}.,:;#+*/<>!?0-9]{0,30}",
        prop::sample::select(vec![
            "def f(x):",
            "    return x",
            "why is that?",
            ">>> f(1)",
            "... ",
            "1",
            "Traceback (most recent call last):",
            "  File \"a.py\", line 1",
            "NameError: name 'x' is not defined",
            "```",
            "```python",
            "`x",
            "\"\"\"",
            "'''",
            "In [1]: x",
            "Out[1]: 3",
            "$ python a.py",
            "x = 1 what",
            "",
            "    ",
            "\u{202e}x = 1",
            "it prints:",
            "{",
            "int x = 1;",
        ])
        .prop_map(str::to_owned),
    ];
    let end = prop::sample::select(vec!["\n", "\r\n", " ", "", "\n\n"]);
    prop::collection::vec((line, end), 0..12)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

proptest! {
    #[test]
    fn what_is_split_can_be_put_together_again(text in mixed()) {
        read_all(&text);
    }

    #[test]
    fn nothing_is_in_two_parts(text in mixed()) {
        let paste = split(&text);
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let cell = pieces(&text).iter().all(|piece| piece.part != Part::Code);
        let code = if cell { 0 } else { letters(&paste.code) };
        prop_assert!(letters(&paste.prose) + code + letters(&paste.report) <= letters(&text));
    }

    #[test]
    fn cleaned_code_stays_as_it_is(text in mixed()) {
        let once = clean_code(&text);
        prop_assert_eq!(clean_code(&once).len() <= once.len(), true);
    }
}
