//! The answer: which part is explained, and with what.

use analysis::{Program, Unreadable};
use domain::{execution::ExecutionResult, level::Level};

use crate::{
    facts::Facts,
    items::{self, Item},
    message,
    names::Names,
    notes::Notes,
    observed::Observed,
    outcome::{self, Outcome},
    part,
    plan::Plan,
    question::Subject,
    topics, whole,
    words::Words,
};

/// Most bytes of an answer: some screens.
const LONGEST: usize = 9_000;

/// A question about a program.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The program; empty for a question about an expression alone.
    pub code: &'a str,
    /// What is to be explained.
    pub subject: &'a Subject,
    /// For whom.
    pub level: Level,
}

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
    lines: Vec<&'a str>,
}

/// Explains a program or a part of it, with what a run of its plan has shown.
#[must_use]
pub fn explain(
    question: Question<'_>,
    plan: Option<&Plan>,
    run: Option<&ExecutionResult>,
) -> Explanation {
    let Question { code, subject, level } = question;
    let program = match Program::read(code) {
        Ok(program) => program,
        Err(Unreadable::Syntax { line, message }) => {
            return message::unreadable(code, line, &message);
        }
        Err(Unreadable::TooDeep) => return message::too_deep(),
    };
    if let (true, Subject::Expression(text)) = (code.trim().is_empty(), subject) {
        return part::expression_alone(text, level);
    }
    let names = Names::of(&program);
    let words = Words::new(&program, &names);
    let outcome = plan.zip(run).and_then(|(plan, run)| outcome::outcome(code, plan, run));
    let run = run.filter(|_| outcome.is_some());
    let facts = run.and_then(|run| Facts::read(run.trace.as_ref()?));
    let observed = facts.zip(run).map(|(facts, run)| Observed { facts, stdout: &run.stdout });
    let last_line = u32::try_from(code.trim_end().lines().count()).unwrap_or(u32::MAX);
    let (items, lines) = (items::items(words), code.lines().collect());
    let known = Known { words, items, observed, outcome, level, last_line, lines };
    let (title, text) = match subject {
        Subject::Program => ("Your program".to_owned(), whole::explain(&known)),
        Subject::Lines(first, last) => part::lines(&known, (*first, *last)),
        Subject::LastLine => part::lines(&known, (last_line, last_line)),
        Subject::Name(name) => part::name(&known, name),
        Subject::Statement(keyword) => part::statement(&known, keyword),
        Subject::Expression(text) => part::expression(&known, text),
    };
    Explanation { title, text: shortened(text), topics: topics::of(&known, subject) }
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
