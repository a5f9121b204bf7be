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

/// Where Secrets Manager is, if not in the region of the secret: the variable of all SDKs.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_SECRETS_MANAGER";

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
    let endpoint = settings.optional(ENDPOINT);
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
    use axum::{
        Json, Router,
        body::Bytes,
        http::{HeaderMap, StatusCode},
        routing::post,
    };
    use environment::config::Settings;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use super::{ENDPOINT, fill_in};

    const PREFIX: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:";

    /// Answers as Secrets Manager does, to requests that are signed for the region of the secret.
    async fn answer(headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-amz-target"), "secretsmanager.GetSecretValue");
        assert!(header("authorization").contains("/eu-central-1/secretsmanager/aws4_request"));
        let wanted: Value = serde_json::from_slice(&body).unwrap();
        let secret = match wanted["SecretId"].as_str().unwrap().strip_prefix(PREFIX) {
            Some("database-AbCdEf") => r#"{"url": "postgres://db/learnflow"}"#,
            Some("jwt-AbCdEf") => "a secret that signs tokens",
            _ => {
                let error =
                    json!({ "__type": "ResourceNotFoundException", "Message": "not there" });
                return (StatusCode::BAD_REQUEST, Json(error));
            }
        };
        (StatusCode::OK, Json(json!({ "ARN": wanted["SecretId"], "SecretString": secret })))
    }

    async fn filled(pairs: &[(&str, &str)]) -> Settings {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let served = axum::serve(listener, Router::new().route("/", post(answer)));
        let server = tokio::spawn(served.into_future());
        let mut all = vec![(ENDPOINT, address.as_str())];
        all.extend(pairs);
        let mut settings = Settings::from_pairs(all);
        fill_in(&mut settings).await;
        server.abort();
        settings
    }

    const CREDENTIALS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "key")];

    #[tokio::test]
    async fn an_arn_is_replaced_by_the_secret_and_nothing_else_is() {
        let (database, jwt) =
            (format!("{PREFIX}database-AbCdEf:url"), format!("{PREFIX}jwt-AbCdEf::"));
        let topic = "arn:aws:sns:eu-central-1:123456789012:alerts";
        let mut pairs = vec![("DATABASE_URL", &*database), ("JWT_SECRET", &*jwt), ("TOPIC", topic)];
        pairs.extend(CREDENTIALS);
        let mut settings = filled(&pairs).await;
        settings.check().unwrap();
        let value = |name: &str| settings.optional(name).unwrap();
        assert_eq!(value("DATABASE_URL"), "postgres://db/learnflow");
        assert_eq!(value("JWT_SECRET"), "a secret that signs tokens");
        assert_eq!(value("TOPIC"), topic);
    }

    #[tokio::test]
    async fn every_secret_that_cannot_be_used_is_named_and_none_is_shown() {
        let (missing, wrong) = (format!("{PREFIX}x-AbCdEf"), format!("{PREFIX}jwt-AbCdEf:key"));
        let mut pairs = vec![("DATABASE_URL", &*missing), ("JWT_SECRET", &*wrong)];
        pairs.extend(CREDENTIALS);
        let text = filled(&pairs).await.check().unwrap_err().to_string();
        assert!(text.contains("DATABASE_URL") && text.contains("not there"), "{text}");
        assert!(text.contains("JWT_SECRET") && text.contains("`key`"), "{text}");
        assert!(!text.contains("signs"), "{text}");
        let text = filled(&[("JWT_SECRET", &*wrong)]).await.check().unwrap_err().to_string();
        assert!(text.contains("no credentials"), "{text}");
    }
}
