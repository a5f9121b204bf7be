//! Metrics, and their Prometheus format.

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Upper bounds of the latency histograms, in seconds: from an event hop to the sandbox's limit.
const LATENCY_BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Starts recording; later calls do nothing.
pub fn install() {
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(&LATENCY_BUCKETS).ok()?;
        builder.install_recorder().inspect_err(|error| tracing::warn!(%error, "no metrics")).ok()
    });
}

/// How often recorded values are moved into their buckets. Until then each takes memory, and without scrapes nothing
/// else would move them.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Moves recorded values into their buckets until `stop`.
pub async fn keep_small(stop: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => upkeep(),
            () = stop.cancelled() => return,
        }
    }
}

/// Moves recorded values into their buckets.
pub fn upkeep() {
    if let Some(handle) = RECORDER.get().and_then(Option::as_ref) {
        handle.run_upkeep();
    }
}

/// Everything recorded so far, in Prometheus's text format.
pub fn render() -> String {
    match RECORDER.get().and_then(Option::as_ref) {
        Some(handle) => {
            handle.run_upkeep();
            handle.render()
        }
        None => String::new(),
    }
}
