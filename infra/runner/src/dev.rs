//! `learnflow dev`: everything in one process.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::Context;
use clap::Args;
use runtime::{
    Clock, Host, Services, Store, config::Settings, fault::Faults, kafka, kafka_config::KafkaConfig,
};
use tokio::task::JoinSet;
use tutor::TutorConfig;

use crate::{
    backends::Backends,
    course_rows,
    functions::{self, FUNCTIONS},
    terminal::{progress, say},
};

/// Settings that `learnflow dev` always sets itself: its own backends, a consumer for each function, ports on this
/// machine, and the secret of its data folder.
const DECIDED: [&str; 8] = [
    "DATABASE_URL",
    "KAFKA_BROKERS",
    "KAFKA_CONSUME",
    "KAFKA_SECURITY_PROTOCOL",
    "INGRESS_TOKEN",
    "JWT_SECRET",
    "BIND_ADDRESS",
    "PORT",
];

/// The data folder, and replacements for the built-in parts.
#[derive(Debug, Args, Default)]
pub(crate) struct DevArguments {
    /// The folder for the data of the database and the broker.
    #[arg(long, env = "LEARNFLOW_DATA", default_value = ".learnflow")]
    data: PathBuf,
    /// Your own PostgreSQL server instead of a private one.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Your own Kafka cluster instead of the built-in broker, such as `localhost:9092`.
    #[arg(long, env = "KAFKA_BROKERS")]
    kafka: Option<String>,
    /// Start only the database and the broker, prepared for functions that run elsewhere, such as under `cargo lambda
    /// watch`. Their settings are written to `functions.env` in the data folder.
    #[arg(long)]
    backends_only: bool,
}

/// How to start the functions.
#[derive(Debug)]
pub struct StackOptions {
    /// The database.
    pub database_url: String,
    /// The Kafka brokers.
    pub kafka: String,
    /// Signs access tokens.
    pub jwt_secret: String,
    /// Further settings; they replace the defaults.
    pub extra: Vec<(String, String)>,
    /// Whether each function takes its own port, or any free one.
    pub fixed_ports: bool,
    /// The source of time.
    pub clock: Clock,
    /// The point at which a test makes it die.
    pub faults: Faults,
}

/// All functions, running in this process.
#[derive(Debug)]
pub struct Stack {
    services: Arc<Services>,
    hosts: Vec<Host>,
}

impl Stack {
    /// Starts every function on one database and one broker.
    ///
    /// # Errors
    /// Faulty settings, a port that is taken, or a database that cannot be migrated.
    pub async fn start(options: StackOptions) -> anyhow::Result<Self> {
        let mut pairs: Vec<(String, String)> = [
            ("DATABASE_URL", options.database_url.as_str()),
            ("KAFKA_BROKERS", &options.kafka),
            ("KAFKA_CONSUME", "true"),
            ("BIND_ADDRESS", "127.0.0.1"),
            ("JWT_SECRET", &options.jwt_secret),
            // All functions share one pool here.
            ("DATABASE_MAX_CONNECTIONS", "24"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        if !options.fixed_ports {
            pairs.push(("PORT".to_owned(), "0".to_owned()));
        }
        pairs.extend(options.extra);
        let (mut settings, services) = prepare(pairs, options.clock, options.faults).await?;
        let mut hosts = Vec::new();
        for (_, build) in FUNCTIONS {
            let function = build(&mut settings, &services);
            hosts.push(Host::start(function, &services, &mut settings).await?);
        }
        Ok(Self { services, hosts })
    }

    /// The address of a function, `http://127.0.0.1:8180`; `None` if there is no such function.
    #[must_use]
    pub fn url(&self, function: &str) -> Option<String> {
        let host = self.hosts.iter().find(|host| host.name() == function)?;
        Some(format!("http://{}", host.address()))
    }

    /// The functions' endpoints for other services: the function's name, and the path.
    pub fn internal_endpoints(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.hosts
            .iter()
            .flat_map(|host| host.internal_paths().iter().map(|path| (host.name(), *path)))
    }

    /// The services that all functions share.
    #[must_use]
    pub const fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Finishes its work, then stops: the gateway first, so that nothing new comes in, then all others at once, since
    /// each may take that long.
    pub async fn stop(self) {
        let mut hosts = self.hosts.into_iter();
        if let Some(gateway) = hosts.next() {
            gateway.stop().await;
        }
        JoinSet::from_iter(hosts.map(Host::stop)).join_all().await;
        self.services.stop().await;
    }

    /// Stops at once, as by a crash.
    pub async fn kill(self) {
        self.services.kill();
        for host in self.hosts {
            host.kill().await;
        }
    }
}

/// What every function expects: the schema, the topics, the course, and accounts to log in with.
async fn prepare(
    pairs: Vec<(String, String)>,
    clock: Clock,
    faults: Faults,
) -> anyhow::Result<(Settings, Arc<Services>)> {
    // The last value counts. Migrated first, so that nothing has to wait for it.
    let database = pairs.iter().rfind(|(name, _)| name == "DATABASE_URL");
    migrate(database.map_or("", |(_, url)| url)).await?;
    let mut settings = Settings::from_pairs(pairs);
    let topics = KafkaConfig::read(&mut settings);
    let services = Services::start(&mut settings, clock, faults).await?;
    kafka::create_topics(&topics, kafka::Replicas::ONE)
        .await
        .context("the topics cannot be made")?;
    course_rows::write(&services.store, &services.clock).await?;
    api_gateway::seed::seed(&services).await?;
    Ok((settings, services))
}

pub(crate) async fn run(arguments: DevArguments) -> anyhow::Result<()> {
    let started = Instant::now();
    let data = arguments.data;
    fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    progress("starting PostgreSQL and the broker");
    let backends = Backends::start(&data, arguments.database_url, arguments.kafka).await?;
    let secret = jwt_secret(&data)?;
    if arguments.backends_only {
        return serve_backends(&data, backends, &secret, started).await;
    }
    progress("starting the functions");
    let own = Settings::from_process();
    // Settings that this command sets itself are not passed on.
    let passed_on = functions::settings().into_iter().filter(|name| !DECIDED.contains(name));
    let extra = passed_on.filter_map(|name| Some((name.to_owned(), own.optional(name)?)));
    let stack = Stack::start(StackOptions {
        database_url: backends.database_url.clone(),
        kafka: backends.kafka.clone(),
        jwt_secret: secret,
        extra: extra.collect(),
        fixed_ports: true,
        clock: Clock::System,
        faults: Faults::default(),
    })
    .await?;
    progress("");
    let model = TutorConfig::read(&mut Settings::from_process());
    welcome(&stack, &backends, model.as_ref(), started);
    runtime::shutdown_signal().await?;
    say("\nstopping after the work in progress is finished");
    stack.stop().await;
    backends.stop().await;
    say("stopped; all data is kept");
    Ok(())
}

/// Keeps the database and the broker up for functions in other processes.
async fn serve_backends(
    data: &Path,
    backends: Backends,
    secret: &str,
    started: Instant,
) -> anyhow::Result<()> {
    let pairs = [
        ("DATABASE_URL", backends.database_url.as_str()),
        ("KAFKA_BROKERS", &backends.kafka),
        ("JWT_SECRET", secret),
        // As in `template.yaml`: a process handles one invocation at a time.
        ("DATABASE_MAX_CONNECTIONS", "2"),
    ];
    let file = data.join("functions.env");
    let lines: String = pairs.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
    let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (_, services) = prepare(owned.into(), Clock::System, Faults::default()).await?;
    services.stop().await;
    // Made anew, since an old one keeps its mode.
    drop(fs::remove_file(&file));
    write_private(&file, &lines).with_context(|| format!("cannot write {}", file.display()))?;
    progress("");
    let seconds = started.elapsed().as_secs_f64();
    say(format!("The database and the broker are ready after {seconds:.1} s.\n"));
    say("Start the functions in another terminal:");
    say(format!("  cargo lambda watch --env-file {}", file.display()));
    say("\nand what invokes them with their events in a third:");
    let kafka = &backends.kafka;
    say(format!(
        "  cargo run -- poll run --template template.yaml --parameter KafkaClusterArn=local --bootstrap-servers {kafka}"
    ));
    say(
        "\nThe API is at http://127.0.0.1:9000/api/v1 then. Ctrl-C stops the database and the broker.",
    );
    runtime::shutdown_signal().await?;
    backends.stop().await;
    say("stopped; all data is kept");
    Ok(())
}

fn welcome(stack: &Stack, backends: &Backends, model: Option<&TutorConfig>, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    say(format!("LearnFlow is ready after {seconds:.1} s.\n"));
    for host in &stack.hosts {
        say(format!("  {:<14} http://{}", host.name(), host.address()));
    }
    say(format!("  {:<14} {}", "kafka", backends.kafka));
    // An external address can contain a password.
    if backends.is_private_database() {
        say(format!("  {:<14} {}", "database", backends.database_url));
    }
    say(match model {
        Some(model) => format!("  {:<14} {}", "model", model.base_url),
        None => {
            format!("  {:<14} none, the tutor works offline; set OPENAI_API_KEY for one", "model")
        }
    });
    say("\nDemo logins (for this machine only):");
    for login in api_gateway::seed::DEMO_LOGINS {
        say(format!("  {:<22} {}", login.email, login.password));
    }
    say("\nThings to try, in another terminal:");
    say("  cargo run -- ask \"What is the difference between a list and a tuple?\"");
    say("  cargo run -- run program.py");
    say("  open http://127.0.0.1:8180/docs");
    say("  curl http://127.0.0.1:8180/metrics\n\nCtrl-C stops it.");
}

/// The secret of this data folder, created once, so that logins survive a restart.
pub(crate) fn jwt_secret(data: &Path) -> anyhow::Result<String> {
    let path: PathBuf = data.join("jwt-secret");
    if let Ok(secret) = fs::read_to_string(&path) {
        return Ok(secret);
    }
    let secret =
        Clock::System.new_secret().map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    write_private(&path, &secret).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(secret)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

async fn migrate(database_url: &str) -> anyhow::Result<()> {
    let store = Store::open(database_url)?;
    store.migrate().await.context("the database cannot be migrated")?;
    store.close().await;
    Ok(())
}
