//! Whether a program that is shown as help reveals an exercise's solution.

use analysis::Tokens;

use crate::exercise::Exercise;

/// The percentage of shared parts of the solution that is too much.
const MAX_PERCENT: usize = 35;
/// Programs with fewer tokens are too small to reveal much.
const MIN_TOKENS: usize = 12;
/// Tokens in a row that are no coincidence.
const MAX_RUN: usize = 15;
/// The percentage of shared parts at which two exercises are duplicates.
const DOUBLE_PERCENT: usize = 80;

/// Whether a program shows too much of the solution of an exercise. The starter code is no secret.
#[must_use]
pub fn reveals_solution(program: &str, exercise: &Exercise) -> bool {
    let (shown, starter) = (Tokens::of(program), Tokens::of(&exercise.starter));
    let solution = Tokens::of(&exercise.reference);
    if shown.len() < MIN_TOKENS {
        return false;
    }
    shown.percent_of(&solution, &starter) > MAX_PERCENT
        || shown.longest_run(&solution) >= MAX_RUN.max(starter.longest_run(&solution) + 1)
}

/// Whether two exercises have the same solution apart from names.
#[must_use]
pub fn same_as(one: &Exercise, other: &Exercise) -> bool {
    let (a, b) = (Tokens::of(&one.reference), Tokens::of(&other.reference));
    let nothing = Tokens::of("");
    a.percent_of(&b, &nothing) >= DOUBLE_PERCENT && b.percent_of(&a, &nothing) >= DOUBLE_PERCENT
}
