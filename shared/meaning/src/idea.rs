//! Which finer idea of the course a question is about, or which topic as a whole: a regression over what a question has
//! in common with the texts of each, trained on questions whose idea is known.

use std::{collections::HashMap, ptr, sync::LazyLock};

use curriculum::{Concept, Curriculum, Found, Match, Topic};
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
const FOR_TOPIC: usize = 5;
const FOR_NONE: usize = 10;
/// Numbers that are weighed.
pub(crate) const WEIGHTS: usize = FOR_IDEA + FOR_WHOLE + FOR_TOPIC + FOR_NONE;
/// Words of a question that can hardly ask for more than a topic.
const SHORT: usize = 4;
/// The heaviest name that counts: longer ones say no more.
const HEAVIEST: usize = 8;
/// Most unknown words that count.
const MOST_UNKNOWN: usize = 8;
/// The share below which nothing is said of an idea. About half of some 800 are below; without them one reading takes a
/// sixth less time, and adding two up takes half.
const NEGLIGIBLE: f64 = 1e-4;
/// How much each kind of number is stretched before training, so that all are of about the same size.
const NEARNESS_SCALE: f32 = 10.0;
const SHARE_SCALE: f32 = 3.0;
const RARITY_SCALE: f32 = 1.0 / 3.0;
const NAME_SCALE: f32 = 0.5;
/// Added to the most that a topic has of rare words, so that little of little is no large share.
const LITTLE: f32 = 2.0;

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

/// What a question is about, likeliest first: finer ideas, topics as a whole, or nothing of the course, without the many
/// that are hardly possible. `found` is what it names of the course.
#[must_use]
pub fn ideas(subject: &Subject<'_>, found: &Found<'_>) -> Vec<Likely<'static>> {
    let course = curriculum::embedded();
    let topics: Vec<&'static Topic> = course.topics().collect();
    let evidence = evidence(&INDEX, course, subject, found);
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
        .filter(|(_, share)| *share >= NEGLIGIBLE)
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
    if let [only] = readings {
        return only.clone();
    }
    // By address, since there are hundreds, and comparing names takes as long as reading the question.
    let address =
        |likely: &Likely<'_>| (likely.topic.map(ptr::from_ref), likely.concept.map(ptr::from_ref));
    let mut sums = HashMap::new();
    for likely in readings.iter().flatten() {
        let sum = sums.entry(address(likely)).or_insert(Likely { share: 0.0, ..*likely });
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
    let (common, of_topics) = index.compare(subject.prose);
    let nearest = most(&common, |of| of.about);
    let rarest = most(&common, |of| of.rare);
    let most_whole = most(&common, |of| of.whole);
    let names = names(course, found);
    let only = names_only_one(found);
    let words = subject.prose.split_whitespace().count();
    let topics = topic_rows(course, found, &of_topics);
    let mut rows = Vec::with_capacity(index.candidates.len() + 1);
    for (candidate, of) in index.candidates.iter().zip(&common) {
        let place = (candidate.topic, candidate.idea);
        let named = names.iter().find(|(of, _)| *of == place).map_or(0, |(_, longest)| *longest);
        let mut row = [0.0; WEIGHTS];
        let numbers = [
            of.about * NEARNESS_SCALE,
            logarithm(of.rare),
            logarithm(of.whole),
            of.exact * SHARE_SCALE,
            of.covered * SHARE_SCALE,
            of.answered * SHARE_SCALE,
            named.min(HEAVIEST) as f32 * NAME_SCALE,
            1.0,
        ];
        if candidate.idea.is_some() {
            row[..numbers.len()].copy_from_slice(&numbers);
            row[numbers.len()..FOR_IDEA].copy_from_slice(&[
                (of.about - nearest) * NEARNESS_SCALE,
                (of.rare - rarest) * RARITY_SCALE,
                (of.whole - most_whole) * RARITY_SCALE,
                of.covered_by_head * SHARE_SCALE,
                of.head * SHARE_SCALE,
                truth(named >= Match::PHRASE && found.unknown.is_empty()),
                truth(named >= Match::WORD && only),
            ]);
        } else {
            let row = &mut row[FOR_IDEA..FOR_IDEA + FOR_WHOLE];
            row[..numbers.len()].copy_from_slice(&numbers);
            row[numbers.len()..].copy_from_slice(&[
                of.covered_by_head * SHARE_SCALE,
                truth(named > 0 && only),
                truth(words <= SHORT && named > 0 && only),
            ]);
        }
        row[FOR_IDEA + FOR_WHOLE..][..FOR_TOPIC].copy_from_slice(&topics[candidate.topic]);
        rows.push(row);
    }
    let mut none = [0.0; WEIGHTS];
    none[WEIGHTS - FOR_NONE..].copy_from_slice(&[
        nearest * NEARNESS_SCALE,
        rarest.ln_1p(),
        most(&common, |of| of.covered) * SHARE_SCALE,
        most(&common, |of| of.answered) * SHARE_SCALE,
        truth(!found.not_covered.is_empty()),
        truth(found.matches.is_empty()),
        found.unknown.len().min(MOST_UNKNOWN) as f32 * NAME_SCALE,
        truth(POINTS.is_match(subject.prose)),
        truth(subject.has_code),
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
    found: &Found<'_>,
    of_topics: &[OfTopic],
) -> Vec<[f32; FOR_TOPIC]> {
    let all_named = found.matches.iter().map(|found| found.weight).sum::<usize>().max(1);
    let most = of_topics.iter().map(|of| of.whole).fold(0.0, f32::max);
    let row = |(topic, of): (&Topic, &OfTopic)| {
        let named = found.matches.iter().position(|found| found.topic.slug == topic.slug);
        let weight = named.map_or(0, |at| found.matches[at].weight);
        [
            of.about * NEARNESS_SCALE,
            of.whole.ln_1p(),
            of.whole / (most + LITTLE) * SHARE_SCALE,
            truth(named == Some(0)),
            weight as f32 / all_named as f32,
        ]
    };
    course.topics().zip(of_topics).map(row).collect()
}

/// Of one more, as `ln_1p`; most numbers are 0.
fn logarithm(number: f32) -> f32 {
    if number == 0.0 { 0.0 } else { number.ln_1p() }
}

/// The candidates that are named by phrases of the course, the last phrase first, and how strongly.
fn names(course: &Curriculum, found: &Found<'_>) -> Vec<((usize, Option<usize>), usize)> {
    let mut names = Vec::new();
    for named in &found.matches {
        let Some(at) = course.topics().position(|topic| topic.slug == named.topic.slug) else {
            continue;
        };
        let concepts = &named.topic.lesson.concepts;
        let place = |concept: &Concept| concepts.iter().position(|of| of.title == concept.title);
        names.push(((at, named.concept.and_then(place)), named.longest));
    }
    names.reverse();
    names
}

/// The share of each row, by weights.
pub(crate) fn shares(rows: &[[f32; WEIGHTS]], weights: &[f64]) -> Vec<f64> {
    let scores: Vec<f64> = rows.iter().map(|row| weighed(row, weights)).collect();
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let shares: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

fn weighed(row: &[f32; WEIGHTS], weights: &[f64]) -> f64 {
    // Side by side, so that no sum waits for another.
    let (parts, rest) = row.as_chunks::<8>();
    let (of_parts, of_rest) = weights.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (numbers, weights) in parts.iter().zip(of_parts) {
        for (sum, (number, weight)) in sums.iter_mut().zip(numbers.iter().zip(weights)) {
            *sum += f64::from(*number) * weight;
        }
    }
    let rest = rest.iter().zip(of_rest).map(|(number, weight)| f64::from(*number) * weight);
    sums.into_iter().chain(rest).sum()
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

#[cfg(test)]
mod tests {
    use curriculum::Topic;

    use super::{Likely, Subject, ideas, together, topic};

    fn read(prose: &str) -> Vec<Likely<'static>> {
        let subject = Subject { prose, ..Subject::default() };
        ideas(&subject, &curriculum::embedded().find(prose))
    }

    fn first(likely: &[Likely<'static>]) -> (&'static str, Option<&'static str>) {
        let best = &likely[0];
        let slug = best.topic.map_or("none", |topic| &topic.slug);
        (slug, best.concept.map(|concept| concept.title.as_str()))
    }

    #[test]
    fn a_topic_as_a_whole_is_distinguished_from_its_ideas() {
        assert_eq!(first(&read("what is a set")), ("sets", None));
        assert_eq!(first(&read("what is modulo")).1, Some("The remainder operator"));
        assert_eq!(
            first(&read("how do I remove duplicates from a list")),
            ("sets", Some("Removing duplicates"))
        );
    }

    #[test]
    fn shares_add_up_and_are_the_same_each_time() {
        let likely = read("how do i sort the words of a text by their length");
        let sum: f64 = likely.iter().map(|likely| likely.share).sum();
        assert!((0.95..=1.0).contains(&sum), "{sum} without what is negligible");
        let again = read("how do i sort the words of a text by their length");
        let shares = |likely: &[Likely<'_>]| likely.iter().map(|it| it.share).collect::<Vec<_>>();
        assert_eq!(shares(&likely), shares(&again));
    }

    #[test]
    fn readings_together_have_the_mean_of_their_shares() {
        let topics: Vec<&'static Topic> = curriculum::embedded().topics().take(2).collect();
        let likely = |at: usize, share| Likely { topic: Some(topics[at]), concept: None, share };
        let all =
            together(&[vec![likely(0, 0.9), likely(1, 0.1)], vec![likely(1, 0.7), likely(0, 0.3)]]);
        let shares: Vec<f64> = all.iter().map(|likely| likely.share).collect();
        assert!(all[0].is_same(&likely(0, 0.0)), "{all:?}");
        assert!((shares[0] - 0.6).abs() < 1e-9 && (shares[1] - 0.4).abs() < 1e-9, "{shares:?}");
        assert!(topic(&all).is_some_and(|topic| topic.is_same(&all[0])));
    }
}
