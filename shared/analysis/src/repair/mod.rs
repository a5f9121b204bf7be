//! Repair by search: all programs that differ from a student's by one small change of the kind that beginners need.
//!
//! Whoever runs them against what is known of the results finds a change that is proven to help. The change itself is
//! never shown: it says on which line the mistake is, and of which kind.

mod change;
mod classic;
mod expressions;
mod missing;
mod scope;
mod statements;
mod text;

use std::collections::HashSet;

use ruff_text_size::TextRange;

use crate::Program;

use change::Changes;

pub use change::{Change, Kind, Part};

/// Most changes of a program: more cannot be tried within a run's five seconds.
pub const MAX_CHANGES: usize = 1_500;
/// The longest program, in bytes, that is searched: a longer one has too many places.
const MAX_BYTES: usize = 8 << 10;

/// All changes of a part of a program that are worth a try, for common mistakes first.
///
/// At most [`MAX_CHANGES`], none for a program that is too long. `results` are Python texts of results that are expected
/// and do not come.
#[must_use]
pub fn changes(program: &Program<'_>, results: &[String], part: Part) -> Vec<Change> {
    if program.source().len() > MAX_BYTES {
        return Vec::new();
    }
    let mut changes = Changes { program, made: Vec::new() };
    statements::collect(&mut changes, results, part);
    expressions::collect(&mut changes, part);
    classic::collect(&mut changes, part);
    missing::collect(&mut changes, part);
    let mut seen = HashSet::new();
    let mut found: Vec<Change> = Vec::new();
    for (place, kind, mut edits) in changes.made {
        edits.sort_by_key(|(range, _)| range.start());
        let is_new = |(range, new): &(TextRange, String)| program.text(*range) != new;
        if edits.iter().any(is_new) && seen.insert(edits.clone()) {
            let bytes = |(range, new): (TextRange, String)| {
                (range.start().to_usize(), range.end().to_usize(), new)
            };
            let edits = edits.into_iter().map(bytes).collect();
            found.push(Change { line: program.line(place), kind, edits });
        }
    }
    found.sort_by_key(|change| change.kind.rareness());
    found.truncate(MAX_CHANGES);
    found
}

#[cfg(test)]
mod tests {
    use super::{Change, Kind, MAX_CHANGES, Part, changes};
    use crate::Program;

    fn applied(source: &str, change: &Change) -> String {
        let mut made = source.to_owned();
        for (start, end, new) in change.edits.iter().rev() {
            made.replace_range(*start..*end, new);
        }
        made
    }

    /// The kinds of the changes that make one program of another, with their lines.
    fn between(wrong: &str, right: &str, results: &[&str]) -> Vec<(u32, Kind)> {
        between_in(Part::Functions, wrong, right, results)
    }

    fn between_in(part: Part, wrong: &str, right: &str, results: &[&str]) -> Vec<(u32, Kind)> {
        let results: Vec<String> = results.iter().map(|result| (*result).to_owned()).collect();
        let made = changes(&Program::read(wrong).expect("it is Python"), &results, part);
        made.iter()
            .filter(|change| applied(wrong, change) == right)
            .map(|change| (change.line, change.kind))
            .collect()
    }

    #[test]
    fn a_small_mistake_is_mended_by_one_change() {
        let loop_over = "def f(a):\n    n = 0\n    for x in a:\n        n += x\n";
        for (wrong, right, line, kind) in [
            (
                "def f(n):\n    return n < 3\n",
                "def f(n):\n    return n <= 3\n",
                2,
                Kind::Comparison,
            ),
            ("def f(n):\n    return n - 3\n", "def f(n):\n    return n + 3\n", 2, Kind::Operator),
            ("def f(n):\n    return n + 3\n", "def f(n):\n    return n + 4\n", 2, Kind::Number),
            ("def f(n):\n    print(n)\n", "def f(n):\n    return n\n", 2, Kind::PrintForReturn),
            ("def f(a):\n    return a[n]\n", "def f(a):\n    return a[n - 1]\n", 2, Kind::OffByOne),
            (
                &format!("{loop_over}        return n\n"),
                &format!("{loop_over}    return n\n"),
                5,
                Kind::Indentation,
            ),
            (
                loop_over,
                &format!("{}\n    return n\n", loop_over.trim_end()),
                4,
                Kind::MissingReturn,
            ),
            (
                "def f(a):\n    for x in a:\n        a.remove(x)\n",
                "def f(a):\n    for x in list(a):\n        a.remove(x)\n",
                2,
                Kind::Alias,
            ),
            (
                "def f(a):\n    return a[0]\n",
                "def f(a):\n    if not a:\n        return None\n    return a[0]\n",
                2,
                Kind::EmptyCase,
            ),
            (
                "def f(count):\n    return cuont + cuont\n",
                "def f(count):\n    return count + count\n",
                2,
                Kind::Misspelt,
            ),
        ] {
            assert_eq!(between(wrong, right, &["None"]), [(line, kind)], "{wrong}");
        }
    }

    #[test]
    fn a_classic_mistake_is_mended_by_one_change() {
        let words = "def f(text):\n    n = 0\n    inside = False\n    for c in text:\n        if inside:\n            n += 1\n        inside = c != ' '\n";
        for (wrong, right, line, kind) in [
            ("    return a[-1:]\n", "    return a[::-1]\n", 2, Kind::Slice),
            (
                "    return list(range(9, -1))\n",
                "    return list(range(9, -1, -1))\n",
                2,
                Kind::OffByOne,
            ),
            ("    return sorted(a)\n", "    return sorted(set(a))\n", 2, Kind::Conversion),
            ("    return []\n", "    return [[]]\n", 2, Kind::ReturnValue),
            ("    return f(a)\n", "    return f(a[1:])\n", 2, Kind::OffByOne),
            ("    w = [1, 2, 3]\n", "    w = [3, 2, 1]\n", 2, Kind::Order),
            (
                "    b = a * 2\n    return b\n",
                "    b = a * 2\n    b = round(b)\n    return b\n",
                2,
                Kind::Conversion,
            ),
            (
                "    a.replace('x', 'y')\n    a.upper()\n    return a\n",
                "    a = a.replace('x', 'y')\n    a = a.upper()\n    return a\n",
                2,
                Kind::Result,
            ),
            (
                "    b = round(a)\n    if a > 5:\n        return 1\n    if a > 3:\n        return 2\n",
                "    b = round(a)\n    if b > 5:\n        return 1\n    if b > 3:\n        return 2\n",
                3,
                Kind::Name,
            ),
            (
                "    if a > 1 and b:\n        return 1\n    if b:\n        return 2\n",
                "    if a > 1 and b:\n        return 1\n    if (a > 1) and (b):\n        return 2\n",
                4,
                Kind::Logic,
            ),
        ] {
            let (wrong, right) =
                (format!("def f(a, b):\n{wrong}"), format!("def f(a, b):\n{right}"));
            assert!(between(&wrong, &right, &[]).contains(&(line, kind)), "{wrong}");
        }
        let right = format!("{words}    if inside:\n        n += 1\n");
        assert_eq!(between(words, &right, &[]), [(4, Kind::LastItem)]);
    }

    #[test]
    fn what_ends_a_program_too_late_is_mended_by_one_change() {
        for (wrong, right, line, kind) in [
            (
                "def f(a):\n    while True:\n        print(a.pop())\n",
                "def f(a):\n    while a:\n        print(a.pop())\n",
                2,
                Kind::Logic,
            ),
            (
                "def f(a, n):\n    if n < 0:\n        return 0\n",
                "def f(a, n):\n    if n < 0 or not a:\n        return 0\n",
                2,
                Kind::EmptyCase,
            ),
            (
                "def f(n):\n    return n.left + n.left.value + n.right.add()\n",
                "def f(n):\n    return n.left + n.right.value + n.right.add()\n",
                2,
                Kind::Name,
            ),
        ] {
            assert_eq!(between(wrong, right, &["None"]), [(line, kind)], "{wrong}");
        }
    }

    #[test]
    fn what_is_swapped_forgotten_or_one_too_few_is_mended_by_one_change() {
        let keeps = "    kept = []\n    for word in a:\n        if word == b:\n            print(word)\n        else:\n            b = word\n";
        for (wrong, right, line, kind) in [
            ("    return b + a\n", "    return a + b\n", 2, Kind::Operator),
            ("    return g(a, b, 3)\n", "    return g(a, 3, b)\n", 2, Kind::Name),
            ("    return f(a, b)\n", "    return f(a, b - 1)\n", 2, Kind::OffByOne),
            (
                "    b = a // 2\n    return b\n",
                "    b = a // 2 + 1\n    return b\n",
                2,
                Kind::OffByOne,
            ),
            ("    return any(a)\n", "    return all(a)\n", 2, Kind::Name),
            (
                "    return list(set(a))\n",
                "    return list(dict.fromkeys(a))\n",
                2,
                Kind::Conversion,
            ),
            ("    b ^= a\n    return b\n", "    b &= a\n    return b\n", 2, Kind::Operator),
            ("    return f(a, 1)\n", "    return b + (f(a, 1))\n", 2, Kind::ReturnValue),
            ("    return a ** b\n", "    return a ** 2\n", 2, Kind::Number),
            (
                &format!("{keeps}    return kept\n"),
                &format!("{}\n            kept.append(word)\n    return kept\n", keeps.trim_end()),
                7,
                Kind::MissingLine,
            ),
        ] {
            let (wrong, right) =
                (format!("def f(a, b):\n{wrong}"), format!("def f(a, b):\n{right}"));
            assert!(between(&wrong, &right, &[]).contains(&(line, kind)), "{wrong}");
        }
    }

    #[test]
    fn the_last_for_the_largest_a_loop_too_early_and_swapped_values_are_mended_by_one_change() {
        for (wrong, right, line, kind) in [
            (
                "    for x in a:\n        if x > 0:\n            b = x + 1\n",
                "    for x in a:\n        if x > 0:\n            b = max(b, x + 1)\n",
                4,
                Kind::Operator,
            ),
            (
                "    for x in a:\n        b = x\n",
                "    for x in a:\n        b = min(b, x)\n",
                3,
                Kind::Operator,
            ),
            (
                "    for x in a:\n        g(x)\n",
                "    for x in a[b:]:\n        g(x)\n",
                2,
                Kind::LoopOver,
            ),
            ("    return True\n", "    return not b\n", 2, Kind::ReturnValue),
            ("    return b[a, 1]\n", "    return b[1, a]\n", 2, Kind::Name),
        ] {
            let (wrong, right) =
                (format!("def f(a, b):\n{wrong}"), format!("def f(a, b):\n{right}"));
            assert!(between(&wrong, &right, &[]).contains(&(line, kind)), "{wrong}");
        }
    }

    #[test]
    fn lines_outside_of_functions_are_changed_where_the_whole_program_is_to_blame() {
        let wrong = "total = 0\nfor n in [1, 2]:\n    total = n\nprint(total)\n";
        let right = wrong.replace("total = n", "total += n");
        assert!(between_in(Part::Program, wrong, &right, &[]).contains(&(3, Kind::Operator)));
        assert_eq!(between_in(Part::Functions, wrong, &right, &[]), []);
    }

    #[test]
    fn the_number_of_changes_is_bounded() {
        let line = "    a = b + c - d * e\n";
        let long = format!("def f(a, b, c, d, e):\n{}", line.repeat(300));
        let program = Program::read(&long).expect("it is Python");
        assert_eq!(changes(&program, &[], Part::Program).len(), MAX_CHANGES);
        let longer = format!("def f(a, b, c, d, e):\n{}", line.repeat(500));
        let longer = Program::read(&longer).expect("it is Python");
        assert!(changes(&longer, &[], Part::Program).is_empty());
    }
}
