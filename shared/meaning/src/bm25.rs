//! Which texts share rare words with a question: the ranking BM25.

use std::collections::{BTreeSet, HashMap};

/// How soon more of the same word says no more.
const SATURATION: f32 = 1.2;
/// Words that are everywhere in questions, and Python has no meaning for.
const EMPTY: &str = " a an the i you we it are was be to of my me do does did can could would should how what why when \
    which who or so please pls python code have has had on at get there about need want make one some any program this that ";

/// An index over texts.
#[derive(Debug, Default)]
pub(crate) struct Bm25 {
    /// For each word the texts that have it, with how much that counts.
    words: HashMap<String, Vec<(usize, f32)>>,
    texts: usize,
}

/// The words of a text, roughly without endings.
pub(crate) fn words(text: &str) -> Vec<String> {
    whole_words(text).iter().map(|word| stem(word)).collect()
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
            if !EMPTY.contains(&format!(" {word} ")) {
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
    /// An index; `evenness` says how far long texts count less for a word.
    pub(crate) fn of(texts: &[Vec<String>], evenness: f32) -> Self {
        let count = texts.len() as f32;
        let all: usize = texts.iter().map(Vec::len).sum();
        let mean = all as f32 / count.max(1.0);
        let mut found: HashMap<String, Vec<(usize, f32)>> = HashMap::new();
        for (at, text) in texts.iter().enumerate() {
            let mut times: HashMap<&String, f32> = HashMap::new();
            text.iter().for_each(|word| *times.entry(word).or_default() += 1.0);
            let length = 1.0 - evenness + evenness * text.len() as f32 / mean;
            for (word, times) in times {
                let counts = times * (SATURATION + 1.0) / (times + SATURATION * length);
                found.entry(word.clone()).or_default().push((at, counts));
            }
        }
        let mut index = Self { words: HashMap::new(), texts: texts.len() };
        for having in found.values_mut() {
            let rarity = index.rarity(having.len());
            having.iter_mut().for_each(|(_, counts)| *counts *= rarity);
        }
        index.words = found;
        index
    }

    /// How rare a word is; one that no text has is as rare as one of a single text.
    pub(crate) fn rarity_of(&self, word: &str) -> f32 {
        self.rarity(self.words.get(word).map_or(1, Vec::len))
    }

    fn rarity(&self, with: usize) -> f32 {
        let with = with as f32;
        (1.0 + (self.texts as f32 - with + 0.5) / (with + 0.5)).ln()
    }

    /// How much each text has of these words.
    pub(crate) fn scores(&self, words: &[String]) -> Vec<f32> {
        let mut scores = vec![0.0; self.texts];
        // In a fixed order: sums of the same numbers differ in their last digits otherwise.
        let different: BTreeSet<&String> = words.iter().collect();
        for word in different {
            for (at, counts) in self.words.get(word).into_iter().flatten() {
                scores[*at] += counts;
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::{Bm25, words};

    #[test]
    fn a_rare_word_counts_more_than_a_common_one() {
        let texts = ["a list of names", "a list of numbers", "sorting a list"].map(words);
        let scores = Bm25::of(&texts, 0.5).scores(&words("how do I sort lists"));
        assert!(scores[2] > scores[0] && scores[0] > 0.0, "{scores:?}");
    }

    #[test]
    fn words_lose_their_endings_and_signs_stay() {
        assert_eq!(
            words("What does x += 1 in dictionaries?"),
            ["x", "+=", "1", "in", "dictionary"]
        );
    }
}
