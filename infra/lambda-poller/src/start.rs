//! Putting a poller together from its arguments.

use std::{
    collections::BTreeMap, fs, net::SocketAddr, path::Path, process::ExitCode, sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    arguments::{ClusterArguments, MappingArguments, MappingFlags, RunArguments},
    clock::Clock,
    cluster::{Cluster, Properties},
    control,
    deliver::Elsewhere,
    embedded::{self, Embedded},
    faults::Faults,
    fixtures::Recorder,
    invoke::{Endpoint, http_client},
    mapping::{Destination, Kind, Mapping, Owner, TIMEOUT_SECONDS, node_of},
    poller::{Poller, Settings},
    template::{self, Options},
    tree::{Node, Value},
};

/// A poller at work.
#[derive(Debug)]
pub struct Running {
    control: Option<SocketAddr>,
    broker: Option<Embedded>,
    bootstrap_servers: String,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Running {
    /// Starts a poller.
    ///
    /// # Errors
    /// The mappings have faults, or something cannot be started. All faults of mappings are in the message.
    pub async fn start(arguments: &RunArguments) -> anyhow::Result<Self> {
        let mut mappings = mappings(&arguments.mappings)?;
        let properties = properties(&arguments.cluster)?;
        let (broker, cluster) = cluster(&arguments.cluster, properties, &mappings).await?;
        for mapping in &mut mappings {
            if mapping.source.bootstrap_servers.is_empty() {
                mapping.source.bootstrap_servers.clone_from(&cluster.bootstrap_servers);
            }
            for note in &mapping.notes {
                tracing::warn!(mapping = mapping.name, "{note}");
            }
        }
        let bootstrap_servers = cluster.bootstrap_servers.clone();
        let settings = Arc::new(settings(arguments, cluster)?);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut ways = BTreeMap::new();
        for mapping in mappings {
            let name = mapping.name.clone();
            let line = format!("{} -> {}", mapping.source.topic, mapping.function);
            let poller = Poller::start(mapping, Arc::clone(&settings));
            let poller = poller.with_context(|| name.clone())?;
            let (way, requests) = control::channel();
            ways.insert(name.clone(), way);
            tasks.spawn(poller.run(requests, stop.clone()));
            tracing::info!(mapping = name, "{line}");
        }
        let control = match arguments.working.control.0 {
            Some(address) => {
                let served = control::serve(address, ways, stop.clone()).await;
                let (address, served) = served.with_context(|| {
                    format!("the control endpoint cannot listen on {address}: choose another address by --control")
                })?;
                tasks.spawn(served);
                tracing::info!(%address, "the control endpoint");
                Some(address)
            }
            None => None,
        };
        Ok(Self { control, broker, bootstrap_servers, tasks, stop })
    }

    /// Where the control endpoint listens.
    #[must_use]
    pub const fn control(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Where Kafka is.
    #[must_use]
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// Lets invocations end, commits, and stops.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            log_end(ended);
        }
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
    }

    /// Returns only if a part of it ends by itself, which is a fault of this program.
    async fn watch(&mut self) {
        if let Some(ended) = self.tasks.join_next().await {
            log_end(ended);
        }
    }
}

fn log_end(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a mapping has ended");
    }
}

/// Works until the process is told to end.
pub(crate) async fn run(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let mut running = Running::start(arguments).await?;
    let is_faulty = tokio::select! {
        told = told_to_end() => {
            told.context("signals cannot be received")?;
            false
        }
        () = running.watch() => true,
    };
    tracing::info!("stopping");
    running.stop().await;
    Ok(if is_faulty { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[cfg(unix)]
async fn told_to_end() -> std::io::Result<()> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn told_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// The mappings of a template or of the flags.
pub(crate) fn mappings(arguments: &MappingArguments) -> anyhow::Result<Vec<Mapping>> {
    let mut faults = Faults::default();
    let mut mappings = match (&arguments.template, &arguments.topic, &arguments.function) {
        (Some(path), _, _) => of_template(path, arguments, &mut faults)?,
        (None, Some(topic), Some(function)) => {
            of_flags(topic, function, &arguments.flags, &mut faults).into_iter().collect()
        }
        _ => bail!("either --template, or --topic and --function"),
    };
    if !faults.found.is_empty() {
        bail!("the mappings have {} fault(s):\n{}", faults.found.len(), faults.found.join("\n"));
    }
    let names: Vec<String> = mappings.iter().map(|mapping| mapping.name.clone()).collect();
    if let Some(unknown) = arguments.only.iter().find(|name| !names.contains(name)) {
        bail!("--only: there is no mapping `{unknown}`, but {}", names.join(", "));
    }
    mappings.retain(|mapping| arguments.only.is_empty() || arguments.only.contains(&mapping.name));
    if mappings.is_empty() {
        bail!("the template has no mapping of type MSK or SelfManagedKafka");
    }
    Ok(mappings)
}

fn of_template(
    path: &Path,
    arguments: &MappingArguments,
    faults: &mut Faults,
) -> anyhow::Result<Vec<Mapping>> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("{file} cannot be read"))?;
    faults.file = file;
    let options = Options {
        parameters: arguments.parameters.iter().cloned().collect(),
        names: arguments.function_names,
        invoke_as: arguments.invoke_as.iter().cloned().collect(),
    };
    let mappings = template::mappings(&text, &options, faults);
    let mut names: Vec<&str> = mappings.iter().map(|mapping| mapping.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        faults.add(0, "Resources", format!("two mappings are called {}", pair[0]));
    }
    Ok(mappings)
}

fn of_flags(
    topic: &str,
    function: &str,
    flags: &MappingFlags,
    faults: &mut Faults,
) -> Option<Mapping> {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let given = |given: &Option<String>| given.clone().map(Value::Text);
    let number = |number: Option<i64>| number.map(|number| Value::Number(number.into()));
    let texts = |texts: &[String]| {
        let nodes = texts.iter().map(|text| Node::new(Value::Text(text.clone()))).collect();
        (!texts.is_empty()).then_some(Value::List(nodes))
    };
    let to = flags.on_failure.as_deref().map(|to| {
        let destination = node_of(vec![("Destination", text(to))]);
        node_of(vec![("OnFailure", Some(destination.value))]).value
    });
    let filters = (!flags.filter.is_empty()).then(|| {
        let patterns =
            flags.filter.iter().map(|pattern| node_of(vec![("Pattern", text(pattern))])).collect();
        node_of(vec![("Filters", Some(Value::List(patterns)))]).value
    });
    let kind = if flags.event_source_arn.is_some() { Kind::Msk } else { Kind::SelfManaged };
    let node = node_of(vec![
        ("Topics", texts(&[topic.to_owned()])),
        ("Stream", given(&flags.event_source_arn)),
        ("BatchSize", number(flags.batch_size)),
        ("MaximumBatchingWindowInSeconds", number(flags.maximum_batching_window_in_seconds)),
        ("ConsumerGroupId", given(&flags.consumer_group_id)),
        ("StartingPosition", given(&flags.starting_position)),
        ("StartingPositionTimestamp", given(&flags.starting_position_timestamp)),
        ("FunctionResponseTypes", texts(&flags.function_response_types)),
        ("BisectBatchOnFunctionError", Some(Value::Bool(flags.bisect_batch_on_function_error))),
        ("MaximumRetryAttempts", number(flags.maximum_retry_attempts)),
        ("MaximumRecordAgeInSeconds", number(flags.maximum_record_age_in_seconds)),
        ("DestinationConfig", to),
        ("FilterCriteria", filters),
    ]);
    let owner = Owner {
        name: function.to_owned(),
        function: function.to_owned(),
        timeout_seconds: flags.timeout.unwrap_or(TIMEOUT_SECONDS),
        path: "flags".to_owned(),
    };
    Mapping::read(&owner, kind, &node, faults)
}

/// The settings of librdkafka, those of the file first.
fn properties(arguments: &ClusterArguments) -> anyhow::Result<Properties> {
    let mut properties = Vec::new();
    if let Some(path) = &arguments.properties_file {
        let file = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{file} cannot be read"))?;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line may be a secret, so it is not shown.
            let pair = line.split_once('=');
            let (name, value) =
                pair.with_context(|| format!("{file}:{}: must be NAME=VALUE", number + 1))?;
            properties.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    properties.extend(arguments.properties.iter().cloned());
    Ok(Properties(properties))
}

async fn cluster(
    arguments: &ClusterArguments,
    properties: Properties,
    mappings: &[Mapping],
) -> anyhow::Result<(Option<Embedded>, Cluster)> {
    if let Some(servers) = &arguments.bootstrap_servers {
        return Ok((None, Cluster { bootstrap_servers: servers.clone(), properties }));
    }
    let Some(folder) = &arguments.broker else {
        bail!(
            "which Kafka? Either --bootstrap-servers HOST:PORT, or --broker for a small one here"
        );
    };
    let folder = (!folder.is_empty()).then(|| folder.into());
    let broker = Embedded::start(folder, arguments.broker_address).await?;
    let cluster = Cluster { bootstrap_servers: broker.address.to_string(), properties };
    let destinations = mappings.iter().filter_map(|mapping| match &mapping.destination {
        Some(Destination::Kafka(topic)) => Some(topic.as_str()),
        _ => None,
    });
    let mut topics: Vec<&str> =
        mappings.iter().map(|mapping| mapping.source.topic.as_str()).chain(destinations).collect();
    topics.sort_unstable();
    topics.dedup();
    embedded::make_topics(&cluster, topics, arguments.partitions).await?;
    tracing::info!(address = %broker.address, "a small broker");
    Ok((Some(broker), cluster))
}

fn settings(arguments: &RunArguments, cluster: Cluster) -> anyhow::Result<Settings> {
    let working = &arguments.working;
    let elsewhere = match &working.failures_endpoint {
        Some(url) => Elsewhere::Endpoint(http_client()?, url.clone()),
        None => Elsewhere::Folder(working.failures.clone()),
    };
    Ok(Settings {
        cluster,
        endpoint: Endpoint::new(working.endpoint.clone())?,
        elsewhere,
        recorder: working.record.clone().map(|folder| Recorder::new(folder, working.record_limit)),
        concurrency: usize::try_from(working.concurrency)?,
        retry_wait_ms: working.retry_wait_ms,
        first_answer_limit: Duration::from_secs(working.first_answer_seconds),
        is_paused: working.paused,
        clock: Clock::new(),
    })
}
