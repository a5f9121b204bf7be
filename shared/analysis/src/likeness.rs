//! How much of one program is in another, regardless of names.

use std::collections::BTreeSet;

use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;

use crate::Program;

/// Tokens in a shingle.
const SHINGLE: usize = 4;

/// A program's tokens, with every name of its own replaced by a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens(Vec<String>);

/// Names that say what a program does, whoever wrote it.
const TELLING: [&str; 34] = [
    "abs",
    "all",
    "any",
    "append",
    "bool",
    "count",
    "dict",
    "enumerate",
    "extend",
    "float",
    "get",
    "index",
    "input",
    "insert",
    "int",
    "isinstance",
    "items",
    "join",
    "keys",
    "len",
    "list",
    "max",
    "min",
    "open",
    "pop",
    "print",
    "range",
    "remove",
    "reversed",
    "round",
    "set",
    "sorted",
    "split",
    "sum",
];

impl Tokens {
    /// The tokens of a program; none if it is not Python.
    #[must_use]
    pub fn of(source: &str) -> Self {
        let Ok(program) = Program::read(source) else { return Self(Vec::new()) };
        let tokens = program.tokens().iter().filter_map(|token| {
            let text = program.text(token.range());
            match token.kind() {
                TokenKind::Comment | TokenKind::NonLogicalNewline | TokenKind::EndOfFile => None,
                TokenKind::Newline => Some(";".to_owned()),
                TokenKind::Indent => Some(">".to_owned()),
                TokenKind::Dedent => Some("<".to_owned()),
                TokenKind::Name if TELLING.contains(&text) => Some(text.to_owned()),
                TokenKind::Name => Some("name".to_owned()),
                TokenKind::String => Some("text".to_owned()),
                _ => Some(text.to_owned()),
            }
        });
        Self(tokens.collect())
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn shingles(&self) -> BTreeSet<&[String]> {
        self.0.windows(SHINGLE).collect()
    }

    /// The percentage of `other`'s shingles that are here, those of `known` left out.
    #[must_use]
    pub fn percent_of(&self, other: &Self, known: &Self) -> usize {
        let known = known.shingles();
        let wanted: BTreeSet<_> = other.shingles().difference(&known).copied().collect();
        let here = self.shingles();
        let shared = wanted.iter().filter(|shingle| here.contains(*shingle)).count();
        (shared * 100).checked_div(wanted.len()).unwrap_or_default()
    }

    /// The longest run of tokens that both have.
    #[must_use]
    pub fn longest_run(&self, other: &Self) -> usize {
        let mut longest = 0;
        let mut row = vec![0_usize; other.0.len() + 1];
        for token in &self.0 {
            // From the right, so that each cell still sees its left neighbour of the last row.
            for (at, theirs) in other.0.iter().enumerate().rev() {
                row[at + 1] = if token == theirs { row[at] + 1 } else { 0 };
                longest = longest.max(row[at + 1]);
            }
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    const SUM: &str = "def total(numbers):\n    result = 0\n    for number in numbers:\n        result += number\n    return result\n";
    const NONE: &str = "";

    #[test]
    fn renaming_does_not_change_likeness() {
        let renamed = SUM.replace("number", "price").replace("result", "x").replace("total", "f");
        let (one, other) = (Tokens::of(SUM), Tokens::of(&renamed));
        assert_eq!(one.percent_of(&other, &Tokens::of(NONE)), 100);
        assert_eq!(one.longest_run(&other), one.len());
    }

    #[test]
    fn a_new_program_replaces_the_old_one() {
        let other = Tokens::of(
            "while True:\n    line = input()\n    if not line:\n        break\n    print(line.upper())\n",
        );
        assert!(Tokens::of(SUM).percent_of(&other, &Tokens::of(NONE)) < 20);
        assert!(Tokens::of(SUM).longest_run(&other) < 6);
        assert!(Tokens::of("this is no program").is_empty());
    }

    #[test]
    fn starter_code_is_no_leak() {
        let starter = "def total(numbers):\n    pass\n";
        let known = Tokens::of(starter);
        assert!(Tokens::of(starter).percent_of(&Tokens::of(SUM), &known) < 10);
    }
}
