//! `learnflow topics`, as an operator uses it on a cluster of MSK.

use std::{net::Ipv4Addr, process::Output};

use local_broker::Broker;
use runtime::{cluster, kafka_config::KafkaConfig};
use serde_json::json;
use tempfile::TempDir;
use testing::MskApi;
use tokio::process::Command;

const CLUSTER: &str = "arn:aws:kafka:eu-central-1:123456789012:cluster/learnflow/7c6a-2";

async fn learnflow(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_learnflow"));
    command.arg("topics").args(arguments).env_clear().envs(variables.iter().copied());
    command.output().await.expect("it runs")
}

fn error(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_made_on_the_brokers_that_msk_names() {
    let dir = TempDir::new().expect("a folder");
    let broker = Broker::start(dir.path(), (Ipv4Addr::LOCALHOST, 0).into())
        .await
        .expect("the broker starts");
    let brokers = broker.address().to_string();
    let api = MskApi::start(
        CLUSTER,
        json!({ "bootstrapBrokerString": brokers, "bootstrapBrokerStringSaslIam": "127.0.0.1:9" }),
    )
    .await;
    let endpoint = api.endpoint();
    let variables = [
        ("AWS_ENDPOINT_URL_KAFKA", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        // Whoever names a cluster means that one.
        ("KAFKA_BROKERS", "127.0.0.1:9"),
    ];
    let made = learnflow(&["--msk-cluster", CLUSTER, "--replicas", "1"], &variables).await;
    assert!(made.status.success(), "{made:?}");
    let looked = tokio::task::spawn_blocking(move || {
        cluster::topics(&KafkaConfig::plaintext(brokers)).expect("the broker answers")
    });
    let topics = looked.await.expect("it does not panic");
    assert!(topics.iter().any(|topic| topic.name == "learning.requests"), "{topics:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_the_brokers_from_being_found_is_said() {
    let api = MskApi::start(CLUSTER, json!({ "bootstrapBrokerStringSaslIam": "b-1:9098" })).await;
    let endpoint = api.endpoint();
    let mut variables = vec![("AWS_ENDPOINT_URL", endpoint.as_str())];
    let text = error(&learnflow(&["--msk-cluster", CLUSTER], &variables).await);
    assert!(text.contains("AWS_ACCESS_KEY_ID"), "{text}");

    variables.extend([("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "key")]);
    let unknown = CLUSTER.replace("learnflow", "another");
    let text = error(&learnflow(&["--msk-cluster", &unknown], &variables).await);
    assert!(text.contains(&format!("there is no cluster {unknown}")), "{text}");

    let text = error(&learnflow(&["--msk-cluster", "learnflow"], &variables).await);
    assert!(text.contains("learnflow is not the ARN of an MSK cluster"), "{text}");

    let text = error(&learnflow(&["--msk-cluster", CLUSTER], &variables).await);
    assert!(text.contains("KAFKA_SECURITY_PROTOCOL=plaintext, but by aws_msk_iam"), "{text}");

    let text = error(&learnflow(&["--msk-cluster", CLUSTER, "--replicas", "0"], &variables).await);
    assert!(text.contains("--replicas") && text.contains("from 1 to 7"), "{text}");
}
