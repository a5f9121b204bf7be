//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Spec};

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "debug",
    purpose: "Finds why a program fails, and gives hints.",
    port: 8104,
    consumes: &[Topic::CodeResults, Topic::DebugRequests],
    emits: &[
        Topic::CodeExecutions,
        Topic::DebugRequests,
        Topic::LearningResponses,
        Topic::ProgressEvents,
    ],
    http: Http::Internal,
    migrates: false,
    timeout: Duration::from_secs(60),
    memory_mb: 256,
    schedules: &[],
    settings: &tutor::VARIABLES,
};

/// The function's name.
pub(crate) const NAME: &str = SPEC.name;
