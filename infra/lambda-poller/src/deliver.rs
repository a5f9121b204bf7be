//! Sending records that are given up to the on-failure destination.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rdkafka::{
    error::KafkaError,
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use reqwest::{Client, Url};

use crate::{
    clock::{Clock, new_id},
    cluster::{ClientError, Cluster},
    destination::Report,
    engine::Failure,
    mapping::{Destination, Mapping},
};

/// How long a topic or an endpoint may take.
const DELIVERY_LIMIT: Duration = Duration::from_secs(10);
const DELIVERY_LIMIT_MS: &str = "10000";

/// Where failures of services go that are not on this machine.
#[derive(Debug, Clone)]
pub(crate) enum Elsewhere {
    /// Files in a folder.
    Folder(PathBuf),
    /// POST requests.
    Endpoint(Client, Url),
}

/// Why a failure was not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    #[error("the failure cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the topic does not take it")]
    Topic(#[source] KafkaError),
    #[error("{0} cannot be written")]
    File(PathBuf, #[source] io::Error),
    #[error("the writing was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
    #[error("the endpoint does not take it")]
    Endpoint(#[source] reqwest::Error),
}

/// The on-failure destination of a mapping.
#[derive(Clone)]
pub(crate) struct Deliverer {
    destination: Destination,
    producer: Option<FutureProducer>,
    elsewhere: Elsewhere,
    clock: Clock,
}

impl Deliverer {
    pub(crate) fn new(
        destination: Destination,
        cluster: &Cluster,
        elsewhere: Elsewhere,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        let producer = match destination {
            Destination::Kafka(_) => {
                let mut config = cluster.client();
                config.set("message.timeout.ms", DELIVERY_LIMIT_MS).set("acks", "all");
                // A message may hold a record of nearly 6 MB in base64, with what is around it.
                config.set("message.max.bytes", "16000000");
                Some(config.create()?)
            }
            Destination::Sqs(_) | Destination::Sns(_) | Destination::S3(_) => None,
        };
        Ok(Self { destination, producer, elsewhere, clock })
    }

    pub(crate) async fn deliver(
        &self,
        mapping: &Mapping,
        failure: &Failure,
    ) -> Result<(), DeliveryError> {
        let id = new_id();
        let report = Report {
            source: &mapping.source,
            function: &mapping.function,
            id: &id,
            now_ms: self.clock.now_ms(),
        };
        match (&self.destination, &self.producer) {
            (Destination::Kafka(topic), Some(producer)) => {
                for message in report.messages(failure)? {
                    let mut record: FutureRecord<'_, [u8], [u8]> =
                        FutureRecord::to(topic).payload(&message.value);
                    record.key = message.key.as_deref();
                    let sent = producer.send(record, Timeout::After(DELIVERY_LIMIT)).await;
                    sent.map_err(|(error, _)| DeliveryError::Topic(error))?;
                }
                Ok(())
            }
            (Destination::S3(arn), _) => {
                let bucket = arn.rsplit(':').next().unwrap_or(arn);
                let name = report.object_name(&mapping.name);
                let object = report.object(failure)?;
                match &self.elsewhere {
                    Elsewhere::Folder(folder) => {
                        let mut path = folder.join(bucket);
                        path.extend(name.split('/'));
                        write(path, object, false).await
                    }
                    Elsewhere::Endpoint(client, url) => post(client, url, arn, object).await,
                }
            }
            (Destination::Sqs(arn) | Destination::Sns(arn) | Destination::Kafka(arn), _) => {
                let mut message = report.metadata(failure)?;
                match &self.elsewhere {
                    Elsewhere::Folder(folder) => {
                        message.push(b'\n');
                        let name = arn.rsplit(':').next().unwrap_or(arn);
                        write(folder.join(format!("{name}.jsonl")), message, true).await
                    }
                    Elsewhere::Endpoint(client, url) => post(client, url, arn, message).await,
                }
            }
        }
    }
}

async fn write(path: PathBuf, content: Vec<u8>, is_appended: bool) -> Result<(), DeliveryError> {
    let work = move || {
        let written = write_file(&path, &content, is_appended);
        written.map_err(|error| DeliveryError::File(path, error))
    };
    tokio::task::spawn_blocking(work).await.map_err(DeliveryError::Interrupted)?
}

fn write_file(path: &Path, content: &[u8], is_appended: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if !is_appended {
        return fs::write(path, content);
    }
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    io::Write::write_all(&mut file, content)
}

async fn post(client: &Client, url: &Url, arn: &str, body: Vec<u8>) -> Result<(), DeliveryError> {
    let request = client
        .post(url.clone())
        .timeout(DELIVERY_LIMIT)
        .header("content-type", "application/json")
        .header("x-destination-arn", arn)
        .body(body);
    let response = request.send().await.and_then(reqwest::Response::error_for_status);
    response.map(|_| ()).map_err(DeliveryError::Endpoint)
}
