//! The catalogue of functions says what the functions are, and the documentation says what is in the catalogue.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use events::{Topic, question_asked::QuestionAsked};
use runner::functions::{self, FOLLOWERS, FUNCTIONS, specs};
use runtime::{
    Clock, Decide, Function, HandlerError, Host, Outgoing, Received, Services,
    config::{COMMON_SETTINGS, Settings},
    fault::Faults,
    telemetry::TelemetryConfig,
};
use sqlx::PgConnection;
use testing::{JWT_SECRET, TestDatabase, bench::BENCH};
use tests::worker_command;

/// Handles questions by doing nothing.
struct Idle;

impl Decide for Idle {
    type In = QuestionAsked;

    async fn handle(
        &self,
        _: Received<QuestionAsked>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        Ok(Outgoing::none())
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_function_is_in_the_catalogue_under_its_own_name_and_port() {
    let folders = fs::read_dir(root().join("functions")).expect("the folder of functions");
    let folders = folders.map(|entry| entry.expect("an entry").file_name().into_string());
    let folders: BTreeSet<String> = folders.map(|name| name.expect("UTF-8")).collect();
    let listed: BTreeSet<String> = specs().map(|spec| spec.name.to_owned()).collect();
    assert_eq!(listed, folders);
    let ports: BTreeMap<u16, &str> = specs().map(|spec| (spec.port, spec.name)).collect();
    assert_eq!(ports.len(), FUNCTIONS.len(), "two functions have one port: {ports:?}");
}

#[test]
fn every_topic_that_is_consumed_is_emitted_by_somebody_and_every_topic_is_used() {
    for topic in Topic::ALL {
        let is_emitted = specs().any(|spec| spec.emits.contains(topic));
        // What is given up is emitted by the runtime, for whatever function it is.
        assert!(is_emitted != (*topic == Topic::DeadLetters), "{topic:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_reads_the_settings_that_its_spec_says() {
    let database = TestDatabase::create().await;
    let mut common = Settings::from_pairs([
        ("DATABASE_URL", database.url()),
        // Nobody needs to be there.
        ("KAFKA_BROKERS", "127.0.0.1:1"),
        ("INGRESS_TOKEN", JWT_SECRET),
        ("JWT_SECRET", JWT_SECRET),
        ("BIND_ADDRESS", "127.0.0.1"),
        ("PORT", "0"),
    ]);
    TelemetryConfig::read(&mut common);
    let services = Services::start(&mut common, Clock::System, Faults::default()).await;
    let services = services.expect("services start");
    let idle = Function::new(&BENCH).decides(Idle);
    let host = Host::start(idle, &services, &mut common).await.expect("it starts");
    assert_eq!(common.asked(), BTreeSet::from(COMMON_SETTINGS.map(str::to_owned)));
    let worker = worker_command().program.display().to_string();
    for (spec, build) in FUNCTIONS {
        // With a model, since what it costs is asked for only then.
        let mut settings =
            Settings::from_pairs([("OPENAI_API_KEY", "k"), ("SANDBOX_WORKER", &worker)]);
        let function = build(&mut settings, &services);
        assert_eq!(FOLLOWERS.contains(&spec.name), function.only_follows(), "{}", spec.name);
        let mut asked = settings.asked();
        asked.retain(|name| !COMMON_SETTINGS.contains(&name.as_str()));
        let said: BTreeSet<String> = spec.settings.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(asked, said, "{}", spec.name);
    }
    host.stop().await;
    services.stop().await;
    database.remove().await;
}

#[test]
fn the_readme_describes_every_setting_and_no_other() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let section = readme.split("## Settings").nth(1).expect("the README has settings");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let described: BTreeSet<&str> = rows
        .flat_map(|row| row.split(" | ").next().unwrap_or_default().split('`'))
        .filter(|part| part.contains(|c: char| c.is_ascii_uppercase()))
        .collect();
    assert_eq!(described, functions::settings());
}

#[test]
fn the_tables_in_docs_are_those_of_the_catalogue() {
    let shown = fs::read_to_string(root().join("docs/functions.md")).expect("docs/functions.md");
    assert!(
        shown == functions::markdown(),
        "make it again with `cargo run -- functions > docs/functions.md`"
    );
}
