//! Advice for beginners on a test that could not begin, or that the program ended.

use domain::execution::{Advice, ExecutionError, LEAVES, NOT_TESTED, Verdict};

use crate::sandbox::Stage;

/// Most names of the program that are listed.
const MAX_NAMES: usize = 5;
/// Most characters of a name.
const MAX_NAME: usize = 60;

/// The advice, if there is more to say than the exception does; `error` ended a test with a call.
pub(crate) fn of_test(
    stage: Stage,
    verdict: Verdict,
    error: &ExecutionError,
    source: &str,
    stdin: &str,
) -> Option<Advice> {
    match (stage, error.kind.as_str()) {
        (Stage::Program, "EOFError") if stdin.is_empty() => Some(reads_input(error.line)),
        (Stage::Program, _)
            if verdict == Verdict::Error
                && stdin.is_empty()
                && reads_arguments_or_stdin(source) =>
        {
            Some(reads_input(error.line))
        }
        (Stage::Call { .. }, "SystemExit") => Some(leaves(error.line)),
        // In no line of the program, so the call names something that does not exist.
        (Stage::Call { left }, "NameError") if error.line.is_none() => {
            let name = error.message.split('\'').nth(1)?;
            Some(missing(name, source, left))
        }
        _ => None,
    }
}

/// The program's functions could not be tested at all.
fn not_tested(rule: &str, what: String, why: &str, hint: impl Into<String>) -> Advice {
    Advice { rule: format!("{NOT_TESTED}{rule}"), what, why: why.to_owned(), hint: hint.into() }
}

fn place(line: Option<u32>) -> String {
    line.map(|line| format!(" on line {line}")).unwrap_or_default()
}

fn reads_input(line: Option<u32>) -> Advice {
    not_tested(
        "reads_input",
        format!(
            "Your program asks for input{} before its functions can be tested, and nobody is there to type.",
            place(line)
        ),
        "To test a function, the file is imported first, and then every line runs that is not inside a function.",
        "Does the function get its values as parameters, or does it have to ask? Lines that \
         only try it out can go below `if __name__ == \"__main__\":`: they are skipped when the file is imported.",
    )
}

/// Whether lines outside of functions read what an import does not get: arguments, or standard input without `input`,
/// whose end is an empty string and no exception.
fn reads_arguments_or_stdin(source: &str) -> bool {
    let top = source.lines().filter(|line| !line.starts_with([' ', '\t', '#']));
    top.into_iter().any(|line| line.contains("stdin") || line.contains("argv"))
}

fn leaves(line: Option<u32>) -> Advice {
    Advice {
        rule: LEAVES.to_owned(),
        what: format!(
            "The function ends the whole program{} instead of returning a value.",
            place(line)
        ),
        why: "`exit`, `quit` and `sys.exit` stop everything, so the caller of the function gets nothing."
            .to_owned(),
        hint: "Which value should the call give at this place? `return` hands it back, and the program goes on."
            .to_owned(),
    }
}

/// `left`: the program has ended itself before its last line.
fn missing(name: &str, source: &str, left: bool) -> Advice {
    const WHY: &str =
        "The tests call it by the name that the task gives it, and capital letters matter.";
    const COMPARE: &str = "Compare the name letter by letter with the one in the task.";
    let is_class = name.starts_with(char::is_uppercase);
    let kind = if is_class { "class" } else { "function" };
    let all: Vec<Definition<'_>> = definitions(source).collect();
    let shown = short(name);
    if let Some(own) = all.iter().find(|own| own.name == name) {
        let line = own.line;
        return if own.is_inside {
            not_tested(
                "inside",
                format!(
                    "`{shown}` is defined on line {line}, but inside something else, so the tests cannot call it."
                ),
                "What is defined inside a function or a class can only be used there, and what is defined inside \
                 an `if` exists only if those lines run.",
                format!("How far is line {line} indented, and does it have to be?"),
            )
        } else if left {
            not_tested(
                "left",
                format!("Your program ends itself before line {line}, where `{shown}` is defined."),
                "`exit`, `quit` and `sys.exit` stop everything: no line below them runs.",
                "Which line ends the program, and does it have to come before the definition?",
            )
        } else {
            let what = format!(
                "`{shown}` is defined on line {line}, but it is gone when the tests call it."
            );
            not_tested(
                "gone",
                what,
                WHY,
                "Which line deletes it, or is the line of its `def` never reached?",
            )
        };
    }
    let alike = all.iter().filter(|own| !own.is_inside && own.is_class == is_class);
    let names: Vec<String> =
        alike.take(MAX_NAMES).map(|own| format!("`{}`", short(own.name))).collect();
    let what = match names.as_slice() {
        [] => format!("There is no {kind} `{shown}` in your program."),
        [only] => format!("There is no {kind} `{shown}`; yours is called {only}."),
        _ => format!("There is no {kind} `{shown}`; yours are called {}.", names.join(", ")),
    };
    not_tested("missing", what, WHY, COMPARE)
}

struct Definition<'s> {
    name: &'s str,
    line: usize,
    is_class: bool,
    is_inside: bool,
}

/// The functions and classes of a program, found line by line without parsing.
fn definitions(source: &str) -> impl Iterator<Item = Definition<'_>> {
    (1..).zip(source.lines()).filter_map(|(line, text)| {
        let begun = text.trim_start();
        let is_inside = begun.len() < text.len();
        let plain = begun.strip_prefix("async ").map_or(begun, str::trim_start);
        let (is_class, rest) = match plain.strip_prefix("class ") {
            Some(rest) => (true, rest),
            None => (false, plain.strip_prefix("def ")?),
        };
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest.get(..end).filter(|name| !name.is_empty())?;
        Some(Definition { name, line, is_class, is_inside })
    })
}

fn short(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn advice_on_a_missing_function_names_the_existing_ones() {
        for (source, left, expected) in [
            ("def x(a): pass", false, "There is no function `ends`; yours is called `x`."),
            ("class Ends: pass", false, "There is no function `ends` in your program."),
            ("", false, "There is no function `ends` in your program."),
            (
                "def a(): pass\nasync def b(): pass",
                false,
                "There is no function `ends`; yours are called `a`, `b`.",
            ),
            (
                "class A:\n    def ends(self): pass",
                false,
                "`ends` is defined on line 2, but inside something else, so the tests cannot call it.",
            ),
            (
                "exit()\ndef ends(): pass",
                true,
                "Your program ends itself before line 2, where `ends` is defined.",
            ),
        ] {
            assert_eq!(missing("ends", source, left).what, expected, "{source}");
        }
        let class = missing("Dog", "class dog: pass\ndef Dogs(): pass", false);
        assert_eq!(class.what, "There is no class `Dog`; yours is called `dog`.");
        let long = missing("f", &format!("def {}(): pass", "x".repeat(10_000)), false);
        assert!(long.what.len() < 200);
    }
}
