//! `learnflow doctor`: checks an installation, and says what to do.

use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use events::{Topic, topic::PARTITIONS};
use runtime::{
    Clock, Store,
    auth::AuthConfig,
    cluster::{self, TopicState},
    config::{KafkaConfig, Settings},
};
use storage::{health, migrations};
use tutor::TutorConfig;

use crate::{functions, terminal::say};

/// The oldest supported release of PostgreSQL, as its server says it.
const OLDEST_POSTGRES: i32 = 150_000;
/// How far the clocks of the database and of this machine may differ: tokens and leases are compared across machines.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);
/// Events that wait for a function beyond which it is reported.
const HIGH_LAG: i64 = 1_000;
/// The limit of a request to the model's server.
const MODEL_LIMIT: Duration = Duration::from_secs(5);

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The Kafka brokers.
    #[arg(long, env = "KAFKA_BROKERS")]
    kafka: String,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// It is in order.
    Fine(String),
    /// It works, and somebody should look at it.
    Warning(String),
    /// It does not work, with what to do.
    Fault(String),
}

impl Finding {
    fn of(is_fine: bool, fine: String, fault: String) -> Self {
        if is_fine { Self::Fine(fine) } else { Self::Fault(fault) }
    }

    fn warn(is_fine: bool, fine: String, warning: String) -> Self {
        if is_fine { Self::Fine(fine) } else { Self::Warning(warning) }
    }
}

/// Checks everything, and prints a line for each check. `false`: something does not work.
pub(crate) async fn run(arguments: DoctorArguments) -> anyhow::Result<bool> {
    let mut settings = Settings::from_process();
    settings.set("DATABASE_URL", arguments.database_url.clone());
    settings.set("KAFKA_BROKERS", arguments.kafka.clone());
    let mut findings = database(&arguments.database_url).await;
    findings.extend(kafka(KafkaConfig::read(&mut settings)).await?);
    findings.extend(secrets(&mut settings));
    findings.push(model(&mut settings).await);
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

async fn database(url: &str) -> Vec<Finding> {
    let looked = async {
        let store = Store::open(url)?;
        let mut conn = store.connection().await?;
        let version = migrations::version(&mut conn).await?;
        let health = match version {
            Some(version) if version >= migrations::MINIMUM_VERSION => {
                Some(health::look(&mut conn).await?)
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
            return vec![Finding::Fault(format!(
                "database: it cannot be reached ({error}); check DATABASE_URL, and that the server runs"
            ))];
        }
    };
    let needed = migrations::MINIMUM_VERSION;
    let Some(health) = health else {
        let has = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
        return vec![Finding::Fault(format!(
            "schema: version {has}, and {needed} is needed; run `learnflow migrate`"
        ))];
    };
    let major = health.server_version / 10_000;
    let ahead = (health.now - Clock::System.now()).abs();
    vec![
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
        Finding::warn(
            ahead <= CLOCK_TOLERANCE,
            "clock: the database has the same time".to_owned(),
            format!(
                "clock: the database's differs by {} s; tokens and leases need clocks that agree, so use NTP",
                ahead.num_seconds()
            ),
        ),
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
    ]
}

async fn kafka(config: KafkaConfig) -> anyhow::Result<Vec<Finding>> {
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
            Ok(None) => Finding::Warning(format!(
                "{name}: it has never handled an event here; is it deployed?"
            )),
            Ok(Some(lag)) => Finding::warn(
                lag <= HIGH_LAG,
                format!("{name}: {lag} events wait"),
                format!(
                    "{name}: {lag} events wait; is it running, and are there enough instances?"
                ),
            ),
            Err(error) => Finding::Fault(format!("{name}: its group cannot be read ({error})")),
        });
    }
    findings
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

fn secrets(settings: &mut Settings) -> Vec<Finding> {
    let _ = AuthConfig::read(settings);
    match settings.check() {
        Ok(()) => vec![Finding::Fine("settings: the secrets are strong enough".to_owned())],
        Err(error) => vec![Finding::Fault(format!("settings: {error}"))],
    }
}

async fn model(settings: &mut Settings) -> Finding {
    let Some(config) = TutorConfig::read(settings) else {
        return Finding::Fine("model: none; the offline tutor answers".to_owned());
    };
    let reached = async {
        let client = runtime::http_client()?;
        let url = format!("{}/models", config.base_url.trim_end_matches('/'));
        client.get(url).timeout(MODEL_LIMIT).send().await
    };
    match reached.await {
        Ok(_) => Finding::Fine(format!("model: {} answers", config.base_url)),
        Err(_) => Finding::Warning(format!(
            "model: {} does not answer, so the offline tutor does; check OPENAI_BASE_URL",
            config.base_url
        )),
    }
}

#[cfg(test)]
mod tests {
    use events::Topic;
    use runtime::cluster::TopicState;

    use super::{Finding, missing};

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
