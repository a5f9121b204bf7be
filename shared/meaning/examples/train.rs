//! Trains the choice of the agent: `cargo run -p meaning --example train` writes `weights/agent.bin`; with `check` it
//! says how well each fifth of the questions is read by a model that was trained on the others; with `ask FILE` it reads
//! questions from a file, `FLAGS | QUESTION` in each line.
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

use std::{collections::BTreeMap, fs, path::Path};

use domain::agent::Agent;
use meaning::training::{Vectors, in_other_contexts, questions};

const FOLDS: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let all = in_other_contexts(&questions());
    match arguments.next().as_deref() {
        Some("check") => check(&all),
        Some("ask") => ask(&arguments.next().expect("a file")),
        Some("dump") => {
            let rows = Vectors::of(&all).dump();
            let mut out = Vec::new();
            for (q, r) in all.iter().zip(rows) { out.extend((q.agent as u8 as f32).to_le_bytes()); out.extend((q.weight as f32).to_le_bytes()); for x in r { out.extend(x.to_le_bytes()); } }
            fs::write("/tmp/data/meaning/dump.bin", out).unwrap();
            fs::write("/tmp/data/meaning/dump.txt", all.iter().map(|q| q.text.replace('\n', " ")).collect::<Vec<_>>().join("\n")).unwrap();
        }
        _ => {
            let trained = Vectors::of(&all).train(|_| true);
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/agent.bin");
            fs::write(path, trained.file()).expect("the file can be written");
        }
    }
}

fn check(all: &[meaning::training::Question]) {
    let vectors = Vectors::of(all);
    let mut right: BTreeMap<Agent, (usize, usize)> = BTreeMap::new();
    let (mut lost, mut spared) = (0, 0);
    for fold in 0..FOLDS {
        let is_held = |text: &str| text.bytes().map(usize::from).sum::<usize>() % FOLDS == fold;
        let trained = vectors.train(|question| !is_held(&question.text));
        let mut tr=(0,0); for (question, shares) in vectors.shares(&trained) { if !is_held(&question.text) && question.weight>=1.0 {tr.1+=1; let best = (0..6).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or_default(); tr.0+=usize::from(Agent::ALL[best]==question.agent);} } println!("train {tr:?}");
        for (question, shares) in vectors.shares(&trained) {
            if !is_held(&question.text) || question.weight < 1.0 {
                continue;
            }
            let best = (0..6).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or_default();
            let counted = right.entry(question.agent).or_default();
            counted.1 += 1;
            if Agent::ALL[best] == question.agent {
                counted.0 += 1;
            } else {
                lost += usize::from(Agent::ALL[best] == Agent::OffTopic);
                spared += usize::from(question.agent == Agent::OffTopic);
                println!(
                    "{} {:.2} for {} {:.2}: {}",
                    Agent::ALL[best].as_str(),
                    shares[best],
                    question.agent.as_str(),
                    shares[question.agent as usize],
                    question.text
                );
            }
        }
    }
    println!("{right:?}; falsely off-topic {lost}, off-topic missed {spared}");
}

fn ask(file: &str) {
    let text = fs::read_to_string(file).expect("the file can be read");
    for line in text.lines() {
        let (flags, prose) = line.split_once(" | ").expect("flags");
        let asked = meaning::Asked { prose, has_code: flags.contains('c'), ..meaning::Asked::default() };
        let reading = meaning::read(&asked, &curriculum::embedded().find(prose));
        let [first, second, ..] = &reading.shares[..] else { continue };
        println!("{} {:.2} {} {:.2} | {line}", first.0.as_str(), first.1, second.0.as_str(), second.1);
    }
}
