//! `learnflow trace`: what happened to one request, hop by hop.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::{Context, bail};
use chrono::TimeDelta;
use clap::Args;
use runtime::{Clock, Store, cluster, kafka_config::KafkaConfig};
use storage::retention;
use trace::{Hop, HopOutcome, PayloadState, Payloads, Trace, TracePayload};
use uuid::Uuid;

use crate::{operate, terminal::say};

/// How much earlier than an event its record is looked for: the clocks of machines differ.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// Which request, and what is shown of it.
#[derive(Debug, Args)]
pub struct TraceArguments {
    /// The request: the id of a question, a run or a solution.
    pub id: Uuid,
    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// The Kafka brokers. With them, events whose place no function has recorded are looked up there.
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka: Option<String>,
    /// Show the events' data, too: what a student wrote, among other things.
    #[arg(long)]
    pub payload: bool,
    /// Write all of it to this file, as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Shows a trace.
///
/// # Errors
/// As [`load`], or the file cannot be written.
pub async fn run(arguments: TraceArguments) -> anyhow::Result<()> {
    let trace = load(&arguments).await?;
    for line in lines(&trace) {
        say(line);
    }
    for payload in trace.payloads.iter().flatten() {
        say(shown(payload));
    }
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&trace)?;
        std::fs::write(path, text)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        say(format!("\nwritten to {}", path.display()));
    }
    Ok(())
}

/// The trace of a request.
///
/// # Errors
/// Nothing is known of it, or the database or the brokers are away.
pub async fn load(arguments: &TraceArguments) -> anyhow::Result<Trace> {
    let store = Store::open(&arguments.database_url)?;
    let payloads = if arguments.payload { Payloads::Shown } else { Payloads::Withheld };
    let loaded = trace::load(&store, arguments.id, payloads).await;
    store.close().await;
    let Some(mut trace) = loaded? else {
        bail!(
            "no event of a request {} is stored; give the id of a question, a run or a solution, no longer ago than {} days",
            arguments.id,
            kept("events")
        )
    };
    if let Some(brokers) = &arguments.kafka {
        let config = operate::kafka_config(brokers)?;
        // The client blocks.
        trace = tokio::task::spawn_blocking(move || locate(&config, trace)).await??;
    }
    Ok(trace)
}

/// How many days the rows of a table are kept.
fn kept(table: &str) -> i64 {
    let kept = retention::RETENTIONS.iter().find(|retention| retention.table == table);
    kept.map_or(0, |retention| retention.keep.num_days())
}

/// Looks up on the broker the events whose place no function has recorded.
fn locate(config: &KafkaConfig, mut trace: Trace) -> anyhow::Result<Trace> {
    let is_sought = |hop: &&Hop| {
        hop.offset.is_none() && !matches!(hop.outcome, HopOutcome::Delayed | HopOutcome::Parked)
    };
    let mut by_topic: BTreeMap<String, BTreeSet<Uuid>> = BTreeMap::new();
    for hop in trace.hops.iter().filter(is_sought) {
        by_topic.entry(hop.topic.clone()).or_default().insert(hop.event_id.as_uuid());
    }
    if by_topic.is_empty() {
        return Ok(trace);
    }
    let topics = cluster::topics(config).context("Kafka cannot be reached; check --kafka")?;
    for (topic, events) in by_topic {
        let Some(state) = topics.iter().find(|state| state.name == topic) else { continue };
        let events: Vec<Uuid> = events.into_iter().collect();
        let since = trace.began_at - CLOCK_TOLERANCE;
        let places = cluster::locate(config, state, &events, since);
        for place in places.with_context(|| format!("{topic} cannot be read"))? {
            let of_event = |hop: &&mut Hop| hop.event_id.as_uuid() == place.event;
            for hop in trace.hops.iter_mut().filter(of_event) {
                hop.partition = i16::try_from(place.partition).ok();
                hop.offset = Some(place.offset);
            }
        }
    }
    Ok(trace)
}

/// The trace as a table, with its sums.
fn lines(trace: &Trace) -> Vec<String> {
    let subject = trace.subject.map(|id| format!(" of {id}")).unwrap_or_default();
    let began = trace.began_at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let mut lines = vec![
        format!("{}{subject}, {began}", trace.correlation_id),
        String::new(),
        row([
            "+ms",
            "event",
            "from → to",
            "topic[partition]@offset",
            "wait",
            "work",
            "tries",
            "outcome",
        ]),
    ];
    for hop in &trace.hops {
        lines.push(hop_row(trace, hop));
        lines.extend(hop.reasons.iter().map(|reason| format!("{:9}because {reason}", "")));
    }
    let sums = trace.sums;
    lines.push(String::new());
    lines.push(format!(
        "{} hops in {:.1} ms: {:.1} ms of waiting, {:.1} ms of work; {} failed attempts, {} given up",
        sums.hops, sums.took_ms, sums.wait_ms, sums.work_ms, sums.failed_attempts, sums.given_up
    ));
    if trace.truncated {
        lines.push("there are more events than are shown".to_owned());
    }
    if Clock::System.now() - trace.began_at > TimeDelta::days(kept("inbox")) {
        lines.push(format!("which function handled an event is kept for {} days", kept("inbox")));
    }
    lines
}

fn hop_row(trace: &Trace, hop: &Hop) -> String {
    let milliseconds = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1}"));
    let since = hop.emitted_at - trace.began_at;
    let to = hop.function.as_deref().unwrap_or("–");
    let place = match (hop.partition, hop.offset) {
        (Some(partition), Some(offset)) => format!("{}[{partition}]@{offset}", hop.topic),
        _ => hop.topic.clone(),
    };
    let outcome = match hop.outcome {
        HopOutcome::Handled => "handled",
        HopOutcome::Retrying => "retrying",
        HopOutcome::GivenUp => "given up",
        HopOutcome::Delayed => "waits for the broker",
        HopOutcome::Parked => "parked",
        HopOutcome::Unrecorded => "–",
    };
    row([
        &format!("{:.1}", since.as_seconds_f64() * 1e3),
        &hop.event_type,
        &format!("{} → {to}", hop.emitted_by),
        &place,
        &milliseconds(hop.wait_ms),
        &milliseconds(hop.work_ms),
        &hop.attempts.to_string(),
        outcome,
    ])
}

/// A line of the table.
fn row([at, event, way, place, wait, work, tries, outcome]: [&str; 8]) -> String {
    format!("{at:>8} {event:26} {way:30} {place:34} {wait:>8} {work:>8} {tries:>5}  {outcome}")
}

fn shown(payload: &TracePayload) -> String {
    let id = payload.event_id;
    match (payload.state, &payload.data) {
        (PayloadState::Open, Some(data)) => format!("\n{id} {data}"),
        (PayloadState::Open | PayloadState::Damaged, _) => {
            format!("\n{id} damaged: its key does not fit")
        }
        (PayloadState::Erased, _) => format!("\n{id} erased"),
        (PayloadState::TooLarge, _) => format!("\n{id} left out: there is too much data"),
    }
}
