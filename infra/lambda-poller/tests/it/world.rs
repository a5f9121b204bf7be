//! A broker, a poller, and a function whose answers the test gives.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path as UrlPath, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    routing::post,
};
use clap::Parser;
use lambda_poller::{Arguments, Running};
use local_broker::Broker;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer, StreamConsumer},
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

/// The topic of most tests; its name ends like a partition's.
pub(crate) const TOPIC: &str = "questions-1";
/// The function of most tests, and so the mapping.
pub(crate) const FUNCTION: &str = "triage";
/// Flags with which only a full batch is invoked, whenever its records come.
pub(crate) const ONLY_FULL: [&str; 2] = ["--maximum-batching-window-in-seconds", "300"];
/// Longer than anything takes that is going to happen.
const LIMIT: Duration = Duration::from_secs(30);
/// How long nothing must happen to be believed.
const QUIET: Duration = Duration::from_millis(300);

/// Fails if it takes too long.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(value) = tokio::time::timeout(LIMIT, future).await else { panic!("no {what}") };
    value
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

/// A command line, such as `run --topic x`.
pub(crate) fn arguments(words: &[&str]) -> Arguments {
    let words = std::iter::once("lambda-poller").chain(words.iter().copied());
    Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).arguments
}

/// What a function answers.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// An invocation that waits for its answer.
pub(crate) struct Invocation {
    pub(crate) function: String,
    pub(crate) text: String,
    pub(crate) event: Value,
    reply: oneshot::Sender<Reply>,
}

impl Invocation {
    pub(crate) fn answer(self, body: &str) {
        self.answer_with(200, &[], body);
    }

    pub(crate) fn answer_with(self, status: u16, headers: &[(&'static str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        // The poller may have given up waiting.
        drop(self.reply.send(Reply { status, headers, body: body.to_owned() }));
    }

    /// Partitions and offsets, as `0@15`.
    pub(crate) fn places(&self) -> Vec<String> {
        let lanes = self.event["records"].as_object().expect("an event has records");
        let records = lanes.values().flat_map(|lane| lane.as_array().expect("a lane is a list"));
        records.map(|record| format!("{}@{}", record["partition"], record["offset"])).collect()
    }
}

/// A function behind HTTP.
pub(crate) struct Function {
    pub(crate) endpoint: String,
    invocations: mpsc::Receiver<Invocation>,
}

impl Function {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it listens"));
        let (sender, invocations) = mpsc::channel(100);
        let app = Router::new()
            .route("/2015-03-31/functions/{function}/invocations", post(invoked))
            .layer(DefaultBodyLimit::disable())
            .with_state(sender);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { endpoint, invocations }
    }

    pub(crate) async fn next(&mut self) -> Invocation {
        soon("invocation", self.invocations.recv()).await.expect("the server runs")
    }

    /// The next invocation, whose records must be these.
    pub(crate) async fn expect(&mut self, places: &[&str]) -> Invocation {
        let invocation = self.next().await;
        assert_eq!(invocation.places(), places);
        invocation
    }

    /// No invocation comes for a while.
    pub(crate) async fn is_quiet(&mut self) {
        if let Ok(Some(invocation)) = tokio::time::timeout(QUIET, self.invocations.recv()).await {
            panic!("an invocation with {:?}", invocation.places());
        }
    }
}

async fn invoked(
    State(invocations): State<mpsc::Sender<Invocation>>,
    UrlPath(function): UrlPath<String>,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let text = String::from_utf8(body.to_vec()).expect("an event is a text");
    let event = serde_json::from_str(&text).expect("an event is JSON");
    let (reply, answer) = oneshot::channel();
    let invocation = Invocation { function, text, event, reply };
    invocations.send(invocation).await.expect("the test runs");
    let Ok(reply) = answer.await else {
        return (StatusCode::IM_A_TEAPOT, HeaderMap::new(), String::new());
    };
    let headers = reply.headers.into_iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_str(&value).expect("a header"))
    });
    (StatusCode::from_u16(reply.status).expect("a status"), headers.collect(), reply.body)
}

/// Everything that a test needs.
pub(crate) struct World {
    pub(crate) function: Function,
    pub(crate) poller: Option<Running>,
    pub(crate) folder: TempDir,
    pub(crate) servers: String,
    producer: FutureProducer,
    broker: Option<Broker>,
}

impl World {
    /// A cluster with the topic and so many partitions, and no poller.
    pub(crate) async fn new(partitions: i32) -> Self {
        log();
        let folder = TempDir::new().expect("a folder can be made");
        let anywhere: SocketAddr = ([127, 0, 0, 1], 0).into();
        let broker = Broker::start(&folder.path().join("broker"), anywhere).await;
        let broker = broker.expect("the broker starts");
        let servers = broker.address().to_string();
        let producer = client(&servers).set("linger.ms", "0").create().expect("a producer");
        let function = Function::start().await;
        let world =
            Self { function, poller: None, folder, servers, producer, broker: Some(broker) };
        world.make_topic(TOPIC, partitions).await;
        world
    }

    /// A cluster and a poller with these flags.
    pub(crate) async fn with(partitions: i32, flags: &[&str]) -> Self {
        let mut world = Self::new(partitions).await;
        world.start(flags).await;
        world
    }

    pub(crate) async fn make_topic(&self, topic: &str, partitions: i32) {
        let admin: AdminClient<DefaultClientContext> =
            client(&self.servers).create().expect("an admin client");
        let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let made = admin.create_topics(&[topic], &AdminOptions::new()).await;
        made.expect("the broker answers")[0].as_ref().expect("the topic is made");
    }

    /// Starts a poller for the function; batches are made at once unless the flags say otherwise.
    pub(crate) async fn start(&mut self, flags: &[&str]) {
        let mut words = vec!["--topic", TOPIC, "--function", FUNCTION];
        if !flags.contains(&"--maximum-batching-window-in-seconds") {
            words.extend(["--maximum-batching-window-in-seconds", "0"]);
        }
        words.extend(flags);
        self.start_with(&words).await;
    }

    /// Starts a poller for any mappings.
    pub(crate) async fn start_with(&mut self, flags: &[&str]) {
        let endpoint = self.function.endpoint.clone();
        let servers = self.servers.clone();
        let mut words = vec!["run", "--control", "127.0.0.1:0", "--bootstrap-servers", &servers];
        if !flags.contains(&"--endpoint") {
            words.extend(["--endpoint", &endpoint]);
        }
        if !flags.contains(&"--retry-wait-ms") {
            words.extend(["--retry-wait-ms", "1"]);
        }
        words.extend(flags);
        let arguments = arguments(&words);
        let run = arguments.as_run().expect("it is `run`");
        let started = soon("start", Running::start(run)).await;
        self.poller = Some(started.unwrap_or_else(|error| panic!("{error:#}")));
    }

    /// Stops the broker, and starts it again with the same data at the same address.
    pub(crate) async fn restart_broker(&mut self) {
        let broker = self.broker.take().expect("a broker runs");
        let address = broker.address();
        broker.stop().await;
        let broker = Broker::start(&self.folder.path().join("broker"), address).await;
        self.broker = Some(broker.expect("the broker starts again"));
    }

    /// Stops the poller in order.
    pub(crate) async fn stop(&mut self) {
        let poller = self.poller.take().expect("a poller runs");
        soon("end of the poller", poller.stop()).await;
    }

    /// The poller is gone in the middle of its work.
    pub(crate) fn crash(&mut self) {
        drop(self.poller.take().expect("a poller runs"));
    }

    pub(crate) async fn send(&self, partition: i32, value: &str) -> i64 {
        self.send_record(TOPIC, partition, None, Some(value), &[], None).await
    }

    pub(crate) async fn send_record(
        &self,
        topic: &str,
        partition: i32,
        key: Option<&str>,
        value: Option<&str>,
        headers: &[(&str, &[u8])],
        timestamp: Option<i64>,
    ) -> i64 {
        let mut record: FutureRecord<'_, str, str> = FutureRecord::to(topic).partition(partition);
        record.key = key;
        record.payload = value;
        record.timestamp = timestamp;
        record.headers = Some(headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(*value) })
        }));
        let sent = self.producer.send(record, LIMIT).await;
        sent.map_err(|(error, _)| error).expect("the broker takes it").offset
    }

    /// Waits until the group has committed this offset, and no other one before.
    pub(crate) async fn committed(&self, partition: i32, offset: i64) {
        let group = format!("lambda-poller.{FUNCTION}");
        let began = Instant::now();
        while self.committed_now(&group, partition).await != Some(offset) {
            let now = self.committed_now(&group, partition).await;
            assert!(began.elapsed() < LIMIT, "{now:?} is committed, not {offset}");
        }
    }

    /// What the group has committed.
    pub(crate) async fn committed_now(&self, group: &str, partition: i32) -> Option<i64> {
        let consumer: BaseConsumer =
            client(&self.servers).set("group.id", group).create().expect("a consumer");
        let asked = tokio::task::spawn_blocking(move || {
            let mut list = TopicPartitionList::new();
            list.add_partition(TOPIC, partition);
            consumer.committed_offsets(list, LIMIT)
        });
        let list = asked.await.expect("no panic").expect("the broker answers");
        match list.elements()[0].offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }

    /// A request to the control endpoint: the status, and the answer.
    pub(crate) async fn control(&self, path: &str, body: Option<Value>) -> (u16, String) {
        let control = self.poller.as_ref().and_then(Running::control).expect("it has one");
        request(control, path, body).await
    }

    /// The lanes of a mapping, when there is what the test waits for.
    pub(crate) async fn lanes_when(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let (_, text) = self.control("lanes", None).await;
            let views: Value = serde_json::from_str(&text).expect("lanes are JSON");
            if holds(&views) {
                return views;
            }
            assert!(began.elapsed() < LIMIT, "the lanes are {views:#}");
        }
    }

    /// The records of another topic from its beginning: keys and values.
    pub(crate) async fn read(&self, topic: &str, count: usize) -> Vec<(Option<String>, Value)> {
        let consumer: StreamConsumer = client(&self.servers)
            .set("group.id", "reader")
            .set("auto.offset.reset", "earliest")
            .create()
            .expect("a consumer");
        consumer.subscribe(&[topic]).expect("it subscribes");
        let mut records = Vec::new();
        while records.len() < count {
            let received = soon("record", consumer.recv()).await.expect("the topic can be read");
            let message = received.detach();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("a text");
            let key = rdkafka::Message::key(&message).map(text);
            let value = rdkafka::Message::payload(&message).expect("a value");
            records.push((key, serde_json::from_slice(value).expect("JSON")));
        }
        let _closing = tokio::task::spawn_blocking(move || drop(consumer)).await;
        records
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Clients that are closing still speak with it.
        if let Some(broker) = self.broker.take() {
            tokio::spawn(broker.stop());
        }
    }
}

/// The poller's own log lines, shown when a test fails.
pub(crate) fn log() {
    let lines = tracing_subscriber::fmt().with_test_writer();
    drop(lines.with_max_level(tracing::Level::DEBUG).try_init());
}

fn client(servers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers);
    config
}

/// A request: GET, or POST with a body.
#[expect(clippy::disallowed_methods, reason = "a client for tests")]
pub(crate) async fn request(to: SocketAddr, path: &str, body: Option<Value>) -> (u16, String) {
    let client = reqwest::Client::new();
    let url = format!("http://{to}/{path}");
    let request = match body {
        Some(body) => client.post(url).json(&body),
        None => client.get(url),
    };
    let response = soon("answer", request.send()).await.expect("it listens");
    (response.status().as_u16(), response.text().await.expect("a text"))
}

/// All files below a folder, with their contents.
pub(crate) fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it is below").display().to_string();
                files.push((name, std::fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    files.sort();
    files
}
