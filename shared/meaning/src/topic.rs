//! Which part of the course a question is about: by the vectors of the course's sentences, by rare words, and by the
//! course's terms, weighed against «no lesson is about it».

use std::sync::LazyLock;

use curriculum::{Concept, Curriculum, Found, Topic};
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
    let shares = shares_of(subject, &course.find(subject.prose));
    let topics = course.topics().map(Some).chain([None]).zip(shares);
    let mut likely: Vec<Likely<'static>> =
        topics.map(|(topic, share)| Likely { topic, concept: None, share }).collect();
    likely.sort_by(|one, other| other.share.total_cmp(&one.share));
    likely
}

/// The share of each topic in the course's order; the last is that of none.
pub(crate) fn shares_of(subject: &Subject<'_>, found: &Found<'_>) -> Vec<f64> {
    shares(&INDEX.evidence(subject, found), &MODEL)
}

/// A text of the course, or a question that was asked before.
struct Entry {
    topic: usize,
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
                texts.push(Text { topic: none, text, times: 1 });
            }
        }
        for question in asked {
            let Some(slug) = &question.topic else { continue };
            let place = topics.iter().position(|topic| topic.slug == *slug).unwrap_or(none);
            texts.push(Text { topic: place, text: question.text.clone(), times: 3 });
        }
        let words: Vec<Vec<String>> = texts.iter().map(|text| bm25::words(&text.text)).collect();
        let mut whole = vec![Vec::new(); none + 1];
        for (text, words) in texts.iter().zip(&words) {
            for _ in 0..text.times {
                whole[text.topic].extend(words.iter().cloned());
            }
        }
        let entry = |text: &Text| Entry { topic: text.topic, about: vectors::about(&text.text) };
        Self {
            entries: texts.iter().map(entry).collect(),
            by_entry: Bm25::of(&words, 0.5),
            by_topic: Bm25::of(&whole, 0.75),
            slugs: topics.iter().map(|topic| topic.slug.as_str()).collect(),
        }
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
pub(crate) fn shares<const N: usize>(rows: &[[f64; N]], weights: &[f64]) -> Vec<f64> {
    let weighed = |row: &[f64; N]| -> f64 {
        row.iter().zip(weights).map(|(number, weight)| number * weight).sum()
    };
    let scores: Vec<f64> = rows.iter().map(weighed).collect();
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let shares: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

fn of_topic(texts: &mut Vec<Text>, at: usize, topic: &Topic) {
    let lesson = &topic.lesson;
    let mut add = |text: &str, times| texts.push(Text { topic: at, text: text.to_owned(), times });
    add(&topic.title, 4);
    add(&format!("What are {} in Python?", topic.title.to_lowercase()), 1);
    topic.terms.iter().for_each(|term| add(term, 4));
    add(&lesson.summary, 1);
    let explained = [&lesson.explanation.beginner, &lesson.explanation.learning];
    let mistakes = lesson.mistakes.iter().flat_map(|mistake| [&mistake.title, &mistake.text]);
    let asked = topic.practice.questions.iter().flat_map(|question| [&question.ask, &question.why]);
    for text in explained.into_iter().chain(mistakes).chain(asked) {
        sentences(text).for_each(|sentence| add(sentence, 1));
    }
    lesson.examples.iter().for_each(|example| add(&example.title, 1));
    for concept in &lesson.concepts {
        add(&concept.title, 3);
        add(&format!("{} ({})", concept.title, topic.title.to_lowercase()), 1);
        concept.terms.iter().for_each(|term| add(term, 3));
        sentences(&concept.text).for_each(|sentence| add(sentence, 1));
        add(&concept.example.title, 1);
    }
}

pub(crate) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', ';', ':', '\n'])
        .map(str::trim)
        .filter(|sentence| sentence.split_whitespace().count() >= 4)
}

pub(crate) const fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
