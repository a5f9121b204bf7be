//! What happens to code on its way from a picture or a document: letters and digits that were misread, and indentation
//! that was lost.

use std::collections::HashMap;

use crate::token::{Kind, Token, keyword, tokens};

/// Most misread words that are named: the others are of the same kind.
const NAMED: usize = 3;
/// The longest word that is looked at: longer ones are no numbers and no names of Python.
const LONGEST: usize = 12;
/// Names of Python in which a letter looks like a digit.
const KNOWN: [&str; 10] =
    ["print", "input", "len", "int", "float", "list", "False", "None", "tuple", "split"];

/// Something that was probably damaged when code was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// A word in which a letter and a digit were probably confused.
    Misread {
        /// From 1.
        line: usize,
        /// As it stands there.
        word: String,
        /// What it may have been.
        meant: String,
    },
    /// Blocks begin, and no line of the program is indented.
    NoIndentation,
}

/// Finds what was probably damaged in a program.
#[must_use]
pub fn damage(code: &str) -> Vec<Damage> {
    let lines: Vec<(&str, Vec<Token>)> = code.lines().map(|line| (line, tokens(line))).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (line, tokens) in &lines {
        for token in tokens {
            *counts.entry(token.text(line)).or_default() += 1;
        }
    }
    let words = (1..).zip(&lines).flat_map(|(number, (line, tokens))| {
        tokens.iter().map(move |token| (number, token.kind, token.text(line)))
    });
    let misread = words.filter_map(|(line, kind, word)| {
        let is_word = matches!(kind, Kind::Name | Kind::Keyword | Kind::Number);
        // A name that is used again is its author's own.
        let is_own = kind != Kind::Keyword && counts.get(word).is_some_and(|count| *count > 1);
        let meant = meant(word).filter(|_| is_word && !is_own)?;
        Some(Damage::Misread { line, word: word.to_owned(), meant })
    });
    let mut found: Vec<Damage> = misread.take(NAMED).collect();
    if has_no_indentation(&lines) {
        found.push(Damage::NoIndentation);
    }
    found
}

/// What a word was before a letter or a digit in it was misread.
fn meant(word: &str) -> Option<String> {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit || word.len() < 2 || word.len() > LONGEST {
        return None;
    }
    if let Some(keyword) = keyword(word) {
        return Some(keyword.to_owned());
    }
    let letters = |one: &str| word.replace('0', "o").replace('1', one).replace('5', "s");
    let known = [letters("l"), letters("i")];
    if let Some(name) = known.into_iter().find(|name| KNOWN.contains(&name.as_str())) {
        return Some(name);
    }
    // `l1` is a name that people give to lists.
    let is_number = word.starts_with(|c: char| c.is_ascii_digit()) || word.starts_with("l0");
    let digits = word.replace(['l', 'I'], "1").replace(['o', 'O'], "0");
    let is_read = digits != word && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && is_read).then_some(digits)
}

fn has_no_indentation(lines: &[(&str, Vec<Token>)]) -> bool {
    let filled: Vec<_> = lines.iter().filter(|(_, tokens)| !tokens.is_empty()).collect();
    let opens_block = |(line, tokens): &(&str, Vec<Token>)| {
        let is_keyword = tokens.first().is_some_and(|first| keyword(first.text(line)).is_some());
        is_keyword && tokens.last().is_some_and(|last| last.kind == Kind::Colon)
    };
    let (before, _) = filled.split_at(filled.len().saturating_sub(1));
    filled.iter().all(|(line, _)| !line.starts_with([' ', '\t']))
        && before.iter().any(|line| opens_block(line))
}

#[cfg(test)]
mod tests {
    use super::{Damage, damage};

    fn misread(code: &str) -> Vec<(String, String)> {
        let found = damage(code).into_iter().filter_map(|damage| match damage {
            Damage::Misread { word, meant, .. } => Some((word, meant)),
            Damage::NoIndentation => None,
        });
        found.collect()
    }

    #[test]
    fn letters_and_digits_that_were_confused_are_named() {
        for (code, word, meant) in [
            ("f0r i in range(4):\n    print(i)\n", "f0r", "for"),
            ("for i in range(l0):\n    print(i)\n", "l0", "10"),
            ("pr1nt('hi')\n", "pr1nt", "print"),
            ("x = 1O\n", "1O", "10"),
        ] {
            assert_eq!(misread(code), [(word.to_owned(), meant.to_owned())], "{code}");
        }
    }

    #[test]
    fn names_with_digits_are_their_authors_own() {
        for code in [
            "l0 = 3\nprint(l0)\n",
            "list1 = [1]\n",
            "x1 = 0\n",
            "f1(2)\n",
            "print(l1)\n",
            "o0o = 3\n",
            "0b101\n",
            "1e5\n",
            "'f0r'\n",
        ] {
            assert_eq!(misread(code), [], "{code}");
        }
    }

    #[test]
    fn a_program_without_any_indentation_has_lost_it() {
        assert_eq!(damage("while x:\nx = f(x)\n"), [Damage::NoIndentation]);
        assert_eq!(damage("while x:\n    x = f(x)\n"), []);
        assert_eq!(damage("if x: y = 1\nprint(y)\n"), []);
        assert_eq!(damage("print(1)\nif x:\n"), []);
    }
}
