//! Whether a program that is shown as help gives an exercise's solution away.

use analysis::Tokens;

use crate::exercise::Exercise;

/// Shared parts of the solution, in a hundred, that are too much.
const MAX_PERCENT: usize = 35;
/// Tokens below which a program is too small to give much away.
const MIN_TOKENS: usize = 12;
/// Tokens in a row that are no coincidence.
const MAX_RUN: usize = 15;
/// Shared parts, in a hundred, that make one exercise another one's double.
const DOUBLE_PERCENT: usize = 80;

/// Whether a program shows too much of the solution of an exercise. What the student begins with is no secret.
#[must_use]
pub fn gives_away(program: &str, exercise: &Exercise) -> bool {
    let (shown, starter) = (Tokens::of(program), Tokens::of(&exercise.starter));
    let solution = Tokens::of(&exercise.reference);
    if shown.len() < MIN_TOKENS {
        return false;
    }
    shown.percent_of(&solution, &starter) > MAX_PERCENT
        || shown.longest_run(&solution) >= MAX_RUN.max(starter.longest_run(&solution) + 1)
}

/// Whether two exercises have the same solution in other names.
#[must_use]
pub fn same_as(one: &Exercise, other: &Exercise) -> bool {
    let (a, b) = (Tokens::of(&one.reference), Tokens::of(&other.reference));
    let nothing = Tokens::of("");
    a.percent_of(&b, &nothing) >= DOUBLE_PERCENT && b.percent_of(&a, &nothing) >= DOUBLE_PERCENT
}
