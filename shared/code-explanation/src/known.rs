//! What is known about a program, and the answer that is made of it.

use domain::level::Level;

use crate::{items::Item, notes::Notes, observed::Observed, outcome::Outcome, words::Words};

/// Most bytes of an answer: some screens.
const LONGEST: usize = 9_000;

/// An explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What is explained, in a few words.
    pub title: String,
    /// The explanation, in Markdown.
    pub text: String,
    /// The course's topics that it touches, by their slugs, most important first.
    pub topics: Vec<&'static str>,
}

/// What is known about a program.
pub(crate) struct Known<'a> {
    pub(crate) words: Words<'a>,
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) observed: Option<Observed<'a>>,
    /// What the run was like.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) level: Level,
    pub(crate) last_line: u32,
    pub(crate) lines: Vec<&'a str>,
}

/// Cuts a text at the end of a line.
pub(crate) fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let end = text[..end].rfind('\n').unwrap_or(end);
    format!("{}\n\nThere is more; ask about a single line to see what it does.", &text[..end])
}

impl<'a> Known<'a> {
    /// The text of a line, from 1.
    pub(crate) fn source(&self, line: u32) -> &'a str {
        let at = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        self.lines.get(at).copied().unwrap_or_default().trim()
    }

    /// What an item does, what was seen of it, and what a beginner may not know about it.
    pub(crate) fn sentence(&self, item: &Item<'_>, notes: &mut Notes) -> String {
        let mut text = format!("{}.", item.text);
        if let Some(seen) = self.observed.as_ref().and_then(|observed| observed.about(item)) {
            text.push_str(&format!(" {seen}."));
        }
        for note in notes.on(item, self.level) {
            text.push_str(&format!(" {note}"));
        }
        text
    }
}
