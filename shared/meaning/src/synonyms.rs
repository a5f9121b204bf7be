//! Which words of a question mean what words of the course mean: "doubled" is near "duplicates".

use std::collections::{HashMap, HashSet};

use crate::{
    bm25::{stem, whole_words},
    vectors::{self, Vector},
};

/// Words of a question that are compared: each costs a comparison with all words of the course.
const MOST_WORDS: usize = 40;
/// How near two words must be to have anything in common: any two are a little near.
const NEAR: f32 = 0.4;

/// The words of the course.
pub(crate) struct Synonyms {
    places: HashMap<String, usize>,
    vectors: Vec<Vector>,
    rarity: Vec<f32>,
}

/// The words of a question, compared with those of the course.
pub(crate) struct Known {
    /// For each word how rare it is, its place, and how near it is to each word of the course, from 0 to 1.
    words: Vec<(f32, Option<usize>, Vec<f32>)>,
    /// How near the nearest word of the question is to each word of the course.
    nearest: Vec<f32>,
    rarity: Vec<f32>,
}

impl Synonyms {
    /// Of all words of these texts, and how rare each is.
    pub(crate) fn of<'a>(
        texts: impl Iterator<Item = &'a str>,
        rarity: impl Fn(&str) -> f32,
    ) -> Self {
        let mut synonyms = Self { places: HashMap::new(), vectors: Vec::new(), rarity: Vec::new() };
        for word in texts.flat_map(whole_words) {
            let stem = stem(&word);
            if !synonyms.places.contains_key(&stem) {
                synonyms.vectors.push(vectors::about(&word));
                synonyms.rarity.push(rarity(&stem));
                synonyms.places.insert(stem, synonyms.vectors.len() - 1);
            }
        }
        synonyms
    }

    /// The places of words without their endings.
    pub(crate) fn places(&self, words: &[String]) -> Vec<usize> {
        words.iter().filter_map(|word| self.places.get(word).copied()).collect()
    }

    /// Compares the words of a question; `rarity` is that of a word that no text has.
    pub(crate) fn known(&self, prose: &str, rarity: f32) -> Known {
        let mut words = Vec::new();
        let mut nearest = vec![0.0_f32; self.vectors.len()];
        let mut seen = HashSet::new();
        for word in whole_words(prose) {
            let stem = stem(&word);
            if words.len() == MOST_WORDS || !seen.insert(stem.clone()) {
                continue;
            }
            let place = self.places.get(&stem).copied();
            let about = vectors::about(&word);
            let near: Vec<f32> = self
                .vectors
                .iter()
                .enumerate()
                .map(|(at, vector)| {
                    if place == Some(at) {
                        return 1.0;
                    }
                    let near = vectors::nearness(vector, &about);
                    ((near - NEAR) / (1.0 - NEAR)).max(0.0)
                })
                .collect();
            nearest.iter_mut().zip(&near).for_each(|(nearest, near)| *nearest = nearest.max(*near));
            words.push((place.map_or(rarity, |place| self.rarity[place]), place, near));
        }
        Known { words, nearest, rarity: self.rarity.clone() }
    }
}

impl Known {
    /// The share of the question's words that mean one of these words, each by its rarity.
    pub(crate) fn covered(&self, by: &[usize]) -> f32 {
        let nearest = |near: &[f32]| by.iter().map(|at| near[*at]).fold(0.0, f32::max);
        share(self.words.iter().map(|(rarity, _, near)| (*rarity, nearest(near))))
    }

    /// The share of the question's words that are among these words.
    pub(crate) fn exactly(&self, by: &[usize]) -> f32 {
        let is_there = |place: &Option<usize>| place.is_some_and(|place| by.contains(&place));
        share(
            self.words
                .iter()
                .map(|(rarity, place, _)| (*rarity, if is_there(place) { 1.0 } else { 0.0 })),
        )
    }

    /// The share of these words that a word of the question means.
    pub(crate) fn covers(&self, words: &[usize]) -> f32 {
        share(words.iter().map(|at| (self.rarity[*at], self.nearest[*at])))
    }
}

fn share(of: impl Iterator<Item = (f32, f32)>) -> f32 {
    let (held, all) =
        of.fold((0.0, 0.0), |(held, all), (rarity, near)| (held + rarity * near, all + rarity));
    if all > 0.0 { held / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::Synonyms;

    #[test]
    fn a_word_means_a_word_of_the_course_by_another_name() {
        let synonyms = Synonyms::of(["removing duplicates", "endless loops"].into_iter(), |_| 1.0);
        let known = synonyms.known("doubled entries", 1.0);
        let near = |text: &str| known.covers(&synonyms.places(&crate::bm25::words(text)));
        assert!(near("removing duplicates") > near("endless loops"));
        assert_eq!(synonyms.known("removing duplicates", 1.0).covers(&[0, 1]), 1.0);
    }
}
