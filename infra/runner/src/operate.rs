//! The operator's commands.

use anyhow::Context;
use runtime::{
    Clock, Store,
    config::{KafkaConfig, Settings},
    kafka,
};

use crate::{course_rows, terminal::say};

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

pub(crate) async fn topics(brokers: &str) -> anyhow::Result<()> {
    let config = kafka_config(brokers)?;
    kafka::create_topics(&config).await.context("the topics cannot be made")?;
    say("all topics are there");
    Ok(())
}
