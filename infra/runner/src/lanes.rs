//! `learnflow lanes`: what each function has to do of each partition; pausing it, and handling it step by step.

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use events::Topic;
use runtime::{
    Clock, Spec, Store,
    cluster::{self, LaneState, TopicState},
    kafka_config::KafkaConfig,
    lanes::LOOK_EVERY,
};
use storage::paused_lanes;

use crate::{functions, operate, terminal::say};

/// Where the lanes are, and what to do with them.
#[derive(Debug, Args)]
pub struct LaneArguments {
    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, default_value = "")]
    pub database_url: String,
    /// The Kafka brokers.
    #[arg(long, env = "KAFKA_BROKERS", global = true, default_value = "")]
    pub kafka: String,
    /// Show only lanes in which something waits, or that are paused.
    #[arg(long)]
    pub behind: bool,
    /// Without one, the lanes are listed.
    #[command(subcommand)]
    pub command: Option<LaneCommand>,
}

/// What to do with lanes.
#[derive(Debug, Subcommand)]
pub enum LaneCommand {
    /// Handle no further event of these lanes; what is in progress is finished.
    Pause(Selection),
    /// Handle one event, the oldest one of these paused lanes.
    Step(Selection),
    /// Go on with these lanes.
    Resume(Selection),
}

/// Lanes of one function.
#[derive(Debug, Args)]
pub struct Selection {
    /// The function.
    pub function: String,
    /// One of its topics, or one partition of it: `learning.requests` or `learning.requests/3`. Without it, all.
    pub lanes: Option<String>,
}

/// A lane as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The function.
    pub function: &'static str,
    /// How far it is.
    pub state: LaneState,
    /// Up to which offset it is handled, and since when, if it is paused.
    pub paused: Option<(i64, DateTime<Utc>)>,
    /// Whether any consumer is in the function's group.
    pub is_consumed: bool,
}

pub(crate) async fn run(arguments: LaneArguments) -> anyhow::Result<()> {
    if arguments.database_url.is_empty() {
        bail!("no database given: use --database-url or DATABASE_URL");
    }
    if arguments.kafka.is_empty() {
        bail!("no brokers given: use --kafka or KAFKA_BROKERS");
    }
    let store = Store::open(&arguments.database_url)?;
    let config = operate::kafka_config(&arguments.kafka)?;
    let seconds = LOOK_EVERY.as_secs();
    match &arguments.command {
        None => list(&store, &config, arguments.behind).await?,
        Some(LaneCommand::Pause(selection)) => {
            let count = pause(&store, &config, selection).await?;
            say(format!(
                "{count} lanes are paused; long-running consumers stop within {seconds} s. Under AWS Lambda disable the \
                 function's event source mapping, on Knative pause its KafkaSource (docs/operate.md)"
            ));
        }
        Some(LaneCommand::Step(selection)) => {
            let (lane, offset) = step(&store, &config, selection).await?;
            let (topic, partition) = (&lane.state.topic, lane.state.partition);
            say(format!("{topic}[{partition}]@{offset} is handled within {seconds} s"));
        }
        Some(LaneCommand::Resume(selection)) => {
            let count = resume(&store, &config, selection).await?;
            say(format!("{count} lanes go on within {seconds} s"));
        }
    }
    store.close().await;
    Ok(())
}

/// The lanes of all functions that have some.
///
/// # Errors
/// The database or the brokers are away.
pub async fn look(store: &Store, config: &KafkaConfig) -> anyhow::Result<Vec<Lane>> {
    let mut lanes = Vec::new();
    for spec in consumers() {
        lanes.extend(of_function(store, config, spec).await?);
    }
    Ok(lanes)
}

/// Functions whose events come by consumer groups.
fn consumers() -> impl Iterator<Item = &'static Spec> {
    functions::specs().filter(|spec| !spec.consumes.is_empty())
}

async fn of_function(
    store: &Store,
    config: &KafkaConfig,
    spec: &'static Spec,
) -> anyhow::Result<Vec<Lane>> {
    let mut conn = store.connection().await.context("the database is away")?;
    let paused = paused_lanes::of_function(&mut conn, spec.name).await?;
    drop(conn);
    let config = config.clone();
    // The client blocks.
    let asked = tokio::task::spawn_blocking(move || {
        let names: Vec<&str> = spec.consumes.iter().map(|topic| topic.name()).collect();
        let mut topics = cluster::topics(&config)?;
        topics.retain(|topic| names.contains(&topic.name.as_str()));
        let members = cluster::members(&config, spec.name)?;
        anyhow::Ok((cluster::lanes(&config, spec.name, &topics)?, members))
    });
    let (states, members) = asked.await?.context("Kafka cannot be reached; check --kafka")?;
    let lane = |state: LaneState| Lane {
        function: spec.name,
        paused: state.paused(&paused).map(|lane| (lane.stops_at, lane.paused_at)),
        is_consumed: members > 0,
        state,
    };
    Ok(states.into_iter().map(lane).collect())
}

/// Pauses lanes; returns how many were not paused before.
///
/// # Errors
/// There are no such lanes, or the database or the brokers are away.
pub async fn pause(
    store: &Store,
    config: &KafkaConfig,
    selection: &Selection,
) -> anyhow::Result<u64> {
    let mut count = 0;
    for (function, topic, partitions) in selected(config, selection).await? {
        let mut conn = store.connection().await.context("the database is away")?;
        let now = Clock::System.now();
        count += paused_lanes::pause(&mut conn, function, topic.name(), &partitions, now).await?;
    }
    Ok(count)
}

/// Goes on with lanes; returns how many were paused.
///
/// # Errors
/// As above.
pub async fn resume(
    store: &Store,
    config: &KafkaConfig,
    selection: &Selection,
) -> anyhow::Result<u64> {
    let mut count = 0;
    for (function, topic, partitions) in selected(config, selection).await? {
        let mut conn = store.connection().await.context("the database is away")?;
        count += paused_lanes::resume(&mut conn, function, topic.name(), &partitions).await?;
    }
    Ok(count)
}

/// Lets one event pass, the oldest that waits in these paused lanes; returns its lane and offset.
///
/// # Errors
/// None of them is paused, nothing waits in them, or as above.
pub async fn step(
    store: &Store,
    config: &KafkaConfig,
    selection: &Selection,
) -> anyhow::Result<(Lane, i64)> {
    let selected = selected(config, selection).await?;
    let is_selected = |lane: &Lane| {
        selected.iter().any(|(_, topic, partitions)| {
            topic.name() == lane.state.topic
                && partitions.iter().any(|number| i32::from(*number) == lane.state.partition)
        })
    };
    let spec = consumer(&selection.function)?;
    let mut lanes = of_function(store, config, spec).await?;
    lanes.retain(|lane| lane.paused.is_some() && is_selected(lane));
    if lanes.is_empty() {
        bail!("none of these lanes is paused; `learnflow lanes pause {}` does it", spec.name);
    }
    // A step that is not made yet is before the next one.
    let next = |lane: &Lane| lane.state.next.max(lane.paused.map_or(0, |(stops_at, _)| stops_at));
    lanes.retain(|lane| next(lane) < lane.state.end);
    let oldest = lanes.into_iter().min_by_key(|lane| (lane.state.oldest_at, lane.state.partition));
    let Some(lane) = oldest else { bail!("no event waits in these lanes") };
    let partition = i16::try_from(lane.state.partition).context("the partition's number")?;
    let mut conn = store.connection().await.context("the database is away")?;
    let stepped =
        paused_lanes::step(&mut conn, spec.name, &lane.state.topic, partition, lane.state.next);
    let Some(stops_at) = stepped.await? else { bail!("the lane was resumed just now") };
    Ok((lane, stops_at - 1))
}

/// A function with lanes.
fn consumer(name: &str) -> anyhow::Result<&'static Spec> {
    if functions::FOLLOWERS.contains(&name) {
        bail!("{name} reads its topics without a group, so that its lanes cannot be paused");
    }
    let found = consumers().find(|spec| spec.name == name);
    found.with_context(|| {
        let names: Vec<&str> = consumers().map(|spec| spec.name).collect();
        format!("no function {name} reads events; these do: {}", names.join(", "))
    })
}

/// The partitions that are selected, by topic.
async fn selected(
    config: &KafkaConfig,
    Selection { function, lanes }: &Selection,
) -> anyhow::Result<Vec<(&'static str, Topic, Vec<i16>)>> {
    let spec = consumer(function)?;
    let (topic, partition) = match lanes.as_deref().map(|lanes| (lanes, lanes.split_once('/'))) {
        None => (None, None),
        Some((topic, None)) => (Some(topic), None),
        Some((_, Some((topic, partition)))) => {
            let number = partition.parse::<i16>();
            (Some(topic), Some(number.with_context(|| format!("{partition} is no partition"))?))
        }
    };
    let mut topics = spec.consumes.to_vec();
    topics.retain(|own| topic.is_none_or(|topic| own.name() == topic));
    if topics.is_empty() {
        let names: Vec<&str> = spec.consumes.iter().map(|topic| topic.name()).collect();
        bail!(
            "{function} reads no topic {}; it reads {}",
            topic.unwrap_or_default(),
            names.join(", ")
        );
    }
    let config = config.clone();
    let found = tokio::task::spawn_blocking(move || cluster::topics(&config)).await?;
    let states = found.context("Kafka cannot be reached; check --kafka")?;
    let mut selected = Vec::new();
    for topic in topics {
        let is_it = |state: &&TopicState| state.name == topic.name();
        let count = states.iter().find(is_it).map_or(0, |state| state.partitions);
        let mut partitions: Vec<i16> = (0..).take(count).collect();
        partitions.retain(|number| partition.is_none_or(|only| only == *number));
        if partitions.is_empty() {
            bail!("{} has {count} partitions, counted from 0", topic.name());
        }
        selected.push((spec.name, topic, partitions));
    }
    Ok(selected)
}

async fn list(store: &Store, config: &KafkaConfig, behind: bool) -> anyhow::Result<()> {
    let mut lanes = look(store, config).await?;
    lanes.retain(|lane| !behind || lane.state.lag() > 0 || lane.paused.is_some());
    if lanes.is_empty() {
        say("nothing waits, and no lane is paused");
        return Ok(());
    }
    say(row(["function", "topic[partition]", "next", "end", "lag", "oldest", "state"]));
    let now = Clock::System.now();
    for lane in &lanes {
        say(lane_row(lane, now));
    }
    Ok(())
}

fn lane_row(Lane { function, state, paused, is_consumed }: &Lane, now: DateTime<Utc>) -> String {
    let is_follower = functions::FOLLOWERS.contains(function) && !is_consumed;
    let age = state.oldest_at.map(|at| format!("{:.1} s", (now - at).as_seconds_f64().max(0.0)));
    let standing = match paused {
        Some((0, since)) => format!("paused since {}", since.format("%Y-%m-%dT%H:%M:%SZ")),
        Some((stops_at, _)) => format!("paused at {stops_at}"),
        None if is_follower => "read without a group".to_owned(),
        None if !is_consumed => "no consumer".to_owned(),
        None => "running".to_owned(),
    };
    let count = |number: i64| if is_follower { "–".to_owned() } else { number.to_string() };
    row([
        function,
        &format!("{}[{}]", state.topic, state.partition),
        &count(state.next),
        &state.end.to_string(),
        &count(state.lag()),
        &age.filter(|_| !is_follower).unwrap_or_else(|| "–".to_owned()),
        &standing,
    ])
}

/// A line of the table.
fn row([function, place, next, end, lag, oldest, state]: [&str; 7]) -> String {
    format!("{function:15} {place:28} {next:>8} {end:>8} {lag:>8} {oldest:>10}  {state}")
}
