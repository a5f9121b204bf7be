//! Secrets Manager: a setting may be the ARN of a secret, so that no secret stands in a function's environment.

use aws_sdk_secretsmanager::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig},
    error::DisplayErrorContext,
};
use environment::{config::Settings, http_client};
use futures::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::Account;

/// A secret, or one member of a secret that is a JSON object: as Amazon ECS writes it,
/// `arn:<partition>:secretsmanager:<region>:<account>:secret:<name>[:<member>]`.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    arn: String,
    region: String,
    member: Option<String>,
}

impl Reference {
    /// `None`: this is a value, and no reference to one.
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let is_secret = parts.len() >= 7
            && (parts[0], parts[2], parts[5]) == ("arn", "secretsmanager", "secret");
        is_secret.then(|| Self {
            arn: parts[..7].join(":"),
            region: parts[3].to_owned(),
            member: parts.get(7).filter(|name| !name.is_empty()).map(|name| (*name).to_owned()),
        })
    }
}

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    #[error("there are no credentials of AWS")]
    NoCredentials,
    #[error("no HTTP client")]
    HttpClient(#[source] reqwest::Error),
    #[error("Secrets Manager does not give it: {0}")]
    Refused(String),
    #[error("it is not text")]
    NotText,
    #[error("it is not a JSON object with the text `{0}`")]
    NoMember(String),
}

/// Replaces each setting that is the ARN of a secret by the secret. What cannot be read is a fault of the settings.
pub async fn fill_in(settings: &mut Settings) {
    let references: Vec<(String, Reference)> = settings
        .with_prefix("arn:")
        .into_iter()
        .filter_map(|(name, value)| Some((name, Reference::parse(value.expose_secret())?)))
        .collect();
    if references.is_empty() {
        return;
    }
    let account = Account::read(settings);
    let endpoint = crate::endpoint(settings, "AWS_ENDPOINT_URL_SECRETS_MANAGER");
    let read =
        references.iter().map(|(_, reference)| read(reference, &account, endpoint.as_deref()));
    let secrets = join_all(read).await;
    for ((name, reference), secret) in references.iter().zip(secrets) {
        match secret {
            Ok(secret) => settings.set(name, secret.expose_secret()),
            Err(error) => {
                let error = environment::chain(&error);
                settings
                    .fault(format!("{name}: the secret {} cannot be used: {error}", reference.arn));
            }
        }
    }
}

async fn read(
    reference: &Reference,
    account: &Account,
    endpoint: Option<&str>,
) -> Result<SecretString, SecretError> {
    let credentials = account.credentials().ok_or(SecretError::NoCredentials)?;
    let http = http_client().map_err(SecretError::HttpClient)?;
    let mut config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(reference.region.clone()))
        .credentials_provider(credentials)
        // Many instances start at once, and may be throttled.
        .retry_config(RetryConfig::standard())
        .http_client(crate::http_client(http));
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
    }
    let client = Client::from_conf(config.build());
    let answer = client.get_secret_value().secret_id(&reference.arn).send().await;
    let answer =
        answer.map_err(|error| SecretError::Refused(DisplayErrorContext(error).to_string()))?;
    let text = answer.secret_string().ok_or(SecretError::NotText)?;
    let Some(member) = &reference.member else { return Ok(text.into()) };
    let object: Value = serde_json::from_str(text).unwrap_or_default();
    let value = object[member.as_str()].as_str();
    value.map(SecretString::from).ok_or_else(|| SecretError::NoMember(member.clone()))
}

#[cfg(test)]
mod tests {
    use environment::config::Settings;

    use super::fill_in;

    #[tokio::test]
    async fn without_credentials_no_secret_is_read() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:jwt-AbCdEf";
        let mut settings = Settings::from_pairs([("JWT_SECRET", arn)]);
        fill_in(&mut settings).await;
        let text = settings.check().unwrap_err().to_string();
        assert!(text.contains("JWT_SECRET") && text.contains("no credentials"), "{text}");
    }
}
