//! Where each setting comes from, in each way of deployment.

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A secret, which the function reads or gets when it starts.
    Secret,
    /// Whoever deploys says it, or leaves it empty for the default: a parameter of the template, a key of the config map.
    Given,
    /// The way of deployment decides it, so it stands in the template itself.
    Fixed,
    /// It is not set: it means nothing there, or the platform sets it.
    Unset,
}

use Source::{Fixed, Given, Secret, Unset};

/// A setting, its source on AWS Lambda and its source on Kubernetes.
pub type Row = (&'static str, Source, Source);

/// All settings; a test compares them with those that functions read.
pub const SETTINGS: &[Row] = &[
    ("DATABASE_URL", Secret, Secret),
    ("DATABASE_MAX_CONNECTIONS", Given, Given),
    ("KAFKA_BROKERS", Given, Given),
    // Events come from an event source mapping, a `KafkaSource` or the process's own consumer.
    ("KAFKA_CONSUME", Unset, Fixed),
    ("KAFKA_SECURITY_PROTOCOL", Given, Given),
    // MSK has certificates that every system trusts.
    ("KAFKA_CA_FILE", Unset, Given),
    ("INGRESS_TOKEN", Unset, Secret),
    ("METRICS_TOKEN", Unset, Secret),
    ("JWT_SECRET", Secret, Secret),
    ("JWT_JWKS_URL", Given, Given),
    ("JWT_ISSUER", Given, Given),
    ("JWT_AUDIENCE", Given, Given),
    ("JWT_SERVICE_AUDIENCE", Given, Given),
    ("JWT_ROLE_CLAIM", Given, Given),
    // Nothing listens under Lambda; a container listens everywhere, on the function's port.
    ("BIND_ADDRESS", Unset, Unset),
    ("PORT", Unset, Fixed),
    ("LOG_FORMAT", Given, Given),
    ("LOG_LEVEL", Given, Given),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", Given, Given),
    // The image lies beside the program in a container, and is a layer under Lambda.
    ("PYTHON_IMAGE", Fixed, Unset),
    // Lambda runs programs in a thread of the function.
    ("SANDBOX_WORKERS", Unset, Given),
    ("SANDBOX_WORKER", Unset, Unset),
    ("SANDBOX_WORKER_MEMORY_MB", Unset, Given),
    ("OPENAI_API_KEY", Secret, Secret),
    ("OPENAI_BASE_URL", Given, Given),
    ("OPENAI_MODEL", Given, Given),
    ("OPENAI_MODEL_EXPLAIN", Given, Given),
    ("OPENAI_MODEL_HINT", Given, Given),
    ("OPENAI_MODEL_REVIEW", Given, Given),
    ("OPENAI_MODEL_EXERCISE", Given, Given),
    ("OPENAI_MODEL_SOLVE", Given, Given),
    ("OPENAI_MODEL_CLASSIFY", Given, Given),
    ("OPENAI_ANSWER_FORMAT", Given, Given),
    ("OPENAI_LIMIT_FIELD", Given, Given),
    ("OPENAI_REASONING_EFFORT", Given, Given),
    ("MODEL_REASONING_TOKENS", Given, Given),
    ("MODEL_TIMEOUT_MS", Given, Given),
    ("MODEL_STUDENT_DAILY_CALLS", Given, Given),
    ("MODEL_STUDENT_DAILY_MICRO_USD", Given, Given),
    ("MODEL_DAILY_MICRO_USD", Given, Given),
    ("MODEL_PRICE_IN", Given, Given),
    ("MODEL_PRICE_OUT", Given, Given),
    ("WEBHOOK_NETWORKS", Given, Given),
    ("SMTP_URL", Secret, Secret),
    ("MAIL_FROM", Given, Given),
    ("PUBLIC_URL", Given, Given),
    // Lambda sets these itself, from the function's role.
    ("AWS_ACCESS_KEY_ID", Unset, Secret),
    ("AWS_SECRET_ACCESS_KEY", Unset, Secret),
    ("AWS_SESSION_TOKEN", Unset, Secret),
    ("AWS_REGION", Unset, Unset),
    ("AWS_ENDPOINT_URL_SNS", Given, Given),
    ("AWS_ENDPOINT_URL", Given, Given),
    // Only API Gateway holds sockets; elsewhere they are the function's own.
    ("SOCKETS_ENDPOINT_URL", Fixed, Unset),
    ("CORS_ORIGINS", Given, Given),
    // The page asks API Gateway for its sockets.
    ("SOCKETS_URL", Fixed, Given),
    // API Gateway names the client itself.
    ("TRUSTED_PROXIES", Unset, Given),
    ("PROXY_HEADER", Unset, Given),
    ("RATE_LIMIT_ADDRESS", Given, Given),
    ("RATE_LIMIT_USER", Given, Given),
    ("RATE_LIMIT_PASSWORD", Given, Given),
    ("RATE_LIMIT_LOGIN", Given, Given),
    ("RATE_LIMIT_ACCOUNT", Given, Given),
    ("SOCKETS_LIMIT", Unset, Given),
    ("SOCKETS_PER_USER", Given, Given),
    ("SOCKET_LIFE_SECONDS", Given, Given),
    ("SOCKET_PING_SECONDS", Unset, Given),
    ("SOCKET_STALL_SECONDS", Unset, Given),
];
