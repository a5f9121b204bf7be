//! Clusters that are reached by TLS: Apache Kafka with certificates of its own authority, and a listener that checks
//! tokens as MSK does, before the local broker.
//!
//! `cargo test -p runtime --features tls --test tls`

mod msk_listener;
mod token_check;

use runtime::{
    cluster,
    config::Settings,
    kafka,
    kafka_config::{KafkaConfig, KafkaProtocol},
};
use testing::{ApacheKafka, Certificates};

use self::msk_listener::MskListener;

/// What an operator would set.
fn config(brokers: &str, pairs: &[(&str, &str)]) -> KafkaConfig {
    let mut settings = Settings::from_pairs([("KAFKA_BROKERS", brokers)]);
    for (name, value) in pairs {
        settings.set(*name, *value);
    }
    let config = KafkaConfig::read(&mut settings);
    settings.check().expect("these settings are fine");
    config
}

/// The names of the topics, as a client finds them.
async fn topics(config: &KafkaConfig) -> Result<Vec<String>, String> {
    let config = config.clone();
    let looked = tokio::task::spawn_blocking(move || cluster::topics(&config)).await;
    let topics = looked.expect("it does not panic").map_err(|error| error.to_string())?;
    Ok(topics.into_iter().map(|topic| topic.name).collect())
}

/// Every kind of client connects: one that administers, one that looks, one that sends.
async fn assert_every_client_gets_in(config: &KafkaConfig) {
    kafka::create_topics(config, kafka::Replicas::ONE).await.expect("the topics are made");
    let topics = topics(config).await.expect("they are listed");
    assert!(topics.iter().any(|topic| topic == "learning.requests"), "{topics:?}");
    let producer = kafka::Producer::new(config).expect("a producer");
    testing::eventually("the producer is connected", async || {
        producer.is_connected().await.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apache_kafka_is_reached_by_tls_if_its_authority_is_trusted() {
    let certificates = Certificates::issue();
    let Some(kafka) =
        ApacheKafka::start_with_tls(&certificates.identity()).await.expect("it starts")
    else {
        return;
    };
    let authority = certificates.authority();
    let tls = ("KAFKA_SECURITY_PROTOCOL", "ssl");
    let trusting = config(&kafka.tls_brokers(), &[tls, ("KAFKA_CA_FILE", &authority)]);
    assert_every_client_gets_in(&trusting).await;
    topics(&config(&kafka.tls_brokers(), &[tls])).await.expect_err("nobody knows this authority");
    topics(&config(&kafka.tls_brokers(), &[])).await.expect_err("it wants TLS");
}

/// The settings under which Lambda runs a function.
fn of_msk<'a>(authority: &'a str, secret: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("KAFKA_SECURITY_PROTOCOL", "aws_msk_iam"),
        ("KAFKA_CA_FILE", authority),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SESSION_TOKEN", "a/session+token=="),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn msk_lets_in_whoever_signs_with_the_right_key() {
    let certificates = Certificates::issue();
    let listener = MskListener::start(&certificates, "AKIAEXAMPLE", "the right key").await;
    let authority = certificates.authority();
    let right = config(&listener.brokers(), &of_msk(&authority, "the right key"));
    assert_eq!(right.security.protocol(), KafkaProtocol::MskIam);
    assert_every_client_gets_in(&right).await;
    assert!(listener.refusals().is_empty(), "{:?}", listener.refusals());

    let wrong = config(&listener.brokers(), &of_msk(&authority, "another key"));
    topics(&wrong).await.expect_err("the signature is wrong");
    kafka::create_topics(&wrong, kafka::Replicas::ONE).await.expect_err("the signature is wrong");
    let refusals = listener.refusals();
    assert!(refusals.iter().all(|refusal| refusal == "another signature"), "{refusals:?}");
    assert!(!refusals.is_empty());
}
