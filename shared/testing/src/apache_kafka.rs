//! Apache Kafka in KRaft mode, for tests that must also pass on the real broker.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use tempfile::TempDir;

use crate::{eventually, reserved_port};

/// Memory of the JVM; the tests' topics are small.
const HEAP: &str = "-Xmx512m";
/// An arbitrary cluster id (22 characters of base64).
const CLUSTER_ID: &str = "bGVhcm5mbG93LXRlc3RzAA";

/// A running broker; it stops when dropped.
#[derive(Debug)]
pub struct ApacheKafka {
    process: Child,
    ports: Ports,
    _dir: TempDir,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    plain: u16,
    controller: u16,
    tls: u16,
}

impl ApacheKafka {
    /// Starts a broker, fetching it once with Maven. `None`, with a clear message, if Java or Maven is missing.
    ///
    /// # Errors
    /// Kafka is installed, but does not start.
    pub async fn start() -> anyhow::Result<Option<Self>> {
        Self::start_with(None).await
    }

    /// Starts a broker that clients also reach by TLS, at [`Self::tls_brokers`]: with a PEM file that has its key and
    /// its certificate for 127.0.0.1. `None` as above.
    ///
    /// # Errors
    /// Kafka is installed, but does not start.
    pub async fn start_with_tls(identity: &Path) -> anyhow::Result<Option<Self>> {
        Self::start_with(Some(identity.to_owned())).await
    }

    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    async fn start_with(identity: Option<PathBuf>) -> anyhow::Result<Option<Self>> {
        let there = |program: &str, argument: &str| {
            let mut command = Command::new(program);
            command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        if !there("java", "-version") || !there("mvn", "--version") {
            eprintln!("SKIPPED: Java or Maven is missing, so nothing was tested on Apache Kafka");
            return Ok(None);
        }
        let started =
            tokio::task::spawn_blocking(move || Self::launch(identity.as_deref())).await??;
        eventually("Apache Kafka answers", async || started.answers().then_some(())).await;
        Ok(Some(started))
    }

    fn launch(identity: Option<&Path>) -> anyhow::Result<Self> {
        let libraries = libraries()?;
        let dir = TempDir::new()?;
        // None that the system lends to others between this line and the broker's start.
        let ports =
            Ports { plain: reserved_port(), controller: reserved_port(), tls: reserved_port() };
        let properties = dir.path().join("server.properties");
        fs::write(&properties, settings(dir.path(), ports, identity))?;
        let java = |class: &str| {
            let mut command = Command::new("java");
            command.arg(HEAP).arg("-cp").arg(libraries.join("*")).arg(class);
            command
        };
        let formatted = java("kafka.tools.StorageTool")
            .args(["format", "-t", CLUSTER_ID, "-c"])
            .arg(&properties)
            .output()?;
        ensure!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
        let log = fs::File::create(dir.path().join("kafka.log"))?;
        let process =
            java("kafka.Kafka").arg(&properties).stdout(log).stderr(Stdio::null()).spawn()?;
        Ok(Self { process, ports, _dir: dir })
    }

    /// The address for clients.
    #[must_use]
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.ports.plain)
    }

    /// The address for clients that use TLS.
    #[must_use]
    pub fn tls_brokers(&self) -> String {
        format!("127.0.0.1:{}", self.ports.tls)
    }

    fn answers(&self) -> bool {
        let client: Result<BaseConsumer, _> =
            ClientConfig::new().set("bootstrap.servers", self.brokers()).create();
        let limit = std::time::Duration::from_secs(1);
        client.is_ok_and(|client| client.fetch_metadata(None, limit).is_ok())
    }
}

impl Drop for ApacheKafka {
    fn drop(&mut self) {
        // Its data is discarded, so there is nothing to flush.
        self.process.kill().and_then(|()| self.process.wait()).map(drop).unwrap_or_default();
    }
}

/// The folder with Kafka's jars, filled by Maven on first use.
fn libraries() -> anyhow::Result<PathBuf> {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let libraries = manifest_dir.join("../../target/apache-kafka-4.1.0");
    if libraries.join("complete").exists() {
        return Ok(libraries);
    }
    let fetched = Command::new("mvn")
        .args(["-q", "-B", "-f"])
        .arg(manifest_dir.join("kafka/pom.xml"))
        .arg("org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies")
        .args(["-DincludeScope=runtime", &format!("-DoutputDirectory={}", libraries.display())])
        .output()
        .context("Maven does not start")?;
    ensure!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stdout));
    fs::write(libraries.join("complete"), "")?;
    Ok(libraries)
}

fn settings(dir: &Path, ports: Ports, identity: Option<&Path>) -> String {
    let Ports { plain, controller, tls } = ports;
    let (mut listeners, mut keys) = (format!("PLAINTEXT://127.0.0.1:{plain}"), String::new());
    if let Some(file) = identity {
        listeners.push_str(&format!(",SSL://127.0.0.1:{tls}"));
        keys = format!(
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT\n\
             ssl.keystore.type=PEM\nssl.keystore.location={}\n",
            file.display()
        );
    }
    format!(
        "process.roles=broker,controller\nnode.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners={listeners},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners={listeners}\n{keys}\
         controller.listener.names=CONTROLLER\nlog.dirs={}\n\
         offsets.topic.replication.factor=1\ngroup.initial.rebalance.delay.ms=0\n\
         auto.create.topics.enable=true\nnum.partitions=8\n",
        dir.join("data").display()
    )
}
