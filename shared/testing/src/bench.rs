//! A function of a test, on a real broker and database.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use events::{Event, Topic};
use futures::future::join_all;
use local_broker::Broker;
use rdkafka::{
    ClientConfig,
    producer::{FutureProducer, FutureRecord},
};
use runtime::{
    Clock, Function, Host, Http, Services, Spec, config::Settings, fault::Faults, kafka,
    kafka_config::KafkaConfig,
};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{JWT_SECRET, TestDatabase, eventually, opened};

/// How long the broker may take to accept a record.
const SEND_LIMIT: Duration = Duration::from_secs(20);

/// A function for tests, which handles students' questions.
pub const BENCH: Spec = Spec {
    name: "bench",
    purpose: "Does what a test says.",
    port: 0,
    consumes: &[Topic::LearningRequests],
    emits: &[],
    http: Http::Internal,
    migrates: false,
    timeout: Duration::from_secs(60),
    memory_mb: 64,
    schedules: &[],
    settings: &[],
};

/// A broker and a database for one function, which can run as one or several instances of a consumer group.
#[derive(Debug)]
pub struct Bench {
    /// The services of the function's hosts.
    pub services: Arc<Services>,
    settings: Settings,
    database: TestDatabase,
    broker: Broker,
    _dir: TempDir,
}

impl Bench {
    /// Starts a broker and a database.
    ///
    /// # Panics
    /// Something fails to start.
    pub async fn new() -> Self {
        Self::on(TestDatabase::create().await).await
    }

    /// Starts a broker, with this database.
    ///
    /// # Panics
    /// It fails to start.
    pub async fn on(database: TestDatabase) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let broker = Broker::start(dir.path(), any_port).await.expect("the broker starts");
        let mut settings = Settings::from_pairs([
            ("DATABASE_URL", database.url()),
            ("KAFKA_BROKERS", &broker.address().to_string()),
            ("KAFKA_CONSUME", "true"),
            ("BIND_ADDRESS", "127.0.0.1"),
            ("PORT", "0"),
            ("JWT_SECRET", JWT_SECRET),
        ]);
        let topics = KafkaConfig::read(&mut settings);
        let services = Services::start(&mut settings, Clock::System, Faults::default()).await;
        kafka::create_topics(&topics, kafka::Replicas::ONE).await.expect("the topics are made");
        Self { services: services.expect("services start"), settings, database, broker, _dir: dir }
    }

    /// Runs a function.
    ///
    /// # Panics
    /// It fails to start.
    pub async fn run(
        &mut self,
        build: impl FnOnce(&mut Settings, &Arc<Services>) -> Function,
    ) -> Host {
        let function = build(&mut self.settings, &self.services);
        Host::start(function, &self.services, &mut self.settings).await.expect("it starts")
    }

    /// Runs [`BENCH`]; `build` adds its handlers.
    ///
    /// # Panics
    /// It fails to start.
    pub async fn host(&mut self, build: impl FnOnce(Function) -> Function) -> Host {
        self.run(|_, _| build(Function::new(&BENCH))).await
    }

    /// Makes a student's account, for tables that refer to it.
    ///
    /// # Panics
    /// The account exists already, or the database cannot be reached.
    pub async fn enrol(&self, student: Uuid) {
        let sql = "INSERT INTO users (id, email, display_name, role, created_at)
                   VALUES ($1, $1 || '@example.org', 'A student', 'student', now())";
        let mut conn = self.database.connect().await;
        sqlx::query(sql).bind(student).execute(&mut conn).await.expect("the account is made");
    }

    /// Sends a student's question as an event.
    pub async fn ask(&self, student: Uuid, question: &str) {
        self.ask_all([(student, question.to_owned())]).await;
    }

    /// Sends many questions as events.
    ///
    /// # Panics
    /// The broker refuses an event.
    pub async fn ask_all(&self, questions: impl IntoIterator<Item = (Uuid, String)>) {
        let producer = producer(&self.broker.address().to_string());
        let sent = questions.into_iter().map(async |(student, question)| {
            let id = Clock::System.new_id();
            let event = asked_event(id, id, student, &question, "2026-01-01T00:00:00Z");
            let key = student.to_string();
            let record = FutureRecord::to("learning.requests").key(&key).payload(&event);
            producer.send(record, SEND_LIMIT).await.expect("the broker takes it");
        });
        join_all(sent).await;
    }

    /// Waits for the first event of a type on the broker.
    ///
    /// # Panics
    /// There is none within the time limit.
    pub async fn published<E: Event>(&self) -> E {
        let row = eventually("the event is published", async || {
            let sql =
                "SELECT events.id, type, data::text FROM events LEFT JOIN writers ON writers.id = writer
                       WHERE type = $1 AND (writers.id IS NULL OR sequence <= floor)
                         AND NOT EXISTS (SELECT FROM delayed_events WHERE event_id = events.id)
                       ORDER BY sequence";
            let mut conn = self.database.connect().await;
            let query = sqlx::query(sql).bind(E::TYPE).fetch_optional(&mut conn);
            query.await.expect("the query is valid")
        })
        .await;
        let data = opened(self.database.url(), vec![row]).await.remove(0);
        serde_json::from_value(data).expect("the event has its type's form")
    }

    /// The broker's address.
    #[must_use]
    pub fn brokers(&self) -> String {
        self.broker.address().to_string()
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The result of a counting query.
    ///
    /// # Panics
    /// The query is invalid.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut conn = self.database.connect().await;
        sqlx::query_scalar(sql).fetch_one(&mut conn).await.expect("the query is valid")
    }
}

fn producer(brokers: &str) -> FutureProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).create().expect("a producer")
}

/// Sends a record; without a value, a tombstone.
///
/// # Panics
/// The broker refuses it.
pub async fn publish(brokers: &str, topic: &str, key: &str, value: Option<&[u8]>) {
    let mut record: FutureRecord<'_, str, [u8]> = FutureRecord::to(topic).key(key);
    record.payload = value;
    let sent = producer(brokers).send(record, SEND_LIMIT).await;
    sent.expect("the broker takes it");
}

/// A question as the gateway would send it.
#[must_use]
pub fn asked_event(id: Uuid, query: Uuid, student: Uuid, question: &str, time: &str) -> Vec<u8> {
    json!({
        "specversion": "1.0", "id": id, "source": "learnflow/api-gateway", "type": "question.asked.v1",
        "subject": student, "time": time, "correlationid": query, "datacontenttype": "application/json",
        "data": { "query_id": query, "student_id": student, "question": question }
    })
    .to_string()
    .into_bytes()
}
