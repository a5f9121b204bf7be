//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Schedule, Spec};

/// Topics whose events say that there may be something to be sent. `storage` and an index of the database name those
/// whose events are: all but the last, which is the function's own.
pub(crate) const FOLLOWED: &[Topic] = &[
    Topic::CodeResults,
    Topic::LearningResponses,
    Topic::NotificationsMade,
    Topic::SocketsConnections,
];

/// How often we look for connections that are due: as often as schedules of AWS can be.
pub(crate) const DUE_CONNECTIONS: Schedule =
    Schedule { name: "due-connections", every: Duration::from_secs(60) };

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "websocket",
    purpose: "Delivers answers, results and alerts to open sockets as they come, and accepts questions there.",
    port: 8108,
    consumes: FOLLOWED,
    emits: &[Topic::LearningRequests, Topic::SocketsConnections],
    http: Http::Public,
    migrates: false,
    timeout: Duration::from_secs(30),
    memory_mb: 256,
    schedules: &[DUE_CONNECTIONS],
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
        "SOCKETS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ],
};

/// The function's name.
pub(crate) const NAME: &str = SPEC.name;
