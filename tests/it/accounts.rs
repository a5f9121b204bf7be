//! Who may do what, with which token.

use api_gateway::responses::{Profile, Session};
use axum::{Json, Router, routing::get};
use domain::user::Role;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::StatusCode;
use runtime::{auth::AuthConfig, config::Settings};
use serde_json::{Value, json};
use testing::TestDatabase;
use tests::{JWT_SECRET, PASSWORD, Setup, World};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::triggers::Single;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn register_log_in_and_read_the_own_account() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let body = json!({ "email": "ADA@example.org ", "password": PASSWORD });
    let login: Session = world.post("/auth/login", None, &body).await.ok();
    assert_eq!(login.expires_in, 3_600);
    let me = world.get("/me", Some(&student.token)).await;
    assert!(!me.body.to_string().contains("hash"));
    let me: Profile = me.ok();
    assert_eq!((me.email.as_str(), me.role), ("ada@example.org", Role::Student));
    assert_eq!(me, login.user);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let world = World::new().await;
    world.student("ada").await;
    let try_login = async |email: &str| {
        let body = json!({ "email": email, "password": "wrong password" });
        world.post("/auth/login", None, &body).await
    };
    let (known, unknown) = (try_login("ada@example.org").await, try_login("eve@example.org").await);
    assert_eq!(known.status, StatusCode::UNAUTHORIZED);
    assert_eq!((known.status, &known.body["detail"]), (unknown.status, &unknown.body["detail"]));
    let taken = json!({ "email": "ada@example.org", "password": PASSWORD, "display_name": "Eve" });
    assert_eq!(world.post("/auth/register", None, &taken).await.status, StatusCode::CONFLICT);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_works_once_and_its_theft_ends_the_login() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let refresh = async |token: &str| {
        world.post("/auth/refresh", None, &json!({ "refresh_token": token })).await
    };
    let successor =
        refresh(&student.refresh_token).await.ok::<Session>().refresh_token.unwrap_or_default();
    assert_ne!(successor, student.refresh_token);
    // Nobody asks again so late because an answer was lost.
    world.advance(16);
    assert_eq!(refresh(&student.refresh_token).await.status, StatusCode::UNAUTHORIZED, "used up");
    assert_eq!(refresh(&successor).await.status, StatusCode::UNAUTHORIZED, "the family is revoked");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_ends_by_logging_out_or_expiry() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let body = json!({ "refresh_token": ada.refresh_token });
    assert_eq!(world.post("/auth/logout", None, &body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.post("/auth/refresh", None, &body).await.status, StatusCode::UNAUTHORIZED);
    world.advance(3_500);
    assert_eq!(world.get("/me", Some(&bob.token)).await.status, StatusCode::OK);
    world.advance(200);
    let expired = world.get("/me", Some(&bob.token)).await;
    assert_eq!(expired.status, StatusCode::UNAUTHORIZED);
    assert!(expired.body["detail"].as_str().is_some_and(|text| text.contains("expired")));
    world.advance(8 * 86_400);
    let body = json!({ "refresh_token": bob.refresh_token });
    assert_eq!(world.post("/auth/refresh", None, &body).await.status, StatusCode::UNAUTHORIZED);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_students_question_is_not_found() {
    let world = World::new().await;
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let reply = world.ask(&ada, "What is a list?", 20).await;
    let path = format!("/queries/{}", reply.body["id"].as_str().expect("an id"));
    assert_eq!(world.get(&path, Some(&ada.token)).await.status, StatusCode::OK);
    assert_eq!(world.get(&path, Some(&eve.token)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get(&path, None).await.status, StatusCode::UNAUTHORIZED);
    world.finish().await;
}

pub(crate) fn claims(world: &World, subject: &str) -> Value {
    let now = world.now().timestamp();
    json!({ "sub": subject, "role": "student", "iat": now, "exp": now + 60, "iss": "learnflow", "aud": "learnflow" })
}

pub(crate) fn sign(
    algorithm: Algorithm,
    kid: Option<&str>,
    claims: &Value,
    key: &EncodingKey,
) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).expect("the claims can be signed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_ours_opens_nothing() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let good = claims(&world, &student.id.to_string());
    let ours = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let check = async |token: String| world.get("/me", Some(&token)).await.status;
    assert_eq!(check(sign(Algorithm::HS256, None, &good, &ours)).await, StatusCode::OK);
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        sign(Algorithm::HS256, None, &claims, &ours)
    };
    for token in [
        changed("iss", json!("someone else")),
        changed("aud", json!("someone else")),
        changed("exp", json!(1)),
        changed("role", json!("emperor")),
        sign(
            Algorithm::HS256,
            None,
            &good,
            &EncodingKey::from_secret(b"another secret of 32 bytes and more"),
        ),
        sign(Algorithm::HS384, None, &good, &ours),
        student.token.rsplit_once('.').map(|(start, _)| format!("{start}.")).expect("a token"),
        "not.a.token".to_owned(),
        String::new(),
    ] {
        assert_eq!(check(token.clone()).await, StatusCode::UNAUTHORIZED, "{token}");
    }
    world.finish().await;
}

#[test]
fn people_and_services_have_audiences_of_their_own() {
    let secret = ("JWT_SECRET", JWT_SECRET);
    for (audience, faults) in [("learnflow", true), ("learnflow-internal", false)] {
        let mut settings = Settings::from_pairs([secret, ("JWT_SERVICE_AUDIENCE", audience)]);
        AuthConfig::read(&mut settings);
        let checked = settings.check();
        assert_eq!(checked.is_err(), faults, "{audience}: {checked:?}");
    }
}

/// An EC key pair made for this test with OpenSSL (`prime256v1`).
pub(crate) const EC_KEY: &str = include_str!("ec-key.pem");

/// An identity provider: its only key, and what makes a product trust it.
async fn provider() -> (EncodingKey, Vec<(&'static str, String)>) {
    let key = EncodingKey::from_ec_pem(EC_KEY.as_bytes()).expect("the key is well-formed");
    let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a JWK");
    jwk.common.key_id = Some("key-1".to_owned());
    let keys = json!({ "keys": [jwk] });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/jwks.json", listener.local_addr().expect("an address"));
    let provider = Router::new().route("/jwks.json", get(async move || Json(keys.clone())));
    tokio::spawn(async move { axum::serve(listener, provider).await });
    (key, vec![("JWT_JWKS_URL", url), ("JWT_ROLE_CLAIM", "/school/roles".to_owned())])
}

async fn with_provider() -> (World, EncodingKey) {
    let (key, settings) = provider().await;
    (World::with(Setup { settings, ..Setup::default() }).await, key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_external_identity_provider_is_trusted_by_its_keys() {
    let (world, key) = with_provider().await;
    let claims = claims(&world, "auth0|ada");
    let token = sign(Algorithm::ES256, Some("key-1"), &claims, &key);
    // The first thing that a page asks for, since only we know the person's id here.
    let me = world.get("/me", Some(&token)).await;
    assert_eq!((me.status, &me.body["role"]), (StatusCode::OK, &json!("student")), "{:?}", me.body);
    let body = json!({ "question": "What is a list?" });
    let reply = world.post("/query", Some(&token), &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    // Claims that others use for something else, as Keycloak, Clerk and Supabase do.
    let foreign = json!({
        "sub": "auth0|ada", "iss": claims["iss"], "aud": ["account", claims["aud"]],
        "exp": claims["exp"].as_f64().expect("a number") + 0.5,
        "sid": "c2Vzc2lvbg", "role": ["offline_access", "teacher"], "email": "ada@example.org",
    });
    let foreign = sign(Algorithm::ES256, Some("key-1"), &foreign, &key);
    let again = world.get("/me", Some(&foreign)).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &me.body));
    // Access tokens of Amazon Cognito name us elsewhere; for others they are not for us either.
    for (client, status) in
        [(&claims["aud"], StatusCode::OK), (&json!("x"), StatusCode::UNAUTHORIZED)]
    {
        let mut cognito = claims.clone();
        cognito.as_object_mut().expect("claims").remove("aud");
        cognito["client_id"] = client.clone();
        let token = sign(Algorithm::ES256, Some("key-1"), &cognito, &key);
        assert_eq!(world.get("/me", Some(&token)).await.status, status, "for {client}");
    }
    // There is no address to which a mail could go.
    let mail = json!({ "channel": "email" });
    let refused = world.post("/notifications/subscriptions", Some(&token), &mail).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", refused.body);
    assert!(refused.body.to_string().contains("has not told us your address"));
    // Who has got another role there has it here.
    for role in ["teacher", "student"] {
        let mut claims = claims.clone();
        claims["school"] = json!({ "roles": ["reader", role] });
        let token = sign(Algorithm::ES256, Some("key-1"), &claims, &key);
        assert_eq!(world.get("/me", Some(&token)).await.body["role"], role);
    }
    let mut early = claims.clone();
    early["nbf"] = claims["exp"].clone();
    let early = sign(Algorithm::ES256, Some("key-1"), &early, &key);
    assert_eq!(world.get("/me", Some(&early)).await.status, StatusCode::UNAUTHORIZED);
    let unknown = sign(Algorithm::ES256, Some("key-2"), &claims, &key);
    assert_eq!(world.post("/query", Some(&unknown), &body).await.status, StatusCode::UNAUTHORIZED);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_an_identity_provider_have_its_names_for_them() {
    let (world, key) = with_provider().await;
    let token = |name: Option<&str>, role: &str| {
        let mut claims = claims(&world, "auth0|ada");
        claims["school"] = json!({ "roles": [role] });
        claims["name"] = json!(name);
        sign(Algorithm::ES256, Some("key-1"), &claims, &key)
    };
    let called =
        async |token: &str| world.get("/me", Some(token)).await.body["display_name"].clone();
    assert_eq!(called(&token(None, "student")).await, "External user");
    // Another role, since what was read of a person is remembered for a minute.
    let named = token(Some("Ada Lovelace"), "teacher");
    assert_eq!(called(&named).await, "Ada Lovelace");
    // Any request will do: a teacher's list has the name of a student who only joined.
    let teacher = world.teacher("tina").await;
    let class = world.post("/classes", Some(&teacher.token), &json!({ "name": "1a" })).await;
    let code = json!({ "code": class.body["invite_code"] });
    let mut claims = claims(&world, "auth0|bob");
    claims["preferred_username"] = json!("bob");
    let bob = sign(Algorithm::ES256, Some("key-1"), &claims, &key);
    let joined = world.post("/classes/join", Some(&bob), &code).await;
    assert_eq!(joined.status, StatusCode::OK, "{:?}", joined.body);
    let id = class.body["id"].as_str().expect("an id");
    let students = world.get(&format!("/classes/{id}/roster"), Some(&teacher.token)).await;
    assert!(students.body.to_string().contains(r#""bob""#), "{:?}", students.body);
    // The name is theirs to change.
    let own = json!({ "display_name": "Ada" });
    let changed = world.send("api-gateway", |client, url| {
        client.patch(format!("{url}/api/v1/me")).bearer_auth(&named).json(&own)
    });
    assert_eq!(changed.await.body["display_name"], "Ada");
    assert_eq!(called(&token(Some("Ada Lovelace"), "student")).await, "Ada");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_still_open_takes_no_new_role_back() {
    let world = World::new().await;
    let (key, settings) = provider().await;
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let single = Single::new(&world, &settings).await;
    let verifier = &single.services.verifier;
    let verify = async |role: &str| {
        let mut claims = claims(&world, "auth0|ada");
        claims["school"] = json!({ "roles": [role] });
        let token = sign(Algorithm::ES256, Some("key-1"), &claims, &key);
        verifier.verify(&token).await.expect("it is valid")
    };
    let opened = verify("student").await;
    verify("teacher").await;
    // As the process that has the connection does, which looks once a minute.
    single.services.store.forget(opened.person.id);
    verifier.admit(&opened).await.expect("they are admitted");
    assert_eq!(single.count("SELECT count(*) FROM users WHERE role = 'teacher'").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_post_repeats_nothing() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let ask = async |key: &str, question: &str| {
        world
            .send("api-gateway", |client, url| {
                client
                    .post(format!("{url}/api/v1/query"))
                    .bearer_auth(&student.token)
                    .header("idempotency-key", key)
                    .json(&json!({ "question": question }))
            })
            .await
    };
    let first = ask("k1", "What is a list?").await;
    let again = ask("k1", "What is a list?").await;
    assert_eq!(first.body["id"], again.body["id"]);
    assert_eq!(first.body["answer"], again.body["answer"]);
    assert_eq!(ask("k1", "What is a set?").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_ne!(ask("k2", "What is a list?").await.body["id"], first.body["id"]);
    let register = async || {
        world
            .send("api-gateway", |client, url| {
                client
                    .post(format!("{url}/api/v1/auth/register"))
                    .header("idempotency-key", "r1")
                    .json(&json!({ "email": "bob@example.org", "password": PASSWORD, "display_name": "Bob" }))
            })
            .await
    };
    let (one, two) = (register().await, register().await);
    assert_eq!((one.status, two.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(one.body["user"]["id"], two.body["user"]["id"]);
    let count = "SELECT count(*) FROM queries WHERE student_id = $1";
    assert_eq!(world.count(count, student.id).await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_get_retry_after() {
    let settings = vec![("RATE_LIMIT_USER", "3".to_owned()), ("RATE_LIMIT_LOGIN", "2".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    for _ in 0..3 {
        assert_eq!(world.ask(&ada, "What is a list?", 20).await.status, StatusCode::OK);
    }
    let refused = world.ask(&ada, "What is a list?", 20).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: i64 =
        refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(world.ask(&bob, "What is a list?", 20).await.status, StatusCode::OK, "others may");
    world.advance(wait);
    assert_eq!(world.ask(&ada, "What is a list?", 20).await.status, StatusCode::OK, "later again");
    let body = json!({ "email": "ada@example.org", "password": "guess the password" });
    let guess = async || world.post("/auth/login", None, &body).await.status;
    assert_eq!([guess().await, guess().await, guess().await].map(|s| s.as_u16()), [401, 401, 429]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_share_a_limit() {
    let database = TestDatabase::create().await;
    let setup = |kafka: Option<&str>| Setup {
        kafka: kafka.map(str::to_owned),
        settings: vec![
            ("RATE_LIMIT_USER", "4".to_owned()),
            ("DATABASE_URL", database.url().to_owned()),
        ],
        ..Setup::default()
    };
    let mut one = World::with(setup(None)).await;
    let mut other = World::with(setup(Some(one.kafka()))).await;
    // Both begin the same window.
    let seconds = |world: &World| world.now().timestamp();
    let begin = 60 * (seconds(&one).max(seconds(&other)) / 60 + 1);
    for world in [&one, &other] {
        world.advance(begin - seconds(world));
    }
    let student = one.student("ada").await;
    let ask = async |world: &World| {
        // Instances exchange their counts several times a second.
        world.advance(1);
        world.ask(&student, "What is a list?", 20).await.status.as_u16()
    };
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.extend([ask(&one).await, ask(&other).await]);
    }
    // What one has counted, the other knows a request later.
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
    other.finish_unchecked().await;
    one.finish_unchecked().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_outlives_its_account_without_harm() {
    let world = World::new().await;
    let id = Uuid::nil().to_string();
    let token = sign(
        Algorithm::HS256,
        None,
        &claims(&world, &id),
        &EncodingKey::from_secret(JWT_SECRET.as_bytes()),
    );
    let reply = world.post("/query", Some(&token), &json!({ "question": "What is a list?" })).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{:?}", reply.body);
    assert_eq!(world.get("/me", Some(&token)).await.status, StatusCode::NOT_FOUND);
    world.finish().await;
}
