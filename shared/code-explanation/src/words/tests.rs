//! Expressions and calls in words.

use analysis::Program;

use super::Words;
use crate::names::Names;

fn value(text: &str) -> String {
    let program = Program::read(text).expect("it is Python");
    let names = Names::of(&program);
    let statement = program.body().last().and_then(|stmt| stmt.as_expr_stmt()).unwrap();
    Words::new(&program, &names).value(&statement.value)
}

#[test]
fn expressions_are_put_in_words() {
    for (text, words) in [
        ("len(x)", "the length of `x`"),
        ("int(input('n? '))", "what the user types after the text `'n? '` as a whole number"),
        ("x[::-1]", "`x` from back to front"),
        ("x[:3]", "the first 3 of `x`"),
        ("', '.join(names)", "the texts of `names` in one text, with `', '` between them"),
        (
            "[n * n for n in range(9) if n % 2 == 0]",
            "a list of `n * n` for each `n` in the whole numbers from 0 up to, but not including, `9`, if `n` divided by `2` leaves nothing over (`n % 2`)",
        ),
        ("a < b and c in d", "`True` or `False`: whether `a` is less than `b` and `c` is in `d`"),
        (
            "all(x > 0 for x in xs)",
            "`True` if, for every `x` in `xs`, `x` is greater than `0`; otherwise `False`",
        ),
        ("sum(n * 2 for n in ns)", "the sum of `n * 2` for each `n` in `ns`"),
        (
            "lambda a: a + 1",
            "a small function without a name that takes `a` and gives back `a + 1`",
        ),
        ("d.get(k, '{o}')", "the value of `k` in `d` (`'{o}'` if it is not there)"),
    ] {
        assert_eq!(value(text), words, "{text}");
    }
}

#[test]
fn a_name_that_the_program_has_taken_is_not_pythons() {
    assert_eq!(value("def len(x): return 3\nlen(x)"), "what `len(x)` gives back");
    assert_eq!(value("import os\nos.remove('a')"), "the result of `os.remove('a')`");
}
