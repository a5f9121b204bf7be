//! What clients and models can send, in sizes, depths and characters that nobody expects: a client is told what is
//! wrong, never that it is our fault; and whatever a model says, the student is answered.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};
use testing::{ModelServer, Scripted};
use tests::{Reply, Setup, Student, World};

/// Bodies that every route is sent.
const BODIES: usize = 40;
/// Questions that hostile models answer.
const ANSWERS: usize = 24;

/// Characters as JSON writes them; the last two are half a character, which is no JSON text.
const CHARACTERS: [&str; 12] = [
    "x", "\\u0000", "\\u0001", "\\u001b", "\\u007f", "\\n", "\\\"", "é", "\\u2028", "😀",
    "\\ud800", "\\udc00",
];

/// A hostile value as JSON text, so that it may hold what no value can.
fn value(random: &mut StdRng, depth: usize) -> String {
    let character = CHARACTERS.choose(random).expect("there are some");
    match random.random_range(0..14) {
        0 => format!(
            "\"{}\"",
            character.repeat(*[0, 1, 300, 5_000, 70_000].choose(random).expect("some"))
        ),
        1..=4 => format!("\"a{character}b\""),
        5 => "\"018f3c5e-0000-7000-8000-000000000000\"".to_owned(),
        6 => ["null", "true", "-0", "1e400", "-1", "99999999999999999999", "0.5"]
            .choose(random)
            .expect("some")
            .to_string(),
        7 => "[".repeat(300) + &"]".repeat(300),
        8 if depth > 0 => format!("[{},{}]", value(random, depth - 1), value(random, depth - 1)),
        9 if depth > 0 => format!("{{\"a{character}\":{}}}", value(random, depth - 1)),
        10 => "\"print('hello')\"".to_owned(),
        11 => "\"ada@example.org\"".to_owned(),
        12 => "\"lists\"".to_owned(),
        _ => "\"easy\"".to_owned(),
    }
}

/// A body with some of a route's fields, and sometimes one that it does not have.
fn body(random: &mut StdRng, fields: &[String]) -> String {
    let mut members = Vec::new();
    for field in fields {
        if random.random_bool(0.8) {
            members.push(format!("\"{field}\":{}", value(random, 3)));
        }
    }
    if random.random_bool(0.1) {
        members.push(format!("\"unknown\":{}", value(random, 3)));
    }
    format!("{{{}}}", members.join(","))
}

/// The routes of the contract: method, path with all that it takes behind `?`, and the body's fields.
fn routes(contract: &Value) -> Vec<(Method, String, Vec<String>)> {
    let paths = contract["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path, method, operation))
    });
    operations
        .filter_map(|(path, method, operation)| {
            let method = method.to_uppercase().parse().ok()?;
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            let names = in_query.filter_map(|parameter| parameter["name"].as_str());
            let query: Vec<String> = names.map(|name| format!("{name}={{{name}}}")).collect();
            let path = match query.as_slice() {
                [] => path.clone(),
                query => format!("{path}?{}", query.join("&")),
            };
            Some((method, path, fields(contract, operation)))
        })
        .collect()
}

fn fields(contract: &Value, operation: &Value) -> Vec<String> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
    let schema = name.map_or(schema, |name| &contract["components"]["schemas"][name]);
    let known = schema["properties"].as_object().map(Map::keys).into_iter().flatten().cloned();
    // What a run takes has no schema of its own in the contract.
    let of_programs = ["code", "stdin", "files", "tests", "timeout_ms", "seed", "trace"];
    let mut fields: Vec<String> = known.collect();
    if fields.is_empty() && !operation["requestBody"].is_null() {
        fields.extend(of_programs.map(str::to_owned));
    }
    fields
}

/// A path with this in all of its places.
fn filled(path: &str, text: &str) -> String {
    let parts = path.split('{').enumerate().map(|(number, part)| match part.split_once('}') {
        Some((_, rest)) if number > 0 => format!("{text}{rest}"),
        _ => part.to_owned(),
    });
    parts.collect()
}

async fn send(
    world: &World,
    student: &Student,
    method: &Method,
    path: &str,
    body: String,
) -> Reply {
    world
        .send("api-gateway", |client, url| {
            let request = client.request(method.clone(), format!("{url}/api/v1{path}"));
            let request = request.bearer_auth(&student.token).header("prefer", "wait=0");
            request.header("content-type", "application/json").body(body)
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_client_sends_is_a_server_error() {
    let settings = [
        "RATE_LIMIT_USER",
        "RATE_LIMIT_ADDRESS",
        "RATE_LIMIT_PASSWORD",
        "RATE_LIMIT_LOGIN",
        "RATE_LIMIT_ACCOUNT",
    ];
    let settings = settings.map(|name| (name, "1000000".to_owned()));
    let world = World::with(Setup { settings: settings.into(), ..Setup::default() }).await;
    let student = world.student("bob").await;
    let contract = world
        .send("api-gateway", |client, url| client.get(format!("{url}/openapi.json")))
        .await
        .body;
    let routes = routes(&contract);
    assert!(routes.len() > 20, "the contract has its routes: {}", routes.len());
    let mut random = StdRng::seed_from_u64(11);
    let ids =
        ["018f3c5e-0000-7000-8000-000000000000", "%00", "a%0Ab", "%F0%9F%98%80", "..", "lists"];
    let mut refused = 0;
    for (method, path, fields) in &routes {
        let count = if fields.is_empty() { ids.len() } else { BODIES };
        for number in 0..count {
            let place = filled(path, ids[number % ids.len()]);
            let place = place.strip_prefix("/api/v1").unwrap_or(&place);
            let body = if fields.is_empty() { String::new() } else { body(&mut random, fields) };
            let shown = body.chars().take(300).collect::<String>();
            let reply = send(&world, &student, method, place, body).await;
            let fault = format!("{method} {place} {shown}: {} {}", reply.status, reply.body);
            assert!(!reply.status.is_server_error(), "{fault}");
            if reply.status.is_client_error() {
                refused += 1;
                let kind = reply.headers.get("content-type").map(|kind| kind.as_bytes().to_vec());
                assert_eq!(kind.as_deref(), Some(&b"application/problem+json"[..]), "{fault}");
                assert!(
                    reply.body["detail"].as_str().is_some_and(|text| text.len() > 5),
                    "{fault}"
                );
            }
        }
    }
    assert!(refused > 200, "most is refused: {refused}");
    world.finish().await;
}

/// What a hostile model says: nearly the asked shape with hostile texts in it, or anything else.
fn said(random: &mut StdRng) -> Scripted {
    let mut text = || {
        let character = ["x", "\0", "\u{1b}", "\u{2028}", "\u{202e}", "`", "😀", "\\", "\""]
            .choose(random)
            .expect("some");
        character.repeat(*[1, 40, 3_000, 400_000].choose(random).expect("some"))
    };
    let (words, code) = (text(), text());
    let shaped = json!({
        "explanation": format!("A list is a row of boxes. {words}"),
        "examples": [{ "title": words, "code": format!("print('{code}')") }],
        "common_mistakes": [words], "diagram": format!("flowchart LR\n a[{words}]"),
        "hint": format!("Look at the line again. {words}"), "findings": [], "agent": "concepts", "reason": words,
    });
    match random.random_range(0..6) {
        0 => Scripted::Says(value(random, 4)),
        1 => Scripted::Cuts(shaped.to_string()),
        2 => Scripted::Says("[".repeat(100_000)),
        _ => Scripted::Says(shaped.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_model_says_the_student_is_answered() {
    let mut random = StdRng::seed_from_u64(12);
    let server = ModelServer::playing((0..ANSWERS * 4).map(|_| said(&mut random))).await;
    let settings = vec![
        ("OPENAI_BASE_URL", server.base_url()),
        ("MODEL_STUDENT_DAILY_CALLS", "10000".to_owned()),
        ("MODEL_STUDENT_DAILY_MICRO_USD", "1000000000".to_owned()),
        ("RATE_LIMIT_USER", "100000".to_owned()),
    ];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let student = world.student("ada").await;
    let questions = [
        json!({ "question": "What is a list good for in my shop?" }),
        json!({ "question": "Why does it fail?", "code": "print(1 / 0)" }),
        json!({ "question": "Please review my code", "code": "x = 1\nif x == True:\n    print(x)" }),
        json!({ "question": "hm" }),
    ];
    for number in 0..ANSWERS {
        let question = &questions[number % questions.len()];
        let wait = [("prefer", "wait=20")];
        let reply = world.post_with("/query", &student.token, question, wait).await;
        let text = match reply.status {
            StatusCode::OK => reply.body["answer"]["content"].as_str().expect("a text").to_owned(),
            // The machine is busy.
            StatusCode::ACCEPTED => {
                let id = reply.body["id"].as_str().expect("an id");
                let answered = world.answer(&student, id).await;
                answered.answer.expect("it is answered").content
            }
            _ => panic!("{number}: {:?}", reply.body),
        };
        assert!(!text.trim().is_empty() && text.len() < 100_000, "{number}: {} bytes", text.len());
        // An open breaker would hide what comes after five faults in a row.
        world.advance(60);
    }
    assert!(server.requests().len() > ANSWERS / 2, "the model was asked");
    world.finish().await;
}
