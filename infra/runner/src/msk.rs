//! Clusters of Amazon MSK, as its API knows them.

use anyhow::{Context, bail};
use aws::Account;
use aws_sdk_kafka::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig},
    error::{DisplayErrorContext, ProvideErrorMetadata},
    operation::get_bootstrap_brokers::GetBootstrapBrokersOutput,
};
use runtime::{config::Settings, http_client, kafka_config::KafkaProtocol};

/// The brokers of a cluster for clients that connect in this way.
pub(crate) async fn brokers(
    cluster: &str,
    protocol: KafkaProtocol,
    settings: &mut Settings,
) -> anyhow::Result<String> {
    let region = region(cluster)
        .with_context(|| format!("--msk-cluster {cluster} is not the ARN of an MSK cluster"))?;
    let account = Account::read(settings);
    settings.check()?;
    let credentials = account.credentials().context(
        "there are no credentials of AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY \
         (`eval \"$(aws configure export-credentials --format env)\"`)",
    )?;
    let mut config = aws_sdk_kafka::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::standard())
        .http_client(aws::http_client(http_client()?));
    if let Some(endpoint) = aws::endpoint(settings, "AWS_ENDPOINT_URL_KAFKA") {
        config = config.endpoint_url(endpoint);
    }
    let client = Client::from_conf(config.build());
    let found = match client.get_bootstrap_brokers().cluster_arn(cluster).send().await {
        Ok(found) => found,
        Err(error) if error.code() == Some("NotFoundException") => {
            bail!("there is no cluster {cluster}, or it belongs to another account")
        }
        Err(error) => bail!(
            "MSK does not tell the brokers of {cluster}, which `kafka:GetBootstrapBrokers` in the policy allows: {}",
            DisplayErrorContext(error)
        ),
    };
    choose(protocol, &found).map(str::to_owned).with_context(|| {
        format!(
            "the cluster is not reached by KAFKA_SECURITY_PROTOCOL={protocol}, but by {}",
            ways(&found)
        )
    })
}

/// The region in the ARN of a cluster, `arn:<partition>:kafka:<region>:<account>:cluster/<name>/<id>`.
fn region(cluster: &str) -> Option<&str> {
    let parts: Vec<&str> = cluster.split(':').collect();
    match parts[..] {
        ["arn", _, "kafka", region, _, name] if name.starts_with("cluster/") => Some(region),
        _ => None,
    }
}

/// Brokers inside the VPC; those that are reached from outside if there are no others.
fn choose(protocol: KafkaProtocol, found: &GetBootstrapBrokersOutput) -> Option<&str> {
    let (inside, outside) = match protocol {
        KafkaProtocol::Plaintext => (found.bootstrap_broker_string(), None),
        KafkaProtocol::Tls => {
            (found.bootstrap_broker_string_tls(), found.bootstrap_broker_string_public_tls())
        }
        KafkaProtocol::MskIam => (
            found.bootstrap_broker_string_sasl_iam(),
            found.bootstrap_broker_string_public_sasl_iam(),
        ),
    };
    inside.or(outside)
}

/// The values of `KAFKA_SECURITY_PROTOCOL` that this cluster knows.
fn ways(found: &GetBootstrapBrokersOutput) -> String {
    let all = [KafkaProtocol::Plaintext, KafkaProtocol::Tls, KafkaProtocol::MskIam];
    let known = all.into_iter().filter(|protocol| choose(*protocol, found).is_some());
    let known: Vec<String> = known.map(|protocol| protocol.to_string()).collect();
    if known.is_empty() { "none that we know".to_owned() } else { known.join(", ") }
}
