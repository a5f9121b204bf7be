//! Passwords, tokens and addresses are of no use to anyone but their owner.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use axum::{Json, Router, http::StatusCode as Status, routing::get};
use futures::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Executor, Row};
use tests::{PASSWORD, Reply, Setup, World};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::accounts::{EC_KEY, claims, sign};

/// Times that a race is run: without a lock one in a few of them is lost.
const ROUNDS: usize = 40;

fn high(names: &[&'static str]) -> Vec<(&'static str, String)> {
    names.iter().map(|name| (*name, "1000000".to_owned())).collect()
}

/// A POST to the gateway that comes from `address` through a proxy.
async fn post_from(world: &World, address: &str, path: &str, body: &Value) -> Reply {
    world
        .send("api-gateway", |client, url| {
            let request = client.post(format!("{url}/api/v1{path}")).json(body);
            request.header("x-forwarded-for", address)
        })
        .await
}

async fn log_in_from(world: &World, address: &str, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    post_from(world, address, "/auth/login", &body).await
}

async fn register(world: &World, key: &'static str, password: &str) -> Reply {
    let body = json!({ "email": "ada@example.org", "password": password, "display_name": "Ada" });
    let headers = [("idempotency-key", key)];
    world.post_with("/auth/register", "", &body, headers).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_registration_reveals_nothing_about_its_password() {
    let world = World::new().await;
    let mut database = world.database().await;
    let mut stored = Vec::new();
    for password in ["correct horse", "battery staple"] {
        assert_eq!(register(&world, "r1", password).await.status, StatusCode::CREATED);
        let sql = "SELECT request_hash FROM idempotency_keys WHERE operation = 'register'";
        let row = sqlx::query(sql).fetch_one(&mut database).await.expect("a key");
        stored.push(row.get::<Vec<u8>, _>(0));
        let forget = "DELETE FROM idempotency_keys; DELETE FROM users WHERE display_name = 'Ada'";
        database.execute(forget).await.expect("the account is deleted");
    }
    assert_eq!(stored[0], stored[1], "the same whatever the password is");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeating_a_registration_with_another_password_does_not_log_in() {
    let world = World::new().await;
    let first = register(&world, "r1", PASSWORD).await;
    let other = register(&world, "r1", "battery staple").await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", other.body);
    let same = register(&world, "r1", PASSWORD).await;
    assert_eq!(same.status, StatusCode::CREATED, "{:?}", same.body);
    assert_eq!(same.body["user"]["id"], first.body["user"]["id"]);
    world.finish().await;
}

async fn refresh(world: &World, token: &str) -> Option<String> {
    let reply = world.post("/auth/refresh", None, &json!({ "refresh_token": token })).await;
    let expected = [StatusCode::OK, StatusCode::UNAUTHORIZED].contains(&reply.status);
    assert!(expected, "{:?}", reply.body);
    reply.body["refresh_token"].as_str().map(str::to_owned)
}

async fn new_login(world: &World) -> String {
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    let reply = world.post("/auth/login", None, &body).await;
    reply.body["refresh_token"].as_str().expect("a token").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logging_out_works_even_while_the_token_is_refreshed() {
    let settings = high(&["RATE_LIMIT_LOGIN", "RATE_LIMIT_PASSWORD", "RATE_LIMIT_ACCOUNT"]);
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    world.student("ada").await;
    for round in 0..ROUNDS {
        let token = new_login(&world).await;
        let body = json!({ "refresh_token": token });
        let log_out = world.post("/auth/logout", None, &body);
        let (successor, out) = tokio::join!(refresh(&world, &token), log_out);
        assert_eq!(out.status, StatusCode::NO_CONTENT);
        if let Some(successor) = successor {
            assert_eq!(refresh(&world, &successor).await, None, "round {round}");
        }
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_token_ends_the_login_even_while_its_successor_is_refreshed() {
    let settings = high(&["RATE_LIMIT_LOGIN", "RATE_LIMIT_PASSWORD", "RATE_LIMIT_ACCOUNT"]);
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    world.student("ada").await;
    for round in 0..ROUNDS {
        let stolen = new_login(&world).await;
        let thief = refresh(&world, &stolen).await.expect("the thief comes first");
        // Later than a lost answer would be asked for again.
        world.advance(16);
        let (thief, owner) = tokio::join!(refresh(&world, &thief), refresh(&world, &stolen));
        assert_eq!(owner, None, "used up");
        if let Some(thief) = thief {
            assert_eq!(refresh(&world, &thief).await, None, "round {round}");
        }
    }
    // Nor does it matter how many come at once, too late for all of them.
    let token = new_login(&world).await;
    let successor = refresh(&world, &token).await.expect("the first one");
    world.advance(16);
    let all = join_all((0..8).map(|_| refresh(&world, &token))).await;
    assert!(all.iter().all(Option::is_none), "a token works once");
    assert_eq!(refresh(&world, &successor).await, None);
    world.finish().await;
}

/// A world whose clients come through a proxy, which says where they are.
async fn behind_a_proxy(limits: &[(&'static str, &str)]) -> World {
    let mut settings = vec![("TRUSTED_PROXIES", "127.0.0.0/8".to_owned())];
    settings.extend(limits.iter().map(|(name, value)| (*name, (*value).to_owned())));
    World::with(Setup { settings, ..Setup::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_locks_nobody_out() {
    let world = behind_a_proxy(&[("RATE_LIMIT_LOGIN", "3")]).await;
    world.student("ada").await;
    for attempt in 0..5 {
        let reply = log_in_from(&world, "203.0.113.9", "ada@example.org", "a wild guess").await;
        assert_eq!(reply.status == StatusCode::TOO_MANY_REQUESTS, attempt >= 3, "{attempt}");
    }
    let ada = log_in_from(&world, "198.51.100.1", "ada@example.org", PASSWORD).await;
    assert_eq!(ada.status, StatusCode::OK, "{:?}", ada.body);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_gets_in_while_many_strangers_guess() {
    let world = behind_a_proxy(&[("RATE_LIMIT_ACCOUNT", "5")]).await;
    world.student("ada").await;
    for stranger in 0..6 {
        let address = format!("203.0.113.{stranger}");
        let reply = log_in_from(&world, &address, "ada@example.org", "a wild guess").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{stranger}");
    }
    let mut of_one = Vec::new();
    for _ in 0..3 {
        let reply = log_in_from(&world, "203.0.113.99", "ada@example.org", "a wild guess").await;
        of_one.push(reply.status.as_u16());
    }
    assert_eq!(of_one, [401, 401, 429], "each has few guesses now");
    let ada = log_in_from(&world, "198.51.100.1", "ada@example.org", PASSWORD).await;
    assert_eq!(ada.status, StatusCode::OK, "{:?}", ada.body);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_cannot_keep_the_cores_busy_with_passwords() {
    let world = behind_a_proxy(&[("RATE_LIMIT_PASSWORD", "3")]).await;
    let guess = async |address: &'static str, number: usize| {
        let email = format!("student{number}@example.org");
        log_in_from(&world, address, &email, "a wild guess").await
    };
    for number in 0..3 {
        assert_eq!(guess("203.0.113.9", number).await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = guess("203.0.113.9", 3).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers.contains_key("retry-after"));
    let body = json!({ "email": "eve@example.org", "password": PASSWORD, "display_name": "Eve" });
    let register = post_from(&world, "203.0.113.9", "/auth/register", &body).await;
    assert_eq!(register.status, StatusCode::TOO_MANY_REQUESTS, "nor by registering");
    assert_eq!(guess("198.51.100.1", 4).await.status, StatusCode::UNAUTHORIZED, "others may");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_escapes_a_limit_by_naming_another_address() {
    let settings = vec![("RATE_LIMIT_PASSWORD", "2".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let mut statuses = Vec::new();
    for address in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        let reply = log_in_from(&world, address, "ada@example.org", "a wild guess").await;
        statuses.push(reply.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 429], "no proxy is trusted unless it is named");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_of_invented_addresses_do_not_accumulate() {
    const AT_ONCE: i64 = 8;
    let world = World::new().await;
    for minute in 0..5 {
        for number in 0..AT_ONCE {
            let email = format!("stranger{minute}-{number}@example.org");
            log_in_from(&world, "", &email, "a wild guess").await;
        }
        world.advance(60);
    }
    let sql = "SELECT count(*) FROM rate_limits WHERE $1 IS NOT NULL";
    let rows = world.count(sql, Uuid::nil()).await;
    // Two for each attempt of one minute, and two for the address.
    assert!(rows <= 2 * AT_ONCE + 2, "{rows} rows");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_outage_of_the_identity_provider_logs_nobody_out() {
    let key = EncodingKey::from_ec_pem(EC_KEY.as_bytes()).expect("the key is well-formed");
    let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a JWK");
    jwk.common.key_id = Some("key-1".to_owned());
    let of_another_kind = json!({ "kid": "key-0", "kty": "of 2030", "pub": "x" });
    let keys = json!({ "keys": [of_another_kind, jwk] });
    let answers = Arc::new(AtomicU16::new(500));
    let status = Arc::clone(&answers);
    let serve = async move || {
        let status = Status::from_u16(status.load(Ordering::SeqCst)).expect("a status");
        let withdrawn = status == Status::ACCEPTED;
        (status, Json(if withdrawn { json!({ "keys": [] }) } else { keys.clone() }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/jwks.json", listener.local_addr().expect("an address"));
    let provider = Router::new().route("/jwks.json", get(serve));
    tokio::spawn(async move { axum::serve(listener, provider).await });
    let settings = vec![("JWT_JWKS_URL", url)];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let signed = |kid: &str| {
        let mut claims = claims(&world, "auth0|ada");
        claims["exp"] = json!(world.now().timestamp() + 600);
        sign(Algorithm::ES256, Some(kid), &claims, &key)
    };
    let conversations = async |token: &str| world.get("/conversations", Some(token)).await;
    let token = signed("key-1");
    let away = conversations(&token).await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE, "{:?}", away.body);
    let wait = away.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    answers.store(200, Ordering::SeqCst);
    world.advance(wait);
    let back = conversations(&token).await;
    assert_eq!(back.status, StatusCode::OK, "{:?}", back.body);
    assert_eq!(conversations(&signed("key-2")).await.status, StatusCode::UNAUTHORIZED, "unknown");
    answers.store(500, Ordering::SeqCst);
    world.advance(61);
    let unknown = conversations(&signed("key-2")).await;
    assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE, "it may be a new one");
    assert_eq!(conversations(&token).await.status, StatusCode::OK, "known keys stay");
    world.advance(3_600);
    assert_eq!(conversations(&signed("key-1")).await.status, StatusCode::OK, "also old ones");
    answers.store(202, Ordering::SeqCst);
    world.advance(61);
    let withdrawn = conversations(&signed("key-1")).await;
    assert_eq!(withdrawn.status, StatusCode::UNAUTHORIZED, "{:?}", withdrawn.body);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_leave_no_memory_behind() {
    // In a process of its own: what other tests do counts in this one.
    let bench = tokio::process::Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["registrations", "250"])
        .output();
    let bench = bench.await.expect("the bench starts");
    let said = String::from_utf8_lossy(&bench.stdout);
    assert!(bench.status.success(), "{said}{}", String::from_utf8_lossy(&bench.stderr));
}
