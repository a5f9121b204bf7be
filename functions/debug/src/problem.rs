//! What identifies a problem, so that a student who comes back to it gets the next hint, and another problem begins with
//! the first.

use crate::diagnosis::Finding;
use sha2::{Digest as _, Sha256};

/// A hash of the program, the kind of mistake, and its place: what stays the same while a student works on it.
pub(crate) fn problem(finding: &Finding, code: &str, exercise: Option<&str>) -> Vec<u8> {
    let program = exercise.map_or_else(|| identity(code), str::to_owned);
    let (kind, place) = match finding.rule.as_str() {
        // The search for the place may find another one after each change: the problem is the test.
        rule if rule.starts_with("wrong_value") => ("wrong_value", finding.message.clone()),
        // Where the clock stopped is chance: the problem is the loop.
        rule if rule.starts_with("limit.") => {
            let loops = finding.line.map(|line| error_advice::loops_around(code, line));
            let outermost = loops.unwrap_or_default().pop();
            ("limit", outermost.map_or_else(String::new, |around| names(around.header)))
        }
        rule => {
            let line = finding.line.map(|line| error_advice::line(code, line)).unwrap_or_default();
            let place = if line.is_empty() { finding.message.clone() } else { names(line) };
            (rule, place)
        }
    };
    Sha256::digest(format!("{program}\n{kind}\n{place}")).to_vec()
}

/// What a program is, as far as that does not change while it is being mended: the first thing that it defines, else the
/// first name that gets a value, else the names of its first line.
fn identity(code: &str) -> String {
    let lines = || {
        code.lines().map(str::trim).filter(|line| {
            !["#", "import ", "from "].iter().any(|start| line.starts_with(start))
                && !line.is_empty()
        })
    };
    let defined = lines().find_map(|line| {
        let rest = line.strip_prefix("def ").or_else(|| line.strip_prefix("class "))?;
        error_advice::names(rest).next()
    });
    let given = || {
        lines().find_map(|line| {
            let (name, rest) = line.split_once('=')?;
            let name = name.trim_end();
            let is_name = error_advice::names(name).next() == Some(name);
            (is_name && !rest.starts_with('=')).then_some(name)
        })
    };
    match defined.or_else(given) {
        Some(name) => name.to_owned(),
        None => lines().next().map(names).unwrap_or_default(),
    }
}

/// The names in a line, which stay when its numbers and operators are changed; of a line without names, its text.
fn names(line: &str) -> String {
    let names: Vec<&str> = error_advice::names(line).collect();
    if names.is_empty() { line.trim().to_owned() } else { names.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::problem;
    use crate::diagnosis::Finding;

    fn of(rule: &str, code: &str, line: Option<u32>) -> Vec<u8> {
        problem(&finding(rule, line, ""), code, None)
    }

    fn finding(rule: &str, line: Option<u32>, message: &str) -> Finding {
        Finding {
            rule: rule.to_owned(),
            kind: String::new(),
            message: message.to_owned(),
            line,
            place: None,
            what: String::new(),
            why: String::new(),
            next: String::new(),
            note: None,
        }
    }

    const INDEX: &str = "numbers = [1]\nprint(numbers[1])\n";

    #[test]
    fn it_stays_the_same_while_its_author_works_on_it() {
        let before = of("index_error", INDEX, Some(2));
        for (code, line) in [
            ("# mine\nnumbers = [1]\nprint(numbers[1])\n", 3),
            ("import math\nnumbers = [1]\nprint(numbers[2 - 1])\n", 3),
        ] {
            assert_eq!(of("index_error", code, Some(line)), before, "{code}");
        }
    }

    #[test]
    fn another_program_or_place_is_another_problem() {
        let before = of("index_error", INDEX, Some(2));
        let other = "names = [1]\nprint(numbers[1])\n";
        assert_ne!(of("index_error", other, Some(2)), before);
        assert_ne!(of("type_error", INDEX, Some(2)), before);
        assert_ne!(of("index_error", "numbers = [1]\nshow(numbers[1])\n", Some(2)), before);
        let silent = |code: &str| of("no_error", code, None);
        assert_ne!(silent("def area(r):\n    print(r)\n"), silent("def total(r):\n    print(r)\n"));
        assert_ne!(silent("print(1)"), silent("show(1)"));
        let reported = |message: &str| problem(&finding("unknown", None, message), "", None);
        assert_ne!(reported("bad magic number"), reported("no such table"));
        let [one, other] =
            [Some("1"), Some("2")].map(|id| problem(&finding("silent", None, ""), INDEX, id));
        assert_ne!(one, other);
    }

    #[test]
    fn an_endless_loop_is_the_same_wherever_the_clock_stopped() {
        let code = "n = 1\nwhile n > 0:\n    for i in range(3):\n        n += i\n    n += 1\n";
        let stopped: Vec<_> = (2..=5)
            .map(|line| of(["limit.for", "limit.while"][line as usize % 2], code, Some(line)))
            .collect();
        assert!(stopped.iter().all(|problem| *problem == stopped[0]));
        let two = format!("{code}m = 1\nwhile m < 9:\n    m -= 1\n");
        assert_ne!(of("limit.while", &two, Some(8)), stopped[0]);
    }

    #[test]
    fn a_wrong_result_is_the_same_problem_whatever_the_search_has_found() {
        let [one, other] = [("wrong_value.comparison", Some(2)), ("wrong_value", None)]
            .map(|(rule, line)| problem(&finding(rule, line, "f(1)"), INDEX, None));
        assert_eq!(one, other);
    }
}
