//! Reading a program's text.

use ruff_python_ast::{
    ModModule, Stmt,
    token::{TokenKind, Tokens},
};
use ruff_python_parser::{Mode, Parsed, lexer};
use ruff_text_size::{Ranged, TextSize};

/// The most operators, brackets and calls in one statement. Each may be a level of the tree, and trees are walked
/// recursively: 500 levels fit in any thread's stack, and nobody writes that many.
const STATEMENT_DEPTH: usize = 500;

/// A program and its tree.
#[derive(Debug)]
pub struct Program<'a> {
    source: &'a str,
    parsed: Parsed<ModModule>,
    line_starts: Vec<TextSize>,
}

/// Why a text cannot be read as a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not Python.
    #[error("line {line} is not Python: {message}")]
    Syntax {
        /// From 1.
        line: u32,
        /// The parser's message.
        message: String,
    },
    /// It is nested deeper than any person writes.
    #[error("a statement has more than {STATEMENT_DEPTH} operators and brackets")]
    TooDeep,
}

impl<'a> Program<'a> {
    /// Reads a program.
    ///
    /// # Errors
    /// It is not Python, or far too deep.
    pub fn read(source: &'a str) -> Result<Self, Unreadable> {
        let line_starts = line_starts(source);
        if is_too_deep(source) {
            return Err(Unreadable::TooDeep);
        }
        let parsed = ruff_python_parser::parse_module(source).map_err(|error| {
            let line = line_of(&line_starts, error.location.start());
            Unreadable::Syntax { line, message: error.error.to_string() }
        })?;
        Ok(Self { source, parsed, line_starts })
    }

    /// The program's text.
    #[must_use]
    pub const fn source(&self) -> &'a str {
        self.source
    }

    /// The statements, for who walks the tree itself.
    #[must_use]
    pub fn body(&self) -> &[Stmt] {
        &self.parsed.syntax().body
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        self.parsed.tokens()
    }

    /// Whether a name or a keyword occurs outside of strings and comments.
    #[must_use]
    pub fn mentions(&self, word: &str) -> bool {
        self.parsed.tokens().iter().any(|token| self.text(token.range()) == word)
    }

    /// The line on which something begins, from 1.
    #[must_use]
    pub fn line(&self, place: impl Ranged) -> u32 {
        line_of(&self.line_starts, place.start())
    }

    /// The line on which something ends, from 1.
    #[must_use]
    pub fn last_line(&self, place: impl Ranged) -> u32 {
        line_of(&self.line_starts, place.end())
    }

    /// The source text of a node.
    #[must_use]
    pub fn text(&self, place: impl Ranged) -> &'a str {
        &self.source[place.range()]
    }
}

/// The byte at which a text stops being Python, `None` if it is a program. For a text that is too deep to read, its
/// beginning.
#[must_use]
pub fn first_error(source: &str) -> Option<usize> {
    if is_too_deep(source) {
        return Some(0);
    }
    let error = ruff_python_parser::parse_module(source).err()?;
    Some(error.location.start().to_usize())
}

fn line_starts(source: &str) -> Vec<TextSize> {
    let breaks = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    let starts = breaks.filter_map(|(at, _)| TextSize::try_from(at + 1).ok());
    std::iter::once(TextSize::new(0)).chain(starts).collect()
}

fn line_of(starts: &[TextSize], offset: TextSize) -> u32 {
    u32::try_from(starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
}

/// The line on which something in a text begins, from 1.
pub(crate) fn line_at(source: &str, place: impl Ranged) -> u32 {
    line_of(&line_starts(source), place.start())
}

fn is_too_deep(source: &str) -> bool {
    let mut lexer = lexer::lex(source, Mode::Module);
    let mut depth = 0;
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return false,
            TokenKind::Newline => depth = 0,
            TokenKind::Comma | TokenKind::Colon => {}
            kind if kind.is_operator() || kind.is_keyword() => depth += 1,
            _ => {}
        }
        if depth > STATEMENT_DEPTH {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Program, Unreadable};

    #[test]
    fn a_line_that_is_not_python_is_named() {
        let Err(Unreadable::Syntax { line, .. }) = Program::read("x = 1\nif x\n    print(x)\n")
        else {
            panic!("it is not Python");
        };
        assert_eq!(line, 2);
    }

    #[test]
    fn words_in_texts_and_comments_are_not_mentioned() {
        let program =
            Program::read("for x in y:  # while\n    print('sum')\n").expect("it is Python");
        assert!(program.mentions("for") && program.mentions("print"));
        assert!(!program.mentions("while") && !program.mentions("sum"));
    }

    #[test]
    fn deeply_nested_text_is_refused_without_overflow() {
        for text in [
            "(".repeat(60_000),
            format!("x = {}1", "1+".repeat(30_000)),
            format!("x = {}", "-".repeat(60_000)),
            format!("x = {}", "not ".repeat(15_000)),
            format!("x{}", ".a".repeat(30_000)),
            format!("x = {}1", "lambda: ".repeat(8_000)),
        ] {
            assert!(Program::read(&text).is_err(), "{}", &text[..20]);
        }
        let nested: String = (0..3_000).map(|n| format!("{}if x:\n", " ".repeat(n))).collect();
        assert!(Program::read(&nested).is_err());
    }
}
