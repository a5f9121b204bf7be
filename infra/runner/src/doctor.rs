//! `learnflow doctor`: checks an installation, and says what to do.

mod accounts;
mod finding;
mod model;
mod secrets;
mod sns;
mod sockets;
mod topics;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use events::{Topic, topic::PARTITIONS};
use runtime::{
    Clock, Store,
    cluster::{self, GroupLag, TopicState},
    config::Settings,
    kafka_config::KafkaConfig,
};
use storage::{
    feature_health,
    health::{self, Health},
    migrations,
};

pub use self::finding::Finding;
use crate::{functions, terminal::say};

/// The oldest supported release of PostgreSQL, as its server says it.
const OLDEST_POSTGRES: i32 = 150_000;
/// How far the clocks of the database and of this machine may differ: tokens and leases are compared across machines.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);
/// Events that wait for a function beyond which it is reported.
const HIGH_LAG: i64 = 1_000;

/// What to check.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// The Kafka brokers.
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka: String,
    /// Where clients open sockets, such as `ws://127.0.0.1:8108`; one is opened and closed.
    #[arg(long)]
    pub sockets: Option<String>,
    /// Ask the model a small question, which costs a little; else only whether its server answers.
    #[arg(long)]
    pub call_model: bool,
}

/// Checks everything, and prints a line for each check. `false`: something does not work.
pub(crate) async fn run(arguments: DoctorArguments) -> anyhow::Result<bool> {
    let findings = look(&arguments, Settings::from_process()).await?;
    for finding in &findings {
        let (mark, text) = match finding {
            Finding::Fine(text) => ("ok     ", text),
            Finding::Warning(text) => ("warning", text),
            Finding::Fault(text) => ("FAULT  ", text),
        };
        say(format_args!("{mark}  {text}"));
    }
    Ok(findings.iter().all(|finding| !matches!(finding, Finding::Fault(_))))
}

/// Checks everything.
///
/// # Errors
/// A check was interrupted.
pub async fn look(
    arguments: &DoctorArguments,
    mut settings: Settings,
) -> anyhow::Result<Vec<Finding>> {
    settings.set("DATABASE_URL", arguments.database_url.clone());
    settings.set("KAFKA_BROKERS", arguments.kafka.clone());
    let (mut findings, is_usable) = database(&arguments.database_url).await;
    if is_usable {
        findings.extend(accounts::check(&arguments.database_url).await);
        findings.extend(sns::check(&arguments.database_url, &mut settings).await);
    }
    let kafka = KafkaConfig::read(&mut settings);
    match settings.check() {
        Ok(()) => {
            findings.extend(topics::check(&kafka).await);
            findings.extend(groups(kafka).await?);
        }
        Err(faults) => findings.push(Finding::Fault(format!("Kafka: {faults}"))),
    }
    findings.extend(secrets::check(&mut settings).await);
    findings.push(sockets::check(arguments.sockets.as_deref(), &mut settings).await);
    findings.push(model::check(arguments.call_model, &mut settings).await);
    Ok(findings)
}

/// What is found in the database, and whether its schema is one that further checks can use.
async fn database(url: &str) -> (Vec<Finding>, bool) {
    let looked = async {
        let store = Store::open(url)?;
        let mut conn = store.connection().await?;
        let version = migrations::version(&mut conn).await?;
        let health = match version {
            Some(version) if version >= migrations::MINIMUM_VERSION => {
                let heard = feature_health::last_heard(&mut conn).await?;
                Some((health::look(&mut conn).await?, heard))
            }
            _ => None,
        };
        drop(conn);
        store.close().await;
        anyhow::Ok((version, health))
    };
    let (version, health) = match looked.await {
        Ok(found) => found,
        Err(error) => {
            let text = format!(
                "database: it cannot be reached ({error}); check DATABASE_URL, and that the server runs"
            );
            return (vec![Finding::Fault(text)], false);
        }
    };
    let needed = migrations::MINIMUM_VERSION;
    let Some((health, heard)) = health else {
        let has = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
        let text =
            format!("schema: version {has}, and {needed} is needed; run `learnflow migrate`");
        return (vec![Finding::Fault(text)], false);
    };
    let major = health.server_version / 10_000;
    let mut findings = vec![
        Finding::of(
            health.server_version >= OLDEST_POSTGRES,
            format!("database: PostgreSQL {major}"),
            format!("database: PostgreSQL {major}, and 15 is the oldest that works; upgrade it"),
        ),
        Finding::Fine(format!("schema: version {}", version.unwrap_or_default())),
        Finding::of(
            health.topics > 0,
            format!("course: {} topics", health.topics),
            "course: it is not in the database; run `learnflow migrate`".to_owned(),
        ),
    ];
    findings.extend(held_up(health));
    findings.extend(clocks(health.now, heard));
    (findings, true)
}

/// What is held up: events on their way to the broker, and lanes.
fn held_up(health: Health) -> [Finding; 3] {
    [
        Finding::warn(
            health.delayed == 0,
            "outbox: no event waits".to_owned(),
            format!(
                "outbox: {} events wait for a broker; if they do not become fewer, look at the brokers",
                health.delayed
            ),
        ),
        Finding::warn(
            health.parked == 0,
            "outbox: no event is parked".to_owned(),
            format!(
                "outbox: {} events were refused by the broker; see `learnflow dead-letters parked`",
                health.parked
            ),
        ),
        Finding::warn(
            health.paused_lanes == 0,
            "lanes: none is paused".to_owned(),
            format!(
                "lanes: {} are paused; `learnflow lanes` shows which, and `learnflow lanes resume` goes on",
                health.paused_lanes
            ),
        ),
    ]
}

/// Compares the database's time with ours, and with that of the process that was last heard of.
fn clocks(database: DateTime<Utc>, heard: Option<DateTime<Utc>>) -> [Finding; 2] {
    let ahead = (database - Clock::System.now()).abs();
    // A process writes its own time when it notes how far it has come.
    let from_future = heard.map_or(TimeDelta::zero(), |heard| heard - database);
    [
        Finding::warn(
            ahead <= CLOCK_TOLERANCE,
            "clock: the database has the same time".to_owned(),
            format!(
                "clock: the database's differs by {} s; tokens and leases need clocks that agree, so use NTP",
                ahead.num_seconds()
            ),
        ),
        Finding::warn(
            from_future <= CLOCK_TOLERANCE,
            "clock: no process is ahead of the database".to_owned(),
            format!(
                "clock: a process is {} s ahead of the database; find its machine, and use NTP there",
                from_future.num_seconds()
            ),
        ),
    ]
}

async fn groups(config: KafkaConfig) -> anyhow::Result<Vec<Finding>> {
    // The client blocks.
    Ok(tokio::task::spawn_blocking(move || look_at_cluster(&config)).await?)
}

fn look_at_cluster(config: &KafkaConfig) -> Vec<Finding> {
    let topics = match cluster::topics(config) {
        Ok(topics) => topics,
        Err(error) => {
            return vec![Finding::Fault(format!(
                "Kafka: it cannot be reached ({error}); check KAFKA_BROKERS and KAFKA_SECURITY_PROTOCOL"
            ))];
        }
    };
    let mut findings = vec![missing(&topics)];
    for spec in functions::specs().filter(|spec| !spec.consumes.is_empty()) {
        let is_consumed =
            |state: &&TopicState| spec.consumes.iter().any(|topic| topic.name() == state.name);
        let consumed: Vec<TopicState> = topics.iter().filter(is_consumed).cloned().collect();
        let name = spec.name;
        findings.push(match cluster::lag(config, name, &consumed) {
            Ok(lag) => of_group(name, lag),
            Err(error) => Finding::Fault(format!("{name}: its group cannot be read ({error})")),
        });
    }
    findings
}

/// What the progress of a function's consumer group says.
fn of_group(name: &str, lag: GroupLag) -> Finding {
    let GroupLag { waiting, has_begun } = lag;
    match (has_begun, waiting) {
        (false, 0) => Finding::Fine(format!("{name}: no event has come for it yet")),
        (false, _) if functions::FOLLOWERS.contains(&name) => Finding::Fine(format!(
            "{name}: each instance reads its topics for itself, so that no progress is stored; only under AWS Lambda it is"
        )),
        (false, _) => Finding::Warning(format!(
            "{name}: it has never handled an event here, and {waiting} wait; is it deployed?"
        )),
        (true, _) => Finding::warn(
            waiting <= HIGH_LAG,
            format!("{name}: {waiting} events wait"),
            format!(
                "{name}: {waiting} events wait; is it running, and are there enough instances?"
            ),
        ),
    }
}

/// Topics that are not there, or have another number of partitions.
fn missing(topics: &[TopicState]) -> Finding {
    let expected = usize::try_from(PARTITIONS).unwrap_or_default();
    let faults: Vec<String> = Topic::ALL
        .iter()
        .filter_map(|topic| match topics.iter().find(|state| state.name == topic.name()) {
            None => Some(format!("{} is missing", topic.name())),
            Some(state) if state.partitions != expected => {
                Some(format!("{} has {} partitions", topic.name(), state.partitions))
            }
            Some(_) => None,
        })
        .collect();
    let count = Topic::ALL.len();
    Finding::of(
        faults.is_empty(),
        format!("topics: all {count} are there, with {expected} partitions each"),
        format!("topics: {}; run `learnflow topics`", faults.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use events::Topic;
    use runtime::cluster::{GroupLag, TopicState};

    use super::{Finding, missing, of_group};

    #[test]
    fn who_has_handled_nothing_is_only_suspicious_if_there_was_something() {
        let is_fine = |name, waiting, has_begun| {
            matches!(of_group(name, GroupLag { waiting, has_begun }), Finding::Fine(_))
        };
        assert!(is_fine("triage", 0, false), "a fresh installation");
        assert!(!is_fine("triage", 1, false), "it is not deployed");
        assert!(is_fine("websocket", 1, false), "it reads without a group");
        assert!(is_fine("triage", 1_000, true));
        assert!(!is_fine("triage", 1_001, true), "it is too slow");
        assert!(!is_fine("websocket", 1_001, true), "it is too slow under AWS Lambda");
    }

    #[test]
    fn topics_that_are_missing_or_different_are_named() {
        let mut topics: Vec<TopicState> = Topic::ALL
            .iter()
            .map(|topic| TopicState { name: topic.name().to_owned(), partitions: 8 })
            .collect();
        assert!(matches!(missing(&topics), Finding::Fine(_)));
        topics[0].partitions = 1;
        topics.pop();
        let Finding::Fault(text) = missing(&topics) else { panic!("a fault") };
        assert!(text.contains("code.executions has 1 partitions"), "{text}");
        assert!(text.contains("is missing; run `learnflow topics`"), "{text}");
    }
}
