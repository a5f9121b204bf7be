//! Which words of a question mean what words of the course mean: "doubled" is near "duplicates".

use std::{borrow::Cow, collections::HashSet, sync::OnceLock};

use crate::{
    vectors::{self, Vector},
    vocabulary::{Vocabulary, WordId, stem, whole_words},
};

/// Words of a question that are looked at.
const MOST_WORDS: usize = 40;
/// Words of a question that the course lacks and that are compared with all of its words: there are thousands.
const MOST_UNKNOWN: usize = 4;
/// How near two words must be to have anything in common: any two are a little near.
const NEAR: f32 = 0.4;
/// Synonyms of a word that count.
const MOST_SYNONYMS: usize = 16;

/// A word of the course, and how near another word is to it, from 0 to 1.
type Near = (WordId, f32);

/// The words of the course.
pub(crate) struct Synonyms {
    vocabulary: Vocabulary,
    vectors: Vec<Vector>,
    rarity: Vec<f32>,
    /// The synonyms of each word, found when they are first needed.
    near: Vec<OnceLock<Vec<Near>>>,
}

/// A word of a question.
pub(crate) struct Word<'a> {
    /// How rare it is in the course.
    pub(crate) rarity: f32,
    /// Its number, if the course has it.
    pub(crate) known: Option<WordId>,
    /// The words of the course that mean it, itself among them.
    pub(crate) near: Cow<'a, [Near]>,
}

impl Synonyms {
    /// Of all words of the course, and how rare each is.
    pub(crate) fn of(vocabulary: Vocabulary, rarity: impl Fn(WordId) -> f32) -> Self {
        let vectors: Vec<Vector> =
            vocabulary.written().iter().map(|word| vectors::about(word)).collect();
        let rarity = (0..).take(vectors.len()).map(rarity).collect();
        let near = vectors.iter().map(|_| OnceLock::new()).collect();
        Self { vocabulary, vectors, rarity, near }
    }

    /// The words.
    pub(crate) const fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.vectors.len()
    }

    /// How rare a word is.
    pub(crate) fn rarity(&self, word: WordId) -> f32 {
        self.rarity[word as usize]
    }

    /// The different words of a question; `rarity` is that of a word that the course lacks.
    pub(crate) fn words(&self, prose: &str, rarity: f32) -> Vec<Word<'_>> {
        let mut seen = HashSet::new();
        let mut unknown = 0;
        let mut words = Vec::new();
        for word in whole_words(prose) {
            if words.len() == MOST_WORDS {
                break;
            }
            let stem = stem(&word);
            if !seen.insert(stem.clone()) {
                continue;
            }
            let known = self.vocabulary.number(&stem);
            let (rarity, near) = match known {
                Some(known) => {
                    let at = known as usize;
                    let near = self.near[at].get_or_init(|| self.near(&self.vectors[at]));
                    (self.rarity[at], near.as_slice().into())
                }
                None if unknown < MOST_UNKNOWN => {
                    unknown += 1;
                    (rarity, self.near(&vectors::about(&word)).into())
                }
                None => (rarity, Vec::new().into()),
            };
            words.push(Word { rarity, known, near });
        }
        words
    }

    fn near(&self, about: &Vector) -> Vec<Near> {
        let all = (0..).zip(vectors::nearness_of_all(&self.vectors, about));
        let nearness = all.map(|(at, near)| (at, (near - NEAR) / (1.0 - NEAR)));
        let mut near: Vec<Near> = nearness.filter(|(_, near)| *near > 0.0).collect();
        near.sort_by(|one, other| other.1.total_cmp(&one.1));
        near.truncate(MOST_SYNONYMS);
        // It is kept as long as the process lives.
        near.shrink_to_fit();
        near
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_WORDS, Synonyms};
    use crate::vocabulary::Vocabulary;

    fn of(texts: &[&str]) -> Synonyms {
        let mut vocabulary = Vocabulary::default();
        texts.iter().for_each(|text| drop(vocabulary.add(text)));
        Synonyms::of(vocabulary, |_| 1.0)
    }

    #[test]
    fn a_word_means_a_word_of_the_course_by_another_name() {
        let synonyms = of(&["removing duplicates", "endless loops"]);
        let nearest = |word: &str| synonyms.words(word, 2.0)[0].near.first().map(|(at, _)| *at);
        let known = |word: &str| synonyms.vocabulary().known(word).first().copied();
        assert_eq!(nearest("duplicated"), known("duplicates"));
        assert_eq!(nearest("loops"), known("loops"));
    }

    #[test]
    fn a_long_text_is_read_only_in_part() {
        let synonyms = of(&["removing duplicates"]);
        let text: Vec<String> = (0..10_000).map(|at| format!("word{at}")).collect();
        assert_eq!(synonyms.words(&text.join(" "), 1.0).len(), MOST_WORDS);
    }
}
