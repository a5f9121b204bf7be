//! How a cluster is reached.

use rdkafka::{ClientConfig, error::KafkaError};

/// Parts of the names of settings whose values nobody must see.
const SECRET_WORDS: [&str; 4] = ["key", "pass", "pem", "secret"];

/// What the client says where TLS is missing.
const WITHOUT_TLS: &str = "not available at build time";

/// How a cluster is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cluster {
    pub(crate) bootstrap_servers: String,
    /// Settings of librdkafka, in the order given. They may have secrets, so they are never shown.
    pub(crate) properties: Properties,
}

#[derive(Clone, Default)]
pub(crate) struct Properties(pub(crate) Vec<(String, String)>);

impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Cluster {
    /// The settings of any client.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("client.id", "lambda-poller")
            .set("reconnect.backoff.max.ms", "2000")
            .set("log.connection.close", "false");
        for (name, value) in &self.properties.0 {
            config.set(name, value);
        }
        config
    }
}

/// Why a client cannot be made. The client's own error shows the value, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// A setting is wrong.
    #[error("the Kafka client does not accept `{0}`{1}")]
    Setting(String, String),
    /// Something else.
    #[error("the Kafka client cannot start")]
    Other(#[source] KafkaError),
}

impl From<KafkaError> for ClientError {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(_, reason, name, _) => {
                let reason = if SECRET_WORDS.iter().any(|word| name.contains(word)) {
                    String::new()
                } else if reason.contains(WITHOUT_TLS) {
                    format!(": {reason}; install the program with `--features tls`")
                } else {
                    format!(": {reason}")
                };
                Self::Setting(name, reason)
            }
            other => Self::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::{error::KafkaError, types::RDKafkaConfRes};

    use super::ClientError;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let shown = |name: &str| {
            let reason = "bad value hunter2".to_owned();
            let invalid = RDKafkaConfRes::RD_KAFKA_CONF_INVALID;
            let value = "hunter2".to_owned();
            let error = KafkaError::ClientConfig(invalid, reason, name.to_owned(), value);
            ClientError::from(error).to_string()
        };
        for name in ["sasl.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"] {
            assert!(!shown(name).contains("hunter2"), "{name}");
        }
        assert_eq!(shown("acks"), "the Kafka client does not accept `acks`: bad value hunter2");
    }
}
