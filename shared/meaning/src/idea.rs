//! Which finer idea of the course a question is about, or which topic as a whole: a regression over what a question has
//! in common with the texts of each, trained on questions whose idea is known.

use std::{collections::HashMap, sync::LazyLock};

use curriculum::{Concept, Curriculum, Found, Topic};
use regex::Regex;

use crate::{
    index::{Candidate, Common, Index, OfTopic},
    patterns::compile,
    questions::{self, Question},
    weights::Reader,
};

static FILE: &[u8] = include_bytes!("../weights/idea.bin");
/// Evidence for a finer idea and for a topic as a whole; evidence for the topic of both; evidence for none.
const FOR_IDEA: usize = 15;
const FOR_WHOLE: usize = 11;
const FOR_TOPIC: usize = 6;
const FOR_NONE: usize = 11;
/// Numbers that are weighed.
pub(crate) const WEIGHTS: usize = FOR_IDEA + FOR_WHOLE + FOR_TOPIC + FOR_NONE;
/// Words of a question that can hardly ask for more than a topic.
const SHORT: usize = 4;
/// The heaviest name that counts: longer ones say no more.
const HEAVIEST: usize = 8;

static INDEX: LazyLock<Index> =
    LazyLock::new(|| Index::of(curriculum::embedded(), &questions::of_topics()));
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

/// How likely a question is about something.
#[derive(Debug, Clone, Copy)]
pub struct Likely<'a> {
    /// The topic; `None`: no lesson is about it.
    pub topic: Option<&'a Topic>,
    /// The finer idea; `None`: the topic as a whole.
    pub concept: Option<&'a Concept>,
    /// From 0 to 1.
    pub share: f64,
}

/// What a question is about, likeliest first: finer ideas, topics as a whole, or nothing of the course.
#[must_use]
pub fn ideas(subject: &Subject<'_>) -> Vec<Likely<'static>> {
    let course = curriculum::embedded();
    let topics: Vec<&'static Topic> = course.topics().collect();
    let evidence = evidence(&INDEX, course, subject, &course.find(subject.prose));
    let of = |candidate: &Candidate| {
        let topic = topics[candidate.topic];
        (Some(topic), candidate.idea.and_then(|idea| topic.lesson.concepts.get(idea)))
    };
    let mut likely: Vec<Likely<'static>> = INDEX
        .candidates
        .iter()
        .map(of)
        .chain([(None, None)])
        .zip(shares(&evidence, &MODEL))
        .map(|((topic, concept), share)| Likely { topic, concept, share })
        .collect();
    likely.sort_by(|one, other| other.share.total_cmp(&one.share));
    likely
}

impl Likely<'_> {
    /// Whether it is the same topic and idea.
    #[must_use]
    pub fn is_same(&self, other: &Likely<'_>) -> bool {
        self.names() == other.names()
    }

    fn names(&self) -> (Option<&str>, Option<&str>) {
        let topic = self.topic.map(|topic| topic.slug.as_str());
        (topic, self.concept.map(|concept| concept.title.as_str()))
    }
}

/// What several readings say together: the mean of their shares, likeliest first.
#[must_use]
pub fn together<'a>(readings: &[Vec<Likely<'a>>]) -> Vec<Likely<'a>> {
    let mut sums: HashMap<(Option<&str>, Option<&str>), Likely<'a>> = HashMap::new();
    for likely in readings.iter().flatten() {
        let sum = sums.entry(likely.names()).or_insert(Likely { share: 0.0, ..*likely });
        sum.share += likely.share / readings.len() as f64;
    }
    let mut together: Vec<Likely<'a>> = sums.into_values().collect();
    // Equal ones in a fixed order, since a map has none.
    together.sort_by(|one, other| {
        other.share.total_cmp(&one.share).then_with(|| one.names().cmp(&other.names()))
    });
    together
}

/// The topic that is likeliest, with any of its ideas.
#[must_use]
pub fn topic<'a>(ideas: &[Likely<'a>]) -> Option<Likely<'a>> {
    let mut topics: Vec<(&'a Topic, f64)> = Vec::new();
    for (topic, share) in ideas.iter().filter_map(|idea| Some((idea.topic?, idea.share))) {
        match topics.iter_mut().find(|(known, _)| known.slug == topic.slug) {
            Some((_, together)) => *together += share,
            None => topics.push((topic, share)),
        }
    }
    let (topic, share) = topics.into_iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
    Some(Likely { topic: Some(topic), concept: None, share })
}

/// What speaks for each candidate; the last row speaks for none.
pub(crate) fn evidence(
    index: &Index,
    course: &Curriculum,
    subject: &Subject<'_>,
    found: &Found<'_>,
) -> Vec<[f32; WEIGHTS]> {
    let common = index.common(subject.prose);
    let of_topics = index.of_topics(subject.prose);
    let nearest = most(&common, |of| of.about);
    let rarest = most(&common, |of| of.rare);
    let most_whole = most(&common, |of| of.whole);
    let names = names(course, found);
    let only = names_only_one(found);
    let words = subject.prose.split_whitespace().count();
    let topics = topic_rows(course, subject, found, &of_topics);
    let mut rows = Vec::with_capacity(index.candidates.len() + 1);
    for (candidate, of) in index.candidates.iter().zip(&common) {
        let named = names.get(&(candidate.topic, candidate.idea)).copied().unwrap_or_default();
        let mut row = [0.0; WEIGHTS];
        let numbers = [
            of.about * 10.0,
            of.rare.ln_1p(),
            of.whole.ln_1p(),
            of.exact * 3.0,
            of.covered * 3.0,
            of.answered * 3.0,
            named.min(HEAVIEST) as f32 / 2.0,
            1.0,
        ];
        if candidate.idea.is_some() {
            row[..numbers.len()].copy_from_slice(&numbers);
            row[numbers.len()..FOR_IDEA].copy_from_slice(&[
                (of.about - nearest) * 10.0,
                (of.rare - rarest) / 3.0,
                (of.whole - most_whole) / 3.0,
                of.covered_by_head * 3.0,
                of.head * 3.0,
                truth(named >= 4 && found.unknown.is_empty()),
                truth(named >= 2 && only),
            ]);
        } else {
            let row = &mut row[FOR_IDEA..FOR_IDEA + FOR_WHOLE];
            row[..numbers.len()].copy_from_slice(&numbers);
            row[numbers.len()..].copy_from_slice(&[
                of.covered_by_head * 3.0,
                truth(named > 0 && only),
                truth(words <= SHORT && named > 0 && only),
            ]);
        }
        row[FOR_IDEA + FOR_WHOLE..][..FOR_TOPIC].copy_from_slice(&topics[candidate.topic]);
        rows.push(row);
    }
    let mut none = [0.0; WEIGHTS];
    none[WEIGHTS - FOR_NONE..].copy_from_slice(&[
        nearest * 10.0,
        rarest.ln_1p(),
        most(&common, |of| of.covered) * 3.0,
        most(&common, |of| of.answered) * 3.0,
        truth(!found.not_covered.is_empty()),
        truth(found.matches.is_empty()),
        found.unknown.len().min(8) as f32 / 2.0,
        truth(POINTS.is_match(subject.prose)),
        truth(subject.has_code),
        truth(subject.page.is_some()),
        1.0,
    ]);
    rows.push(none);
    rows
}

fn most(common: &[Common], of: impl Fn(&Common) -> f32) -> f32 {
    common.iter().map(of).fold(0.0, f32::max)
}

/// What speaks for each topic.
fn topic_rows(
    course: &Curriculum,
    subject: &Subject<'_>,
    found: &Found<'_>,
    of_topics: &[OfTopic],
) -> Vec<[f32; FOR_TOPIC]> {
    let all_named = found.matches.iter().map(|found| found.weight).sum::<usize>().max(1);
    let most = of_topics.iter().map(|of| of.whole).fold(0.0, f32::max);
    let row = |(topic, of): (&Topic, &OfTopic)| {
        let named = found.matches.iter().position(|found| found.topic.slug == topic.slug);
        let weight = named.map_or(0, |at| found.matches[at].weight);
        [
            of.about * 10.0,
            of.whole.ln_1p(),
            of.whole / (most + 2.0) * 3.0,
            truth(named == Some(0)),
            weight as f32 / all_named as f32,
            truth(subject.page == Some(&topic.slug)),
        ]
    };
    course.topics().zip(of_topics).map(row).collect()
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

/// The share of each row, by weights.
pub(crate) fn shares(rows: &[[f32; WEIGHTS]], weights: &[f64]) -> Vec<f64> {
    let weighed = |row: &[f32; WEIGHTS]| -> f64 {
        row.iter().zip(weights).map(|(number, weight)| f64::from(*number) * weight).sum()
    };
    let scores: Vec<f64> = rows.iter().map(weighed).collect();
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let shares: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// Whether a question names one topic or idea, and nothing else.
fn names_only_one(found: &Found<'_>) -> bool {
    found.matches.len() == 1 && found.unknown.is_empty()
}

/// The places of what a question is labelled with.
pub(crate) fn places(
    index: &Index,
    course: &Curriculum,
    question: &Question,
    found: &Found<'_>,
) -> Vec<usize> {
    let slug = question.topic.as_deref().unwrap_or_default();
    if slug.is_empty() {
        return vec![index.candidates.len()];
    }
    let topics: Vec<&Topic> = course.topics().collect();
    // A question of which only the topic is known may be about any idea of it, unless the topic is all that it names.
    let is_any = question.idea.is_none() && !names_only_one(found);
    let is_meant = |candidate: &Candidate| {
        let topic = topics[candidate.topic];
        let title = candidate.idea.map(|idea| &topic.lesson.concepts[idea].title);
        topic.slug == slug && (is_any || title == question.idea.as_ref())
    };
    let places = index.candidates.iter().enumerate();
    places.filter(|(_, candidate)| is_meant(candidate)).map(|(place, _)| place).collect()
}

const fn truth(holds: bool) -> f32 {
    if holds { 1.0 } else { 0.0 }
}
