//! Which agent a question is for: a regression over the question's vector, the words that are evidence, and the context.
//!
//! The vector of its words takes a hundredth of the time that the encoder's takes, and is enough where the answer is
//! clear; the encoder is asked about the rest.

use std::sync::LazyLock;

use curriculum::Found;
use domain::agent::Agent;
use ndarray::{Array1, ArrayView1};

use crate::{encoder, patterns::PATTERNS, vectors, weights::Reader};

static BY_WORDS: &[u8] = include_bytes!("../weights/agent-by-words.bin");
static BY_ENCODER: &[u8] = include_bytes!("../weights/agent-by-encoder.bin");
/// How likely an agent must be by the words alone for the encoder not to be asked.
const CLEAR: f64 = 0.95;
/// Agents that can be meant, in the order of the weights.
pub(crate) const AGENTS: [Agent; 6] = Agent::ALL;
/// What is known besides the vector: patterns, names and context.
pub(crate) const BESIDES: usize = 5 + 4 + 10;
/// How much each kind of evidence is stretched before training, which keeps weights small: a vector has length 1.
const VECTOR_SCALE: f32 = 6.0;
const PATTERN_SCALE: f32 = 0.4;
const NAME_SCALE: f32 = 1.5;
const CONTEXT_SCALE: f32 = 1.5;
/// Words of a question that counts as long.
const LONG: usize = 20;
/// Words of a question that says little by itself.
const SHORT: usize = 4;

static WORDS: LazyLock<Model> = LazyLock::new(|| Model::read(BY_WORDS));
static ENCODER: LazyLock<Model> = LazyLock::new(|| Model::read(BY_ENCODER));

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
    pub(crate) mean: Array1<f32>,
    /// For each agent one for each feature, and one for itself.
    pub(crate) weights: Vec<Vec<f32>>,
}

/// The vector that a model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The mean of its words' vectors.
    Words,
    /// The encoder's.
    Encoder,
}

impl By {
    pub(crate) fn vector(self, text: &str) -> Array1<f32> {
        match self {
            Self::Words => Array1::from_iter(vectors::about(text)),
            Self::Encoder => encoder::encode(text),
        }
    }

    pub(crate) const fn width(self) -> usize {
        match self {
            Self::Words => vectors::WIDTH,
            Self::Encoder => encoder::WIDTH,
        }
    }
}

/// Whether the shares by words leave no doubt. Nobody is sent away by words alone: there are more of them than are known.
pub(crate) fn is_clear(shares: &[f64; AGENTS.len()]) -> bool {
    let mut shares = AGENTS.iter().zip(shares);
    shares.any(|(agent, share)| *agent != Agent::OffTopic && *share >= CLEAR)
}

/// Reads a question. `found` is what it names of the course.
#[must_use]
pub fn read(asked: &Asked<'_>, found: &Found<'_>) -> Reading {
    let mut shares = WORDS.read_by(By::Words, asked, found);
    if !is_clear(&shares) {
        shares = ENCODER.read_by(By::Encoder, asked, found);
    }
    let mut shares: Vec<(Agent, f64)> = AGENTS.into_iter().zip(shares).collect();
    shares.sort_by(|one, other| other.1.total_cmp(&one.1));
    let mut held: Vec<_> =
        PATTERNS.iter().filter(|pattern| pattern.regex.is_match(asked.prose)).collect();
    held.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    let reasons = held.into_iter().map(|held| (held.agent, held.reason)).collect();
    Reading { shares, reasons }
}

impl Model {
    fn read(file: &'static [u8]) -> Self {
        // A row for the mean, which has no numbers for what is known besides and for itself, and one for each agent.
        let numbers = file.len() / size_of::<f32>();
        let width = (numbers - AGENTS.len() * (BESIDES + 1)) / (AGENTS.len() + 1);
        let mut from = Reader(file);
        let mean = from.vector(width);
        let weights = AGENTS.iter().map(|_| from.floats(width + BESIDES + 1)).collect();
        Self { mean, weights }
    }

    fn read_by(&self, by: By, asked: &Asked<'_>, found: &Found<'_>) -> [f64; AGENTS.len()] {
        self.shares(&self.features(asked, found, by.vector(asked.prose).view()))
    }

    /// What the regression weighs; the last one is 1.
    pub(crate) fn features(
        &self,
        asked: &Asked<'_>,
        found: &Found<'_>,
        vector: ArrayView1<'_, f32>,
    ) -> Vec<f32> {
        let vector = &vector - &self.mean;
        let length = vector.dot(&vector).sqrt().max(f32::MIN_POSITIVE);
        let mut features = Vec::with_capacity(vector.len() + BESIDES + 1);
        features.extend(vector.iter().map(|number| number / length * VECTOR_SCALE));
        for agent in &AGENTS[..5] {
            let held = PATTERNS.iter().filter(|pattern| pattern.agent == *agent);
            let held = held.filter(|pattern| pattern.regex.is_match(asked.prose));
            let sum: f64 = held.map(|pattern| pattern.weight).sum();
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
        features.push(1.0);
        features
    }

    /// The share of each agent.
    pub(crate) fn shares(&self, features: &[f32]) -> [f64; AGENTS.len()] {
        let mut shares = [0.0; AGENTS.len()];
        for (share, weights) in shares.iter_mut().zip(&self.weights) {
            let weighed = weights.iter().zip(features).map(|(weight, feature)| weight * feature);
            *share = f64::from(weighed.sum::<f32>());
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
