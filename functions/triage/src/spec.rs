//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Schedule, Spec};

/// How often questions with a lost run or model call are looked for: they have waited for minutes.
pub(crate) const LOST_DRAFTS: Schedule =
    Schedule { name: "lost-drafts", every: Duration::from_secs(30) };

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "triage",
    purpose: "Decides which agent a question is for.",
    port: 8100,
    consumes: &[Topic::LearningRequests],
    emits: &[
        Topic::CodeSubmissions,
        Topic::ConceptsRequests,
        Topic::DebugRequests,
        Topic::ExerciseRequests,
        Topic::LearningRequests,
        Topic::LearningResponses,
        Topic::ProgressEvents,
    ],
    http: Http::Internal,
    migrates: false,
    timeout: Duration::from_secs(60),
    memory_mb: 256,
    schedules: &[LOST_DRAFTS],
    settings: &tutor::VARIABLES,
};
