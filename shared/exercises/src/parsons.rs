//! A solution in pieces, to be put into order: help for those who are stuck (a Parsons problem).
//!
//! With more failed attempts it gets easier, step by step: wrong lines among
//! the right ones, then only right ones, then with their indentation, then in three blocks.

use analysis::{Program, mutants::mutants};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::exercise::Exercise;

/// Failed attempts after which the pieces are available.
pub const MIN_FAILED: i64 = 3;
/// The number of wrong lines among the right ones.
const DISTRACTORS: usize = 2;
/// Blocks of the last step.
const LAST_BLOCKS: usize = 3;

/// A line, or several lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Block {
    /// Its name, which does not reveal its position.
    pub id: String,
    /// Its text; without indentation if the student is to find it.
    pub text: String,
}

/// A solution in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Parsons {
    /// The pieces, shuffled.
    pub blocks: Vec<Block>,
    /// How many of them do not belong to the solution.
    pub too_many: usize,
    /// Whether the pieces have their indentation.
    pub indented: bool,
}

/// The solution of an exercise in pieces, as easy as `failed` attempts ask for; the same `seed` gives the same
/// order.
#[must_use]
pub fn parsons(exercise: &Exercise, failed: i64, seed: u64) -> Parsons {
    let lines = exercise.reference.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<&str> = lines.collect();
    let step = failed - MIN_FAILED;
    let indented = step >= 2;
    let mut texts: Vec<String> = if step >= 3 {
        let size = lines.len().div_ceil(LAST_BLOCKS).max(1);
        lines.chunks(size).map(|block| block.join("\n")).collect()
    } else {
        lines.iter().map(|line| (*line).to_owned()).collect()
    };
    let mut too_many = 0;
    if step <= 0 {
        let wrong = distractors(&exercise.reference, &lines);
        too_many = wrong.len();
        texts.extend(wrong);
    }
    if !indented {
        texts = texts.iter().map(|text| text.trim().to_owned()).collect();
    }
    shuffle(&mut texts, seed);
    let blocks = texts.into_iter().enumerate();
    let blocks = blocks.map(|(number, text)| Block { id: format!("b{}", number + 1), text });
    Parsons { blocks: blocks.collect(), too_many, indented }
}

/// Lines of the solution with a small mistake in them.
fn distractors(reference: &str, lines: &[&str]) -> Vec<String> {
    let Ok(program) = Program::read(reference) else { return Vec::new() };
    let mut wrong: Vec<String> = Vec::new();
    for mutant in mutants(&program) {
        let at = usize::try_from(mutant.line).unwrap_or(1).saturating_sub(1);
        let Some(line) = mutant.source.lines().nth(at) else { continue };
        let is_new = !lines.contains(&line) && !wrong.iter().any(|known| known == line);
        if is_new && line.trim() != "pass" && wrong.len() < DISTRACTORS {
            wrong.push(line.to_owned());
        }
    }
    wrong
}

/// Fisher and Yates' shuffle with a linear congruential generator (Knuth's MMIX constants): a reproducible order, not
/// an unpredictable one.
fn shuffle(texts: &mut [String], mut seed: u64) {
    for last in (1..texts.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bound = u64::try_from(last + 1).unwrap_or(1);
        let other = usize::try_from((seed >> 33) % bound).unwrap_or_default();
        texts.swap(last, other);
    }
}
