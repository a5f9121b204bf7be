//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Spec};

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "progress",
    purpose: "Keeps what students know, answers how they are doing, and notices who struggles.",
    port: 8106,
    consumes: &[Topic::ExerciseGenerated, Topic::LearningRequests, Topic::ProgressEvents],
    emits: &[Topic::LearningResponses, Topic::ProgressEvents, Topic::StruggleDetected],
    http: Http::Internal,
    migrates: false,
    timeout: Duration::from_secs(60),
    memory_mb: 256,
    schedules: &[],
    settings: &[],
};

/// The function's name.
pub(crate) const NAME: &str = SPEC.name;
