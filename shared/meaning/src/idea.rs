//! Which finer idea of the course a question is about, or which topic as a whole: a regression over what a question has
//! in common with the texts of each, trained on questions whose idea is known.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use curriculum::{Concept, Curriculum, Found, Topic};

use crate::{
    bm25::{self, Bm25},
    questions::{self, Question},
    synonyms::{Known, Synonyms},
    topic::{self, Likely, Subject, shares, truth},
    vectors::{self, Vector},
    weights::Reader,
};

static FILE: &[u8] = include_bytes!("../weights/idea.bin");
/// Evidence for a finer idea, and for a topic as a whole.
const FOR_IDEA: usize = 15;
const FOR_WHOLE: usize = 9;
/// Numbers that are weighed; the last is for none.
pub(crate) const WEIGHTS: usize = FOR_IDEA + FOR_WHOLE + 1;

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
struct Candidate {
    /// The topic's place in the course.
    topic: usize,
    /// The idea's place in the topic; `None`: the topic as a whole.
    idea: Option<usize>,
}

/// A text that a candidate is known by.
struct Entry {
    candidate: usize,
    about: Vector,
    /// Its words, if it is a title, a term or a question, which a question may have all of.
    head: Vec<usize>,
}

/// The texts of all ideas, ready to be compared with.
pub(crate) struct Ideas {
    candidates: Vec<Candidate>,
    entries: Vec<Entry>,
    by_entry: Bm25,
    by_candidate: Bm25,
    synonyms: Synonyms,
    /// All words of each candidate, and those of its title and terms.
    words: Vec<(Vec<usize>, Vec<usize>)>,
}

/// A text while the index is made.
struct Text {
    candidate: usize,
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Title,
    Asked,
    Explains,
}

/// How near a question is to a candidate.
#[derive(Debug, Clone, Copy, Default)]
struct Near {
    /// The nearest of its texts, by the mean of its words.
    about: f32,
    /// The most rare words that one of its texts has.
    rare: f32,
    /// The share of a title, a term or a question that is asked.
    answered: f32,
}

impl Ideas {
    /// Of a course, and questions whose topic is known.
    pub(crate) fn of(course: &'static Curriculum, asked: &[Question]) -> Self {
        let topics: Vec<&Topic> = course.topics().collect();
        let mut candidates = Vec::new();
        let mut texts = Vec::new();
        let mut places: HashMap<(&str, Option<&str>), usize> = HashMap::new();
        for (at, topic) in topics.iter().enumerate() {
            places.insert((topic.slug.as_str(), None), candidates.len());
            of_whole(&mut texts, candidates.len(), topic);
            candidates.push(Candidate { topic: at, idea: None });
            for (place, concept) in topic.lesson.concepts.iter().enumerate() {
                places.insert((topic.slug.as_str(), Some(&concept.title)), candidates.len());
                of_idea(&mut texts, candidates.len(), concept);
                candidates.push(Candidate { topic: at, idea: Some(place) });
            }
        }
        for question in asked {
            let Some(slug) = question.topic.as_deref() else { continue };
            if let Some(candidate) = places.get(&(slug, question.idea.as_deref())) {
                let text = question.text.clone();
                texts.push(Text { candidate: *candidate, text, kind: Kind::Asked });
            }
        }
        let words: Vec<Vec<String>> = texts.iter().map(|text| bm25::words(&text.text)).collect();
        let mut whole = vec![Vec::new(); candidates.len()];
        for (text, words) in texts.iter().zip(&words) {
            whole[text.candidate].extend(words.iter().cloned());
        }
        let by_candidate = Bm25::of(&whole, 0.75);
        let texts_of_all = texts.iter().map(|text| text.text.as_str());
        let synonyms = Synonyms::of(texts_of_all, |word| by_candidate.rarity_of(word));
        let mut of_candidate = vec![(HashSet::new(), HashSet::new()); candidates.len()];
        let mut entries = Vec::new();
        for (text, words) in texts.iter().zip(&words) {
            let places = synonyms.places(words);
            let (all, head) = &mut of_candidate[text.candidate];
            all.extend(&places);
            if text.kind == Kind::Title {
                head.extend(&places);
            }
            let head = if text.kind == Kind::Explains { Vec::new() } else { places };
            let about = vectors::about(&text.text);
            entries.push(Entry { candidate: text.candidate, about, head });
        }
        let lists = |(all, head): (HashSet<usize>, HashSet<usize>)| {
            (all.into_iter().collect(), head.into_iter().collect())
        };
        Self {
            entries,
            by_entry: Bm25::of(&words, 0.5),
            by_candidate,
            synonyms,
            words: of_candidate.into_iter().map(lists).collect(),
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
        if slug.is_empty() {
            return vec![self.candidates.len()];
        }
        let topics: Vec<&Topic> = course.topics().collect();
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
        let known = self.synonyms.known(subject.prose, self.by_candidate.rarity_of(""));
        let words = bm25::words(subject.prose);
        let near = self.near(subject.prose, &words, &known);
        let whole = self.by_candidate.scores(&words);
        let most = |of: fn(&Near) -> f32| near.iter().map(of).fold(0.0, f32::max);
        let (nearest, rarest) = (most(|near| near.about), most(|near| near.rare));
        let names = names(course, found);
        let only = found.matches.len() == 1 && found.unknown.is_empty();
        let mut rows = Vec::with_capacity(self.candidates.len() + 1);
        for (at, candidate) in self.candidates.iter().enumerate() {
            let of_topic = of_topics[candidate.topic].max(1e-6).ln();
            let near = &near[at];
            let (all, head) = &self.words[at];
            let named = names.get(&(candidate.topic, candidate.idea)).copied().unwrap_or_default();
            let numbers = [
                f64::from(near.about) * 10.0,
                f64::from(near.rare.ln_1p()),
                f64::from(known.covered(all)) * 3.0,
                f64::from(near.answered) * 3.0,
                named.min(8) as f64 / 2.0,
            ];
            let mut row = [0.0; WEIGHTS];
            if candidate.idea.is_some() {
                row[..5].copy_from_slice(&numbers);
                row[5..FOR_IDEA].copy_from_slice(&[
                    of_topic,
                    f64::from(near.about - nearest) * 10.0,
                    f64::from(near.rare - rarest) / 3.0,
                    f64::from(whole[at].ln_1p()),
                    f64::from(known.exactly(all)) * 3.0,
                    f64::from(known.covered(head)) * 3.0,
                    f64::from(known.covers(head)) * 3.0,
                    truth(named >= 4 && found.unknown.is_empty()),
                    truth(named >= 2 && only),
                    1.0,
                ]);
            } else {
                row[FOR_IDEA..FOR_IDEA + 5].copy_from_slice(&numbers);
                row[FOR_IDEA + 5..FOR_IDEA + FOR_WHOLE].copy_from_slice(&[
                    of_topic,
                    f64::from(known.exactly(all)) * 3.0,
                    truth(named > 0 && only),
                    1.0,
                ]);
            }
            rows.push(row);
        }
        let mut none = [0.0; WEIGHTS];
        none[WEIGHTS - 1] = of_topics.last().copied().unwrap_or_default().max(1e-6).ln();
        // As for topics as a whole.
        none[FOR_IDEA + 8] = 1.0;
        rows.push(none);
        rows
    }

    fn near(&self, prose: &str, words: &[String], known: &Known) -> Vec<Near> {
        let about = vectors::about(prose);
        let mut near = vec![Near::default(); self.candidates.len()];
        for (entry, rare) in self.entries.iter().zip(self.by_entry.scores(words)) {
            let of = &mut near[entry.candidate];
            of.about = of.about.max(vectors::nearness(&entry.about, &about));
            of.rare = of.rare.max(rare);
            // A text that has nothing in common cannot be what is asked.
            if rare > 0.0 && !entry.head.is_empty() {
                of.answered = of.answered.max(known.covers(&entry.head));
            }
        }
        near
    }
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
    let mut add = |text: String, kind| texts.push(Text { candidate, text, kind });
    add(topic.title.clone(), Kind::Title);
    add(format!("What are {} in Python?", topic.title.to_lowercase()), Kind::Asked);
    topic.terms.iter().for_each(|term| add(term.clone(), Kind::Title));
    add(topic.lesson.summary.clone(), Kind::Explains);
}

fn of_idea(texts: &mut Vec<Text>, candidate: usize, concept: &Concept) {
    let mut add = |text: &str, kind| texts.push(Text { candidate, text: text.to_owned(), kind });
    add(&concept.title, Kind::Title);
    concept.terms.iter().for_each(|term| add(term, Kind::Title));
    topic::sentences(&concept.text).for_each(|sentence| add(sentence, Kind::Explains));
    add(&concept.example.title, Kind::Explains);
}
