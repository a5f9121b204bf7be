//! Running functions: each on its own, or several in one process.

use std::{io, net::SocketAddr, process::ExitCode, sync::Arc};

use axum::Router;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    Clock, Function, Services,
    config::{ConfigError, HttpConfig, Settings},
    consumer::Consumer,
    fault::Faults,
    http::server,
    lambda::LambdaFunction,
    process::{Processor, chain},
    replies, telemetry,
};

/// Why a function cannot be hosted.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Faulty configuration of the function.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The port is taken or not ours to take.
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
        source: rdkafka::error::KafkaError,
    },
}

/// A running function.
#[derive(Debug)]
pub struct Host {
    name: &'static str,
    address: SocketAddr,
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
        let name = function.name;
        let config = HttpConfig::read(settings, function.port);
        settings.check()?;
        let processor = Processor::new(&mut function, services);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        if services.kafka.consume && !function.topics.is_empty() {
            let consumer =
                Consumer::subscribe(&services.kafka, &function.topics, Arc::clone(&processor))
                    .map_err(|source| HostError::Consume { function: name, source })?;
            tasks.spawn(consumer.run(stop.clone()));
        }
        if function.awaits_replies {
            let follower = replies::Follower::new(&services.kafka, &services.replies).await;
            let follower =
                follower.map_err(|source| HostError::Consume { function: name, source })?;
            tasks.spawn(follower.run(stop.clone()));
        }
        let routes = server::routes(function, services, &processor, config.access());
        let address = SocketAddr::new(config.address, config.port);
        let failed = |source| HostError::Listen { function: name, address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        tasks.spawn(serve(listener, routes, stop.clone()));
        tracing::info!(function = name, %address, "listening");
        Ok(Self { name, address, stop, tasks })
    }

    /// The function's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Finishes what is in work, then stops.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(function = self.name, error = %chain(&error), "a task ended badly");
            }
        }
        tracing::info!(function = self.name, "stopped");
    }

    /// Stops at once, in the middle of whatever it does: a crash, for tests.
    pub async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = server.await {
        tracing::error!(error = %chain(&error), "the HTTP server ended");
    }
}

/// The whole of a function's `main`: looks at the environment once, and runs as what it finds itself
/// to be (a Lambda function, or a server with or without a consumer of its own) until it is told to
/// stop.
pub fn main(
    name: &'static str,
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
        let _guard = telemetry::install(&telemetry, name);
        match run(&mut settings, function).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(function = name, error = %chain(error.as_ref()), "cannot run");
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
    let services = Services::start(settings, Clock::System, Faults::default()).await?;
    let function = function(settings, &services);
    settings.check()?;
    if is_lambda {
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
