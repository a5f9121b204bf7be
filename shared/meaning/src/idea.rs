//! Which finer idea of the course a question is about, or which topic as a whole: a regression over what a question has
//! in common with the texts of each, trained on questions whose idea is known.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use curriculum::{Concept, Curriculum, Found, Topic};
use ndarray::Array1;

use crate::{
    bm25::{self, Bm25},
    encodings,
    questions::{self, Question},
    topic::{self, Likely, Subject, shares, truth},
    vectors::{self, Vector},
    weights::Reader,
};

static FILE: &[u8] = include_bytes!("../weights/idea.bin");
/// Evidence for a finer idea, and for a topic as a whole.
const FOR_IDEA: usize = 14;
const FOR_WHOLE: usize = 8;
/// Numbers that are weighed.
pub(crate) const WEIGHTS: usize = FOR_IDEA + FOR_WHOLE + 1;
/// Nearest texts of which a mean is taken.
const NEAREST: usize = 3;

static INDEX: LazyLock<Ideas> =
    LazyLock::new(|| Ideas::of(curriculum::embedded(), &questions::questions()));
static MODEL: LazyLock<Vec<f64>> =
    LazyLock::new(|| Reader(FILE).floats(WEIGHTS).into_iter().map(f64::from).collect());

/// What a question is about, likeliest first: finer ideas, topics as a whole, or nothing of the course.
#[must_use]
pub fn ideas(subject: &Subject<'_>) -> Vec<Likely<'static>> {
    let course = curriculum::embedded();
    let found = course.find(subject.prose);
    INDEX.likely(course, subject, &found)
}

/// What may be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The topic's place in the course; as many as there are topics: none of them.
    pub(crate) topic: usize,
    /// The idea's place in the topic; `None`: the topic as a whole.
    pub(crate) idea: Option<usize>,
}

/// A text that a candidate is known by.
struct Entry {
    candidate: usize,
    about: Vector,
    /// The encoder's vector, of what students ask and of titles.
    encoded: Option<Array1<f32>>,
    words: HashSet<String>,
}

/// The texts of all ideas, ready to be compared with.
pub(crate) struct Ideas {
    candidates: Vec<Candidate>,
    entries: Vec<Entry>,
    by_entry: Bm25,
    by_candidate: Bm25,
    /// All words of each candidate.
    words: Vec<HashSet<String>>,
}

/// A text while the index is made.
struct Text {
    candidate: usize,
    text: String,
    is_asked: bool,
}

impl Ideas {
    /// Of a course, and questions whose topic is known.
    pub(crate) fn of(course: &'static Curriculum, asked: &[Question]) -> Self {
        let topics: Vec<&Topic> = course.topics().collect();
        let mut candidates = Vec::new();
        let mut texts = Vec::new();
        for (at, topic) in topics.iter().enumerate() {
            of_whole(&mut texts, candidates.len(), topic);
            candidates.push(Candidate { topic: at, idea: None });
            for (place, concept) in topic.lesson.concepts.iter().enumerate() {
                of_idea(&mut texts, candidates.len(), concept);
                candidates.push(Candidate { topic: at, idea: Some(place) });
            }
        }
        let place: HashMap<(&str, Option<&str>), usize> = candidates
            .iter()
            .enumerate()
            .map(|(place, candidate)| {
                let topic = topics[candidate.topic];
                let idea = candidate.idea.map(|idea| topic.lesson.concepts[idea].title.as_str());
                ((topic.slug.as_str(), idea), place)
            })
            .collect();
        for question in asked {
            let Some(slug) = question.topic.as_deref() else { continue };
            if let Some(candidate) = place.get(&(slug, question.idea.as_deref())) {
                let text = question.text.clone();
                texts.push(Text { candidate: *candidate, text, is_asked: true });
            }
        }
        let words: Vec<Vec<String>> = texts.iter().map(|text| bm25::words(&text.text)).collect();
        let mut whole = vec![Vec::new(); candidates.len()];
        for (text, words) in texts.iter().zip(&words) {
            whole[text.candidate].extend(words.iter().cloned());
        }
        let entries = texts.iter().zip(&words).map(|(text, words)| Entry {
            candidate: text.candidate,
            about: vectors::about(&text.text),
            encoded: text.is_asked.then(|| encodings::of(&text.text)),
            words: words.iter().cloned().collect(),
        });
        Self {
            entries: entries.collect(),
            by_entry: Bm25::of(&words, 0.5),
            by_candidate: Bm25::of(&whole, 0.75),
            words: whole.into_iter().map(|words| words.into_iter().collect()).collect(),
            candidates,
        }
    }

    fn likely(
        &self,
        course: &'static Curriculum,
        subject: &Subject<'_>,
        found: &Found<'_>,
    ) -> Vec<Likely<'static>> {
        let topics: Vec<&'static Topic> = course.topics().collect();
        let of_topics = topic::shares_of(subject, found);
        let shares = shares(&self.evidence(course, subject, found, &of_topics), &MODEL);
        let candidates = self.candidates.iter().map(|candidate| {
            let topic = topics[candidate.topic];
            (Some(topic), candidate.idea.and_then(|idea| topic.lesson.concepts.get(idea)))
        });
        let mut likely: Vec<Likely<'static>> = candidates
            .chain([(None, None)])
            .zip(shares)
            .map(|((topic, concept), share)| Likely { topic, concept, share })
            .collect();
        likely.sort_by(|one, other| other.share.total_cmp(&one.share));
        likely
    }

    /// The places of what a question is labelled with.
    pub(crate) fn places(&self, course: &Curriculum, slug: &str, idea: Option<&str>) -> Vec<usize> {
        let topics: Vec<&Topic> = course.topics().collect();
        if slug.is_empty() {
            return vec![self.candidates.len()];
        }
        let is_meant = |candidate: &Candidate| {
            let topic = topics[candidate.topic];
            let title = candidate.idea.map(|idea| topic.lesson.concepts[idea].title.as_str());
            // A question of which only the topic is known may be about any idea of it.
            topic.slug == slug && (idea.is_none() || title == idea)
        };
        let places = self.candidates.iter().enumerate();
        places.filter(|(_, candidate)| is_meant(candidate)).map(|(place, _)| place).collect()
    }

    /// What speaks for each candidate; the last row speaks for none.
    pub(crate) fn evidence(
        &self,
        course: &Curriculum,
        subject: &Subject<'_>,
        found: &Found<'_>,
        of_topics: &[f64],
    ) -> Vec<[f64; WEIGHTS]> {
        let near = self.nearness(subject.prose);
        let words = bm25::words(subject.prose);
        let asked: HashSet<&String> = words.iter().collect();
        let entry_scores = self.by_entry.scores(&words);
        let mut rare = vec![0.0_f32; self.candidates.len()];
        let mut answered = vec![0.0_f32; self.candidates.len()];
        for (entry, score) in self.entries.iter().zip(&entry_scores) {
            rare[entry.candidate] = rare[entry.candidate].max(*score);
            if *score > 0.0 && entry.encoded.is_some() {
                let share =
                    self.by_candidate.share(entry.words.iter(), |word| asked.contains(word));
                answered[entry.candidate] = answered[entry.candidate].max(share);
            }
        }
        let whole = self.by_candidate.scores(&words);
        let nearest = |of: fn(&Near) -> f32| near.iter().map(of).fold(0.0, f32::max);
        let (most_alike, most_near) = (nearest(|near| near.alike), nearest(|near| near.about));
        let most_rare = rare.iter().copied().fold(0.0, f32::max);
        let names = names(course, found);
        let mut rows = Vec::with_capacity(self.candidates.len() + 1);
        for (at, candidate) in self.candidates.iter().enumerate() {
            let of_topic = of_topics[candidate.topic].max(1e-6).ln();
            let near = &near[at];
            let covered = self
                .by_candidate
                .share(asked.iter().copied(), |word| self.words[at].contains(word));
            let named = names.get(&(candidate.topic, candidate.idea)).copied().unwrap_or_default();
            let mut row = [0.0; WEIGHTS];
            if candidate.idea.is_some() {
                row[..FOR_IDEA].copy_from_slice(&[
                    of_topic,
                    f64::from(near.alike) * 10.0,
                    f64::from(near.alike - most_alike) * 10.0,
                    f64::from(near.about) * 10.0,
                    f64::from(near.about - most_near) * 10.0,
                    f64::from(near.mean) * 10.0,
                    f64::from(rare[at].ln_1p()),
                    f64::from(rare[at] - most_rare) / 3.0,
                    f64::from(whole[at].ln_1p()),
                    f64::from(covered) * 3.0,
                    f64::from(answered[at]) * 3.0,
                    named.min(8) as f64 / 2.0,
                    truth(named >= 4 && found.unknown.is_empty()),
                    1.0,
                ]);
            } else {
                let only = found.matches.len() == 1 && found.unknown.is_empty();
                row[FOR_IDEA..FOR_IDEA + FOR_WHOLE].copy_from_slice(&[
                    of_topic,
                    f64::from(near.alike) * 10.0,
                    f64::from(near.about) * 10.0,
                    f64::from(rare[at].ln_1p()),
                    f64::from(covered) * 3.0,
                    named.min(8) as f64 / 2.0,
                    truth(named > 0 && only),
                    1.0,
                ]);
            }
            rows.push(row);
        }
        let mut none = [0.0; WEIGHTS];
        // As it stands for the topics as a whole.
        none[FOR_IDEA] = of_topics[self.topics()].max(1e-6).ln();
        none[WEIGHTS - 1] = 1.0;
        rows.push(none);
        rows
    }

    fn topics(&self) -> usize {
        self.candidates.last().map_or(0, |last| last.topic + 1)
    }

    fn nearness(&self, prose: &str) -> Vec<Near> {
        let (about, encoded) = (vectors::about(prose), encodings::of(prose));
        let mut near = vec![(Near::default(), [0.0_f32; NEAREST]); self.candidates.len()];
        for entry in &self.entries {
            let (of, best) = &mut near[entry.candidate];
            let nearness = vectors::nearness(&entry.about, &about);
            of.about = of.about.max(nearness);
            let alike = entry.encoded.as_ref().map_or(0.0, |known| known.dot(&encoded));
            of.alike = of.alike.max(alike);
            // The least of the best gives way.
            if let Some(least) = best.iter_mut().min_by(|one, other| one.total_cmp(other)) {
                *least = least.max(alike);
            }
        }
        let with_mean = |(of, best): (Near, [f32; NEAREST])| Near {
            mean: best.iter().sum::<f32>() / NEAREST as f32,
            ..of
        };
        near.into_iter().map(with_mean).collect()
    }
}

/// How near a question is to the texts of a candidate, each up to 1.
#[derive(Debug, Clone, Copy, Default)]
struct Near {
    /// The nearest, by what is asked as the encoder reads it.
    alike: f32,
    /// The mean of the nearest, by the same.
    mean: f32,
    /// The nearest, by the mean of its words.
    about: f32,
}

/// How strongly each candidate is named by a phrase of the course.
fn names(course: &Curriculum, found: &Found<'_>) -> HashMap<(usize, Option<usize>), usize> {
    let mut names = HashMap::new();
    for named in &found.matches {
        let Some(at) = course.topics().position(|topic| topic.slug == named.topic.slug) else {
            continue;
        };
        let concepts = &named.topic.lesson.concepts;
        let place = |concept: &Concept| concepts.iter().position(|of| of.title == concept.title);
        names.insert((at, named.concept.and_then(place)), named.longest);
    }
    names
}

fn of_whole(texts: &mut Vec<Text>, candidate: usize, topic: &Topic) {
    let mut add = |text: String, is_asked| texts.push(Text { candidate, text, is_asked });
    add(topic.title.clone(), true);
    add(format!("What are {} in Python?", topic.title.to_lowercase()), true);
    add(format!("explain {}", topic.title.to_lowercase()), true);
    topic.terms.iter().for_each(|term| add(term.clone(), false));
    add(topic.lesson.summary.clone(), false);
}

fn of_idea(texts: &mut Vec<Text>, candidate: usize, concept: &Concept) {
    let mut add =
        |text: &str, is_asked| texts.push(Text { candidate, text: text.to_owned(), is_asked });
    add(&concept.title, true);
    concept.terms.iter().for_each(|term| add(term, false));
    topic::sentences(&concept.text).for_each(|sentence| add(sentence, false));
    add(&concept.example.title, false);
}
