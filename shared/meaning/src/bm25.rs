//! Which texts share rare words with a question: the ranking BM25.

use crate::vocabulary::WordId;

/// How soon more of the same word says no more.
const SATURATION: f32 = 1.2;

/// An index over texts.
#[derive(Debug, Default)]
pub(crate) struct Bm25 {
    /// For each word the texts that have it, with how much that counts.
    words: Vec<Vec<(u32, f32)>>,
    texts: usize,
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
    use super::Bm25;
    use crate::vocabulary::Vocabulary;

    #[test]
    fn a_rare_word_counts_more_than_a_common_one() {
        let mut vocabulary = Vocabulary::default();
        let texts = ["a list of names", "a list of numbers", "sorting a list"];
        let texts = texts.map(|text| vocabulary.add(text));
        let index = Bm25::of(&texts, vocabulary.written().len(), 0.5);
        let scores = index.scores(&vocabulary.known("how do I sort lists"));
        assert!(scores[2] > scores[0] && scores[0] > 0.0, "{scores:?}");
    }
}
