//! A code review: mistakes that Python does not report, bad habits, and matters of style. Reports only what is certain.

pub mod cases;
mod expressions;
mod finding;
mod flow;
mod loops;
mod names;
mod praise;
mod rewrite;
mod rules;
mod score;
mod tree;

use crate::{Program, Unreadable};

use finding::Findings;

pub use finding::Finding;
pub use rewrite::{Rewrite, rewrite};
pub use rules::{RULES, Rule, Severity};
pub use score::Deduction;

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The findings, the most severe first, then from top to bottom.
    pub findings: Vec<Finding>,
    /// 0 to 100; none for programs of fewer than three statements.
    pub score: Option<u8>,
    /// The largest deductions from 100, at most three.
    pub deductions: Vec<Deduction>,
    /// One thing that is done well.
    pub praise: &'static str,
}

/// Reviews a program.
#[must_use]
pub fn review(source: &str) -> Review {
    let program = match Program::read(source) {
        Ok(program) => program,
        Err(error) => return unreadable(source, &error),
    };
    let mut findings = Findings { program: &program, found: Vec::new() };
    names::check(&mut findings);
    flow::check(&mut findings);
    expressions::check(&mut findings);
    loops::check(&mut findings);
    let mut findings = findings.found;
    findings.sort_by_key(|finding| (finding.rule.severity, finding.line));
    findings.dedup();
    let statements = tree::count_statements(program.body());
    let (score, deductions) = score::score(&findings, statements);
    Review { score, deductions, praise: praise::praise(&program, &findings), findings }
}

fn unreadable(source: &str, error: &Unreadable) -> Review {
    let (line, message) = match error {
        Unreadable::Syntax { line, message } => {
            (*line, format!("Python cannot read line {line}: {message}."))
        }
        Unreadable::TooDeep => (1, "A statement is nested too deeply to be read.".to_owned()),
    };
    let findings = vec![Finding { rule: rules::rule("syntax"), line, message }];
    let lines = source.lines().filter(|line| !line.trim().is_empty()).count();
    let (score, deductions) = score::score(&findings, lines);
    let score = score.map(score::of_unreadable);
    Review { findings, score, deductions, praise: "You ask before you go on, which saves time." }
}

#[cfg(test)]
mod tests;
