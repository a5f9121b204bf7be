//! The small broker of this program, for when there is no cluster.

use std::{net::SocketAddr, path::PathBuf, thread, time::Duration};

use local_broker::Broker;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::cluster::{ClientError, Cluster};

/// How long the broker may take to make topics.
const TOPICS_LIMIT: Duration = Duration::from_secs(10);

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbeddedError {
    #[error("no temporary folder can be made")]
    Folder(#[source] std::io::Error),
    #[error("no thread can be made for the broker")]
    Thread(#[source] std::io::Error),
    #[error("the broker cannot start")]
    Broker(#[from] local_broker::Error),
    #[error("the broker's thread has ended")]
    Gone,
    #[error("the broker cannot be reached")]
    Client(#[from] ClientError),
    #[error("the topics cannot be made")]
    Topics(#[source] KafkaError),
}

/// A running broker. It has a thread of its own, so that it answers whoever blocks elsewhere.
#[derive(Debug)]
pub(crate) struct Embedded {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
    _folder: Option<TempDir>,
}

impl Embedded {
    /// Starts a broker on a folder; without one its data are gone at the end.
    pub(crate) async fn start(
        folder: Option<PathBuf>,
        address: SocketAddr,
    ) -> Result<Self, EmbeddedError> {
        let (temporary, folder) = match folder {
            Some(folder) => (None, folder),
            None => {
                let temporary = TempDir::new().map_err(EmbeddedError::Folder)?;
                let folder = temporary.path().to_owned();
                (Some(temporary), folder)
            }
        };
        let (started, is_started) = oneshot::channel();
        let (stop, is_stopped) = oneshot::channel::<()>();
        let (ended, is_ended) = oneshot::channel();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                match Broker::start(&folder, address).await {
                    Ok(broker) => {
                        drop(started.send(Ok(broker.address())));
                        // Also when whoever started it has gone.
                        is_stopped.await.unwrap_or_default();
                        broker.stop().await;
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            });
            ended.send(()).unwrap_or_default();
        };
        let spawned = thread::Builder::new().name("broker".to_owned()).spawn(work);
        spawned.map_err(EmbeddedError::Thread)?;
        let address = is_started.await.map_err(|_gone| EmbeddedError::Gone)??;
        Ok(Self { address, stop, ended: is_ended, _folder: temporary })
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        if self.ended.await.is_err() {
            tracing::debug!("the broker's thread has gone");
        }
    }
}

/// Makes the topics that are missing.
pub(crate) async fn make_topics(
    cluster: &Cluster,
    topics: impl IntoIterator<Item = &str>,
    partitions: i32,
) -> Result<(), EmbeddedError> {
    let admin: AdminClient<DefaultClientContext> =
        cluster.client().create().map_err(ClientError::from)?;
    let topics: Vec<NewTopic<'_>> = topics
        .into_iter()
        .map(|topic| NewTopic::new(topic, partitions, TopicReplication::Fixed(1)))
        .collect();
    let options = AdminOptions::new().request_timeout(Some(TOPICS_LIMIT));
    for made in admin.create_topics(&topics, &options).await.map_err(EmbeddedError::Topics)? {
        match made {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(EmbeddedError::Topics(KafkaError::AdminOp(code))),
        }
    }
    Ok(())
}
