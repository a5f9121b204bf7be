//! Services that all functions of a process share: built once, then borrowed.

use std::{sync::Arc, time::Duration};

use delivery::{
    Admissions, KafkaError, Store,
    cluster::{self, FunctionLanes, GroupState},
    database,
    fault::Faults,
    kafka::Producer,
    outbox::Outbox,
    periodic::{AnyPeriodic, PeriodicWork},
    replies::Replies,
    schema::Schema,
    scope::Scope,
};
use environment::{
    Clock, chain,
    config::{ConfigError, DatabaseConfig, Settings},
    http_client,
    kafka_config::KafkaConfig,
    metrics,
};
use ids::{TokenFamilyId, UserId};
use tokio::{sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use web::auth::{Accounts, AdmissionOf, AuthConfig, ExternalPerson, Verifier};

/// The longest for publishing queued events at shutdown; the rest is left to the relay.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// The longest for looking at all consumer groups: less than a request may take.
const GROUPS_LIMIT: Duration = Duration::from_secs(6);

/// The longest for looking at all lanes: less than a request may take, and longer than a broker ever takes.
const LANES_LIMIT: Duration = Duration::from_secs(5);
/// The part of it for the broker's answers. The rest is for making and closing clients, so that what was answered in time
/// is not lost.
const LANES_ANSWERED: Duration = Duration::from_secs(4);

/// The longest for closing the database's connections, which an unavailable server may delay.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Why a process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Faulty configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database's address cannot be used.
    #[error("cannot use the database address")]
    Database(#[source] sqlx::Error),
    /// The Kafka settings cannot be used.
    #[error("cannot use the Kafka settings")]
    Kafka(#[source] KafkaError),
    /// No HTTP client.
    #[error("cannot build an HTTP client")]
    HttpClient(#[source] reqwest::Error),
}

/// Clock, database, producer, tokens: everything that outlives a single event.
#[derive(Debug)]
pub struct Services {
    /// Time and fresh ids.
    pub clock: Clock,
    /// The database.
    pub store: Store,
    /// Answers to the requests of front doors.
    pub replies: Replies,
    /// Reads access tokens.
    pub verifier: Arc<Verifier>,
    pub(crate) kafka: KafkaConfig,
    pub(crate) producer: Producer,
    pub(crate) outbox: Outbox,
    pub(crate) faults: Faults,
    pub(crate) schema: Schema,
    /// Locked while somebody looks at all lanes.
    looking: Arc<Mutex<()>>,
    stop: CancellationToken,
    publisher: JoinHandle<()>,
    /// Completes when the publisher has ended.
    left: CancellationToken,
}

/// Tells the web who is admitted.
struct KnownAccounts(Admissions);

impl Accounts for KnownAccounts {
    fn admission(
        &self,
        user: UserId,
        session: Option<TokenFamilyId>,
        external: Option<ExternalPerson>,
    ) -> AdmissionOf<'_> {
        Box::pin(self.0.of(user, session, external))
    }
}

impl Services {
    /// Reads the settings and starts the publisher. The database may be unavailable, or older than this program.
    ///
    /// # Errors
    /// Faulty settings.
    pub async fn start(
        settings: &mut Settings,
        clock: Clock,
        faults: Faults,
    ) -> Result<Arc<Self>, StartError> {
        metrics::install();
        let is_lambda = settings.is_lambda();
        let database = DatabaseConfig::read(settings);
        let kafka = KafkaConfig::read(settings);
        let auth = AuthConfig::read(settings);
        settings.check()?;
        let pool = database::pool(&database).map_err(StartError::Database)?;
        let schema = Schema::of(pool.clone());
        let producer = Producer::new(&kafka).map_err(StartError::Kafka)?;
        let (outbox, publisher) =
            Outbox::new(pool.clone(), producer.clone(), clock.of_processes(), faults.clone());
        // Without the database the first events would wait for a relay; it is retried as long as we run.
        if let Err(error) = outbox.note_alive().await {
            tracing::warn!(error = %chain(&error), "cannot register as a publisher yet");
        }
        let stop = CancellationToken::new();
        let client = http_client().map_err(StartError::HttpClient)?;
        let store = Store::new(pool.clone(), outbox.clone(), faults.clone(), clock.clone());
        let (keys, admissions) = (store.keys().clone(), store.admissions().clone());
        tokio::spawn(metrics::keep_small(stop.clone()));
        let left = CancellationToken::new();
        Ok(Arc::new(Self {
            replies: if is_lambda { Replies::stored(pool, keys) } else { Replies::live(keys) },
            store,
            verifier: Arc::new(
                Verifier::new(auth, client, clock.clone())
                    .knowing(Arc::new(KnownAccounts(admissions))),
            ),
            publisher: tokio::spawn({
                let (schema, stop, left) =
                    (schema.clone(), stop.clone(), left.clone().drop_guard());
                async move {
                    schema.wait(&stop).await;
                    publisher.run(stop).await;
                    drop(left);
                }
            }),
            schema,
            clock,
            kafka,
            producer,
            outbox,
            faults,
            looking: Arc::default(),
            stop,
            left,
        }))
    }

    /// The consumer groups of all functions; `None` if the broker does not answer in time.
    pub async fn groups(&self) -> Option<Vec<GroupState>> {
        let kafka = self.kafka.clone();
        // The client blocks.
        let looked = tokio::task::spawn_blocking(move || cluster::groups(&kafka));
        let groups = tokio::time::timeout(GROUPS_LIMIT, looked).await.ok()?.ok()?;
        groups.inspect_err(|error| tracing::warn!(%error, "the groups cannot be read")).ok()
    }

    /// The lanes of all functions; `None` if the broker does not answer in time. Of a function and a topic in `also` they are
    /// listed even if it has handled no event yet.
    pub async fn lanes(&self, also: Vec<(String, String)>) -> Option<Vec<FunctionLanes>> {
        let (kafka, looking) = (self.kafka.clone(), Arc::clone(&self.looking));
        let looked = async {
            // The client blocks a thread, even after the caller has gone: of several callers one is served at a time.
            let looking = looking.lock_owned().await;
            tokio::task::spawn_blocking(move || {
                let lanes = cluster::all_lanes(&kafka, &also, LANES_ANSWERED);
                drop(looking);
                lanes
            })
            .await
        };
        let lanes = tokio::time::timeout(LANES_LIMIT, looked).await.ok()?.ok()?;
        lanes.inspect_err(|error| tracing::warn!(%error, "the lanes cannot be read")).ok()
    }

    /// Waits for an answer by polling the stored events: for functions that ask rarely, and follow no topic.
    #[must_use]
    pub fn stored_replies(&self) -> Replies {
        Replies::stored(self.store.pool(), self.store.keys().clone())
    }

    /// What a function needs of it to handle events.
    pub(crate) fn scope(&self, function: &'static str) -> Scope {
        Scope {
            function,
            store: self.store.clone(),
            clock: self.clock.clone(),
            faults: self.faults.clone(),
            producer: self.producer.clone(),
        }
    }

    /// The periodic work of a function.
    pub(crate) fn periodic(
        &self,
        function: &'static str,
        all: Vec<Arc<dyn AnyPeriodic>>,
    ) -> PeriodicWork {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        PeriodicWork::new(function, store, clock, self.schema.clone(), all)
    }

    /// Makes sure that this process counts as alive before it commits events: it may have been frozen.
    pub(crate) async fn wake(&self) {
        if let Err(error) = self.outbox.note_alive().await {
            tracing::warn!(error = %chain(&error), "events will be left to a relay");
        }
    }

    /// Waits until emitted events are on the broker, but no longer than `limit`, and records that they are.
    pub(crate) async fn settle(&self, limit: Duration) {
        self.outbox.drain(limit).await;
        if let Err(error) = self.outbox.note_progress().await {
            tracing::warn!(error = %chain(&error), "a relay may send events again");
        }
    }

    /// Publishes what is queued and closes the database's connections.
    pub async fn stop(&self) {
        self.outbox.drain(DRAIN_LIMIT).await;
        self.stop.cancel();
        // It unregisters itself in the database.
        let closed = async {
            self.left.cancelled().await;
            self.store.close().await;
        };
        if tokio::time::timeout(CLOSE_LIMIT, closed).await.is_err() {
            tracing::warn!("connections to the database are in use and not closed");
        }
    }

    /// Stops at once, as by a crash: queued events stay in the outbox.
    pub fn kill(&self) {
        self.publisher.abort();
        self.store.kill();
        self.stop.cancel();
    }
}
