//! A code review: mistakes that Python does not report, bad habits, and matters of style. Reports only what is certain.

mod aliases;
mod area;
mod calls;
pub mod cases;
mod classes;
mod conditions;
mod effects;
mod expressions;
mod finding;
mod flow;
mod items;
mod iterations;
mod kind;
mod kinds;
mod literals;
mod loops;
mod misread;
mod names;
mod praise;
mod results;
mod rewrite;
mod rules;
mod score;
mod structure;
mod uncalled;

use std::collections::BTreeSet;

use crate::{Program, Unreadable, program, tree};

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
    let areas = area::areas(program.body());
    let functions = effects::Functions::of(&areas);
    names::check(&mut findings, &areas, &functions);
    flow::check(&mut findings);
    expressions::check(&mut findings, &areas);
    loops::check(&mut findings, &areas);
    structure::check(&mut findings, &areas);
    results::check(&mut findings, &areas, &functions);
    calls::check(&mut findings, &areas, &functions);
    uncalled::check(&mut findings, &areas, &functions);
    classes::check(&mut findings);
    conditions::check(&mut findings, &areas);
    items::check(&mut findings, &areas);
    iterations::check(&mut findings, &areas);
    aliases::check(&mut findings, &areas);
    kinds::check(&mut findings, &areas, &functions);
    literals::check(&mut findings, &areas);
    let mut findings = without_repetition(findings.found);
    findings.sort_by_key(|finding| (finding.rule.severity, finding.line));
    findings.dedup();
    let statements = tree::count_statements(program.body());
    let (score, deductions) = score::score(&findings, statements);
    Review { score, deductions, praise: praise::praise(&program, &findings), findings }
}

/// Findings that say the same as a more telling one on the same line.
const COVERED: &[(&str, &[&str])] = &[
    ("value_not_returned", &["no_effect", "unused_value", "missing_return"]),
    ("result_not_stored", &["unused_value"]),
    ("named_not_called", &["unused_value"]),
    ("overwritten_by_next_if", &["separate_ifs"]),
    ("never_equal", &["input_as_number"]),
    ("colon_for_equals", &["unused_variable"]),
    ("shared_rows", &["unused_variable"]),
    ("not_global", &["unused_variable"]),
    ("alias_changed", &["unused_variable"]),
    ("unreachable", &["unused_variable"]),
];

fn without_repetition(found: Vec<Finding>) -> Vec<Finding> {
    let lines: BTreeSet<(u32, &str)> =
        found.iter().map(|finding| (finding.line, finding.rule.name)).collect();
    let is_covered = |finding: &Finding| {
        COVERED.iter().any(|(telling, covered)| {
            covered.contains(&finding.rule.name) && lines.contains(&(finding.line, *telling))
        })
    };
    found.into_iter().filter(|finding| !is_covered(finding)).collect()
}

fn unreadable(source: &str, error: &Unreadable) -> Review {
    let (rule, line, message) = match error {
        Unreadable::Syntax { line, message } => match misread::cause(source) {
            Some((rule, place, message)) => (rule, program::line_at(source, place), message),
            None => ("syntax", *line, format!("Python cannot read line {line}: {message}.")),
        },
        Unreadable::TooDeep => {
            ("syntax", 1, "A statement is nested too deeply to be read.".to_owned())
        }
    };
    let findings = vec![Finding { rule: rules::rule(rule), line, message }];
    let lines = source.lines().filter(|line| !line.trim().is_empty()).count();
    let (score, mut deductions) = score::score(&findings, lines);
    let score = score.map(|score| score::of_unreadable(score, &mut deductions));
    Review { findings, score, deductions, praise: "You ask before you go on, which saves time." }
}

#[cfg(test)]
mod tests;
