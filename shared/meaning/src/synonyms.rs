//! Which words of a question mean what words of the course mean: "doubled" is near "duplicates".

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::OnceLock,
};

use crate::{
    bm25::{stem, whole_words},
    vectors::{self, Vector},
};

/// Words of a question that are looked at.
const MOST_WORDS: usize = 40;
/// Words of a question that the course lacks and that are compared with all of its words: each costs a fifth of a
/// millisecond.
const MOST_UNKNOWN: usize = 4;
/// How near two words must be to have anything in common: any two are a little near.
const NEAR: f32 = 0.4;
/// Synonyms of a word that count.
const MOST_SYNONYMS: usize = 16;

/// The place of a word of the course, and how near another word is to it, from 0 to 1.
type Near = (usize, f32);

/// The words of the course.
pub(crate) struct Synonyms {
    places: HashMap<String, usize>,
    vectors: Vec<Vector>,
    rarity: Vec<f32>,
    /// The synonyms of each word, found when they are first needed.
    near: Vec<OnceLock<Vec<Near>>>,
}

/// A word of a question.
pub(crate) struct Word<'a> {
    /// How rare it is in the course.
    pub(crate) rarity: f32,
    /// Its place, if the course has it.
    pub(crate) place: Option<usize>,
    /// The words of the course that mean it, itself among them.
    pub(crate) near: Cow<'a, [Near]>,
}

impl Synonyms {
    /// Of all words of these texts, and how rare each is.
    pub(crate) fn of<'a>(
        texts: impl Iterator<Item = &'a str>,
        rarity: impl Fn(&str) -> f32,
    ) -> Self {
        let (mut places, mut vectors, mut rarities) = (HashMap::new(), Vec::new(), Vec::new());
        for word in texts.flat_map(whole_words) {
            if let Entry::Vacant(place) = places.entry(stem(&word)) {
                vectors.push(vectors::about(&word));
                rarities.push(rarity(place.key()));
                place.insert(vectors.len() - 1);
            }
        }
        let near = vectors.iter().map(|_| OnceLock::new()).collect();
        Self { places, vectors, rarity: rarities, near }
    }

    /// The places of words without their endings.
    pub(crate) fn places(&self, words: &[String]) -> Vec<usize> {
        words.iter().filter_map(|word| self.places.get(word).copied()).collect()
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.vectors.len()
    }

    /// How rare the word at a place is.
    pub(crate) fn rarity(&self, place: usize) -> f32 {
        self.rarity[place]
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
            let place = self.places.get(&stem).copied();
            let (rarity, near) = match place {
                Some(place) => {
                    let near = self.near[place].get_or_init(|| self.near(&self.vectors[place]));
                    (self.rarity[place], near.as_slice().into())
                }
                None if unknown < MOST_UNKNOWN => {
                    unknown += 1;
                    (rarity, self.near(&vectors::about(&word)).into())
                }
                None => (rarity, Vec::new().into()),
            };
            words.push(Word { rarity, place, near });
        }
        words
    }

    fn near(&self, about: &Vector) -> Vec<Near> {
        let all = vectors::nearness_of_all(&self.vectors, about).into_iter().enumerate();
        let nearness = all.map(|(at, near)| (at, (near - NEAR) / (1.0 - NEAR)));
        let mut near: Vec<Near> = nearness.filter(|(_, near)| *near > 0.0).collect();
        near.sort_by(|one, other| other.1.total_cmp(&one.1));
        near.truncate(MOST_SYNONYMS);
        near
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_WORDS, Synonyms};

    #[test]
    fn a_word_means_a_word_of_the_course_by_another_name() {
        let synonyms = Synonyms::of(["removing duplicates", "endless loops"].into_iter(), |_| 1.0);
        let nearest = |word: &str| synonyms.words(word, 2.0)[0].near.first().map(|(at, _)| *at);
        let place = |word: &str| synonyms.places(&crate::bm25::words(word)).first().copied();
        assert_eq!(nearest("duplicated"), place("duplicates"));
        assert_eq!(nearest("loops"), place("loops"));
    }

    #[test]
    fn a_long_text_is_read_only_in_part() {
        let synonyms = Synonyms::of(["removing duplicates"].into_iter(), |_| 1.0);
        let text: Vec<String> = (0..10_000).map(|at| format!("word{at}")).collect();
        assert_eq!(synonyms.words(&text.join(" "), 1.0).len(), MOST_WORDS);
    }
}
