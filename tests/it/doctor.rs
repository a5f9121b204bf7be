//! `learnflow doctor` finds what is broken on purpose, and nothing in an installation that works.

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
};
use runner::doctor::{DoctorArguments, Finding, look};
use runtime::config::Settings;
use serde_json::json;
use testing::{HttpTarget, ModelServer, Scripted, TargetAnswer};
use tests::{JWT_SECRET, World};

/// What is found in a world with these settings, and whether a call of the model is wanted.
async fn find(world: &World, settings: &[(&str, &str)], call_model: bool) -> Vec<Finding> {
    let sockets = world.stack().url("websocket").expect("it runs").replacen("http", "ws", 1);
    find_at(world, settings, call_model, &sockets).await
}

async fn find_at(
    world: &World,
    settings: &[(&str, &str)],
    call_model: bool,
    sockets: &str,
) -> Vec<Finding> {
    let arguments = DoctorArguments {
        database_url: world.database_url().to_owned(),
        kafka: world.kafka().to_owned(),
        sockets: Some(sockets.to_owned()),
        call_model,
    };
    let mut all = vec![("JWT_SECRET", JWT_SECRET)];
    all.extend(settings.iter().copied());
    look(&arguments, Settings::from_pairs(all)).await.expect("it is not interrupted")
}

fn faults(findings: &[Finding]) -> String {
    let faults = findings.iter().filter_map(|finding| match finding {
        Finding::Fault(text) => Some(format!("fault {text}\n")),
        Finding::Warning(text) => Some(format!("warning {text}\n")),
        Finding::Fine(_) => None,
    });
    faults.collect()
}

fn assert_finds(findings: &[Finding], words: &str) {
    let faults = faults(findings);
    assert!(faults.contains(words), "not «{words}» but:\n{faults}");
}

async fn set_topic(world: &World, topic: &str, name: &str, value: &str) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", world.kafka()).create().expect("a client");
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(name, value);
    admin.alter_configs([&change], &AdminOptions::new()).await.expect("it is answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_broken_is_found_with_what_to_do() {
    let world = World::new().await;
    // The tests' own secret has words in it, there are demo accounts, and the clock stands still.
    let healthy = find(&world, &[], false).await;
    for part in ["sockets", "topics", "SNS", "model", "schema"] {
        let own = |text: &str| text.starts_with(part);
        let is_fine = healthy.iter().any(|found| matches!(found, Finding::Fine(text) if own(text)));
        assert!(is_fine, "{part}: {healthy:?}");
    }
    let silent = faults(&healthy);
    assert!(!silent.contains("never handled"), "nothing has happened yet: {silent}");
    assert_finds(&healthy, "fault secrets: JWT_SECRET can be guessed");
    assert_finds(&healthy, "warning accounts: the passwords of the demo accounts are public");

    set_topic(&world, "code.results", "cleanup.policy", "compact").await;
    set_topic(&world, "progress.events", "retention.ms", "1000").await;
    let mut conn = world.database().await;
    // A process of which nothing more is heard, with all of its events sent.
    sqlx::query("INSERT INTO writers (floor, seen_at) VALUES (9000000000, clock_timestamp() + interval '1 hour')")
        .execute(&mut conn)
        .await
        .expect("it is valid");
    let found = find(&world, &[("INGRESS_TOKEN", JWT_SECRET)], false).await;
    assert_finds(&found, "fault topics: code.results are compacted");
    assert_finds(&found, "warning topics: progress.events keep events for less than a day");
    assert_finds(&found, "of the database; find its machine");
    assert_finds(&found, "warning secrets: INGRESS_TOKEN is the same as JWT_SECRET");

    let other =
        [("JWT_SECRET", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")];
    assert_finds(&find(&world, &other, false).await, "does not accept our token");
    let found = find_at(&world, &[], false, "ws://127.0.0.1:1").await;
    assert_finds(&found, "nothing answers at ws://127.0.0.1:1");
    let gateway = world.stack().url("api-gateway").expect("it runs").replacen("http", "ws", 1);
    assert_finds(&find_at(&world, &[], false, &gateway).await, "check that it is the function");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_servers_are_asked() {
    let world = World::new().await;
    let answer = |status, body: &str| TargetAnswer::Says(status, body.to_owned());
    let error = |code: &str| {
        format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        )
    };
    let attributes = "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
                      <GetTopicAttributesResult><Attributes></Attributes></GetTopicAttributesResult>\
                      </GetTopicAttributesResponse>";
    let script = [
        answer(404, &error("NotFound")),
        answer(403, &error("ExpiredToken")),
        answer(403, &error("AuthorizationError")),
    ];
    let sns = HttpTarget::playing(script, answer(200, attributes)).await;
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let topic =
        json!({ "channel": "sns", "target": "arn:aws:sns:eu-central-1:123456789012:alerts" });
    let made = world.post("/notifications/subscriptions", Some(&admin.token), &topic).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_finds(
        &find(&world, &[], false).await,
        "there are no credentials; set AWS_ACCESS_KEY_ID",
    );
    let url = sns.url("/");
    let aws = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("AWS_ENDPOINT_URL_SNS", url.as_str()),
    ];
    for words in [
        "fault SNS: arn:aws:sns:eu-central-1:123456789012:alerts does not exist",
        "(ExpiredToken); renew AWS_ACCESS_KEY_ID",
        "warning SNS: we may not ask for",
    ] {
        assert_finds(&find(&world, &aws, false).await, words);
    }
    let found = find(&world, &aws, false).await;
    assert!(!faults(&found).contains("SNS"), "{found:?}");
    let asked = sns.requests();
    assert!(asked.iter().all(|request| !format!("{request:?}").contains("Action=Publish")));

    let sorted = "{\"agent\": \"concepts\", \"reason\": \"a word is asked for\"}";
    let script = [
        Scripted::Status(401, None),
        Scripted::Status(404, None),
        Scripted::Status(400, None),
        Scripted::Says("It is for concepts.".to_owned()),
        Scripted::Says(sorted.to_owned()),
    ];
    let model = ModelServer::playing(script).await;
    let base = model.base_url();
    let settings = [("OPENAI_BASE_URL", base.as_str()), ("OPENAI_MODEL", "m-1")];
    assert_finds(&find(&world, &settings, true).await, "refuses our key; check OPENAI_API_KEY");
    assert_finds(&find(&world, &settings, true).await, "does not know m-1; check OPENAI_MODEL");
    let found = find(&world, &settings, true).await;
    assert_finds(&found, "refuses how we ask m-1 (400 scripted); check OPENAI_ANSWER_FORMAT");
    assert_finds(&find(&world, &settings, true).await, "the answer of m-1 at");
    let found = find(&world, &settings, true).await;
    assert!(!faults(&found).contains("model:"), "{}", faults(&found));
    let away = [("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")];
    assert_finds(&find(&world, &away, false).await, "does not answer, so the offline tutor does");
    let jwks = [("JWT_SECRET", ""), ("JWT_JWKS_URL", "http://127.0.0.1:1/keys")];
    assert_finds(&find(&world, &jwks, false).await, "there are no keys at http://127.0.0.1:1/keys");
    world.finish().await;
}
