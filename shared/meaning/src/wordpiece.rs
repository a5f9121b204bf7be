//! Cuts text into pieces of a vocabulary, as the model does that was trained on them (BERT, uncased).

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A piece to a line; a piece that goes on with a word begins with `##`.
const VOCABULARY: &str = include_str!("../weights/vocabulary.txt");
/// Characters of the longest word that is cut: the model was trained so.
const LONGEST_WORD: usize = 100;
/// Characters of a text that are read, half of them from each end: a greeting may be long, and the question often
/// comes last. More would not fit into the model's places.
const READ_CHARS: usize = 1_200;

static PIECES: LazyLock<HashMap<&str, usize>> =
    LazyLock::new(|| VOCABULARY.lines().enumerate().map(|(id, piece)| (piece, id)).collect());

/// How many pieces there are.
pub(crate) fn pieces() -> usize {
    PIECES.len()
}

/// The piece of this name.
///
/// # Panics
/// If there is none.
pub(crate) fn id(piece: &str) -> usize {
    PIECES[piece]
}

/// The pieces of a text; words that cannot be cut are left out.
pub(crate) fn cut(text: &str) -> Vec<usize> {
    let mut ids = Vec::new();
    for word in spaced(&bounded(text)).split_whitespace() {
        ids.extend(cut_word(word));
    }
    ids
}

/// The beginning and the end of a long text.
fn bounded(text: &str) -> String {
    let chars = text.chars().count();
    if chars <= READ_CHARS {
        return text.to_owned();
    }
    let head = text.chars().take(READ_CHARS / 2);
    head.chain([' ']).chain(text.chars().skip(chars - READ_CHARS / 2)).collect()
}

/// In lower case and without accents, with spaces around signs.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for c in text.to_lowercase().nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            c if c.is_whitespace() => spaced.push(' '),
            c if c.is_control() => {}
            c if !c.is_alphanumeric() => spaced.extend([' ', c, ' ']),
            c => spaced.push(c),
        }
    }
    spaced
}

/// The longest pieces that a word consists of, from its beginning; empty if it does not.
fn cut_word(word: &str) -> Vec<usize> {
    let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    let last = ends.len() - 1;
    if last > LONGEST_WORD {
        return Vec::new();
    }
    let (mut from, mut ids) = (0, Vec::new());
    while from < last {
        let found = (from + 1..=last).rev().find_map(|to| {
            let piece = &word[ends[from]..ends[to]];
            let known = if from == 0 {
                PIECES.get(piece)
            } else {
                PIECES.get(format!("##{piece}").as_str())
            };
            known.map(|id| (*id, to))
        });
        let Some((id, to)) = found else { return Vec::new() };
        ids.push(id);
        from = to;
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::{READ_CHARS, VOCABULARY, cut};

    fn pieces(text: &str) -> Vec<&str> {
        cut(text).into_iter().filter_map(|id| VOCABULARY.lines().nth(id)).collect()
    }

    #[test]
    fn words_are_cut_into_the_longest_pieces() {
        assert_eq!(pieces("What's a Dictionary?"), ["what", "'", "s", "a", "dictionary", "?"]);
        assert_eq!(pieces("Café Élite"), ["cafe", "elite"]);
        assert_eq!(pieces("elif"), ["eli", "##f"]);
        assert_eq!(pieces("x+=1"), ["x", "+", "=", "1"]);
    }

    #[test]
    fn of_a_long_text_the_beginning_and_the_end_are_read() {
        let text = format!("first {} last", "middle ".repeat(10_000));
        let cut = pieces(&text);
        assert_eq!((cut[0], cut[cut.len() - 1]), ("first", "last"));
        assert!(cut.len() < READ_CHARS);
        assert!(pieces(&"x".repeat(64_000)).is_empty());
    }
}
