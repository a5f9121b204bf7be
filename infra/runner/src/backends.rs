//! The database and the broker: configured ones, or private ones.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use anyhow::Context;
use local_broker::Broker;
use local_postgres::{Durability, LocalPostgres};

/// A database and a broker, with the handles of private ones.
#[derive(Debug)]
pub(crate) struct Backends {
    pub(crate) database_url: String,
    pub(crate) kafka: String,
    broker: Option<Broker>,
    postgres: Option<LocalPostgres>,
}

impl Backends {
    pub(crate) async fn start(
        data: &Path,
        database_url: Option<String>,
        kafka: Option<String>,
    ) -> anyhow::Result<Self> {
        let (database_url, postgres) = match database_url {
            Some(url) => (url, None),
            None => {
                let dir = data.join("postgres");
                // Starting blocks until the server answers, up to a minute after a crash.
                let postgres = tokio::task::spawn_blocking(move || {
                    LocalPostgres::start(&dir, Durability::Durable)
                });
                let postgres = postgres.await.context("PostgreSQL's starter ended")??;
                (postgres.url("postgres"), Some(postgres))
            }
        };
        let (kafka, broker) = match kafka {
            Some(brokers) => (brokers, None),
            None => {
                let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let broker = Broker::start(&data.join("kafka"), any_port).await?;
                (broker.address().to_string(), Some(broker))
            }
        };
        Ok(Self { database_url, kafka, broker, postgres })
    }

    /// Whether the database is this process's own.
    pub(crate) const fn is_private_database(&self) -> bool {
        self.postgres.is_some()
    }

    pub(crate) async fn stop(self) {
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        // Dropping waits for the server to flush, so it is done on a thread where that is harmless.
        let postgres = self.postgres;
        if tokio::task::spawn_blocking(move || drop(postgres)).await.is_err() {
            tracing::warn!("PostgreSQL was not stopped cleanly");
        }
    }
}
