//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Spec};

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "code-review",
    purpose: "Says what can be improved in a program.",
    port: 8103,
    consumes: &[Topic::CodeResults, Topic::CodeSubmissions],
    emits: &[
        Topic::CodeExecutions,
        Topic::CodeSubmissions,
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
