//! How the weights of [`read`](crate::read) are found, from the questions in `training/questions.txt` and
//! `training/stories.txt`.

use std::collections::HashMap;

use curriculum::Found;
use domain::agent::Agent;

use crate::{
    agent::{AGENTS, Asked, FEATURES, Model, WIDTH, held, vector},
    descent::minimum,
    idea::{self, Subject, WEIGHTS},
    index::Index,
    questions::Question,
};

/// How strongly small weights are preferred.
const RIDGE: f64 = 0.4;
/// What people say around a question: it changes nothing.
const AROUND: [(&str, &str); 24] = [
    ("hi! ", ""),
    ("Hello, I hope you are well. ", " Thank you!"),
    ("sorry to bother you again. ", ""),
    ("I'm so tired today. ", ""),
    ("ugh, i hate this. ", ""),
    ("I am really nervous about the exam next week. ", ""),
    ("", " please, it's urgent"),
    ("I was ill last week and missed two lessons. ", ""),
    ("everyone in my class understands it and I don't. ", ""),
    ("ok thanks. ", ""),
    ("My dad bought me a laptop and I started a python course. ", ""),
    ("", " i'm new to programming"),
    ("quick question: ", ""),
    ("haha that was funny. now ", ""),
    ("I feel so stupid. ", ""),
    ("", " just tell me, i don't have much time"),
    ("Good morning, tutor! ", " Thanks in advance"),
    ("It's 2 am and I want to go to bed. ", ""),
    ("i have been sitting here for hours... ", ""),
    ("thank you so much for the last answer! ", ""),
    ("um so ", " or something"),
    ("hey bro ", ""),
    ("I don't want to be annoying but ", ""),
    ("My teacher didn't explain it well. ", ""),
];
/// How much a question counts among such words.
const AMONG_WORDS: f64 = 0.3;
/// Shares of a question in another context, where that changes nothing.
const WITHOUT_CODE: f64 = 0.4;
const WITH_CODE: f64 = 0.25;
const OTHERWISE: f64 = 0.2;

/// The same questions in other contexts too, where that changes nothing.
#[must_use]
pub fn in_other_contexts(questions: &[Question]) -> Vec<Question> {
    let mut all = questions.to_vec();
    for question in questions {
        let words = question.text.split_whitespace().count();
        let context = question.context;
        let mut add = |holds: bool, weight: f64, context: Asked<'static>| {
            if holds {
                all.push(Question {
                    context,
                    weight: question.weight * weight,
                    ..question.clone()
                });
            }
        };
        let is_about_code = matches!(question.agent, Agent::Debug | Agent::CodeReview);
        let asks = words > 3;
        add(
            is_about_code && context.has_code && asks && !context.in_exercise,
            WITHOUT_CODE,
            Asked { has_code: false, ..context },
        );
        add(
            !is_about_code && !context.has_code && words > 2,
            WITH_CODE,
            Asked { has_code: true, ..context },
        );
        add(
            question.agent != Agent::Exercise && !context.in_exercise && asks,
            OTHERWISE,
            Asked { in_exercise: true, ..context },
        );
        add(
            question.agent != Agent::Debug && !context.failed_recently && asks,
            OTHERWISE,
            Asked { failed_recently: true, ..context },
        );
        add(!context.on_page && words > 2, OTHERWISE, Asked { on_page: true, ..context });
    }
    let may_be_said = questions.iter().filter(|question| {
        let words = question.text.split_whitespace().count();
        question.agent != Agent::OffTopic && (3..=16).contains(&words)
    });
    for (question, (before, after)) in may_be_said.zip(AROUND.iter().cycle()) {
        let text = format!("{before}{}{after}", question.text);
        all.push(Question { text, weight: AMONG_WORDS, ..question.clone() });
    }
    all
}

/// A trained model.
pub struct Trained(Model);

impl std::fmt::Debug for Trained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trained")
    }
}

/// Questions with their vectors, which take longest.
#[derive(Debug)]
pub struct Vectors<'a>(Vec<(&'a Question, [f32; WIDTH], Found<'a>)>);

impl<'a> Vectors<'a> {
    /// Of all these.
    #[must_use]
    pub fn of(questions: &'a [Question]) -> Self {
        let mut known: HashMap<&str, [f32; WIDTH]> = HashMap::new();
        let with_vector = |question: &'a Question| {
            let text = question.text.as_str();
            let vector = *known.entry(text).or_insert_with(|| vector(text));
            (question, vector, curriculum::embedded().find(text))
        };
        Self(questions.iter().map(with_vector).collect())
    }

    /// Trains with those that are chosen by their place.
    #[must_use]
    pub fn train(&self, choose: impl Fn(&Question) -> bool) -> Trained {
        let chosen: Vec<_> = self.0.iter().filter(|(question, ..)| choose(question)).collect();
        let mean = std::array::from_fn(|at| {
            chosen.iter().map(|(_, vector, _)| vector[at]).sum::<f32>() / chosen.len() as f32
        });
        let mut model = Model { mean, weights: vec![[0.0; FEATURES + 1]; AGENTS.len()] };
        let rows: Vec<Vec<f32>> = chosen
            .iter()
            .map(|(question, vector, found)| model.row(question, found, vector))
            .collect();
        let of = |agent: Agent| -> f64 {
            let of_agent = chosen.iter().filter(|(question, ..)| question.agent == agent);
            of_agent.map(|(question, ..)| question.weight).sum()
        };
        let all: f64 = chosen.iter().map(|(question, ..)| question.weight).sum();
        // Rare agents count as much as common ones.
        let weights: Vec<f64> = chosen
            .iter()
            .map(|(question, ..)| question.weight * all / of(question.agent) / AGENTS.len() as f64)
            .collect();
        let labels: Vec<usize> = chosen
            .iter()
            .filter_map(|(question, ..)| AGENTS.iter().position(|agent| *agent == question.agent))
            .collect();
        let examples = Examples { rows, labels, weights };
        let found = minimum(vec![0.0; AGENTS.len() * (FEATURES + 1)], |at| examples.loss(at));
        for (row, found) in model.weights.iter_mut().zip(found.chunks(FEATURES + 1)) {
            row.iter_mut().zip(found).for_each(|(to, weight)| *to = *weight as f32);
        }
        Trained(model)
    }

    /// What a model says of each question.
    #[must_use]
    pub fn shares(&self, by: &Trained) -> Vec<(&'a Question, [f64; 6])> {
        let shares = self.0.iter().map(|(question, vector, found)| {
            (*question, by.0.shares(&by.0.row(question, found, vector)))
        });
        shares.collect()
    }
}

impl Trained {
    /// The file of its weights.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        let weights = self.0.weights.iter().flatten();
        self.0.mean.iter().chain(weights).flat_map(|number| number.to_le_bytes()).collect()
    }
}

impl Model {
    fn row(&self, question: &Question, found: &Found<'_>, vector: &[f32; WIDTH]) -> Vec<f32> {
        let asked = Asked { prose: &question.text, ..question.context };
        let mut row = self.features(&asked, found, &held(&question.text), vector);
        row.push(1.0);
        row
    }
}

struct Examples {
    rows: Vec<Vec<f32>>,
    labels: Vec<usize>,
    weights: Vec<f64>,
}

impl Examples {
    /// How wrong these weights are, and which way is down.
    fn loss(&self, at: &[f64]) -> (f64, Vec<f64>) {
        let width = FEATURES + 1;
        let (mut loss, mut slope) = (0.0, vec![0.0; at.len()]);
        for ((row, label), weight) in self.rows.iter().zip(&self.labels).zip(&self.weights) {
            let scores: Vec<f64> = at
                .chunks(width)
                .map(|of| {
                    of.iter().zip(row).map(|(weight, number)| weight * f64::from(*number)).sum()
                })
                .collect();
            let top = scores.iter().copied().fold(f64::MIN, f64::max);
            let sum: f64 = scores.iter().map(|score| (score - top).exp()).sum();
            loss -= weight * (scores[*label] - top - sum.ln());
            for (class, (score, slope)) in scores.iter().zip(slope.chunks_mut(width)).enumerate() {
                let share = (score - top).exp() / sum - if class == *label { 1.0 } else { 0.0 };
                let push = weight * share;
                slope
                    .iter_mut()
                    .zip(row)
                    .for_each(|(slope, number)| *slope += push * f64::from(*number));
            }
        }
        for (place, weight) in at.iter().enumerate().filter(|(place, _)| place % width != FEATURES)
        {
            loss += 0.5 * RIDGE * weight * weight;
            slope[place] += RIDGE * weight;
        }
        (loss, slope)
    }
}

/// How strongly small weights are preferred where ideas are learned.
const IDEA_RIDGE: f64 = 0.002;
/// Parts of the questions: each is compared with an index that has only the others.
const PARTS: usize = 5;

/// A question with what speaks for each candidate, and which of them are right.
#[derive(Debug)]
struct Seen<'a> {
    question: &'a Question,
    rows: Vec<[f32; WEIGHTS]>,
    right: Vec<usize>,
}

/// What speaks for which idea, for each question of which that is known.
#[derive(Debug)]
pub struct Evidence<'a>(Vec<Seen<'a>>);

impl<'a> Evidence<'a> {
    /// Of all these, by an index that does not have them.
    #[must_use]
    pub fn of(questions: &'a [Question]) -> Self {
        let course = curriculum::embedded();
        let mut seen = Vec::new();
        for part in 0..PARTS {
            let is_held = |question: &&Question| part_of(&question.text) == part;
            let others: Vec<Question> =
                questions.iter().filter(|question| !is_held(question)).cloned().collect();
            let index = Index::of(course, &others);
            for question in questions.iter().filter(is_held) {
                let has_code = question.context.has_code;
                let subject = Subject { prose: &question.text, has_code, page: None };
                let found = course.find(subject.prose);
                seen.push(Seen {
                    question,
                    rows: idea::evidence(&index, course, &subject, &found),
                    right: idea::places(&index, course, question, &found),
                });
            }
        }
        Self(seen)
    }

    /// The weights that fit those that are chosen.
    #[must_use]
    pub fn train(&self, choose: impl Fn(&Question) -> bool) -> Vec<f64> {
        let chosen: Vec<&Seen<'_>> = self.0.iter().filter(|seen| choose(seen.question)).collect();
        let count = chosen.len() as f64;
        minimum(vec![0.0; WEIGHTS], |at| {
            let mut loss: f64 = at.iter().map(|weight| IDEA_RIDGE * weight * weight).sum();
            let mut slope: Vec<f64> = at.iter().map(|weight| 2.0 * IDEA_RIDGE * weight).collect();
            for seen in &chosen {
                let shares = idea::shares(&seen.rows, at);
                let right: f64 = seen.right.iter().map(|right| shares[*right]).sum();
                let right = right.max(f64::MIN_POSITIVE);
                loss -= right.ln() / count;
                for (of, (row, share)) in seen.rows.iter().zip(&shares).enumerate() {
                    let aim = if seen.right.contains(&of) { share / right } else { 0.0 };
                    let push = (share - aim) / count;
                    let pushes = row.iter().map(|number| push * f64::from(*number));
                    slope.iter_mut().zip(pushes).for_each(|(slope, push)| *slope += push);
                }
            }
            (loss, slope)
        })
    }

    /// For each question the right places, and the shares by weights.
    #[must_use]
    pub fn shares(&self, weights: &[f64]) -> Vec<(&'a Question, &[usize], Vec<f64>)> {
        let shares = self
            .0
            .iter()
            .map(|seen| (seen.question, seen.right.as_slice(), idea::shares(&seen.rows, weights)));
        shares.collect()
    }
}

/// The part of the questions that a text is in.
#[must_use]
pub fn part_of(text: &str) -> usize {
    text.bytes().map(usize::from).sum::<usize>() % PARTS
}
