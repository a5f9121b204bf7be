//! Configuration: the environment, read once into one typed struct for each concern.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use parking_lot::Mutex;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The shortest secret: as long as the hash that signs with one (RFC 7518, 3.2).
pub const SECRET_MIN_BYTES: usize = 32;

/// Everything that is wrong with the environment, one line each.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} fault(s):\n  - {}", .0.len(), .0.join("\n  - "))]
pub struct ConfigError(Vec<String>);

/// A variable that only AWS Lambda sets.
const LAMBDA: &str = "AWS_LAMBDA_RUNTIME_API";

/// The settings of every function; each has further ones of its own.
pub const COMMON_SETTINGS: [&str; 19] = [
    "DATABASE_URL",
    "DATABASE_MAX_CONNECTIONS",
    "KAFKA_BROKERS",
    "KAFKA_CONSUME",
    "KAFKA_SECURITY_PROTOCOL",
    "KAFKA_CA_FILE",
    "INGRESS_TOKEN",
    "METRICS_TOKEN",
    "JWT_SECRET",
    "JWT_JWKS_URL",
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "JWT_SERVICE_AUDIENCE",
    "JWT_ROLE_CLAIM",
    "BIND_ADDRESS",
    "PORT",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// The environment, with the faults found in it so far.
#[derive(Debug)]
pub struct Settings {
    variables: BTreeMap<String, SecretString>,
    faults: Vec<String>,
    /// Names that were read.
    asked: Mutex<BTreeSet<String>>,
}

impl Settings {
    /// The process's own environment.
    #[must_use]
    pub fn from_process() -> Self {
        Self::from_pairs(std::env::vars())
    }

    /// Named values, for the local runner and tests. A later pair replaces an earlier one.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables =
            pairs.into_iter().map(|(name, value)| (name.into(), value.into().into())).collect();
        Self { variables, faults: Vec::new(), asked: Mutex::default() }
    }

    fn get(&self, name: &str) -> Option<&str> {
        if name != LAMBDA {
            self.asked.lock().insert(name.to_owned());
        }
        self.variables.get(name).map(ExposeSecret::expose_secret).filter(|text| !text.is_empty())
    }

    /// Whether the process is an AWS Lambda function.
    #[must_use]
    pub fn is_lambda(&self) -> bool {
        self.get(LAMBDA).is_some()
    }

    /// The names of all settings that were read, whether set or not.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().clone()
    }

    /// An optional variable.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// A required variable; `purpose` says in the error message what it is for.
    pub fn required(&mut self, name: &str, purpose: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.faults.push(format!("{name} is not set: {purpose}"));
            String::new()
        })
    }

    /// An optional secret.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.get(name).map(SecretString::from)
    }

    /// The variables whose value begins like this, whoever reads them.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Vec<(String, SecretString)> {
        let all = self.variables.iter();
        all.filter(|(_, value)| value.expose_secret().starts_with(prefix))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Replaces a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.variables.insert(name.into(), value.into().into());
    }

    /// An optional secret that grants access and must not be guessed: at least [`SECRET_MIN_BYTES`] long.
    pub fn strong_secret(&mut self, name: &str) -> Option<SecretString> {
        let secret = self.secret(name)?;
        if secret.expose_secret().len() < SECRET_MIN_BYTES {
            self.fault(format!("{name} is too short: at least {SECRET_MIN_BYTES} bytes"));
        }
        Some(secret)
    }

    /// A variable with a type and a default.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> T {
        match self.get(name).map(str::parse) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                self.faults.push(format!("{name} is not usable: {error}"));
                default
            }
        }
    }

    /// A comma-separated list; absent means empty.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.get(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// Adds a fault that only the caller can see.
    pub fn fault(&mut self, text: impl Into<String>) {
        self.faults.push(text.into());
    }

    /// All faults, if there are any.
    ///
    /// # Errors
    /// At least one variable is missing or unusable.
    pub fn check(&mut self) -> Result<(), ConfigError> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(ConfigError(std::mem::take(&mut self.faults)))
        }
    }
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `DATABASE_URL`: a `postgres://` address.
    pub url: SecretString,
    /// `DATABASE_MAX_CONNECTIONS`: the pool's bound, for each process.
    pub max_connections: u32,
}

impl DatabaseConfig {
    /// Reads the variables above.
    pub fn read(settings: &mut Settings) -> Self {
        let purpose = "the PostgreSQL server, such as postgres://user:password@host/learnflow";
        Self {
            url: settings.required("DATABASE_URL", purpose).into(),
            max_connections: settings.parsed("DATABASE_MAX_CONNECTIONS", 10),
        }
    }
}

/// A shared secret that callers send.
#[derive(Debug, Clone)]
pub struct SharedSecret(SecretString);

impl SharedSecret {
    /// `INGRESS_TOKEN`: allows callers to deliver events by HTTP. Required where events come that way, also on
    /// loopback: public services are often behind a proxy on the same machine.
    pub fn of_ingress(settings: &mut Settings) -> Option<Self> {
        let secret = settings.strong_secret("INGRESS_TOKEN");
        if secret.is_none() {
            settings.fault(
                "INGRESS_TOKEN is not set: where KAFKA_CONSUME is not true, events come by HTTP, and only \
                 callers with this secret may deliver them (ce-ingresstoken of a KafkaSource, dapr-api-token of Dapr)",
            );
        }
        secret.map(Self)
    }

    /// `METRICS_TOKEN`: allows callers to read the metrics.
    pub fn of_metrics(settings: &mut Settings) -> Option<Self> {
        settings.strong_secret("METRICS_TOKEN").map(Self)
    }

    /// Whether this is the secret; the comparison's time reveals nothing but the length.
    pub fn is(&self, shown: &[u8]) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(shown).into()
    }
}

/// Where to listen.
#[derive(Debug, Clone, Copy)]
pub struct HttpConfig {
    /// `BIND_ADDRESS`: by default all interfaces, as containers need it.
    pub address: IpAddr,
    /// `PORT`: by default the function's own port.
    pub port: u16,
}

impl HttpConfig {
    /// Reads the variables above.
    pub fn read(settings: &mut Settings, default_port: u16) -> Self {
        Self {
            address: settings.parsed("BIND_ADDRESS", IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            port: settings.parsed("PORT", default_port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DatabaseConfig, HttpConfig, Settings};
    use crate::kafka_config::KafkaConfig;

    #[test]
    fn all_faults_are_listed_at_once_and_no_value_is_shown() {
        let mut settings = Settings::from_pairs([
            ("PORT", "eighty"),
            ("KAFKA_CONSUME", "s3cret"),
            ("KAFKA_BROKERS", ""),
        ]);
        DatabaseConfig::read(&mut settings);
        KafkaConfig::read(&mut settings);
        HttpConfig::read(&mut settings, 8100);
        let text = settings.check().unwrap_err().to_string();
        assert!(text.starts_with("the configuration has 4 fault(s):"), "{text}");
        for name in ["DATABASE_URL", "KAFKA_BROKERS", "KAFKA_CONSUME", "PORT"] {
            assert!(text.contains(name), "{name} in {text}");
        }
        assert!(!text.contains("s3cret"), "{text}");
    }
}
