//! The life of one message in one function: decoded, claimed, handled, committed, published.

use std::{
    collections::HashMap,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use events::{CloudEvent, Envelope, Event, envelope::event_id};
use futures::FutureExt;
use ids::EventId;
use storage::events::StoredEvent;
use tracing::Instrument;

use crate::{
    Act, Clock, Decide, Function, HandlerError, Received, Services, Store, dead_letter,
    fault::{FaultPoint, Faults},
    kafka::Producer,
    live::{EPHEMERAL, Live},
    message::Message,
    metrics, telemetry,
};

/// The longest that one call of a handler may take: a model call with its retries fits, a hang does
/// not.
const HANDLER_LIMIT: Duration = Duration::from_secs(60);

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Handled now, or found handled before.
    Done,
    /// Given up and kept as a dead letter, for these reasons.
    DeadLettered(Vec<String>),
    /// Not handled; another attempt can help.
    Retry,
    /// Not handled, because the database is away: not the message's fault, so no attempt is counted.
    Unavailable,
}

/// Why one attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Unavailable(sqlx::Error),
    Retry(anyhow::Error),
    Fail(anyhow::Error),
}

/// What an attempt needs besides the event.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) function: &'static str,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) producer: Producer,
}

type Attempt<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// A handler whose event type is known at run time only.
pub(crate) trait AnyHandler: Send + Sync {
    fn attempt<'a>(&'a self, event: CloudEvent, scope: &'a Scope) -> Attempt<'a>;
}

pub(crate) struct Deciding<H>(pub(crate) H);
pub(crate) struct Acting<H>(pub(crate) H);
pub(crate) struct Ignoring;

impl AnyHandler for Ignoring {
    fn attempt<'a>(&'a self, _: CloudEvent, _: &'a Scope) -> Attempt<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl<H: Decide> AnyHandler for Deciding<H> {
    fn attempt<'a>(&'a self, event: CloudEvent, scope: &'a Scope) -> Attempt<'a> {
        Box::pin(decide(&self.0, event, scope))
    }
}

impl<H: Act> AnyHandler for Acting<H> {
    fn attempt<'a>(&'a self, event: CloudEvent, scope: &'a Scope) -> Attempt<'a> {
        Box::pin(act(&self.0, event, scope))
    }
}

async fn decide<H: Decide>(handler: &H, event: CloudEvent, scope: &Scope) -> Result<(), Failure> {
    let incoming = StoredIncoming::of::<H::In>(&event);
    let event = Envelope::read(event).map_err(|error| Failure::Fail(error.into()))?;
    let (id, now) = (event.id, scope.clock.now());
    let mut tx = scope.store.begin(scope.function).await.map_err(Failure::Unavailable)?;
    if !claim(&mut tx, scope, id, now).await? {
        return Ok(());
    }
    incoming.record(&mut tx, now).await?;
    let outgoing =
        handler.handle(Received { event, now }, tx.conn()).await.map_err(Failure::from)?;
    scope.faults.pass(scope.function, FaultPoint::Handled).await;
    tx.commit(id, outgoing, now).await.map_err(Failure::Unavailable)
}

async fn act<H: Act>(handler: &H, event: CloudEvent, scope: &Scope) -> Result<(), Failure> {
    let incoming = StoredIncoming::of::<H::In>(&event);
    let event = Envelope::read(event).map_err(|error| Failure::Fail(error.into()))?;
    let (id, now) = (event.id, scope.clock.now());
    {
        let mut conn = scope.store.connection().await.map_err(Failure::Unavailable)?;
        let seen = storage::inbox::contains(&mut conn, scope.function, id).await;
        if seen.map_err(Failure::Unavailable)? {
            return Ok(());
        }
    }
    let live = Live::new(scope.function, id, now, scope.producer.clone());
    let outgoing = handler.handle(Received { event, now }, &live).await.map_err(Failure::from)?;
    scope.faults.pass(scope.function, FaultPoint::Handled).await;
    let mut tx = scope.store.begin(scope.function).await.map_err(Failure::Unavailable)?;
    if !claim(&mut tx, scope, id, now).await? {
        return Ok(());
    }
    incoming.record(&mut tx, now).await?;
    tx.commit(id, outgoing, scope.clock.now()).await.map_err(Failure::Unavailable)
}

async fn claim(
    tx: &mut crate::Transaction<'_>,
    scope: &Scope,
    id: EventId,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<bool, Failure> {
    let claimed = storage::inbox::claim(tx.conn(), scope.function, id, now).await;
    claimed.map_err(Failure::Unavailable)
}

/// A foreign event, for the audit trail; our own are there already, written by who emitted them.
struct StoredIncoming(Option<Box<StoredEvent>>);

impl StoredIncoming {
    fn of<E: Event>(event: &CloudEvent) -> Self {
        if event.source.starts_with("learnflow/") {
            return Self(None);
        }
        let events::Data::Json(data) = &event.data else { return Self(None) };
        let id = event_id(event);
        let subject = event.subject.as_deref().and_then(|subject| subject.parse().ok());
        let correlation = event.extensions.get("correlationid").and_then(|text| text.parse().ok());
        Self(Some(Box::new(StoredEvent {
            id,
            topic: E::TOPIC.name().to_owned(),
            partition_key: event.extensions.get("partitionkey").cloned().unwrap_or_default(),
            event_type: event.event_type.clone(),
            source: event.source.clone(),
            subject,
            correlation_id: correlation.unwrap_or_else(|| id.as_uuid()),
            causation_id: None,
            traceparent: event.extensions.get("traceparent").cloned(),
            data: data.clone(),
            occurred_at: event.time.unwrap_or_default(),
        })))
    }

    async fn record(
        self,
        tx: &mut crate::Transaction<'_>,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), Failure> {
        let Some(event) = self.0 else { return Ok(()) };
        let recorded = storage::events::insert_received(tx.conn(), &event, now).await;
        recorded.map_err(Failure::Unavailable)
    }
}

impl From<HandlerError> for Failure {
    fn from(error: HandlerError) -> Self {
        match error {
            HandlerError::Retry(error) => Self::Retry(error),
            HandlerError::Fail(error) => Self::Fail(error),
        }
    }
}

/// One function's handlers by event type.
pub(crate) struct Processor {
    pub(crate) scope: Scope,
    pub(crate) handlers: HashMap<&'static str, Box<dyn AnyHandler>>,
}

impl Processor {
    /// Takes over a function's handlers.
    pub(crate) fn new(function: &mut Function, services: &Services) -> Arc<Self> {
        Arc::new(Self {
            scope: Scope {
                function: function.name,
                store: services.store.clone(),
                clock: services.clock.clone(),
                faults: services.faults.clone(),
                producer: services.producer.clone(),
            },
            handlers: std::mem::take(&mut function.handlers),
        })
    }

    /// Makes one attempt at a message. `last`: if it can only be retried, give it up.
    pub(crate) async fn process(&self, message: &Message, attempt: u32, last: bool) -> Outcome {
        let started = Instant::now();
        let function = self.scope.function;
        let (span, result) = match message.decode() {
            Ok(event) => {
                let span = telemetry::event_span(function, &event, &message.origin);
                let result = self.attempt(event).instrument(span.clone()).await;
                (span, result)
            }
            Err(error) => {
                (tracing::info_span!("undecodable", function), Err(Failure::Fail(error.into())))
            }
        };
        let outcome = self.conclude(message, attempt, last, result).instrument(span.clone()).await;
        let name = match &outcome {
            Outcome::Done => "done",
            Outcome::DeadLettered(_) => "dead_lettered",
            Outcome::Retry => "retry",
            Outcome::Unavailable => "unavailable",
        };
        let took = started.elapsed();
        metrics::event_handled(function, name, took);
        span.in_scope(|| {
            tracing::info!(
                origin = message.origin,
                outcome = name,
                attempt,
                duration_ms = took.as_secs_f64() * 1e3,
                "event handled"
            );
        });
        self.scope.faults.pass(function, FaultPoint::Acknowledging).await;
        outcome
    }

    async fn attempt(&self, event: CloudEvent) -> Result<(), Failure> {
        self.scope.faults.pass(self.scope.function, FaultPoint::Received).await;
        let Some(handler) = self.handlers.get(event.event_type.as_str()) else {
            if event.extensions.contains_key(EPHEMERAL) {
                return Ok(());
            }
            return Err(Failure::Fail(anyhow!(
                "event type {} is not handled here",
                event.event_type
            )));
        };
        let attempt = AssertUnwindSafe(handler.attempt(event, &self.scope)).catch_unwind();
        match tokio::time::timeout(HANDLER_LIMIT, attempt).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(Failure::Retry(anyhow!("the handler panicked"))),
            Err(elapsed) => Err(Failure::Retry(elapsed.into())),
        }
    }

    async fn conclude(
        &self,
        message: &Message,
        attempt: u32,
        last: bool,
        result: Result<(), Failure>,
    ) -> Outcome {
        let error = match result {
            Ok(()) => return Outcome::Done,
            Err(Failure::Unavailable(error)) => {
                tracing::warn!(error = %chain(&error), "the database is not available");
                return Outcome::Unavailable;
            }
            Err(Failure::Retry(error)) if !last => {
                if self.scope.store.connection().await.is_err() {
                    tracing::warn!(error = %chain(error.as_ref()), "the database is not available");
                    return Outcome::Unavailable;
                }
                tracing::warn!(attempt, error = %chain(error.as_ref()), "attempt failed");
                return Outcome::Retry;
            }
            Err(Failure::Retry(error) | Failure::Fail(error)) => error,
        };
        let reasons: Vec<String> = error.chain().map(ToString::to_string).collect();
        match dead_letter::record(&self.scope, message, reasons.clone(), attempt).await {
            Ok(()) => {
                tracing::error!(attempt, error = %reasons.join(": "), "event is dead-lettered");
                Outcome::DeadLettered(reasons)
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "cannot record a dead letter");
                Outcome::Unavailable
            }
        }
    }
}

/// An error and its causes, outermost first.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
