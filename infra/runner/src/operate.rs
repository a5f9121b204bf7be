//! The operator's commands.

use anyhow::Context;
use clap::Args;
use runtime::{
    Clock, Store,
    config::Settings,
    kafka::{self, Replicas},
    kafka_config::{KafkaConfig, KafkaProtocol},
};

use crate::{course_rows, msk, terminal::say};

pub(crate) async fn migrate(database_url: &str) -> anyhow::Result<()> {
    let store = Store::open(database_url)?;
    store.migrate().await.context("the database cannot be migrated")?;
    course_rows::write(&store, &Clock::System).await?;
    say("the database is up to date");
    Ok(())
}

pub(crate) async fn sweep(database_url: &str) -> anyhow::Result<()> {
    let rows = Store::open(database_url)?.sweep(&Clock::System).await;
    say(format!("{} old rows deleted", rows.context("the database is away")?));
    Ok(())
}

/// The settings of a client for these brokers: the rest is in the environment.
pub(crate) fn kafka_config(brokers: &str) -> anyhow::Result<KafkaConfig> {
    let mut settings = Settings::from_process();
    settings.set("KAFKA_BROKERS", brokers.to_owned());
    let config = KafkaConfig::read(&mut settings);
    settings.check()?;
    Ok(config)
}

/// Which cluster, and how its topics are made.
#[derive(Debug, Args)]
pub(crate) struct TopicArguments {
    /// The brokers, such as `localhost:9092`.
    #[arg(long, env = "KAFKA_BROKERS", required_unless_present = "msk_cluster")]
    kafka: Option<String>,
    /// The ARN of a cluster of MSK, whose brokers are asked for instead; `KAFKA_SECURITY_PROTOCOL` says how they are
    /// reached.
    #[arg(long)]
    msk_cluster: Option<String>,
    /// How many brokers keep each event: 1, or 3 on MSK.
    #[arg(long)]
    replicas: Option<Replicas>,
}

pub(crate) async fn topics(arguments: TopicArguments) -> anyhow::Result<()> {
    let mut settings = Settings::from_process();
    let (brokers, usual) = match arguments.msk_cluster {
        Some(cluster) => {
            let protocol = KafkaProtocol::read(&mut settings);
            settings.check()?;
            (msk::brokers(&cluster, protocol, &mut settings).await?, Replicas::THREE)
        }
        None => (arguments.kafka.unwrap_or_default(), Replicas::ONE),
    };
    settings.set("KAFKA_BROKERS", brokers);
    let config = KafkaConfig::read(&mut settings);
    settings.check()?;
    let replicas = arguments.replicas.unwrap_or(usual);
    kafka::create_topics(&config, replicas)
        .await
        .with_context(|| format!("the topics cannot be made with {replicas} replicas"))?;
    say(format_args!("all topics are there, on {}", config.brokers));
    Ok(())
}
