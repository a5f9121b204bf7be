//! Trains with the questions: `cargo run -p meaning --example train` writes `weights/agent.bin` and `weights/idea.bin`;
//! with `check` it says how well each fifth of the questions is read by what was trained on the others; with `ask FILE`
//! it reads questions from a file, a line each.
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

use std::{collections::BTreeMap, fs, path::Path};

use domain::agent::Agent;
use meaning::{
    questions::{Question, of_topics, questions},
    training::{Evidence, Vectors, in_other_contexts, part_of},
};

const PARTS: usize = 5;
/// The share from which a topic is answered for.
const SURE: f64 = 0.5;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let asked = questions();
    match arguments.next().as_deref() {
        Some("check") => {
            check_ideas(&of_topics());
            check_agents(&in_other_contexts(&asked));
        }
        Some("ideas") => check_ideas(&of_topics()),
        Some("ask") => ask(&arguments.next().expect("a file is named")),
        _ => {
            let known = of_topics();
            write("idea.bin", &bytes(&Evidence::of(&known).train(|_| true)));
            write("agent.bin", &Vectors::of(&in_other_contexts(&asked)).train(|_| true).file());
        }
    }
}

fn write(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights").join(name);
    fs::write(path, bytes).expect("the file can be written");
}

fn bytes(weights: &[f64]) -> Vec<u8> {
    weights.iter().flat_map(|weight| (*weight as f32).to_le_bytes()).collect()
}

fn check_agents(all: &[Question]) {
    let vectors = Vectors::of(all);
    let mut right: BTreeMap<Agent, (usize, usize)> = BTreeMap::new();
    let (mut lost, mut spared) = (0, 0);
    for part in 0..PARTS {
        let trained = vectors.train(|question| part_of(&question.text) != part);
        let held = vectors.shares(&trained).into_iter();
        let held = held.filter(|(question, _)| part_of(&question.text) == part);
        for (question, shares) in held.filter(|(question, _)| question.weight >= 1.0) {
            let best = best(&shares);
            let counted = right.entry(question.agent).or_default();
            counted.1 += 1;
            if Agent::ALL[best] == question.agent {
                counted.0 += 1;
                continue;
            }
            lost += usize::from(Agent::ALL[best] == Agent::OffTopic);
            spared += usize::from(question.agent == Agent::OffTopic);
            let (said, meant) = (Agent::ALL[best].as_str(), question.agent.as_str());
            println!("{said} {:.2} for {meant}: {}", shares[best], question.text);
        }
    }
    println!("{right:?}; falsely off-topic {lost}, off-topic missed {spared}");
}

fn check_ideas(all: &[Question]) {
    let evidence = Evidence::of(all);
    let names: Vec<String> = curriculum::embedded()
        .topics()
        .flat_map(|topic| {
            let ideas =
                topic.lesson.concepts.iter().map(|idea| format!("{}/{}", topic.slug, idea.title));
            std::iter::once(topic.slug.clone()).chain(ideas)
        })
        .chain(["none".to_owned()])
        .collect();
    let (mut right, mut wrong, mut unsure, mut in_three, mut total) = (0, 0, 0, 0, 0);
    for part in 0..PARTS {
        let weights = evidence.train(|question| part_of(&question.text) != part);
        for (question, meant, shares) in evidence.shares(&weights) {
            if part_of(&question.text) != part {
                continue;
            }
            let said = best(&shares);
            let most = meant.iter().map(|meant| shares[*meant]).fold(0.0, f64::max);
            in_three += usize::from(shares.iter().filter(|share| **share > most).count() < 3);
            total += 1;
            match (meant.contains(&said), shares[said] >= SURE) {
                (true, true) => right += 1,
                (_, false) => unsure += 1,
                (false, true) => wrong += 1,
            }
            if !meant.contains(&said) {
                let meant = meant.iter().max_by(|a, b| shares[**a].total_cmp(&shares[**b]));
                let meant = meant.map_or("?", |meant| &names[*meant]);
                println!(
                    "{} {:.2} for {meant} {most:.2}: {}",
                    names[said], shares[said], question.text
                );
            }
        }
    }
    println!(
        "ideas: {right} right, {wrong} wrong, {unsure} unsure of {total}, {in_three} among the first three; weights {:.2?}",
        evidence.train(|_| true)
    );
}

fn best(shares: &[f64]) -> usize {
    (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or_default()
}

fn ask(file: &str) {
    let text = fs::read_to_string(file).expect("the file can be read");
    for line in text.lines() {
        let (flags, prose) = line.split_once(" | ").unwrap_or(("", line));
        let has_code = flags.contains('c');
        let asked = meaning::Asked { prose, has_code, ..meaning::Asked::default() };
        let found = curriculum::embedded().find(prose);
        let reading = meaning::read(&asked, &found);
        let [first, second, ..] = &reading.shares[..] else { continue };
        let ideas = meaning::ideas(&meaning::Subject { prose, has_code, page: None }, &found);
        let ideas = ideas.iter().take(3).map(|likely| {
            let slug = likely.topic.map_or("none", |topic| topic.slug.as_str());
            let idea = likely.concept.map_or("", |concept| concept.title.as_str());
            format!("{slug}/{idea} {:.2}", likely.share)
        });
        let ideas: Vec<String> = ideas.collect();
        println!(
            "{} {:.2} {} {:.2} | {line} | {}",
            first.0.as_str(),
            first.1,
            second.0.as_str(),
            second.1,
            ideas.join(", ")
        );
    }
}
