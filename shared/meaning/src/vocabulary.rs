//! The words of the course's texts, and how a text is cut into words. The encoder has a vocabulary of its own, of pieces of
//! words (`wordpiece.rs`).

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// Words that are everywhere in questions, and Python has no meaning for.
const EMPTY: &str = "a an the i you we it are was be to of my me do does did can could would should how what why when \
    which who or so please pls python code have has had on at get there about need want make one some any program this that";

static EMPTY_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| EMPTY.split_whitespace().collect());

/// The number of a word: its place in the vocabulary.
pub(crate) type WordId = u32;

/// The different words of many texts, roughly without endings, each with a number.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    numbers: HashMap<String, WordId>,
    /// How each word is written where it first occurs.
    written: Vec<String>,
}

impl Vocabulary {
    /// The words of a text, those that are new among them.
    pub(crate) fn add(&mut self, text: &str) -> Vec<WordId> {
        let number = |word: String| {
            *self.numbers.entry(stem(&word)).or_insert_with(|| {
                self.written.push(word);
                WordId::try_from(self.written.len() - 1).expect("texts have no billions of words")
            })
        };
        whole_words(text).into_iter().map(number).collect()
    }

    /// The words of a text that are known.
    pub(crate) fn known(&self, text: &str) -> Vec<WordId> {
        whole_words(text).iter().filter_map(|word| self.number(&stem(word))).collect()
    }

    /// The number of a word without its ending.
    pub(crate) fn number(&self, stem: &str) -> Option<WordId> {
        self.numbers.get(stem).copied()
    }

    /// How each word is written where it first occurs.
    pub(crate) fn written(&self) -> &[String] {
        &self.written
    }
}

/// The words of a text as they are written.
pub(crate) fn whole_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let lower = text.to_lowercase();
    let mut rest = lower.as_str();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let is_sign = |c: char| "=!+-*/%@#<>".contains(c);
        let end = |is: &dyn Fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let len = if is_word(first) {
            end(&is_word)
        } else if is_sign(first) {
            end(&is_sign)
        } else {
            first.len_utf8()
        };
        if is_word(first) || is_sign(first) {
            let word = &rest[..len];
            if !EMPTY_WORDS.contains(word) {
                words.push(word.to_owned());
            }
        }
        rest = &rest[len..];
    }
    words
}

/// A word roughly without its ending.
pub(crate) fn stem(word: &str) -> String {
    let cut = |least: usize, ending: &str, with: &str| {
        let stem = word.strip_suffix(ending)?;
        (word.len() > least).then(|| format!("{stem}{with}"))
    };
    cut(3, "ies", "y")
        .or_else(|| cut(3, "ss", "ss"))
        .or_else(|| cut(3, "s", ""))
        .or_else(|| cut(5, "ing", ""))
        .or_else(|| cut(4, "ed", ""))
        .unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{stem, whole_words};

    #[test]
    fn words_lose_their_endings_and_signs_stay() {
        let words = whole_words("What does x += 1 in dictionaries?");
        let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
        assert_eq!(stems, ["x", "+=", "1", "in", "dictionary"]);
    }
}
