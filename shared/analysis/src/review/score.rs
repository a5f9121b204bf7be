//! The quality score: `100 - 100 * (8 E + 3 A + 1 S) / (statements + 10)`, each rule counted at most three
//! times.

use super::{
    finding::Finding,
    rules::{Rule, Severity},
};

/// How often one rule counts at most.
const MAX_COUNT: usize = 3;
/// With fewer statements a score would be meaningless.
const MIN_STATEMENTS: usize = 3;
/// Deductions that are named.
const NAMED: usize = 3;

/// The deduction for a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deduction {
    /// The rule.
    pub rule: &'static Rule,
    /// How often it was found.
    pub count: usize,
    /// Points of 100. Those of all rules, also of those that are not named, add up to what the score lacks.
    pub points: u8,
}

pub(super) fn score(findings: &[Finding], statements: usize) -> (Option<u8>, Vec<Deduction>) {
    let mut counts: Vec<(&'static Rule, usize)> = Vec::new();
    for finding in findings {
        match counts.iter_mut().find(|(rule, _)| rule.name == finding.rule.name) {
            Some((_, count)) => *count += 1,
            None => counts.push((finding.rule, 1)),
        }
    }
    let cost = |rule: &Rule, count: usize| {
        let weight = match rule.severity {
            Severity::Error => 8,
            Severity::Advice => 3,
            Severity::Style => 1,
        };
        100 * weight * count.min(MAX_COUNT)
    };
    let divisor = statements + 10;
    let points =
        |cost: usize| u8::try_from(((cost + divisor / 2) / divisor).min(100)).unwrap_or(100);
    counts.sort_by_key(|(rule, count)| std::cmp::Reverse(cost(rule, *count)));
    // Each has what the rounded total grows by, so that they add up to it.
    let mut total = 0;
    let mut deductions = Vec::new();
    for (rule, count) in counts {
        let before = points(total);
        total += cost(rule, count);
        deductions.push(Deduction { rule, count, points: points(total) - before });
    }
    deductions.truncate(NAMED);
    let score = (statements >= MIN_STATEMENTS).then(|| 100 - points(total));
    (score, deductions)
}

/// A program that cannot be parsed gets three fifths of its score, for the one fault that is known.
pub(super) fn of_unreadable(score: u8, deductions: &mut [Deduction]) -> u8 {
    let score = score / 5 * 3;
    deductions.iter_mut().for_each(|only| only.points = 100 - score);
    score
}
