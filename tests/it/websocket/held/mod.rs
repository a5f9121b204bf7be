//! Sockets that API Gateway holds: the same function under AWS Lambda, behind a fake of API Gateway.

mod delivery;
mod ends;
mod opening;

use std::{collections::HashSet, sync::Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use runtime::{config::Settings, lambda::LambdaFunction};
use serde_json::{Value, json};
use testing::SocketGateway;
use tests::{Setup, Student, World};
use uuid::Uuid;

use crate::triggers::{batch, record};

/// The topics that the function follows, its own last.
const TOPICS: [&str; 4] =
    ["learning.responses", "code.results", "notifications.made", "sockets.connections"];

/// A world with a function under AWS Lambda, and its gateway.
pub(super) struct Held {
    pub(super) world: World,
    pub(super) gateway: SocketGateway,
    pub(super) lambda: LambdaFunction,
    settings: Vec<(&'static str, String)>,
    /// Events that were delivered.
    heard: Mutex<HashSet<Uuid>>,
}

impl Held {
    pub(super) async fn new<const N: usize>(settings: [(&'static str, &str); N]) -> Self {
        let world = World::with(Setup::default()).await;
        let gateway = SocketGateway::start().await;
        let mut settings: Vec<_> =
            settings.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        settings.extend([
            ("SOCKETS_ENDPOINT_URL", gateway.endpoint()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIA".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "a secret".to_owned()),
        ]);
        let lambda = lambda(&world, &settings);
        Self { world, gateway, lambda, settings, heard: Mutex::default() }
    }

    /// Another instance.
    pub(super) fn another(&self) -> LambdaFunction {
        lambda(&self.world, &self.settings)
    }

    /// Opens a student's chat.
    pub(super) async fn chat(&self, student: &Student, after: Option<&str>) -> String {
        self.chat_of(student.id, &student.token, after).await
    }

    pub(super) async fn chat_of(&self, id: Uuid, token: &str, after: Option<&str>) -> String {
        let after: Vec<_> = after.map(|after| ("after", after)).into_iter().collect();
        let protocols = format!("learnflow.v1, bearer.{token}");
        let headers = [("Sec-WebSocket-Protocol", protocols.as_str())];
        let path = format!("/ws/chat/{id}");
        self.gateway.connect(&self.lambda, &path, &after, &headers).await.expect("it is opened")
    }

    /// Has an instance hear all events that none has heard, as MSK delivers them.
    pub(super) async fn hear(&self, lambda: &LambdaFunction) {
        let batch = self.batch(&TOPICS).await;
        let answer = lambda.invoke(batch).await.expect("a batch");
        assert_eq!(answer, json!({ "batchItemFailures": [] }));
    }

    /// All events of these topics that none has heard.
    async fn batch(&self, topics: &[&str]) -> Value {
        let sql = "SELECT id, topic, partition_key, type, source, subject, occurred_at, data::text
                   FROM events
                   WHERE topic = ANY($1) ORDER BY sequence";
        type Row = (Uuid, String, String, String, String, Option<Uuid>, DateTime<Utc>, String);
        let rows = sqlx::query_as::<_, Row>(sql).bind(topics);
        let rows = rows.fetch_all(&mut self.world.database().await).await;
        let mut records = Vec::new();
        for (id, topic, key, kind, source, subject, time, data) in rows.expect("it is valid") {
            if !self.heard.lock().expect("no panic").insert(id) {
                continue;
            }
            let data: Value = serde_json::from_str(&data).expect("JSON");
            let event = json!({
                "specversion": "1.0", "id": id, "source": source, "type": kind, "subject": subject, "time": time,
                "datacontenttype": "application/json", "partitionkey": key, "data": data
            });
            records.push(of_key(&topic, records.len(), &key, &event));
        }
        batch(&json!({ "all": records }))
    }

    /// Has an instance hear only that there is something for a person.
    pub(super) async fn wake(&self, lambda: &LambdaFunction, person: Uuid) {
        let event = json!({
            "specversion": "1.0", "id": self.world.clock().new_id(), "source": "/elsewhere", "type": "nudge.given.v1",
            "subject": person, "datacontenttype": "application/json", "data": {}
        });
        let records = [of_key("learning.responses", 0, &person.to_string(), &event)];
        let answer = lambda.invoke(batch(&json!({ "all": records }))).await.expect("a batch");
        assert_eq!(answer, json!({ "batchItemFailures": [] }));
    }

    /// The schedule's event, and what comes of it: no other event is heard.
    pub(super) async fn tick(&self) {
        let event = json!({ "detail-type": "Scheduled Event", "detail": { "periodic": "due-connections" } });
        self.lambda.invoke(event).await.expect("it is done");
        let batch = self.batch(&TOPICS[3..]).await;
        let answer = self.lambda.invoke(batch).await.expect("a batch");
        assert_eq!(answer, json!({ "batchItemFailures": [] }));
    }

    /// The connections that are stored.
    pub(super) async fn stored(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM connections");
        count.fetch_one(&mut self.world.database().await).await.expect("it is valid")
    }

    /// The texts that a client has got.
    pub(super) fn texts(&self, connection: &str) -> Vec<String> {
        let frames = self.gateway.frames(connection);
        frames.iter().map(|frame| super::text_of(frame).to_owned()).collect()
    }
}

/// A record with its own partition key.
pub(super) fn of_key(topic: &str, offset: usize, key: &str, event: &Value) -> Value {
    let offset = i64::try_from(offset).expect("few records");
    let mut record = record(topic, 0, offset, Some(event));
    record["key"] = json!(STANDARD.encode(key));
    record
}

fn lambda(world: &World, settings: &[(&'static str, String)]) -> LambdaFunction {
    let mut settings = Settings::from_pairs(settings.iter().map(|(name, value)| (*name, value)));
    let services = world.stack().services();
    let function = websocket::function(&mut settings, services);
    settings.check().expect("no faults");
    LambdaFunction::new(function, services)
}
