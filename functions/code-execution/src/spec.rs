//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Spec};

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "code-execution",
    purpose: "Runs programs in a sandbox.",
    port: 8107,
    consumes: &[Topic::CodeExecutions],
    emits: &[Topic::CodeExecutions, Topic::CodeResults, Topic::ProgressEvents],
    http: Http::Internal,
    migrates: false,
    timeout: Duration::from_secs(60),
    // One worker at its memory limit (`SANDBOX_WORKER_MEMORY_MB`), and the function itself. Under AWS Lambda it has less:
    // one thread runs the ten programs of a batch, which are measured at 97 MB each at most.
    memory_mb: 6_656,
    schedules: &[],
    settings: &["PYTHON_IMAGE", "SANDBOX_WORKERS", "SANDBOX_WORKER", "SANDBOX_WORKER_MEMORY_MB"],
};

/// The function's name.
pub(crate) const NAME: &str = SPEC.name;
