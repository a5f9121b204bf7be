//! How to reach Kafka, and who we are to it.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::{access_key::AccessKey, config::Settings};

/// The setting that says how connections are secured.
const PROTOCOL: &str = "KAFKA_SECURITY_PROTOCOL";

/// How to reach Kafka.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// `KAFKA_BROKERS`: `host:port`, comma-separated.
    pub brokers: String,
    /// `KAFKA_CONSUME`: whether the process runs its own consumer group (plain Kubernetes, local).
    /// Elsewhere events come by HTTP or from Lambda.
    pub consume: bool,
    /// `KAFKA_SECURITY_PROTOCOL`, and what it needs.
    pub security: KafkaSecurity,
}

impl KafkaConfig {
    /// Reads the variables above.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            brokers: settings.required("KAFKA_BROKERS", "the Kafka brokers, such as host:9092"),
            consume: settings.parsed("KAFKA_CONSUME", false),
            security: KafkaSecurity::read(settings),
        }
    }

    /// Brokers that are reached without TLS, as on this machine.
    pub fn plaintext(brokers: impl Into<String>) -> Self {
        Self { brokers: brokers.into(), consume: false, security: KafkaSecurity::Plaintext }
    }
}

/// How connections to the brokers are secured.
#[derive(Debug, Clone)]
pub enum KafkaSecurity {
    /// Not at all.
    Plaintext,
    /// By TLS: the brokers show certificates, clients show nothing.
    Tls(Authorities),
    /// By TLS, and clients show a token that is signed with credentials of AWS.
    MskIam(Authorities, MskIdentity),
}

/// Whose certificates are trusted.
#[derive(Debug, Clone)]
pub enum Authorities {
    /// Those that the operating system trusts.
    System,
    /// `KAFKA_CA_FILE`: those in a PEM file, and no others.
    File(PathBuf),
}

/// Who a client is to a cluster of MSK.
#[derive(Debug, Clone)]
pub struct MskIdentity {
    /// `AWS_REGION`: the region of the cluster.
    pub region: String,
    /// What tokens are signed with.
    pub access_key: AccessKey,
}

/// The values of `KAFKA_SECURITY_PROTOCOL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KafkaProtocol {
    /// `plaintext`.
    Plaintext,
    /// `ssl`: as all Kafka clients call TLS.
    Tls,
    /// `aws_msk_iam`.
    MskIam,
}

impl KafkaProtocol {
    /// Reads `KAFKA_SECURITY_PROTOCOL`.
    pub fn read(settings: &mut Settings) -> Self {
        settings.parsed(PROTOCOL, Self::Plaintext)
    }
}

impl fmt::Display for KafkaProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plaintext => "plaintext",
            Self::Tls => "ssl",
            Self::MskIam => "aws_msk_iam",
        })
    }
}

/// Not a value of `KAFKA_SECURITY_PROTOCOL`.
#[derive(Debug, thiserror::Error)]
#[error("it is plaintext, ssl, or aws_msk_iam (TLS with the tokens of MSK)")]
pub struct UnknownProtocol;

impl FromStr for KafkaProtocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        let all = [Self::Plaintext, Self::Tls, Self::MskIam];
        all.into_iter().find(|protocol| protocol.to_string() == text).ok_or(UnknownProtocol)
    }
}

impl KafkaSecurity {
    fn read(settings: &mut Settings) -> Self {
        let protocol = KafkaProtocol::read(settings);
        let file = settings.optional("KAFKA_CA_FILE").map(PathBuf::from);
        if protocol == KafkaProtocol::Plaintext {
            return Self::Plaintext;
        }
        if !cfg!(feature = "tls") {
            settings.fault(format!(
                "{PROTOCOL} is {protocol}, and this program was built without TLS: build it with \
                 `cargo build --features runtime/tls`"
            ));
        }
        if let Some(file) = file.as_ref().filter(|file| !file.is_file()) {
            settings.fault(format!("KAFKA_CA_FILE: there is no file {}", file.display()));
        }
        let authorities = file.map_or(Authorities::System, Authorities::File);
        if protocol == KafkaProtocol::Tls {
            return Self::Tls(authorities);
        }
        let region =
            settings.required("AWS_REGION", "the region of the MSK cluster, such as eu-central-1");
        match AccessKey::read(settings) {
            Some(access_key) => Self::MskIam(authorities, MskIdentity { region, access_key }),
            None => {
                settings.fault(format!(
                    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set: {PROTOCOL} is {protocol}, \
                     and the tokens of MSK are signed with them"
                ));
                Self::Tls(authorities)
            }
        }
    }

    /// The setting from which this was read.
    #[must_use]
    pub const fn protocol(&self) -> KafkaProtocol {
        match self {
            Self::Plaintext => KafkaProtocol::Plaintext,
            Self::Tls(_) => KafkaProtocol::Tls,
            Self::MskIam(..) => KafkaProtocol::MskIam,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KafkaConfig, KafkaProtocol, Settings};

    fn faults(pairs: &[(&str, &str)]) -> String {
        let mut settings = Settings::from_pairs(pairs.iter().copied());
        settings.set("KAFKA_BROKERS", "broker:9098");
        KafkaConfig::read(&mut settings);
        settings.check().map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn plain_connections_need_no_further_setting() {
        let mut settings = Settings::from_pairs([("KAFKA_BROKERS", "broker:9092")]);
        let config = KafkaConfig::read(&mut settings);
        settings.check().unwrap();
        assert_eq!(config.security.protocol(), KafkaProtocol::Plaintext);
    }

    #[test]
    fn a_protocol_that_nobody_knows_is_refused_with_those_that_there_are() {
        let text = faults(&[("KAFKA_SECURITY_PROTOCOL", "sasl_ssl")]);
        for word in ["KAFKA_SECURITY_PROTOCOL", "plaintext", "ssl", "aws_msk_iam"] {
            assert!(text.contains(word), "{word} in {text}");
        }
    }

    #[test]
    fn what_the_tokens_of_msk_need_is_named_at_once() {
        let iam = ("KAFKA_SECURITY_PROTOCOL", "aws_msk_iam");
        let text = faults(&[iam, ("KAFKA_CA_FILE", "/nowhere.pem")]);
        for word in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "KAFKA_CA_FILE: there is no file"] {
            assert!(text.contains(word), "{word} in {text}");
        }
        let half = faults(&[iam, ("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "AKIA")]);
        assert!(half.contains("set together") && !half.contains("AKIA"), "{half}");
    }

    #[test]
    fn a_program_without_tls_says_how_to_build_one_with_it() {
        let text = faults(&[("KAFKA_SECURITY_PROTOCOL", "ssl")]);
        assert_eq!(text.contains("cargo build --features runtime/tls"), !cfg!(feature = "tls"));
    }
}
