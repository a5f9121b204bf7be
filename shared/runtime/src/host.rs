//! Running functions: each on its own, or several in one process.

use std::{io, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use delivery::{
    KafkaError, consumer::Consumer, fault::Faults, follower::Follower, process::Processor, replies,
};
use environment::{
    Clock, chain,
    config::{ConfigError, HttpConfig, Settings, SharedSecret},
    telemetry,
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use web::{
    connections::{self, Limits},
    server::{self, Access},
};

use crate::{Function, Services, Spec, ingress, lambda::LambdaFunction, probes};

/// The longest for finishing work at shutdown: with the publisher's 5 s after it, and a gateway stopped before the
/// others, well within Kubernetes' 30 s.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Why a function cannot be hosted.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Faulty configuration of the function.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The port is in use or not permitted.
    #[error("{function} cannot listen on {address}")]
    Listen {
        /// The function.
        function: &'static str,
        /// Where it should listen.
        address: SocketAddr,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// No consumer with these settings.
    #[error("{function} cannot consume from Kafka")]
    Consume {
        /// The function.
        function: &'static str,
        /// The client's answer.
        #[source]
        source: KafkaError,
    },
}

/// A running function.
#[derive(Debug)]
pub struct Host {
    name: &'static str,
    address: SocketAddr,
    internal: Vec<&'static str>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Host {
    /// Starts a function: its server, and its consumer where that is configured.
    ///
    /// # Errors
    /// Faulty settings, a port that is taken, or an unusable Kafka client.
    pub async fn start(
        mut function: Function,
        services: &Arc<Services>,
        settings: &mut Settings,
    ) -> Result<Self, HostError> {
        let name = function.spec.name;
        function.check(settings);
        let config = HttpConfig::read(settings, function.spec.port);
        let metrics_token = SharedSecret::of_metrics(settings);
        // A function with its own consumer takes no events by HTTP.
        let topics = function.handlers.topics().to_vec();
        let is_started = !(topics.is_empty() && function.periodic.is_empty());
        let by_http = is_started && !services.kafka.consume;
        let ingress_token = if by_http { SharedSecret::of_ingress(settings) } else { None };
        settings.check()?;
        let handlers = std::mem::take(&mut function.handlers);
        let processor = Arc::new(Processor::new(services.scope(name), handlers));
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let periodic = services.periodic(name, std::mem::take(&mut function.periodic));
        periodic.spawn(&mut tasks, &stop);
        if function.spec.migrates {
            let (schema, stop) = (services.schema.clone(), stop.clone());
            tasks.spawn(async move { schema.migrate(&stop).await });
        }
        if services.kafka.consume && !topics.is_empty() {
            let consumer = Consumer::subscribe(&services.kafka, &topics, Arc::clone(&processor))
                .map_err(|source| HostError::Consume { function: name, source })?;
            let (schema, stop) = (services.schema.clone(), stop.clone());
            tasks.spawn(async move {
                if schema.wait(&stop).await {
                    consumer.run(stop).await;
                }
            });
        }
        follow(&mut tasks, &mut function, services, &stop).await?;
        if let Some(sockets) = function.sockets.take() {
            tasks.spawn(sockets.keep(stop.clone()));
        }
        if let Some(token) = ingress_token {
            function = function.serves_public(ingress::routes(processor, periodic, &topics, token));
        }
        // Requests through a proxy on this machine can come from anywhere.
        let proxies = function.endpoints.proxies.clone();
        let proxied = proxies.trusts(config.address);
        let access = if proxied { Access::Guarded } else { Access::at(config.address) };
        let function = function.serves_public(server::metrics_route(access, metrics_token));
        let internal = function.internal_paths().collect();
        let routes =
            probes::add(function.endpoints, services).into_router(name, &services.verifier, access);
        let address = SocketAddr::new(config.address, config.port);
        let failed = |source| HostError::Listen { function: name, address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let limits = Limits::of_process();
        tasks.spawn(connections::serve(listener, routes, limits, proxies, stop.clone()));
        tracing::info!(function = name, %address, "listening");
        Ok(Self { name, address, internal, stop, tasks })
    }

    /// The function's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The paths of its endpoints for other services.
    #[must_use]
    pub fn internal_paths(&self) -> &[&'static str] {
        &self.internal
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Finishes its work within a limit, then stops. What is unfinished by then is cut off, as by a crash: every
    /// handler may die half-way, and every request may be sent again.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let finished = async {
            while let Some(ended) = self.tasks.join_next().await {
                if let Err(error) = ended {
                    let error = chain(&error);
                    tracing::error!(function = self.name, %error, "a task failed");
                }
            }
        };
        if tokio::time::timeout(STOP_LIMIT, finished).await.is_err() {
            tracing::warn!(function = self.name, "work that did not finish is cut off");
        }
        self.tasks.shutdown().await;
        tracing::info!(function = self.name, "stopped");
    }

    /// Stops at once, in the middle of its work: a crash, for tests.
    pub async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Follows the topics that every instance reads.
async fn follow(
    tasks: &mut JoinSet<()>,
    function: &mut Function,
    services: &Arc<Services>,
    stop: &CancellationToken,
) -> Result<(), HostError> {
    let name = function.spec.name;
    let failed = |source| HostError::Consume { function: name, source };
    let keys = services.store.keys().clone();
    if function.awaits_replies {
        let replies = services.replies.clone();
        let sink = replies.sink();
        let follower = Follower::new(&services.kafka, &replies::TOPICS, keys.clone(), sink).await;
        let (follower, stop) = (follower.map_err(failed)?, stop.clone());
        tasks.spawn(async move {
            follower.run(stop).await;
            replies.give_up();
        });
    }
    if let Some((topics, sink)) = function.followed.take() {
        let follower = Follower::new(&services.kafka, topics, keys, sink).await;
        tasks.spawn(follower.map_err(failed)?.run(stop.clone()));
    }
    Ok(())
}

/// All of a function's `main`: reads the environment once, and runs as what it says (a Lambda function, or a server
/// with or without its own consumer) until it is told to stop.
pub fn main(
    spec: &'static Spec,
    function: impl FnOnce(&mut Settings, &Arc<Services>) -> Function,
) -> ExitCode {
    let mut settings = Settings::from_process();
    let telemetry = telemetry::TelemetryConfig::read(&mut settings);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let _guard = telemetry::install(&telemetry, spec.name);
        match run(&mut settings, function).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(function = spec.name, error = %chain(error.as_ref()), "cannot run");
                ExitCode::FAILURE
            }
        }
    })
}

async fn run(
    settings: &mut Settings,
    function: impl FnOnce(&mut Settings, &Arc<Services>) -> Function,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let is_lambda = settings.is_lambda();
    aws::secrets::fill_in(settings).await;
    let services = Services::start(settings, Clock::System, Faults::default()).await?;
    let function = function(settings, &services);
    if is_lambda {
        function.check(settings);
        settings.check()?;
        LambdaFunction::new(function, &services).run().await?;
    } else {
        let host = Host::start(function, &services, settings).await?;
        shutdown_signal().await?;
        host.stop().await;
    }
    services.stop().await;
    Ok(())
}

/// Completes when the process is asked to stop.
///
/// # Errors
/// Signals cannot be listened to here.
pub async fn shutdown_signal() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
