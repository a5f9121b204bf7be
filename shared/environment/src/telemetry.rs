//! Logs and traces: structured JSON with the trace id, W3C trace context through every hop, and
//! export over OTLP when an endpoint is configured.

use std::{collections::HashMap, io::IsTerminal, sync::OnceLock, time::Duration};

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, ParseError, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::Settings;

/// Where spans are exported from, if they are.
static EXPORTING: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The model's client logs unreadable answers, which may contain students' words. The caller reports the error instead.
const SILENT: &str = "async_openai";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// Readable lines, for a person at a terminal.
    Text,
}

impl std::str::FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err("must be json or text"),
        }
    }
}

/// Which lines are logged: a level such as `info`, or levels by target such as `warn,delivery=debug`.
#[derive(Debug, Clone)]
pub struct LogLevels(Targets);

impl From<LevelFilter> for LogLevels {
    fn from(level: LevelFilter) -> Self {
        Self(Targets::new().with_default(level))
    }
}

impl std::str::FromStr for LogLevels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `Targets` takes a single word that is no level for a target, and then logs nothing else.
        let words = text.split(',').filter(|part| !part.contains('='));
        for word in words {
            let level: Result<LevelFilter, _> = word.trim().parse();
            level.map_err(|_unknown| {
                format!("`{word}` is not a level: off, error, warn, info, debug or trace")
            })?;
        }
        text.parse().map(Self).map_err(|error: ParseError| error.to_string())
    }
}

/// `LOG_FORMAT`, `LOG_LEVEL` and `OTEL_EXPORTER_OTLP_ENDPOINT`.
#[derive(Debug)]
pub struct TelemetryConfig {
    /// How log lines look; JSON by default.
    pub format: LogFormat,
    /// Which lines are logged; those of level `info` and above by default.
    pub level: LogLevels,
    /// Where spans are sent, for instance `http://collector:4318`; nowhere if absent.
    pub otlp_endpoint: Option<String>,
}

impl TelemetryConfig {
    /// Reads the variables above; lines are JSON and have at least the level `info` unless said otherwise.
    pub fn read(settings: &mut Settings) -> Self {
        Self::read_or(settings, LogFormat::Json, LevelFilter::INFO)
    }

    /// Reads the variables above; `format` and `level` are for those that are absent.
    pub fn read_or(settings: &mut Settings, format: LogFormat, level: LevelFilter) -> Self {
        Self {
            format: settings.parsed("LOG_FORMAT", format),
            level: settings.parsed("LOG_LEVEL", level.into()),
            otlp_endpoint: settings.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
        }
    }
}

/// Flushes spans when it is dropped.
#[derive(Debug)]
pub struct TelemetryGuard(SdkTracerProvider);

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "spans may be lost");
        }
    }
}

/// Starts logging and tracing for the process; the logs go to standard error.
pub fn install(config: &TelemetryConfig, service: &'static str) -> TelemetryGuard {
    // Without an exporter spans are not recorded; ids are passed on all the same.
    let sampler = if config.otlp_endpoint.is_some() {
        Sampler::ParentBased(Box::new(Sampler::AlwaysOn))
    } else {
        Sampler::AlwaysOff
    };
    let mut provider = SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_resource(Resource::builder().with_service_name(service).build());
    let mut fault = None;
    if let Some(endpoint) = &config.otlp_endpoint {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build();
        match exporter {
            Ok(exporter) => provider = provider.with_batch_exporter(exporter),
            Err(error) => fault = Some(error),
        }
    }
    let provider = provider.build();
    if config.otlp_endpoint.is_some() && fault.is_none() {
        EXPORTING.get_or_init(|| provider.clone());
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match config.format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Text => {
            lines.compact().with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed()
        }
    };
    // Spans are entered at every poll, so this must cost little: no clock, and no context for other instrumentation,
    // of which there is none. Threads and source locations say nothing about a span that moves between threads.
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("learnflow"))
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_threads(false)
        .with_location(false);
    let installed = tracing_subscriber::registry()
        .with(traces.with_filter(LevelFilter::INFO))
        .with(lines.with_filter(config.level.0.clone().with_target(SILENT, LevelFilter::OFF)))
        .try_init();
    if installed.is_err() {
        tracing::debug!("logging was started before");
    }
    if let Some(error) = fault {
        tracing::warn!(%error, "spans are not exported");
    }
    TelemetryGuard(provider)
}

/// Sends the spans that have ended, before the process may be frozen, as after an invocation of AWS Lambda. Waits for the
/// collector no longer than `limit`.
pub async fn flush(limit: Duration) {
    let Some(provider) = EXPORTING.get() else { return };
    // It blocks.
    let flushed = tokio::task::spawn_blocking(|| provider.force_flush());
    if !matches!(tokio::time::timeout(limit, flushed).await, Ok(Ok(Ok(())))) {
        tracing::warn!("spans may be lost: the collector does not take them in time");
    }
}

/// The current span in W3C form, for the next hop; absent while nothing is traced.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| {
        format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
    })
}

/// The trace id of the current span, for error bodies and logs.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    current_traceparent().and_then(|text| text.split('-').nth(1).map(str::to_owned))
}

/// Makes a span the child of a remote one and writes its trace id where logs show it.
pub fn adopt(span: &Span, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        let parent = remote_context(traceparent);
        if parent.span().span_context().is_valid() && span.set_parent(parent).is_err() {
            tracing::debug!("this span cannot be given a parent");
        }
    }
    if let Some(trace_id) = span.in_scope(current_trace_id) {
        span.record("trace_id", trace_id);
    }
}

struct Headers(HashMap<&'static str, String>);

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().copied().collect()
    }
}

fn remote_context(traceparent: &str) -> Context {
    let headers = Headers(HashMap::from([("traceparent", traceparent.to_owned())]));
    TraceContextPropagator::new().extract(&headers)
}

#[cfg(test)]
mod tests {
    use super::LogLevels;

    #[test]
    fn log_levels_are_levels_or_levels_by_target() {
        for text in ["info", "OFF", "warn,delivery=debug", "delivery=debug, warn"] {
            assert!(text.parse::<LogLevels>().is_ok(), "{text}");
        }
        for text in ["verbose", "delivery", "info,delivery", "delivery=loud", "a=b=c"] {
            assert!(text.parse::<LogLevels>().is_err(), "{text}");
        }
    }
}
