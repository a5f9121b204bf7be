//! Which texts share rare words with a question: the ranking BM25.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// How soon more of the same word says no more.
const SATURATION: f32 = 1.2;
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

/// An index over texts.
#[derive(Debug, Default)]
pub(crate) struct Bm25 {
    /// For each word the texts that have it, with how much that counts.
    words: Vec<Vec<(u32, f32)>>,
    texts: usize,
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

impl Bm25 {
    /// An index over texts of so many different words; `evenness` says how far long texts count less for a word.
    pub(crate) fn of(texts: &[Vec<WordId>], words: usize, evenness: f32) -> Self {
        let count = texts.len() as f32;
        let all: usize = texts.iter().map(Vec::len).sum();
        let mean = all as f32 / count.max(1.0);
        let mut index = Self { words: vec![Vec::new(); words], texts: texts.len() };
        for (at, text) in (0..).zip(texts) {
            let length = 1.0 - evenness + evenness * text.len() as f32 / mean;
            let mut text = text.clone();
            text.sort_unstable();
            for same in text.chunk_by(PartialEq::eq) {
                let times = same.len() as f32;
                let counts = times * (SATURATION + 1.0) / (times + SATURATION * length);
                index.words[same[0] as usize].push((at, counts));
            }
        }
        for word in 0..words {
            let rarity = index.rarity(index.words[word].len());
            let having = &mut index.words[word];
            having.iter_mut().for_each(|(_, counts)| *counts *= rarity);
            having.shrink_to_fit();
        }
        index
    }

    /// How rare a word is; one that no text has is as rare as one of a single text.
    pub(crate) fn rarity_of(&self, word: Option<WordId>) -> f32 {
        self.rarity(word.map_or(1, |word| self.words[word as usize].len()))
    }

    fn rarity(&self, with: usize) -> f32 {
        let with = with as f32;
        (1.0 + (self.texts as f32 - with + 0.5) / (with + 0.5)).ln()
    }

    /// How much each text has of these words, each of which counts once.
    pub(crate) fn scores(&self, words: &[WordId]) -> Vec<f32> {
        let mut scores = vec![0.0; self.texts];
        // In a fixed order: sums of the same numbers differ in their last digits otherwise.
        let mut different = words.to_vec();
        different.sort_unstable();
        different.dedup();
        for word in different {
            for (at, counts) in &self.words[word as usize] {
                scores[*at as usize] += counts;
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::{Bm25, Vocabulary, stem, whole_words};

    #[test]
    fn a_rare_word_counts_more_than_a_common_one() {
        let mut vocabulary = Vocabulary::default();
        let texts = ["a list of names", "a list of numbers", "sorting a list"];
        let texts = texts.map(|text| vocabulary.add(text));
        let index = Bm25::of(&texts, vocabulary.written().len(), 0.5);
        let scores = index.scores(&vocabulary.known("how do I sort lists"));
        assert!(scores[2] > scores[0] && scores[0] > 0.0, "{scores:?}");
    }

    #[test]
    fn words_lose_their_endings_and_signs_stay() {
        let words = whole_words("What does x += 1 in dictionaries?");
        let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
        assert_eq!(stems, ["x", "+=", "1", "in", "dictionary"]);
    }
}
