//! A vector for each piece of the vocabulary: their mean says what a text is about. Less than the encoder knows, in a
//! part of the time, which suits what is compared with thousands of sentences.

use std::sync::LazyLock;

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
pub(crate) fn nearness(one: &Vector, other: &Vector) -> f32 {
    dot(one, other)
}

/// A vector.
pub(crate) type Vector = [f32; WIDTH];

#[cfg(test)]
mod tests {
    use super::{about, nearness};

    #[test]
    fn texts_about_the_same_are_near_each_other() {
        let near = |one: &str, other: &str| nearness(&about(one), &about(other));
        let same = near("put the names in alphabetical order", "how do I sort a list?");
        let other = near("put the names in alphabetical order", "what is a while loop?");
        assert!(same > other + 0.1, "{same} {other}");
    }
}
