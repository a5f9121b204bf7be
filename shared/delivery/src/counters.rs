//! Metrics of events.

use std::time::Duration;

pub(crate) fn event_handled(function: &'static str, outcome: &'static str, took: Duration) {
    metrics::counter!("learnflow_events_total", "function" => function, "outcome" => outcome)
        .increment(1);
    metrics::histogram!("learnflow_event_duration_seconds", "function" => function).record(took);
}

/// Counts events that are not for this function: of a type that it does not handle, or replayed for another function.
pub(crate) fn event_skipped(function: &'static str) {
    metrics::counter!("learnflow_events_skipped_total", "function" => function).increment(1);
}

/// Counts events that nobody handles or sends, since the account that they are about was erased.
pub(crate) fn event_erased() {
    metrics::counter!("learnflow_events_erased_total").increment(1);
}

pub(crate) fn published(count: usize) {
    metrics::counter!("learnflow_events_published_total").increment(count as u64);
}

pub(crate) fn publish_failed() {
    metrics::counter!("learnflow_publish_failures_total").increment(1);
}

pub(crate) fn parked() {
    metrics::counter!("learnflow_events_parked_total").increment(1);
}
