//! The answer: which part is explained, and with what.

use analysis::{Program, Unreadable};
use domain::{execution::ExecutionResult, level::Level};

use crate::{
    facts::Facts,
    items,
    known::{Explanation, Known, shortened},
    message,
    names::Names,
    observed::Observed,
    outcome, part,
    plan::Plan,
    question::Subject,
    topics, whole,
    words::Words,
};

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
