//! Answers by server-sent events: pieces in their order while it is made, and the answer at the end.

use std::time::Duration;

use api_gateway::responses::{QueryResponse, QueryStatus};
use domain::{
    agent::{Agent, AnsweredBy, Author},
    text::Question,
};
use events::{
    CloudEvent, Data, Event, Json, model_call::AnswerDelta, question_answered::Answer,
    question_answered::QuestionAnswered, question_routed::Routing,
};
use ids::{QueryId, UserId};
use rdkafka::{
    ClientConfig,
    producer::{FutureProducer, FutureRecord},
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sqlx::PgConnection;
use storage::queries::{self, AnswerBody, NewAnswer, NewQuestion, Place, QuestionBody};
use tests::{Student, World};
use uuid::Uuid;

use crate::triggers::Single;

/// An open stream, with what was received and not read yet.
struct Stream {
    response: Response,
    received: String,
}

impl Stream {
    async fn open(world: &World, student: &Student, query: QueryId) -> Self {
        let url = world.stack().url("api-gateway").expect("it runs");
        let client = runtime::http_client().expect("a client");
        let request = client.get(format!("{url}/api/v1/queries/{query}/stream"));
        let response = request.bearer_auth(&student.token).send().await.expect("a response");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, received: String::new() }
    }

    /// The name and the data of the next event; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.received.split_once("\n\n") {
                let field = |name: &str| {
                    let mut fields = event.lines().filter_map(|line| line.strip_prefix(name));
                    fields.next().map(str::trim).unwrap_or_default().to_owned()
                };
                let (name, data) = (field("event:"), field("data:"));
                self.received = rest.to_owned();
                return Some((name, serde_json::from_str(&data).expect("JSON")));
            }
            let chunk = self.response.chunk().await.expect("the stream goes on")?;
            self.received.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    async fn answer(&mut self) -> QueryResponse {
        let (name, data) = self.next().await.expect("an event");
        assert_eq!(name, "answer");
        assert!(self.next().await.is_none(), "it is the last event");
        serde_json::from_value(data).expect("a question with its answer")
    }
}

/// A question on which no agent works.
async fn pending(world: &World, student: &Student) -> QueryId {
    let id = QueryId::from_uuid(world.clock().new_id());
    let question = Question::try_from("What is a list?".to_owned()).expect("a question");
    let body = QuestionBody {
        question,
        code: None,
        error: None,
        topic: None,
        exercise_id: None,
        agent: None,
    };
    let now = world.now();
    let student = UserId::from_uuid(student.id);
    let new = NewQuestion { id, student, place: Place::New, body: &body };
    queries::insert(&mut world.database().await, new, now).await.expect("it is stored");
    id
}

fn answered(query_id: QueryId, student: &Student) -> QuestionAnswered {
    let routing = Routing {
        agent: Agent::Concepts,
        confidence: 1.0,
        reasons: Vec::new(),
        signs: Vec::new(),
        clarification: None,
        greeting: None,
    };
    QuestionAnswered {
        query_id,
        student_id: UserId::from_uuid(student.id),
        agent: Author::Concepts,
        answered_by: AnsweredBy::Model,
        routing,
        answer: Answer::text("All of it.".to_owned()),
    }
}

async fn store(conn: &mut PgConnection, event: &QuestionAnswered, world: &World) {
    let QuestionAnswered { query_id, student_id, agent, answered_by, routing, answer } = event;
    let body = AnswerBody { answer: answer.clone(), routing: routing.clone() };
    let new = NewAnswer {
        query: *query_id,
        student: *student_id,
        agent: *agent,
        answered_by: *answered_by,
        body: &body,
    };
    assert!(queries::record_answer(conn, new, world.now()).await.expect("it is stored"));
}

/// What functions send.
struct Sender(FutureProducer);

impl Sender {
    fn new(world: &World) -> Self {
        let producer = ClientConfig::new().set("bootstrap.servers", world.kafka()).create();
        Self(producer.expect("a producer"))
    }

    async fn send<E: Event>(&self, event: &E, is_live: bool) {
        let key = event.student_id().to_string();
        let live = is_live.then(|| ("ephemeral".to_owned(), "true".to_owned()));
        let correlation = ("correlationid".to_owned(), event.correlation_id().to_string());
        let event = CloudEvent {
            id: Uuid::nil().to_string(),
            source: "test".to_owned(),
            event_type: E::TYPE.to_owned(),
            subject: Some(key.clone()),
            time: None,
            extensions: live.into_iter().chain([correlation]).collect(),
            data: Data::Json(Json::of(event).expect("JSON")),
        };
        let body = event.to_structured();
        let headers = rdkafka::message::OwnedHeaders::new().insert(rdkafka::message::Header {
            key: "content-type",
            value: Some("application/cloudevents+json"),
        });
        let record = FutureRecord::to(E::TOPIC.name()).key(&key).payload(&body).headers(headers);
        self.0.send(record, std::time::Duration::from_secs(10)).await.expect("it is sent");
    }

    async fn delta(&self, query_id: QueryId, student: &Student, sequence: u32, text: &str) {
        let student_id = UserId::from_uuid(student.id);
        let (agent, text) = (Author::Concepts, text.to_owned());
        self.send(&AnswerDelta { query_id, student_id, agent, sequence, text }, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_come_in_order_and_then_the_answer() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let (query, other) = (pending(&world, &ada).await, pending(&world, &bob).await);
    let sender = Sender::new(&world);
    let mut streams =
        [Stream::open(&world, &ada, query).await, Stream::open(&world, &ada, query).await];
    // Somebody else's, and one that was sent twice.
    sender.delta(other, &bob, 0, "a secret").await;
    for (sequence, text) in [(0, "A list\n\n"), (0, "A list\n\n"), (1, "is a row.")] {
        sender.delta(query, &ada, sequence, text).await;
    }
    for stream in &mut streams {
        for (sequence, text) in [(0, "A list\n\n"), (0, "A list\n\n"), (1, "is a row.")] {
            let expected = ("delta".to_owned(), json!({ "sequence": sequence, "text": text }));
            assert_eq!(stream.next().await, Some(expected));
        }
    }
    let late = Stream::open(&world, &ada, query).await;
    sender.delta(query, &ada, 2, "It grows.").await;
    let event = answered(query, &ada);
    store(&mut world.database().await, &event, &world).await;
    sender.send(&event, false).await;
    for stream in &mut streams {
        assert_eq!(stream.next().await.map(|(name, _)| name).as_deref(), Some("delta"));
    }
    for mut stream in streams.into_iter().chain([late]) {
        let answer = stream.answer().await;
        assert_eq!((answer.id, answer.status), (query, QueryStatus::Answered));
        assert_eq!(answer.answer.map(|answer| answer.content).as_deref(), Some("All of it."));
    }
    drop(sender);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_there_comes_at_once_and_to_nobody_else() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let asked: QueryResponse =
        world.ask(&ada, "What is a list?", 0).await.expect(StatusCode::ACCEPTED);
    let first = Stream::open(&world, &ada, asked.id).await.answer().await;
    let second = Stream::open(&world, &ada, asked.id).await.answer().await;
    assert_eq!(first, second);
    assert_eq!(second, world.answer(&ada, asked.id).await);
    for path in [format!("/queries/{}/stream", asked.id), "/queries/none/stream".to_owned()] {
        assert_eq!(
            world.get(&path, Some(&bob.token)).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_event_is_lost_is_found() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let query = pending(&world, &ada).await;
    let mut stream = Stream::open(&world, &ada, query).await;
    store(&mut world.database().await, &answered(query, &ada), &world).await;
    assert_eq!(stream.answer().await.status, QueryStatus::Answered);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_session() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let query = pending(&world, &ada).await;
    let mut stream = Stream::open(&world, &ada, query).await;
    let logout = json!({ "refresh_token": ada.refresh_token });
    assert_eq!(world.post("/auth/logout", None, &logout).await.status, StatusCode::NO_CONTENT);
    // By itself it would end after two minutes.
    let end = tokio::time::timeout(Duration::from_secs(60), stream.next()).await;
    assert_eq!(end.expect("it ends"), None);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_lambda_the_answer_comes_as_one_event() {
    let world = World::new().await;
    let mut single = Single::new(&world, &[("AWS_LAMBDA_RUNTIME_API", "not used here")]).await;
    let lambda = single.lambda(api_gateway::function);
    let call = async |method: &str, path: &str, token: &str, body: Value| {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path,
            "headers": { "content-type": "application/json", "authorization": format!("Bearer {token}"), "prefer": "wait=0" },
            "requestContext": { "http": { "method": method, "path": path, "protocol": "HTTP/1.1" } },
            "body": body.to_string(), "isBase64Encoded": false
        });
        let answer = lambda.invoke(event).await.expect("a request");
        answer["body"].as_str().expect("a body").to_owned()
    };
    let account =
        json!({ "email": "ada@example.org", "password": tests::PASSWORD, "display_name": "Ada" });
    let session = call("POST", "/api/v1/auth/register", "", account).await;
    let session: Value = serde_json::from_str(&session).expect("JSON");
    let token = session["access_token"].as_str().expect("a token");
    let question = json!({ "question": "What is a list?" });
    let query: QueryResponse =
        serde_json::from_str(&call("POST", "/api/v1/query", token, question).await).expect("JSON");
    let student: Uuid =
        session["user"]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let student = Student { id: student, token: String::new(), refresh_token: String::new() };
    let stored = async {
        store(&mut single.connect().await, &answered(query.id, &student), &world).await;
    };
    let path = format!("/api/v1/queries/{}/stream", query.id);
    let streamed = call("GET", &path, token, json!({}));
    let (streamed, ()) = tokio::join!(streamed, stored);
    let data = streamed.strip_prefix("event: answer\ndata: ").expect("the only event");
    let answer: QueryResponse = serde_json::from_str(data.trim()).expect("JSON");
    assert_eq!(answer.status, QueryStatus::Answered);
    world.finish().await;
}
