//! Which agent a question is for: a regression over the question's vector, the words that are evidence, and the context.

use std::sync::LazyLock;

use curriculum::Found;
use domain::agent::Agent;

use crate::{
    encoder,
    matrix::dot,
    patterns::{PATTERNS, Pattern},
    vectors,
    weights::Reader,
};

static FILE: &[u8] = include_bytes!("../weights/agent.bin");
/// Agents that can be meant, in the order of the weights.
pub(crate) const AGENTS: [Agent; 6] = Agent::ALL;
/// Numbers of a question's vector.
pub(crate) const WIDTH: usize = encoder::WIDTH + vectors::WIDTH;
/// What is known besides the vector: patterns, names and context.
const BESIDES: usize = 5 + 4 + 10;
/// Numbers that the regression weighs.
pub(crate) const FEATURES: usize = WIDTH + BESIDES;
/// How much each kind of evidence is stretched before training, which keeps weights small: a vector has length 1.
const VECTOR_SCALE: f32 = 6.0;
const PATTERN_SCALE: f32 = 0.4;
const NAME_SCALE: f32 = 1.5;
const CONTEXT_SCALE: f32 = 1.5;
/// Words of a question that counts as long.
const LONG: usize = 20;
/// Words of a question that says little by itself.
const SHORT: usize = 4;

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(FILE));

/// A question, and what is known besides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The student's own words, without code and error reports.
    pub prose: &'a str,
    /// Whether code came with it.
    pub has_code: bool,
    /// Whether an error report came with it.
    pub has_error: bool,
    /// Whether an exercise is open.
    pub in_exercise: bool,
    /// Whether a run of the student's code failed lately.
    pub failed_recently: bool,
    /// Whether it was asked on a lesson's page.
    pub on_page: bool,
}

/// How likely each agent is.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Agents with their shares, the likeliest first; the shares add up to 1.
    pub shares: Vec<(Agent, f64)>,
    /// What in its words suggests which agent, strongest first.
    pub reasons: Vec<(Agent, &'static str)>,
}

/// Weights for each agent.
pub(crate) struct Model {
    /// The mean of all vectors: what every text has in common says nothing.
    pub(crate) mean: [f32; WIDTH],
    /// For each agent one for each feature, and one for itself.
    pub(crate) weights: Vec<[f32; FEATURES + 1]>,
}

/// Reads a question. `found` is what it names of the course.
#[must_use]
pub fn read(asked: &Asked<'_>, found: &Found<'_>) -> Reading {
    let held = held(asked.prose);
    let features = MODEL.features(asked, found, &held, &vector(asked.prose));
    let mut shares: Vec<(Agent, f64)> = AGENTS.into_iter().zip(MODEL.shares(&features)).collect();
    shares.sort_by(|one, other| other.1.total_cmp(&one.1));
    Reading { shares, reasons: held.iter().map(|held| (held.agent, held.reason)).collect() }
}

/// The patterns that a text has, strongest first.
pub(crate) fn held(prose: &str) -> Vec<&'static Pattern> {
    let mut held: Vec<_> =
        PATTERNS.iter().filter(|pattern| pattern.regex.is_match(prose)).collect();
    held.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    held
}

/// The encoder's vector of a question and that of its words, which know different things; each with length 1.
pub(crate) fn vector(text: &str) -> [f32; WIDTH] {
    let mut vector = [0.0; WIDTH];
    let (encoded, about) = vector.split_at_mut(encoder::WIDTH);
    encoded.copy_from_slice(&encoder::encode(text));
    scale(encoded, 1.0);
    about.copy_from_slice(&vectors::about(text));
    vector
}

/// Gives a vector a length, unless it is zero.
fn scale(vector: &mut [f32], length: f32) {
    let by = length / dot(vector, vector).sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|number| *number *= by);
}

impl Model {
    fn read(file: &'static [u8]) -> Self {
        let mut from = Reader(file);
        let mut mean = [0.0; WIDTH];
        mean.copy_from_slice(&from.floats(WIDTH));
        let row = |_| {
            let mut row = [0.0; FEATURES + 1];
            row.copy_from_slice(&from.floats(FEATURES + 1));
            row
        };
        Self { mean, weights: AGENTS.iter().map(row).collect() }
    }

    /// What the regression weighs.
    pub(crate) fn features(
        &self,
        asked: &Asked<'_>,
        found: &Found<'_>,
        held: &[&Pattern],
        vector: &[f32; WIDTH],
    ) -> Vec<f32> {
        let mut features = Vec::with_capacity(FEATURES);
        features.extend(vector.iter().zip(&self.mean).map(|(number, mean)| number - mean));
        scale(&mut features, VECTOR_SCALE);
        for agent in &AGENTS[..5] {
            let of_agent = held.iter().filter(|pattern| pattern.agent == *agent);
            let sum: f64 = of_agent.map(|pattern| pattern.weight).sum();
            features.push(sum as f32 * PATTERN_SCALE);
        }
        let strongest = found.matches.first().map_or(0, |found| found.weight);
        let names = [
            truth(strongest >= 2),
            truth(strongest > 0),
            truth(!found.not_covered.is_empty()),
            found.unknown.len().min(4) as f32 / 4.0,
        ];
        features.extend(names.map(|name| name * NAME_SCALE));
        let words = asked.prose.split_whitespace().take(LONG).count();
        let is_short = words <= SHORT;
        let context = [
            truth(asked.has_code),
            truth(asked.has_error),
            truth(asked.in_exercise),
            truth(asked.failed_recently),
            truth(asked.on_page),
            words as f32 / LONG as f32,
            truth(is_short),
            truth(is_short && asked.has_code),
            truth(is_short && asked.in_exercise),
            truth(asked.prose.contains('?')),
        ];
        features.extend(context.map(|known| known * CONTEXT_SCALE));
        features
    }

    /// The share of each agent.
    pub(crate) fn shares(&self, features: &[f32]) -> [f64; AGENTS.len()] {
        let mut shares = [0.0; AGENTS.len()];
        for (share, weights) in shares.iter_mut().zip(&self.weights) {
            *share =
                f64::from(dot(&weights[..FEATURES], &features[..FEATURES]) + weights[FEATURES]);
        }
        let top = shares.iter().copied().fold(f64::MIN, f64::max);
        shares = shares.map(|share| (share - top).exp());
        let sum: f64 = shares.iter().sum();
        shares.map(|share| share / sum)
    }
}

const fn truth(holds: bool) -> f32 {
    if holds { 1.0 } else { 0.0 }
}
