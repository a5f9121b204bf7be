//! A text that is not Python, the statements around its first mistake, and the trial of a repair.

use std::{cell::Cell, ops::Range};

use super::token::{Kind, Token, tokens};
use crate::failure::{Advice, Place};

/// The most repairs that the parser tries for one text: each reads all of it, and a text may have 64 KB.
const MAX_TRIES: usize = 40;
/// The most words of a statement that are looked at: a longer one is data, and each check reads them all.
const MAX_WORDS: usize = 2_000;

/// Text to put in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) at: Range<usize>,
    pub(super) with: String,
}

impl Edit {
    pub(super) fn insert(at: usize, with: &str) -> Self {
        Self { at: at..at, with: with.to_owned() }
    }

    pub(super) fn replace(token: &Token<'_>, with: &str) -> Self {
        Self { at: token.start..token.end(), with: with.to_owned() }
    }

    pub(super) fn delete(at: Range<usize>) -> Self {
        Self { at, with: String::new() }
    }
}

/// A cause that was found: where it is, and how the text would be without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) advice: Advice,
    /// In bytes.
    pub(super) at: Range<usize>,
    /// Empty if it is certain without a trial, or if only the author knows what was meant.
    pub(super) repair: Vec<Edit>,
}

impl Fault {
    /// A cause that is certain without a trial.
    pub(super) fn new(
        rule: &'static str,
        at: Range<usize>,
        what: impl Into<String>,
        why: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let advice =
            Advice { rule, what: what.into(), why: why.into(), hint: hint.into(), place: None };
        Self { advice, at, repair: Vec::new() }
    }

    /// A cause that is one only if the parser comes further with this repair.
    pub(super) fn if_helps(mut self, case: &Case<'_>, repair: Vec<Edit>) -> Option<Self> {
        let helps = case.helps(&repair);
        self.repair = repair;
        helps.then_some(self)
    }

    /// A certain cause, and how the text may go on without it.
    pub(super) fn repaired(mut self, repair: Vec<Edit>) -> Self {
        self.repair = repair;
        self
    }
}

/// A text and what is known about its mistake.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) source: &'a str,
    pub(super) message: &'a str,
    pub(super) tokens: Vec<Token<'a>>,
    /// Where each statement's words are.
    pub(super) statements: Vec<Range<usize>>,
    /// The first byte that the parser cannot read; `None` if it reads everything.
    pub(super) error: Option<usize>,
    /// Python's line.
    line: Option<u32>,
    line_starts: Vec<usize>,
    tries: Cell<usize>,
}

impl<'a> Case<'a> {
    pub(super) fn new(source: &'a str, line: Option<u32>, message: &'a str) -> Self {
        let tokens = tokens(source);
        let statements = statements(&tokens, source);
        let breaks = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self {
            source,
            message,
            statements,
            tokens,
            error: analysis::first_error(source),
            line,
            line_starts,
            tries: Cell::new(0),
        }
    }

    /// The line of a byte, from 1.
    pub(super) fn line_of(&self, at: usize) -> u32 {
        u32::try_from(self.line_starts.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }

    /// "line 3"
    pub(super) fn on(&self, at: usize) -> String {
        format!("line {}", self.line_of(at))
    }

    pub(super) fn place(&self, at: &Range<usize>) -> Place {
        let line = self.line_of(at.start);
        let start = self.line_starts.get(line as usize - 1).copied().unwrap_or_default();
        let before = self.source.get(start..at.start).unwrap_or_default();
        let marked = self.source.get(at.clone()).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default();
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        Place { line, column: count(before) + 1, width: count(marked).max(1) }
    }

    /// The text from the beginning of a line, without its end.
    pub(super) fn line_text(&self, line: u32) -> &'a str {
        let start = (line as usize).checked_sub(1).and_then(|index| self.line_starts.get(index));
        let rest = start.and_then(|start| self.source.get(*start..)).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }

    /// The indentation of a line.
    pub(super) fn indent(&self, line: u32) -> &'a str {
        let text = self.line_text(line);
        &text[..text.len() - text.trim_start_matches([' ', '\t', '\u{c}']).len()]
    }

    pub(super) fn words(&self, statement: usize) -> &[Token<'a>] {
        let range = self.statements.get(statement).cloned().unwrap_or_default();
        let end = range.end.min(range.start + MAX_WORDS);
        self.tokens.get(range.start..end).unwrap_or_default()
    }

    /// The statements that the first mistake may be in, the likeliest first.
    pub(super) fn suspects(&self) -> Vec<usize> {
        let holding = |at: usize| {
            let after = self.statements.iter().position(|range| {
                self.tokens.get(range.start).is_some_and(|token| token.start > at)
            });
            after.unwrap_or(self.statements.len()).checked_sub(1)
        };
        let by_parser = self.error.and_then(holding);
        let by_python = self.line.and_then(|line| {
            self.statements.iter().position(|range| {
                let words = self.tokens.get(range.clone()).unwrap_or_default();
                let (first, last) = (words.first(), words.last());
                first.is_some_and(|first| first.line <= line)
                    && last.is_some_and(|last| last.last_line() >= line)
            })
        });
        let before = by_parser.and_then(|statement| statement.checked_sub(1));
        // A bracket or a quote that stays open makes what follows look wrong.
        let open = before.filter(|statement| is_open(self.words(*statement)));
        let mut found: Vec<usize> = Vec::new();
        for statement in [open, by_parser, by_python, before].into_iter().flatten() {
            if !found.contains(&statement) {
                found.push(statement);
            }
        }
        found
    }

    /// The text after a repair.
    pub(super) fn edited(&self, edits: &[Edit]) -> String {
        let mut text = self.source.to_owned();
        let mut edits: Vec<&Edit> = edits.iter().collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.at.start));
        for edit in edits {
            if text.get(edit.at.clone()).is_some() {
                text.replace_range(edit.at.clone(), &edit.with);
            }
        }
        text
    }

    /// Whether the parser comes further with a repair: past the place that it could not read, and past the repair.
    pub(super) fn helps(&self, edits: &[Edit]) -> bool {
        self.reach(edits).is_some()
    }

    /// How far the parser comes with a repair, if it comes further.
    pub(super) fn reach(&self, edits: &[Edit]) -> Option<usize> {
        let error = self.error.filter(|_| self.tries.get() < MAX_TRIES)?;
        self.tries.set(self.tries.get() + 1);
        let last = edits.iter().map(|edit| edit.at.end).max().unwrap_or_default();
        let added: usize = edits.iter().map(|edit| edit.with.len()).sum();
        let removed: usize = edits.iter().map(|edit| edit.at.len()).sum();
        let shifted = |at: usize| (at + added).saturating_sub(removed);
        match analysis::first_error(&self.edited(edits)) {
            None => Some(usize::MAX),
            Some(0) => None,
            Some(next) => (next > shifted(error) && next >= shifted(last)).then_some(next),
        }
    }
}

/// Whether a bracket or a string stays open.
pub(super) fn is_open(words: &[Token<'_>]) -> bool {
    let opened = words.iter().filter(|word| word.opens()).count();
    let closed = words.iter().filter(|word| word.closes()).count();
    opened > closed || words.iter().any(|word| !word.closed)
}

/// Words that only begin a statement.
const BEGINNERS: [&str; 17] = [
    "def", "class", "while", "try", "import", "return", "raise", "elif", "except", "finally",
    "pass", "break", "continue", "global", "nonlocal", "del", "assert",
];

/// Divides words into statements: a line each, or more if a bracket is open, unless the next line clearly begins anew.
fn statements(tokens: &[Token<'_>], source: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| tokens.get(index));
        if let Some(before) = before.filter(|before| before.last_line() < token.line) {
            let between = source.get(before.end()..token.start).unwrap_or_default();
            let goes_on = between.contains("\\\n") || between.contains("\\\r\n");
            let line = &tokens[index..];
            if (depth == 0 && !goes_on) || begins_anew(&tokens[start], before, line, source) {
                found.push(start..index);
                (start, depth) = (index, 0);
            }
        }
        depth = token.depth_after(depth);
    }
    if start < tokens.len() {
        found.push(start..tokens.len());
    }
    found
}

/// Whether a line inside of a bracket is another statement, so that the bracket was never closed.
fn begins_anew(first: &Token<'_>, before: &Token<'_>, line: &[Token<'_>], source: &str) -> bool {
    let Some(head) = line.first() else { return false };
    if head.kind == Kind::Keyword && BEGINNERS.contains(&head.text) {
        return true;
    }
    let same_line = line.iter().take(MAX_WORDS).take_while(|token| token.line == head.line);
    let is_block = head.is_one_of(&["if", "for", "with", "else", "async"])
        && !before.opens()
        && same_line.last().is_some_and(|last| last.is(":"));
    let column = |token: &Token<'_>| {
        let text = source.get(..token.start).unwrap_or_default();
        token.start - text.rfind('\n').map_or(0, |at| at + 1)
    };
    let is_assignment = head.kind == Kind::Name
        && line.get(1).is_some_and(Token::assigns)
        && !before.is_one_of(&["(", ",", "[", "{"]);
    is_block
        || ((is_assignment || (head.kind == Kind::Name && before.ends_value()))
            && column(head) <= column(first))
}
