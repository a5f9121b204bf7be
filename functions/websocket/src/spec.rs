//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Spec};

/// Topics whose events are delivered. `storage` and an index of the database name the same ones.
pub(crate) const DELIVERED: &[Topic] =
    &[Topic::CodeResults, Topic::LearningResponses, Topic::NotificationsMade];

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "websocket",
    purpose: "Delivers answers, results and alerts to open sockets as they come, and accepts questions there.",
    port: 8108,
    consumes: DELIVERED,
    emits: &[Topic::LearningRequests],
    http: Http::Public,
    migrates: false,
    timeout: Duration::from_secs(30),
    memory_mb: 256,
    schedules: &[],
    settings: &[
        "CORS_ORIGINS",
        "TRUSTED_PROXIES",
        "PROXY_HEADER",
        "RATE_LIMIT_ADDRESS",
        "RATE_LIMIT_USER",
        "SOCKETS_LIMIT",
        "SOCKETS_PER_USER",
        "SOCKET_LIFE_SECONDS",
        "SOCKET_PING_SECONDS",
        "SOCKET_STALL_SECONDS",
    ],
};

/// The function's name.
pub(crate) const NAME: &str = SPEC.name;
