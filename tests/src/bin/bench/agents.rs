//! How long each agent takes, alone: from the HTTP request to the answer, without a model. What they are asked about
//! comes from the course: its topics, its solutions, and its solutions with one small mistake.

use std::time::{Duration, Instant};

use anyhow::ensure;
use curriculum::{Curriculum, bank};
use exercises::{Trial, trials};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{Student, World};

use crate::load::{Measured, print, row, start, stop};

/// Requests that are not measured, so that everything has been used once.
const WARM: usize = 5;

/// A request to the gateway.
struct Request {
    path: String,
    body: Value,
}

impl Request {
    fn new(path: impl Into<String>, body: Value) -> Self {
        Self { path: path.into(), body }
    }
}

/// Asks each agent about the whole course.
pub(crate) async fn run() -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let (_postgres, world, students, _) = start(&dir, &[], 1).await?;
    print("                                     p50 ms   p95 ms   p99 ms   per second");
    for (name, requests) in work(curriculum::embedded()) {
        for request in requests.iter().take(WARM) {
            answer(&world, &students[0], request).await?;
        }
        let started = Instant::now();
        let mut sorted = Vec::new();
        for request in &requests {
            sorted.push(answer(&world, &students[0], request).await?);
        }
        sorted.sort_unstable();
        let measured = Measured { sorted, took: started.elapsed() };
        print(&format!("  {name:<33}{}   of {}", row(&measured), requests.len()));
    }
    print("  aim: p95 1,000 ms");
    stop(world).await;
    Ok(())
}

async fn answer(world: &World, student: &Student, request: &Request) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let reply = world
        .post_with(&request.path, &student.token, &request.body, [("prefer", "wait=20")])
        .await;
    let took = begun.elapsed();
    ensure!(
        [StatusCode::OK, StatusCode::CREATED].contains(&reply.status),
        "{} {}: {} {}",
        request.path,
        request.body,
        reply.status,
        reply.body
    );
    Ok(took)
}

fn work(course: &Curriculum) -> Vec<(&'static str, Vec<Request>)> {
    let about = |question: &str, code: &str| json!({ "question": question, "code": code });
    let of_topics = |question: fn(&str) -> String| -> Vec<Request> {
        let ask = |title: &str| Request::new("/query", json!({ "question": question(title) }));
        course.topics().map(|topic| ask(&topic.title)).collect()
    };
    let of_solutions = |request: &dyn Fn(&str) -> Request| -> Vec<Request> {
        bank(course).map(|entry| request(&entry.exercise.reference)).collect()
    };
    // Every exercise with a solution that has one small mistake.
    let mistaken: Vec<(String, String)> = bank(course)
        .filter_map(|entry| {
            let all = trials(&entry.exercise).ok()?;
            let mutant = |(trial, _): &(Trial, _)| matches!(trial, Trial::Mutant(_));
            let (_, program) = all.into_iter().find(mutant)?;
            Some((entry.id.to_string(), program.code.as_str().to_owned()))
        })
        .collect();
    let of_mistakes = |request: &dyn Fn(&str, &str) -> Request| -> Vec<Request> {
        mistaken.iter().map(|(id, code)| request(id, code)).collect()
    };
    vec![
        ("concepts, a topic", of_topics(|title| format!("What are {title}?"))),
        (
            "concepts, a program is explained",
            of_solutions(&|code| Request::new("/query", about("Can you explain this code?", code))),
        ),
        (
            "code-review",
            of_solutions(&|code| Request::new("/query", about("Please review my code.", code))),
        ),
        (
            "debug, an error",
            of_solutions(&|code| {
                let code = format!("{code}\nprint(undefined_name)\n");
                Request::new("/query", about("Why do I get an error?", &code))
            }),
        ),
        (
            "debug, a wrong result, by search",
            of_mistakes(&|id, code| {
                Request::new("/debug", json!({ "code": code, "exercise_id": id }))
            }),
        ),
        ("exercise, one is set", of_topics(|title| format!("Give me an exercise about {title}"))),
        (
            "exercise, a solution is graded",
            of_mistakes(&|id, code| {
                Request::new(format!("/exercises/{id}/submissions"), json!({ "code": code }))
            }),
        ),
    ]
}
