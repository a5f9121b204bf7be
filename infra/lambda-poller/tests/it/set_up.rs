//! Templates, clusters, and what is said when something is wrong with them.

use std::{net::SocketAddr, process::Command};

use clap::Parser;
use lambda_poller::{Arguments, Running};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::world::{Function, TOPIC, World, arguments, request, soon};

const TEMPLATE: &str = r"
Parameters:
  Topic: {Type: String}
Globals:
  Function: {Timeout: 30}
Resources:
  Cluster: {Type: AWS::MSK::Cluster}
  Triage:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: triage}}
    Properties:
      Events:
        Questions:
          Type: MSK
          Properties:
            Stream: !GetAtt Cluster.Arn
            Topics: [!Ref Topic]
            MaximumBatchingWindowInSeconds: 0
            FunctionResponseTypes: [ReportBatchItemFailures]
  Second:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Questions:
          Type: SelfManagedKafka
          Properties:
            Topics: [!Sub '${Topic}-other']
            KafkaBootstrapServers: [b-1.example.com:9092]
            MaximumBatchingWindowInSeconds: 0
";

fn program(words: &[&str]) -> (bool, String, String) {
    let program = env!("CARGO_BIN_EXE_lambda-poller");
    let output = Command::new(program).args(words).output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn written(world: &World, text: &str) -> String {
    let path = world.path("template.yaml");
    std::fs::write(&path, text).expect("it can be written");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mappings_of_a_template_work_apart_from_each_other() {
    let mut world = World::new(1).await;
    let template = written(&world, TEMPLATE);
    let parameter = format!("Topic={TOPIC}");
    let flags = ["--template", &template, "--parameter", &parameter];
    world.start_with(&flags).await;
    world.send(0, "a").await;
    let invocation = world.function.next().await;
    assert_eq!(invocation.function, "triage");
    assert_eq!(invocation.event["eventSource"], "aws:kafka");
    invocation.answer("null");
    // The second topic does not exist yet: that is said, and the first mapping goes on.
    let views = world.lanes_when(|views| views[0]["trouble"].is_string()).await;
    assert_eq!(views[0]["trouble"], "the cluster has no topic `questions-1-other`");
    world.send(0, "b").await;
    world.function.expect(&["0@1"]).await.answer("null");
    world.make_topic("questions-1-other", 1).await;
    world.send_record("questions-1-other", 0, None, Some("c"), &[], None).await;
    let invocation = world.function.next().await;
    assert_eq!(invocation.function, "Second");
    assert_eq!(invocation.event["bootstrapServers"], "b-1.example.com:9092");
    invocation.answer("null");
    world.lanes_when(|views| views[0]["trouble"].is_null()).await;
    world.stop().await;
    world.start_with(&[&flags[..], &["--only", "TriageQuestions"]].concat()).await;
    let views = world.lanes_when(|views| views[0]["lanes"][0]["position"] == 2).await;
    assert_eq!(views.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_template_are_listed_at_once_with_their_places() {
    let world = World::new(1).await;
    let bad = TEMPLATE.replace("Stream:", "Strema:").replace("[b-1.example.com:9092]", "!Ref X");
    let template = written(&world, &bad);
    let (is_good, _, error) = program(&["check", "--template", &template]);
    assert!(!is_good);
    for part in [
        "the mappings have 5 fault(s)",
        "template.yaml:17: Resources.Triage.Properties.Events.Questions.Properties.Topics: `Topic` is neither",
        "template.yaml:16: Resources.Triage.Properties.Events.Questions.Properties.Strema: unknown property; is Stream meant?",
        "Events.Questions.Properties.Stream: is missing",
        "template.yaml:28: Resources.Second.Properties.Events.Questions.Properties.KafkaBootstrapServers: `X` is neither",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_can_be_checked_without_a_cluster() {
    let world = World::new(1).await;
    let template = written(&world, TEMPLATE);
    let (is_good, text, _) = program(&["check", "--template", &template, "--parameter", "Topic=q"]);
    assert!(is_good && text.starts_with("TriageQuestions: q -> triage\n"), "{text}");
}

#[test]
fn what_is_missing_on_the_command_line_is_said() {
    let (is_good, _, error) = program(&["run", "--topic", "t", "--function", "f"]);
    assert!(!is_good && error.contains("--bootstrap-servers HOST:PORT, or --broker"), "{error}");
    let (is_good, _, error) = program(&["run", "--broker"]);
    assert!(!is_good && error.contains("--topic"), "{error}");
    let words = ["run", "--broker", "--topic", "t", "--function", "f", "--batch-size", "0"];
    let (is_good, _, error) = program(&words);
    assert!(!is_good && error.contains("flags.BatchSize: must be 1 to 10000, not `0`"), "{error}");
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_broker_is_built_in_and_keeps_its_data() {
    let mut function = Function::start().await;
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let data = folder.path().display().to_string();
    for round in 0..2 {
        let words = [
            "poller",
            "run",
            "--topic",
            "t",
            "--function",
            "f",
            "--broker",
            &data,
            "--broker-address",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
            "--endpoint",
            &function.endpoint,
            "--partitions",
            "1",
            "--maximum-batching-window-in-seconds",
            "0",
            "--on-failure",
            "kafka://failures",
        ];
        let cli = Cli::try_parse_from(words).expect("arguments");
        let run = cli.arguments.as_run().expect("it is `run`");
        let poller = Running::start(run).await.expect("it starts");
        let servers = poller.bootstrap_servers().to_owned();
        let words = [
            "send",
            "t",
            "hello",
            "--key",
            "k",
            "--header",
            "h=v",
            "--bootstrap-servers",
            &servers,
        ];
        lambda_poller::run(arguments(&words)).await.expect("it is sent");
        let invocation = function.next().await;
        assert_eq!(invocation.places(), [format!("0@{round}")]);
        assert_eq!(invocation.event["records"]["t-0"][0]["headers"], json!([{"h": [118]}]));
        invocation.answer("null");
        soon("end", poller.stop()).await;
    }
}

/// A broker that knows nobody: it answers the questions that come before, then refuses the password.
async fn refusing_broker() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u32().await {
                    let mut request = vec![0; usize::try_from(length).expect("a length")];
                    stream.read_exact(&mut request).await.expect("the whole request");
                    let mut answer = request[4..8].to_vec();
                    answer.extend(match i16::from_be_bytes([request[0], request[1]]) {
                        // The versions that this one knows are asked for in the oldest form only.
                        18 if request[3] > 0 => [0, 35, 0, 0, 0, 0].to_vec(),
                        18 => [
                            &[0, 0, 0, 0, 0, 3][..],
                            &[0, 17, 0, 0, 0, 1],
                            &[0, 18, 0, 0, 0, 0],
                            &[0, 36, 0, 0, 0, 0],
                        ]
                        .concat(),
                        // Mechanisms: PLAIN.
                        17 => [&[0, 0, 0, 0, 0, 1, 0, 5][..], b"PLAIN"].concat(),
                        // The password is wrong.
                        _ => [&[0, 58, 0, 12][..], b"wrong secret", &[0, 0, 0, 0]].concat(),
                    });
                    let size = u32::try_from(answer.len()).expect("a size");
                    let written = async {
                        stream.write_u32(size).await?;
                        stream.write_all(&answer).await
                    };
                    if written.await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_said_without_the_password() {
    crate::world::log();
    let servers = refusing_broker().await.to_string();
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let secrets = folder.path().join("kafka.properties");
    std::fs::write(&secrets, "# local\nsasl.password=hunter2\n").expect("it can be written");
    let secrets = secrets.display().to_string();
    let words = [
        "run",
        "--topic",
        "t",
        "--function",
        "f",
        "--bootstrap-servers",
        &servers,
        "--control",
        "127.0.0.1:0",
        "--kafka-property",
        "security.protocol=SASL_PLAINTEXT",
        "--kafka-property",
        "sasl.mechanism=PLAIN",
        "--kafka-property",
        "sasl.username=me",
        "--kafka-properties",
        &secrets,
    ];
    let arguments = arguments(&words);
    let poller = Running::start(arguments.as_run().expect("it is `run`")).await;
    let poller = poller.expect("it starts");
    let control = poller.control().expect("it has one");
    let said = async {
        loop {
            let (_, text) = request(control, "lanes", None).await;
            let views: Value = serde_json::from_str(&text).expect("JSON");
            let trouble = views[0]["trouble"].as_str().unwrap_or_default().to_owned();
            if trouble.contains("uthentication") {
                return trouble;
            }
        }
    };
    let said = soon("word of the credentials", said).await;
    assert!(said.contains("wrong secret") && !said.contains("hunter2"), "{said}");
    assert!(!format!("{poller:?}").contains("hunter2"));
    soon("end", poller.stop()).await;
}

#[test]
fn a_setting_that_kafkas_client_does_not_know_is_refused() {
    let words = [
        "run",
        "--topic",
        "t",
        "--function",
        "f",
        "--bootstrap-servers",
        "127.0.0.1:1",
        "--control",
        "off",
        "--kafka-property",
        "sasl.pasword=hunter2",
    ];
    let (is_good, _, error) = program(&words);
    assert!(!is_good && error.contains("sasl.pasword") && !error.contains("hunter2"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_mapping_begins_paused() {
    let mut world = World::new(1).await;
    let disabled = TEMPLATE
        .replace("Topics: [!Ref Topic]", "Topics: [!Ref Topic]\n            Enabled: false");
    let template = written(&world, &disabled);
    let parameter = format!("Topic={TOPIC}");
    world.send(0, "a").await;
    let flags = ["--template", &template, "--parameter", &parameter, "--only", "TriageQuestions"];
    world.start_with(&flags).await;
    let views = world.lanes_when(|views| views[0]["lanes"][0]["waiting"] == 1).await;
    assert_eq!(views[0]["lanes"][0]["is_paused"], true);
    world.function.is_quiet().await;
}
