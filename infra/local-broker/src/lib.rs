//! A single-node broker that speaks Kafka's wire protocol, for local use and tests: nothing to
//! install, in process, durable in files.
//!
//! Belongs here: what librdkafka clients need to produce and consume in groups, and what tools need. Not here:
//! replication, transactions (refused with a clear error), compaction, retention, access control. Of a topic's
//! settings, all are stored and described, but only `max.message.bytes` has an effect; deleted records are no longer
//! delivered, but still use their space. A process crash loses nothing that was acknowledged; a power cut may lose the
//! tail, as with Kafka's own defaults.

mod call;
mod cluster;
mod config_api;
mod configs;
mod connection;
mod fetch;
mod group;
mod group_admin;
mod group_api;
mod groups;
mod log;
mod membership;
mod offset_api;
mod offsets;
mod produce;
mod records;
mod state;
mod topic_api;
mod topics;
mod wire;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
};

use self::{offsets::CommittedOffsets, state::State, topics::Topics};

/// Most clients at once: ten functions with a few connections each, many times over.
const CONNECTIONS_LIMIT: usize = 1_024;
/// The pause before the next attempt when the system cannot accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often group members are checked for having gone silent.
const GROUP_TICK: Duration = Duration::from_millis(100);

/// Why the broker cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be used.
    #[error("cannot use {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// Another process uses the folder.
    #[error("{0} is in use by another broker")]
    Locked(PathBuf),
    /// The address is in use or not permitted.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// A running broker; dropping it stops it.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    stop: Arc<Notify>,
    tasks: JoinSet<()>,
}

impl Broker {
    /// Starts a broker on the data in `dir`; port 0 takes any free one.
    ///
    /// # Errors
    /// The folder is unusable or in use, or the address is taken.
    pub async fn start(dir: &Path, address: SocketAddr) -> Result<Self, Error> {
        Self::listen(dir, address, None).await
    }

    /// Starts a broker that advertises another address to its clients.
    ///
    /// # Errors
    /// The folder is unusable or in use, or the address is taken.
    pub async fn start_behind(
        dir: &Path,
        address: SocketAddr,
        advertised: SocketAddr,
    ) -> Result<Self, Error> {
        Self::listen(dir, address, Some(advertised)).await
    }

    async fn listen(
        dir: &Path,
        address: SocketAddr,
        advertised: Option<SocketAddr>,
    ) -> Result<Self, Error> {
        let io_error = |source| Error::Io { path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(io_error)?;
        let lock = fs::File::create(dir.join("lock")).map_err(io_error)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => Error::Locked(dir.to_owned()),
            fs::TryLockError::Error(source) => io_error(source),
        })?;
        let topics = Topics::open(dir).map_err(io_error)?;
        let offsets = CommittedOffsets::open(dir).map_err(io_error)?;
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let state = Arc::new(State {
            advertised: advertised.unwrap_or(address),
            topics: Mutex::new(topics),
            groups: Mutex::default(),
            offsets: Mutex::new(offsets),
            last_producer_id: AtomicI64::new(0),
            appended: watch::Sender::new(0),
            _lock: lock,
        });
        let mut tasks = JoinSet::new();
        let stop = Arc::new(Notify::new());
        tasks.spawn(accept(listener, Arc::clone(&state), Arc::clone(&stop)));
        tasks.spawn(tick(state));
        Ok(Self { address, stop, tasks })
    }

    /// Where clients find it.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops and waits until every file is closed and the address is free.
    pub async fn stop(mut self) {
        self.stop.notify_one();
        // The first task to end is the one that accepts: the other never does.
        self.tasks.join_next().await;
        self.tasks.shutdown().await;
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, stop: Arc<Notify>) {
    let limit = Arc::new(Semaphore::new(CONNECTIONS_LIMIT));
    // The connections live in this task's set, so they end with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Ok(permit) = Arc::clone(&limit).try_acquire_owned() else {
                        tracing::warn!(%peer, "too many connections");
                        continue;
                    };
                    let state = Arc::clone(&state);
                    connections.spawn(async move {
                        serve(stream, &state).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // Without file descriptors it fails again at once, until somebody hangs up.
                    if tokio::time::timeout(ACCEPT_PAUSE, stop.notified()).await.is_ok() {
                        break;
                    }
                }
            },
            Some(_ended) = connections.join_next() => {}
            () = stop.notified() => break,
        }
    }
    // Awaited, since each holds the files open until it ends.
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, state: &State) {
    if let Err(error) = connection::serve(stream, state).await {
        tracing::debug!(error = %error, "a connection ended");
    }
}

async fn tick(state: Arc<State>) {
    let mut interval = tokio::time::interval(GROUP_TICK);
    loop {
        interval.tick().await;
        state.groups.lock().expire(std::time::Instant::now());
    }
}
