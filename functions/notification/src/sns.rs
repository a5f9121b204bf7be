//! Amazon SNS.

use aws::Account;
use aws_sdk_sns::{
    Client,
    config::{BehaviorVersion, Region, SharedHttpClient, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::publish::PublishError,
    types::MessageAttributeValue,
};
use domain::notification::TopicArn;
use runtime::config::Settings;
use storage::deliveries::Job;

use crate::{retry::Failure, webhook::Payload, words::shortened};

/// Most characters of a subject.
const MAX_SUBJECT: usize = 100;

/// How to reach SNS.
#[derive(Debug, Clone)]
pub(crate) struct SnsConfig {
    account: Account,
    /// `AWS_ENDPOINT_URL_SNS`: another server with the same API.
    endpoint: Option<String>,
}

impl SnsConfig {
    /// Reads the variables above.
    pub(crate) fn read(settings: &mut Settings) -> Self {
        let endpoint = aws::endpoint(settings, "AWS_ENDPOINT_URL_SNS");
        Self { account: Account::read(settings), endpoint }
    }
}

/// What is known of a topic of SNS without publishing to it. Whether one may publish, only publishing tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnsTopic {
    /// There are no credentials to ask with.
    NoCredentials,
    /// It exists, and the credentials are valid.
    There,
    /// It does not exist.
    Missing,
    /// The request was refused, with this code: `AuthorizationError` if it is not allowed to ask, `ExpiredToken`, …
    Refused(String),
    /// Nothing answers, or not as SNS does.
    Unreachable,
}

/// Publishes to topics of SNS.
#[derive(Debug)]
pub(crate) struct Sns {
    config: SnsConfig,
    http: SharedHttpClient,
}

impl Sns {
    pub(crate) fn new(config: SnsConfig, http: reqwest::Client) -> Self {
        Self { config, http: aws::http_client(http) }
    }

    fn client(&self, topic: &TopicArn) -> Option<Client> {
        let credentials = self.config.account.credentials()?;
        let mut config = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(topic.region().to_owned()))
            .credentials_provider(credentials)
            // We retry over days.
            .retry_config(RetryConfig::disabled())
            .http_client(self.http.clone());
        if let Some(endpoint) = &self.config.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Some(Client::from_conf(config.build()))
    }

    /// Asks for a topic, without publishing to it.
    pub(crate) async fn look(&self, topic: &TopicArn) -> SnsTopic {
        let Some(client) = self.client(topic) else { return SnsTopic::NoCredentials };
        match client.get_topic_attributes().topic_arn(topic.as_str()).send().await {
            Ok(_) => SnsTopic::There,
            Err(error) => match error.code() {
                Some("NotFound" | "NotFoundException") => SnsTopic::Missing,
                Some(code) => SnsTopic::Refused(code.to_owned()),
                None => SnsTopic::Unreachable,
            },
        }
    }

    /// Publishes a message.
    pub(crate) async fn publish(
        &self,
        topic: &TopicArn,
        job: &Job,
    ) -> Result<Option<u16>, Failure> {
        let for_good = |reason: String| Failure { reason, is_final: true, ..Failure::default() };
        let client = self
            .client(topic)
            .ok_or_else(|| for_good("this installation has no credentials of AWS".to_owned()))?;
        let payload = Payload::from(&job.message);
        let body = serde_json::to_string(&payload).map_err(|error| for_good(error.to_string()))?;
        let attribute = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build()
        };
        let (Ok(kind), Ok(severity)) =
            (attribute(payload.kind), attribute(job.message.severity.as_str()))
        else {
            return Err(for_good("an attribute of the message is malformed".to_owned()));
        };
        let published = client
            .publish()
            .topic_arn(topic.as_str())
            .subject(subject(&job.message.title))
            .message(body)
            .message_attributes("type", kind)
            .message_attributes("severity", severity)
            .send();
        published.await.map(|_published| Some(200)).map_err(|error| failure(&error))
    }
}

/// A subject of printable ASCII, as SNS demands.
fn subject(title: &str) -> String {
    let printable: String =
        title.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect();
    shortened(&printable, MAX_SUBJECT).replace('…', ".")
}

/// Errors that another attempt does not change.
const FINAL: [&str; 6] = [
    "NotFound",
    "NotFoundException",
    "InvalidParameter",
    "InvalidParameterException",
    "ParameterValueInvalid",
    "EndpointDisabled",
];

fn failure(error: &SdkError<PublishError>) -> Failure {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let reason = match error.code() {
        Some(code) => format!("SNS answered {code}"),
        None if status.is_some() => "SNS gave an answer that is not understood".to_owned(),
        None => "SNS cannot be reached".to_owned(),
    };
    // Of the topic or the message itself. Keys that have ended, rights that are missing and clocks that differ are put
    // right by whoever runs this.
    let is_final = error.code().is_some_and(|code| FINAL.contains(&code));
    Failure { reason, status, is_final, ..Failure::default() }
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn a_subject_is_printable_ascii() {
        assert_eq!(subject("Needs help with Lists"), "Needs help with Lists");
        assert_eq!(subject("Größe\nBcc: x"), "Gr??e?Bcc: x");
        assert_eq!(subject(&"x".repeat(300)).len(), 100);
        assert!(subject(&"é".repeat(300)).is_ascii());
    }
}
