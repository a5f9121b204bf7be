//! A vector for each piece of the vocabulary: their mean says what a text is about. Less than the encoder knows, in a
//! part of the time, which suits what is compared with thousands of sentences.

use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

use crate::{
    matrix::dot,
    weights::{Reader, Rows},
    wordpiece,
};

static FILE: &[u8] = include_bytes!("../weights/words.bin");

/// Numbers of a vector.
pub(crate) const WIDTH: usize = 128;

static WORDS: LazyLock<Rows> = LazyLock::new(|| {
    let mut from = Reader(FILE);
    assert_eq!(from.take(4), b"LFW1", "the file of vectors is of another kind");
    let [pieces, width] = std::array::from_fn(|_| from.count());
    assert_eq!(
        (pieces, width),
        (wordpiece::pieces(), WIDTH),
        "the vectors are of another vocabulary"
    );
    from.rows(pieces, width)
});

/// What a text is about, with length 1; all zero for a text without known words.
pub(crate) fn about(text: &str) -> Vector {
    let mut sum = [0.0; WIDTH];
    for id in wordpiece::cut(text) {
        sum.iter_mut().zip(WORDS.row(id)).for_each(|(to, number)| *to += number);
    }
    normalise(&mut sum);
    sum
}

/// Gives a vector the length 1, unless it is zero.
pub(crate) fn normalise(vector: &mut Vector) {
    let length = nearness(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    }
}

/// How near two texts are, up to 1.
fn nearness(one: &Vector, other: &Vector) -> f32 {
    dot(one, other)
}

/// How near each of many texts is to one, up to 1.
pub(crate) fn nearness_of_all(all: &[Vector], one: &Vector) -> Vec<f32> {
    Arch::new().dispatch(NearnessOfAll { all, one })
}

/// The comparison of many texts with one, compiled for each set of vector instructions.
struct NearnessOfAll<'a> {
    all: &'a [Vector],
    one: &'a Vector,
}

impl WithSimd for NearnessOfAll<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f32> {
        let mut nearness = vec![0.0; self.all.len()];
        // No closure: it would be compiled for the instructions that every processor has.
        for (nearness, of) in nearness.iter_mut().zip(self.all) {
            *nearness = dot(of, self.one);
        }
        nearness
    }
}

/// A vector.
pub(crate) type Vector = [f32; WIDTH];

#[cfg(test)]
mod tests {
    use super::{about, nearness, nearness_of_all};

    #[test]
    fn texts_about_the_same_are_near_each_other() {
        let near = |one: &str, other: &str| nearness(&about(one), &about(other));
        let same = near("put the names in alphabetical order", "how do I sort a list?");
        let other = near("put the names in alphabetical order", "what is a while loop?");
        assert!(same > other + 0.1, "{same} {other}");
    }

    #[test]
    fn many_texts_are_compared_as_each_alone() {
        let texts = ["", "how do I sort a list?", "what is a while loop?"].map(about);
        let near = nearness_of_all(&texts, &texts[1]);
        for (near, text) in near.iter().zip(&texts) {
            assert!((near - nearness(text, &texts[1])).abs() < 1e-6, "{near}");
        }
    }
}
