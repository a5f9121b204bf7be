//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Spec};

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "exercise",
    purpose: "Assigns exercises, makes new ones, and grades solutions.",
    port: 8105,
    consumes: &[Topic::CodeResults, Topic::ExerciseRequests],
    emits: &[
        Topic::CodeExecutions,
        Topic::ExerciseGenerated,
        Topic::ExerciseRequests,
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
