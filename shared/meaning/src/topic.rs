//! Which part of the course a question is about: by the vectors of the course's sentences, by rare words, and by the
//! course's terms, weighed against «no lesson is about it».

use std::sync::LazyLock;

use curriculum::{Concept, Curriculum, Found, Match, Topic};
use regex::Regex;

use crate::{
    bm25::{self, Bm25},
    patterns::compile,
    questions::{self, Question},
    vectors::{self, Vector},
    weights::Reader,
};

static FILE: &[u8] = include_bytes!("../weights/topic.bin");
/// Evidence for a topic, and for none.
pub(crate) const FOR_TOPIC: usize = 12;
pub(crate) const FOR_NONE: usize = 11;
/// Numbers that are weighed.
pub(crate) const WEIGHTS: usize = FOR_TOPIC + FOR_NONE;
/// How near an idea must be to be meant, and how much nearer than the rest of its topic.
const NEAR_IDEA: f32 = 0.62;
const NEARER: f32 = 0.0;
/// How much nearer rare words bring an idea, at most, and how many of them bring it half as near.
const RARE_SHARE: f32 = 0.5;
const RARE_HALF: f32 = 10.0;
/// How much nearer a name of one word brings an idea.
const NAMED_SHARE: f32 = 0.1;

static INDEX: LazyLock<Index> =
    LazyLock::new(|| Index::of(curriculum::embedded(), &questions::questions()));
static MODEL: LazyLock<Vec<f64>> =
    LazyLock::new(|| Reader(FILE).floats(WEIGHTS).into_iter().map(f64::from).collect());
/// Words that point at something beside the question.
static POINTS: LazyLock<Regex> = LazyLock::new(|| compile(r"\b(this|here|line \d+|task ?\d)\b"));

/// A question about an idea, and what is known besides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The student's own words.
    pub prose: &'a str,
    /// Whether code came with it.
    pub has_code: bool,
    /// The slug of the page that it was asked on.
    pub page: Option<&'a str>,
}

/// How likely a question is about a topic.
#[derive(Debug, Clone, Copy)]
pub struct Likely<'a> {
    /// The topic; `None`: no lesson is about it.
    pub topic: Option<&'a Topic>,
    /// The finer idea, if one is meant.
    pub concept: Option<&'a Concept>,
    /// From 0 to 1.
    pub share: f64,
}

/// What a question is about, likeliest first.
#[must_use]
pub fn topics(subject: &Subject<'_>) -> Vec<Likely<'static>> {
    let course = curriculum::embedded();
    let found = course.find(subject.prose);
    INDEX.likely(course, subject, &found)
}

/// A text of the course, or a question that was asked before.
struct Entry {
    topic: usize,
    concept: Option<usize>,
    about: Vector,
}

/// The course's texts, ready to be compared with.
pub(crate) struct Index {
    entries: Vec<Entry>,
    by_entry: Bm25,
    by_topic: Bm25,
    slugs: Vec<&'static str>,
}

/// A text of a topic, with how often its words count for the topic as a whole.
struct Text {
    topic: usize,
    concept: Option<usize>,
    text: String,
    times: usize,
}

impl Index {
    /// Of a course, and questions whose topic is known.
    pub(crate) fn of(course: &'static Curriculum, asked: &[Question]) -> Self {
        let topics: Vec<&Topic> = course.topics().collect();
        let none = topics.len();
        let mut texts = Vec::new();
        for (at, topic) in topics.iter().enumerate() {
            of_topic(&mut texts, at, topic);
        }
        for name in &course.not_covered {
            for text in [name.clone(), format!("What is a {name}?")] {
                texts.push(Text::of(none, None, text, 1));
            }
        }
        for question in asked {
            let Some(slug) = &question.topic else { continue };
            let place = topics.iter().position(|topic| topic.slug == *slug).unwrap_or(none);
            let of_title = |title: &String| {
                topics
                    .get(place)?
                    .lesson
                    .concepts
                    .iter()
                    .position(|idea| idea.title.replace(' ', "_") == *title)
            };
            let concept = question.idea.as_ref().and_then(of_title);
            texts.push(Text::of(place, concept, question.text.clone(), 3));
        }
        let words: Vec<Vec<String>> = texts.iter().map(|text| bm25::words(&text.text)).collect();
        let mut whole = vec![Vec::new(); none + 1];
        for (text, words) in texts.iter().zip(&words) {
            for _ in 0..text.times {
                whole[text.topic].extend(words.iter().cloned());
            }
        }
        let entry = |text: &Text| Entry {
            topic: text.topic,
            concept: text.concept,
            about: vectors::about(&text.text),
        };
        Self {
            entries: texts.iter().map(entry).collect(),
            by_entry: Bm25::of(&words, 0.5),
            by_topic: Bm25::of(&whole, 0.75),
            slugs: topics.iter().map(|topic| topic.slug.as_str()).collect(),
        }
    }

    fn likely(
        &self,
        course: &'static Curriculum,
        subject: &Subject<'_>,
        found: &Found<'_>,
    ) -> Vec<Likely<'static>> {
        let evidence = self.evidence(subject, found);
        let shares = shares(&evidence, &MODEL);
        let about = vectors::about(subject.prose);
        let rare = self.by_entry.scores(&bm25::words(subject.prose));
        let mut likely: Vec<Likely<'static>> = course
            .topics()
            .map(Some)
            .chain([None])
            .zip(shares)
            .enumerate()
            .map(|(at, (topic, share))| {
                let concept =
                    topic.and_then(|topic| self.concept(at, topic, (&about, &rare), found));
                Likely { topic, concept, share }
            })
            .collect();
        likely.sort_by(|one, other| other.share.total_cmp(&one.share));
        likely
    }

    /// The idea of a topic that is meant: a phrase names it, or its texts have more in common with the question than the
    /// rest of the topic: words of a similar meaning, and rare words.
    fn concept(
        &self,
        at: usize,
        topic: &'static Topic,
        (about, rare): (&Vector, &[f32]),
        found: &Found<'_>,
    ) -> Option<&'static Concept> {
        let of_match = |concept: &Concept| {
            topic.lesson.concepts.iter().position(|idea| idea.title == concept.title)
        };
        // "explain tuples": the topic itself is named, and nothing else.
        if let [only] = found.matches.as_slice()
            && only.topic.slug == topic.slug
            && only.concept.is_none()
            && found.unknown.is_empty()
        {
            return None;
        }
        let found = found.matches.iter().find(|found| found.topic.slug == topic.slug);
        let named = found.and_then(|found| found.concept).and_then(of_match);
        if named.is_some() && found.is_some_and(|found| found.longest >= Match::PHRASE) {
            return named.and_then(|at| topic.lesson.concepts.get(at));
        }
        let of_topic = self.entries.iter().zip(rare).filter(|(entry, _)| entry.topic == at);
        let (mut best, mut whole) = ((named, 0.0), 0.0_f32);
        for (entry, rare) in of_topic {
            let named = if named.is_some() && entry.concept == named { NAMED_SHARE } else { 0.0 };
            let near = vectors::nearness(&entry.about, about)
                + RARE_SHARE * rare / (rare + RARE_HALF)
                + named;
            match entry.concept {
                Some(concept) if near > best.1 => best = (Some(concept), near),
                Some(_) => {}
                None => whole = whole.max(near),
            }
        }
        let is_meant = best.1 >= NEAR_IDEA && best.1 - whole >= NEARER;
        let named = named.filter(|_| found.is_some_and(|found| found.longest >= Match::WORD));
        best.0.filter(|_| is_meant).or(named).and_then(|at| topic.lesson.concepts.get(at))
    }

    /// What speaks for each topic; the last row speaks for none.
    pub(crate) fn evidence(&self, subject: &Subject<'_>, found: &Found<'_>) -> Vec<[f64; WEIGHTS]> {
        let topics = self.slugs.len();
        let about = vectors::about(subject.prose);
        let mut near = vec![Vec::new(); topics + 1];
        for entry in &self.entries {
            near[entry.topic].push(vectors::nearness(&entry.about, &about));
        }
        near.iter_mut().for_each(|near| near.sort_by(|one, other| other.total_cmp(one)));
        let mean = |of: usize, count: usize| {
            let best = &near[of][..count.min(near[of].len())];
            f64::from(best.iter().sum::<f32>()) / best.len().max(1) as f64
        };
        let words = bm25::words(subject.prose);
        let mut best = vec![0.0_f32; topics + 1];
        for (entry, score) in self.entries.iter().zip(self.by_entry.scores(&words)) {
            best[entry.topic] = best[entry.topic].max(score);
        }
        let whole = self.by_topic.scores(&words);
        let most = whole.iter().copied().fold(0.0, f32::max);
        let nearest = (0..topics).map(|of| mean(of, 3)).fold(f64::MIN, f64::max);
        let all_named = found.matches.iter().map(|found| found.weight).sum::<usize>().max(1);
        let mut rows = Vec::with_capacity(topics + 1);
        for of in 0..=topics {
            let named = found
                .matches
                .iter()
                .position(|found| Some(&found.topic.slug.as_str()) == self.slugs.get(of));
            let weight = named.map_or(0, |at| found.matches[at].weight);
            let mut row = [0.0; WEIGHTS];
            row[..FOR_TOPIC].copy_from_slice(&[
                mean(of, 1) * 10.0,
                mean(of, 3) * 10.0,
                mean(of, 8) * 10.0,
                truth(mean(of, 3) >= nearest),
                f64::from(best[of].ln_1p()),
                f64::from(whole[of].ln_1p()),
                f64::from(whole[of] / (most + 2.0)) * 3.0,
                weight.min(6) as f64 / 2.0,
                truth(named == Some(0)),
                truth(named == Some(0) && found.unknown.is_empty()),
                weight as f64 / all_named as f64,
                truth(subject.page.is_some() && subject.page == self.slugs.get(of).copied()),
            ]);
            rows.push(row);
        }
        let closest = (0..topics).map(|of| mean(of, 1)).fold(0.0, f64::max);
        let rarest = best[..topics].iter().copied().fold(0.0, f32::max);
        rows[topics][FOR_TOPIC..].copy_from_slice(&[
            closest * 10.0,
            nearest * 10.0,
            f64::from(rarest.ln_1p()),
            truth(!found.not_covered.is_empty()),
            truth(found.matches.is_empty()),
            found.unknown.len().min(8) as f64 / 2.0,
            truth(POINTS.is_match(subject.prose)),
            truth(subject.has_code),
            truth(subject.page.is_some()),
            truth(words.len() <= 2),
            1.0,
        ]);
        rows
    }
}

/// The share of each row, by weights.
pub(crate) fn shares(rows: &[[f64; WEIGHTS]], weights: &[f64]) -> Vec<f64> {
    let weighed = |row: &[f64; WEIGHTS]| -> f64 {
        row.iter().zip(weights).map(|(number, weight)| number * weight).sum()
    };
    let scores: Vec<f64> = rows.iter().map(weighed).collect();
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let shares: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

impl Text {
    fn of(topic: usize, concept: Option<usize>, text: String, times: usize) -> Self {
        Self { topic, concept, text, times }
    }
}

fn of_topic(texts: &mut Vec<Text>, at: usize, topic: &Topic) {
    let lesson = &topic.lesson;
    let mut add =
        |concept, text: &str, times| texts.push(Text::of(at, concept, text.to_owned(), times));
    add(None, &topic.title, 4);
    add(None, &format!("What are {} in Python?", topic.title.to_lowercase()), 1);
    topic.terms.iter().for_each(|term| add(None, term, 4));
    add(None, &lesson.summary, 1);
    let told = [&lesson.explanation.beginner, &lesson.explanation.learning];
    let mistakes = lesson.mistakes.iter().flat_map(|mistake| [&mistake.title, &mistake.text]);
    let asked = topic.practice.questions.iter().flat_map(|question| [&question.ask, &question.why]);
    for text in told.into_iter().chain(mistakes).chain(asked) {
        sentences(text).for_each(|sentence| add(None, sentence, 1));
    }
    lesson.examples.iter().for_each(|example| add(None, &example.title, 1));
    for (place, concept) in lesson.concepts.iter().enumerate() {
        let concept_of = Some(place);
        add(concept_of, &concept.title, 3);
        add(concept_of, &format!("{} ({})", concept.title, topic.title.to_lowercase()), 1);
        concept.terms.iter().for_each(|term| add(concept_of, term, 3));
        sentences(&concept.text).for_each(|sentence| add(concept_of, sentence, 1));
        add(concept_of, &concept.example.title, 1);
    }
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', ';', ':', '\n'])
        .map(str::trim)
        .filter(|sentence| sentence.split_whitespace().count() >= 4)
}

const fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
