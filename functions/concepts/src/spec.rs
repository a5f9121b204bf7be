//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Spec};

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "concepts",
    purpose: "Explains ideas.",
    port: 8101,
    consumes: &[Topic::CodeResults, Topic::ConceptsRequests],
    emits: &[Topic::CodeExecutions, Topic::ConceptsRequests, Topic::LearningResponses],
    http: Http::Internal,
    migrates: false,
    timeout: Duration::from_secs(60),
    memory_mb: 256,
    schedules: &[],
    settings: &tutor::VARIABLES,
};

/// The function's name.
pub(crate) const NAME: &str = SPEC.name;
