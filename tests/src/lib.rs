//! The whole product in one process, for tests: with a real database, the real Kafka protocol and real HTTP.

mod client;
pub mod contract;
mod events_of;
pub mod hostile;
mod people;
pub mod plans;
pub mod socket;
pub mod transcripts;

pub use client::{Reply, Student, reply};
pub use people::put_alert;

use std::{
    fmt::Display,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use api_gateway::responses::QueryResponse;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use events::Topic;
use local_broker::Broker;
use reqwest::StatusCode;
use runner::{Stack, StackOptions, functions};
use runtime::{
    Clock,
    auth::{AuthConfig, Signer},
    config::Settings,
    fault::Faults,
};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};
use tempfile::TempDir;
use testing::{TestDatabase, eventually, reserved_port};
use uuid::Uuid;

/// Signs the tokens of all tests.
pub const JWT_SECRET: &str = testing::JWT_SECRET;
/// How long the functions may take to stop after a failed test.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// The password of all students in tests.
pub const PASSWORD: &str = "correct horse";

/// The command of the worker process: for tests, a binary that cargo builds next to them; for benches, their own
/// executable.
///
/// # Panics
/// The binary does not exist.
#[must_use]
pub fn worker_command() -> code_execution::workers::Command {
    let this = std::env::current_exe().expect("a path");
    let beside = || {
        let worker = this.ancestors().skip(1).map(|folder| folder.join("sandbox-worker"));
        worker.take(3).find(|worker| worker.exists()).expect("cargo has built the worker")
    };
    code_execution::workers::Command {
        program: if this.file_stem() == Some("bench".as_ref()) { this.clone() } else { beside() },
        arguments: vec![code_execution::WORKER_ARGUMENT.to_owned()],
        image: code_execution::built_image(),
        // Twice the most that a worker of the suite uses, so that leaks are found.
        max_memory: 1 << 30,
    }
}

/// The running product, with everything around it.
#[derive(Debug)]
pub struct World {
    database: TestDatabase,
    broker: Option<Broker>,
    broker_dir: TempDir,
    kafka: String,
    stack: Option<Stack>,
    clock: Clock,
    settings: Vec<(String, String)>,
    client: reqwest::Client,
    /// Whether the test has ended properly; see [`World::finish`].
    is_bench: bool,
    is_finished: bool,
}

/// How to set up a [`World`]; the default suits most tests.
#[derive(Debug, Default)]
pub struct Setup {
    /// A Kafka cluster to use instead of the local broker.
    pub kafka: Option<String>,
    /// Settings that override the defaults.
    pub settings: Vec<(&'static str, String)>,
    /// Whether to use the system's clock.
    pub system_clock: bool,
    /// A clock to use instead.
    pub clock: Option<Clock>,
    /// Whether responses are not checked against the contract: a bench measures the product, not its client.
    pub is_bench: bool,
}

impl World {
    /// Starts everything with the defaults.
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts everything. The clock stands still at a fixed time until the test advances it.
    ///
    /// # Panics
    /// Something fails to start.
    pub async fn with(setup: Setup) -> Self {
        let broker_dir = TempDir::new().expect("a temporary folder");
        let (broker, kafka) = match setup.kafka {
            Some(brokers) => (None, brokers),
            None => {
                let broker = start_broker(&broker_dir, reserved_port()).await;
                let address = broker.address().to_string();
                (Some(broker), address)
            }
        };
        // Today, to stay close to the database's default timestamps and libraries' own clocks.
        // At the beginning of a minute, by which requests are counted: a second later is the same minute.
        let now = Clock::System
            .now()
            .duration_trunc(TimeDelta::minutes(1))
            .expect("it is no large number");
        let mut world = Self {
            database: TestDatabase::create().await,
            broker,
            broker_dir,
            kafka,
            stack: None,
            clock: match setup.clock {
                Some(clock) => clock,
                None if setup.system_clock => Clock::System,
                None => Clock::manual(now),
            },
            settings: setup.settings.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
            client: runtime::http_client().expect("a client"),
            is_bench: setup.is_bench,
            is_finished: false,
        };
        world.start(Faults::default()).await;
        world
    }

    /// Starts the functions again, after they were stopped or killed.
    ///
    /// # Panics
    /// They fail to start.
    pub async fn start(&mut self, faults: Faults) {
        let setting =
            |name: &str| self.settings.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let worker = worker_command().program.display().to_string();
        let stack = Stack::start(StackOptions {
            database_url: setting("DATABASE_URL").unwrap_or_else(|| self.database.url().to_owned()),
            kafka: self.kafka.clone(),
            jwt_secret: JWT_SECRET.to_owned(),
            extra: [vec![("SANDBOX_WORKER".to_owned(), worker)], self.settings.clone()].concat(),
            fixed_ports: false,
            clock: self.clock.clone(),
            faults,
        });
        self.stack = Some(stack.await.expect("the functions start"));
    }

    /// Stops the functions gracefully.
    pub async fn stop(&mut self) {
        if let Some(stack) = self.stack.take() {
            stack.stop().await;
        }
    }

    /// Kills the functions in the middle of their work.
    ///
    /// # Panics
    /// The database is unavailable.
    pub async fn kill(&mut self) {
        if let Some(stack) = self.stack.take() {
            stack.kill().await;
        }
        self.expire_writers().await;
    }

    /// Stops the broker; clients see their connections break and new ones refused.
    pub async fn stop_broker(&mut self) {
        if let Some(broker) = self.broker.take() {
            broker.stop().await;
        }
    }

    /// Starts the broker again at its address.
    ///
    /// # Panics
    /// The address is taken.
    pub async fn start_broker(&mut self) {
        let port = self.kafka.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.expect("the broker's address has a port");
        self.broker = Some(start_broker(&self.broker_dir, port).await);
    }

    /// The brokers' address.
    #[must_use]
    pub fn kafka(&self) -> &str {
        &self.kafka
    }

    /// The functions.
    ///
    /// # Panics
    /// The functions are stopped.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        self.stack.as_ref().expect("the functions run")
    }

    /// Advances the clock.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The database's address.
    #[must_use]
    pub fn database_url(&self) -> &str {
        self.database.url()
    }

    /// Goes on with another database, once the functions are stopped. Like after a crash, its writers are gone.
    ///
    /// # Panics
    /// The database is unavailable.
    pub async fn replace_database(&mut self, database: TestDatabase) {
        self.database = database;
        self.expire_writers().await;
    }

    /// Since the clock stands still, writers are made old enough for relays to expire them at once.
    async fn expire_writers(&self) {
        let sql = "UPDATE writers SET seen_at = 'epoch' WHERE taken_over_at IS NULL";
        sqlx::query(sql).execute(&mut self.database().await).await.expect("it is valid");
    }

    /// A backup of the database; see [`TestDatabase::back_up`].
    pub async fn back_up(&self, file: &Path) -> bool {
        self.database.back_up(file).await
    }

    /// A connection to inspect the database.
    pub async fn database(&self) -> PgConnection {
        self.database.connect().await
    }

    /// Sends a request to a function. The gateway's response must match its contract.
    ///
    /// # Panics
    /// There is no response, or it does not match the contract.
    pub async fn send(
        &self,
        function: &str,
        build: impl FnOnce(&reqwest::Client, &str) -> reqwest::RequestBuilder,
    ) -> Reply {
        let url = self.stack().url(function).expect("there is such a function");
        let request = build(&self.client, &url);
        if self.is_bench {
            return reply(request).await.expect("the function answers");
        }
        let sent = request.try_clone().and_then(|request| request.build().ok());
        let path = sent.as_ref().map_or_else(String::new, |sent| sent.url().path().to_owned());
        let reply = reply(request).await;
        let reply = reply.unwrap_or_else(|| panic!("{function} does not answer {path}"));
        if let Some(sent) = sent.filter(|_| function == "api-gateway") {
            let (method, path) = (sent.method(), sent.url().path());
            let Reply { status, headers, body } = &reply;
            let checked = contract::check(method, path, *status, headers, body);
            assert_eq!(checked, Ok(()), "{method} {path}: {status} {body}");
        }
        reply
    }

    /// Sends a POST request with JSON to the gateway.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Reply {
        self.send("api-gateway", |client, url| {
            let request = client.post(format!("{url}/api/v1{path}")).json(body);
            match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            }
        })
        .await
    }

    /// Sends a GET request to the gateway.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Reply {
        self.send("api-gateway", |client, url| {
            let request = client.get(format!("{url}/api/v1{path}"));
            match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            }
        })
        .await
    }

    /// Sends a POST request with JSON and headers to the gateway.
    pub async fn post_with<const N: usize>(
        &self,
        path: &str,
        token: &str,
        body: &Value,
        headers: [(&'static str, &'static str); N],
    ) -> Reply {
        self.send("api-gateway", |client, url| {
            let request = client.post(format!("{url}/api/v1{path}")).bearer_auth(token).json(body);
            headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
        })
        .await
    }

    /// Posts a body to code-execution directly.
    pub async fn execute_raw(&self, body: String) -> Reply {
        self.send("code-execution", |client, url| {
            let request = client.post(format!("{url}/execute"));
            request.header("content-type", "application/json").body(body)
        })
        .await
    }

    /// Has the relay publish the events of a request again, and waits until they are published.
    ///
    /// # Panics
    /// They are not published within the time limit.
    pub async fn redeliver(&self, request: &str, topic: &str) {
        let id: Uuid = request.parse().expect("a UUID");
        let sql = "INSERT INTO delayed_events (event_id, sequence, topic, partition_key, attempts, retry_at)
                   SELECT id, sequence, topic, partition_key, 0, 'epoch' FROM events
                   WHERE correlation_id = $1 AND topic = $2";
        let query = sqlx::query(sql).bind(id).bind(topic);
        query.execute(&mut self.database().await).await.expect("the query is valid");
        eventually("the events are published again", async || {
            let sql = "SELECT count(*) FROM delayed_events JOIN events ON id = event_id
                       WHERE correlation_id = $1";
            (self.count(sql, id).await == 0).then_some(())
        })
        .await;
    }

    /// A service token for internal endpoints.
    ///
    /// # Panics
    /// Signing fails.
    #[must_use]
    pub fn service_token(&self) -> String {
        let mut settings = Settings::from_pairs([("JWT_SECRET", JWT_SECRET)]);
        let signer = Signer::new(&AuthConfig::read(&mut settings)).expect("a secret");
        let (id, now) = (self.clock.new_id(), self.now());
        signer.sign_service("test", id, now, TimeDelta::hours(1)).expect("it can be signed")
    }

    /// Asks a question and waits up to `wait` seconds for the answer.
    pub async fn ask(&self, student: &Student, question: &str, wait: u64) -> Reply {
        self.send("api-gateway", |client, url| {
            client
                .post(format!("{url}/api/v1/query"))
                .bearer_auth(&student.token)
                .header("prefer", format!("wait={wait}"))
                .json(&json!({ "question": question }))
        })
        .await
    }

    /// Waits until a question is answered, and returns the answer.
    pub async fn answer(&self, student: &Student, query_id: impl Display) -> QueryResponse {
        eventually("the question is answered", async || {
            let reply = self.get(&format!("/queries/{query_id}"), Some(&student.token)).await;
            (reply.status == StatusCode::OK).then(|| reply.ok())
        })
        .await
    }

    /// The number of rows that `sql` counts, with `$1` as its only parameter.
    pub async fn count(&self, sql: &'static str, id: Uuid) -> i64 {
        let mut conn = self.database().await;
        let row = sqlx::query(sql).bind(id).fetch_one(&mut conn).await.expect("the query is valid");
        row.get(0)
    }

    /// The number of answers to a question in the audit trail.
    pub async fn answers_emitted(&self, query: Uuid) -> i64 {
        let sql = "SELECT count(*) FROM events WHERE correlation_id = $1 AND topic = 'learning.responses'";
        self.count(sql, query).await
    }

    /// Checks that every function has emitted only what its spec declares, and dead letters.
    async fn check_emitted(&self) {
        let sql = "SELECT DISTINCT source, topic FROM events WHERE source LIKE 'learnflow/%'";
        let emitted = sqlx::query(sql).fetch_all(&mut self.database().await).await;
        for row in emitted.expect("the query is valid") {
            let (source, topic): (&str, &str) = (row.get("source"), row.get("topic"));
            let spec = functions::specs().find(|spec| source == format!("learnflow/{}", spec.name));
            let declared = topic == Topic::DeadLetters.name()
                || spec.is_none_or(|spec| spec.emits.iter().any(|emits| emits.name() == topic));
            assert!(declared, "{source} emits events on {topic}, which its spec does not say");
        }
    }

    /// Ends a test: all accepted work must be delivered, and nothing given up. A test that ends without this, or one of
    /// the two below, fails.
    ///
    /// # Panics
    /// Something is left over.
    pub async fn finish(self) {
        let sql = "SELECT count(*) FROM events WHERE topic = 'dead.letters' AND $1 IS NOT NULL";
        assert_eq!(self.count(sql, Uuid::nil()).await, 0, "dead letters");
        self.finish_delivered().await;
    }

    /// Ends a test in which a function must give up this number of events. Other functions on the same topic may give
    /// them up, too.
    ///
    /// # Panics
    /// Something is left over, or the number of dead letters is different.
    pub async fn finish_with_dead_letters(self, function: &str, expected: usize) {
        assert_eq!(self.dead_letters(function).await.len(), expected, "dead letters");
        self.finish_delivered().await;
    }

    /// The dead letters of a function, oldest first.
    ///
    /// # Panics
    /// The database is unavailable.
    pub async fn dead_letters(&self, function: &str) -> Vec<Value> {
        let sql =
            "SELECT data FROM events WHERE topic = 'dead.letters' AND data ->> 'function' = $1
                   ORDER BY occurred_at";
        let query = sqlx::query_scalar(sql).bind(function);
        query.fetch_all(&mut self.database().await).await.expect("the query is valid")
    }

    async fn finish_delivered(mut self) {
        eventually("nothing is left to a relay", async || {
            let sql = "SELECT count(*) FROM delayed_events WHERE $1 IS NOT NULL";
            (self.count(sql, Uuid::nil()).await == 0).then_some(())
        })
        .await;
        self.check_emitted().await;
        self.stop().await;
        let left = sqlx::query(UNPUBLISHED).fetch_one(&mut self.database().await).await;
        let left: i64 = left.expect("the query is valid").get(0);
        assert_eq!(left, 0, "events that are not published");
        self.finish_unchecked().await;
    }

    /// Ends a test that leaves work unfinished on purpose, or has a database of its own.
    pub async fn finish_unchecked(&mut self) {
        self.stop().await;
        self.database.remove().await;
        self.is_finished = true;
    }
}

/// Counts the events that are not known to be on the broker: those left to a relay, and those of each writer after its
/// last note.
pub const UNPUBLISHED: &str = "SELECT (SELECT count(*) FROM delayed_events)
    + (SELECT count(*) FROM events WHERE published_at IS NULL)
    + (SELECT count(*) FROM events JOIN writers ON writers.id = writer
       WHERE sequence > floor AND taken_over_at IS NULL)";

impl Drop for World {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        // A failed test must end: consumers that are dropped with their broker wait for it, and block everything else.
        if let Some(stack) = self.stack.take() {
            // Whether it stops in time no longer matters.
            drop(tokio::task::block_in_place(|| {
                let stopping = tokio::time::timeout(STOP_LIMIT, stack.stop());
                tokio::runtime::Handle::current().block_on(stopping)
            }));
        }
        assert!(std::thread::panicking(), "the test has forgotten its final checks: World::finish");
    }
}

async fn start_broker(dir: &TempDir, port: u16) -> Broker {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Broker::start(dir.path(), address).await.expect("the broker starts")
}
