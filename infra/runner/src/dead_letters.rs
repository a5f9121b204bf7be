//! `learnflow dead-letters`: events that could not be handled or published.

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use events::{CloudEvent, Data, Json};
use runtime::{
    Clock, Store,
    replay::{self, Replay},
};
use storage::dead_letters::{self, DeadLetterRow, Filter};
use uuid::Uuid;

use crate::terminal::say;

/// Most dead letters that one command lists or replays.
const MOST: i64 = 10_000;

/// What to do with which dead letters.
#[derive(Debug, Args)]
pub(crate) struct DeadLetterArguments {
    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, default_value = "")]
    database_url: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List dead letters, newest first.
    List(FilterArguments),
    /// Show a dead letter in full: the reasons, the attempts, its headers and its bytes.
    Show {
        /// Its id.
        id: Uuid,
    },
    /// Replay dead letters to the functions that gave them up.
    Replay(ReplayArguments),
    /// List parked events, which the broker refused and no relay tries any more.
    Parked {
        /// The most to list.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=MOST))]
        limit: i64,
    },
    /// Return parked events to the relay.
    Unpark {
        /// Their ids.
        #[arg(required = true)]
        ids: Vec<Uuid>,
    },
}

#[derive(Debug, Args)]
struct FilterArguments {
    /// Only those from this topic.
    #[arg(long)]
    topic: Option<String>,
    /// Only those that this function gave up.
    #[arg(long)]
    function: Option<String>,
    /// Only those since this time, such as `2026-01-31T09:30:00Z`.
    #[arg(long)]
    since: Option<DateTime<Utc>>,
    /// The most to list.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=MOST))]
    limit: i64,
}

#[derive(Debug, Args)]
struct ReplayArguments {
    /// Their ids; without any, those that the options select.
    ids: Vec<Uuid>,
    #[command(flatten)]
    filter: FilterArguments,
    /// Print what would be replayed, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Include those that were replayed before.
    #[arg(long)]
    again: bool,
    /// A file with JSON that replaces the event's data, for one dead letter; `show` prints what it is.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl FilterArguments {
    fn filter(&self, ids: &[Uuid]) -> Filter {
        Filter {
            ids: (!ids.is_empty()).then(|| ids.to_vec()),
            topic: self.topic.clone(),
            function: self.function.clone(),
            since: self.since,
            before: None,
        }
    }
}

pub(crate) async fn run(arguments: DeadLetterArguments) -> anyhow::Result<()> {
    if arguments.database_url.is_empty() {
        bail!("no database given: use --database-url or DATABASE_URL");
    }
    let store = Store::open(&arguments.database_url)?;
    match arguments.command {
        Command::List(filter) => list(&store, &filter).await,
        Command::Show { id } => show(&store, id).await,
        Command::Replay(arguments) => replay(&store, &arguments).await,
        Command::Parked { limit } => parked(&store, limit).await,
        Command::Unpark { ids } => unpark(&store, &ids).await,
    }
}

async fn find(store: &Store, filter: &Filter, limit: i64) -> anyhow::Result<Vec<DeadLetterRow>> {
    let mut conn = store.connection().await.context("the database is away")?;
    dead_letters::list(&mut conn, filter, limit).await.context("the dead letters cannot be read")
}

async fn list(store: &Store, arguments: &FilterArguments) -> anyhow::Result<()> {
    let rows = find(store, &arguments.filter(&[]), arguments.limit).await?;
    if rows.is_empty() {
        say("there are no dead letters");
    }
    for row in rows {
        say(line(&row));
    }
    Ok(())
}

/// One line: time, id, function, origin, reason, and whether it was replayed.
fn line(row: &DeadLetterRow) -> String {
    let (at, id) = (row.occurred_at.format("%Y-%m-%dT%H:%M:%SZ"), row.id);
    let replayed = if row.replayed_at.is_some() { "  (replayed)" } else { "" };
    match replay::read(row) {
        Ok(letter) => {
            let reasons = letter.reasons.join(": ");
            format!("{at}  {id}  {}  {}  {reasons}{replayed}", letter.function, letter.origin)
        }
        Err(_) => format!("{at}  {id}  its content cannot be read"),
    }
}

async fn show(store: &Store, id: Uuid) -> anyhow::Result<()> {
    let filter = Filter { ids: Some(vec![id]), ..Filter::default() };
    let Some(row) = find(store, &filter, 1).await?.pop() else {
        bail!("there is no dead letter {id}")
    };
    let letter = replay::read(&row)?;
    say(format!("id        {id}"));
    say(format!("at        {}", row.occurred_at.to_rfc3339()));
    say(format!("function  {}", letter.function));
    say(format!("origin    {}", letter.origin));
    say(format!("attempts  {}", letter.attempts));
    if let Some(cause) = row.cause {
        say(format!("event     {cause}"));
    }
    if let Some(at) = row.replayed_at {
        say(format!("replayed  {}", at.to_rfc3339()));
    }
    for reason in &letter.reasons {
        say(format!("reason    {reason}"));
    }
    let message = replay::to_message(&letter)?;
    for (name, value) in &message.headers {
        say(format!("header    {name}: {}", value.escape_ascii()));
    }
    if let Some(key) = &message.key {
        say(format!("key       {}", key.escape_ascii()));
    }
    let cut = if letter.truncated { ", only the beginning" } else { "" };
    say(format!("value     {} bytes{cut}\n", message.value.len()));
    let event = match message.decode() {
        Ok(event) => match store.keys().open_event(event).await.context("it cannot be opened")? {
            Some(event) => Some(event),
            None => {
                say("the account that it is about was erased");
                return Ok(());
            }
        },
        Err(_) => None,
    };
    match event {
        Some(CloudEvent { event_type, data: Data::Json(data), .. }) => {
            let data: serde_json::Value = data.read()?;
            say(format!("{event_type} {data:#}"));
        }
        _ => say(message.value.escape_ascii()),
    }
    Ok(())
}

async fn replay(store: &Store, arguments: &ReplayArguments) -> anyhow::Result<()> {
    let data = arguments.data.as_ref().map(read_data).transpose()?;
    if data.is_some() && arguments.ids.len() != 1 {
        bail!("--data replaces the data of one event: give the id of one dead letter");
    }
    let filter = arguments.filter.filter(&arguments.ids);
    let limit = if arguments.ids.is_empty() { arguments.filter.limit } else { MOST };
    let mut rows = find(store, &filter, limit).await?;
    // In the order in which they came.
    rows.reverse();
    let (mut sent, mut left) = (0, 0);
    for row in rows {
        if row.replayed_at.is_some() && !arguments.again {
            say(format!("{}  was replayed before; --again sends it once more", row.id));
            left += 1;
            continue;
        }
        let prepared = match &data {
            None => Replay::prepare(store, &Clock::System, &row).await,
            Some(data) => Replay::prepare_changed(store, &Clock::System, &row, data.clone()).await,
        };
        let replay = match prepared {
            Ok(replay) => replay,
            Err(error) => {
                say(format!("{}  cannot be replayed: {:#}", row.id, anyhow::Error::from(error)));
                left += 1;
                continue;
            }
        };
        let event = replay.event();
        let changed = match replay.changed() {
            [] => String::new(),
            members => format!(", with another {}", members.join(", ")),
        };
        let of = format!("{} on {}{changed}", event.event_type, event.topic);
        let id = event.id;
        if arguments.dry_run {
            say(format!("{}  would be sent as {of}", row.id));
        } else {
            replay.send(store, &Clock::System).await.context("the database is away")?;
            say(format!("{}  sent as {of}, {id}", row.id));
        }
        sent += 1;
    }
    let done = if arguments.dry_run { "would be replayed" } else { "replayed" };
    say(format!("{sent} {done}, {left} not"));
    Ok(())
}

/// The JSON in a file. Events have a largest size, so more is refused when it is prepared.
fn read_data(path: &PathBuf) -> anyhow::Result<Json> {
    let text = fs::read_to_string(path);
    let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
    Json::from_text(text).with_context(|| format!("{} is no JSON", path.display()))
}

async fn parked(store: &Store, limit: i64) -> anyhow::Result<()> {
    let mut conn = store.connection().await.context("the database is away")?;
    let parked = dead_letters::parked(&mut conn, limit).await.context("they cannot be read")?;
    if parked.is_empty() {
        say("there are no parked events");
    }
    for event in parked {
        let at = event.parked_at.format("%Y-%m-%dT%H:%M:%SZ");
        say(format!(
            "{at}  {}  {} on {}  {}",
            event.id, event.event_type, event.topic, event.reason
        ));
    }
    Ok(())
}

async fn unpark(store: &Store, ids: &[Uuid]) -> anyhow::Result<()> {
    let mut conn = store.connection().await.context("the database is away")?;
    let count = dead_letters::unpark(&mut conn, ids, Clock::System.now()).await;
    say(format!("{} returned to the relay", count.context("they cannot be returned")?));
    Ok(())
}
