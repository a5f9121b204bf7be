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
use chrono::{DateTime, Utc};
use environment::{chain, telemetry};
use events::{
    CloudEvent, Envelope, Event, Topic,
    envelope::{event_id, is_versioned_type},
};
use futures::{FutureExt, future::BoxFuture};
use ids::{EventId, UserId};
use tokio::sync::Semaphore;
use tracing::{Instrument, Span};

use crate::{
    arrival::Arrival,
    counters,
    database::{WORK_LIMIT, bounded, silent},
    dead_letter,
    failure::Failure,
    fault::FaultPoint,
    group_commit::{AnyUnit, UnitOutcome, WorkOrigin},
    handler::{Act, Decide, HandlerError, Outgoing, Received},
    incoming::Incoming,
    keys::owner_of,
    live::Live,
    message::Message,
    replay,
    retry::MAX_ATTEMPTS,
    scope::Scope,
};

/// The limit of an attempt that calls the outside: a model call with its retries fits, a hang does not.
pub const ACT_LIMIT: Duration = Duration::from_secs(60);
/// The limit of an attempt that only reads, computes and writes: a few statements at their own limit. Beyond it the
/// database is silent, or the handler hangs.
const DECIDE_LIMIT: Duration = Duration::from_secs(15);

/// Checks for earlier deliveries at once, before calls to the outside. Each takes a fraction of a millisecond; with more,
/// a hundred calls at the same moment would fill the pool with new connections, and wait for these.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// The outcome of a message.
#[derive(Debug)]
pub enum Outcome {
    /// Handled now or before.
    Done,
    /// Given up and stored as a dead letter, for these reasons.
    DeadLettered(Vec<String>),
    /// Not handled; a retry can help. The failed attempt is counted.
    Retry,
    /// Not handled because the database is unavailable: not the message's fault, so no attempt is counted.
    Unavailable,
}

impl Outcome {
    const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::DeadLettered(_) => "dead_lettered",
            Self::Retry => "retry",
            Self::Unavailable => "unavailable",
        }
    }
}

type Attempt<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// A handler with its event type erased.
trait AnyHandler: Send + Sync {
    /// The limit of an attempt.
    fn limit(&self) -> Duration {
        DECIDE_LIMIT
    }

    fn attempt<'a>(&'a self, event: CloudEvent, arrival: Arrival, scope: &'a Scope) -> Attempt<'a>;
}

struct Deciding<H>(Arc<H>);
struct Acting<H>(Arc<H>);

impl<H: Decide> AnyHandler for Deciding<H> {
    fn attempt<'a>(&'a self, event: CloudEvent, arrival: Arrival, scope: &'a Scope) -> Attempt<'a> {
        Box::pin(decide(&self.0, event, arrival, scope))
    }
}

impl<H: Act> AnyHandler for Acting<H> {
    fn limit(&self) -> Duration {
        ACT_LIMIT
    }

    fn attempt<'a>(&'a self, event: CloudEvent, arrival: Arrival, scope: &'a Scope) -> Attempt<'a> {
        Box::pin(act(&self.0, event, arrival, scope))
    }
}

async fn decide<H: Decide>(
    handler: &Arc<H>,
    event: CloudEvent,
    arrival: Arrival,
    scope: &Scope,
) -> Result<(), Failure> {
    let incoming = Incoming::of::<H::In>(&event);
    let event = Envelope::<H::In>::read(event).map_err(|error| Failure::Fail(error.into()))?;
    let incoming = incoming.about(&event.data);
    if !handler.wants(&event.data) {
        return Ok(());
    }
    let origin = origin(scope, &event, arrival);
    let received = Received { event, now: origin.now };
    let decision = Decision { handler: Arc::clone(handler), received };
    record(scope, origin, arrival, Arc::new(decision), incoming).await
}

async fn act<H: Act>(
    handler: &Arc<H>,
    event: CloudEvent,
    arrival: Arrival,
    scope: &Scope,
) -> Result<(), Failure> {
    let incoming = Incoming::of::<H::In>(&event);
    let event = Envelope::<H::In>::read(event).map_err(|error| Failure::Fail(error.into()))?;
    let incoming = incoming.about(&event.data);
    let mut origin = origin(scope, &event, arrival);
    let seen = async {
        let _turn = CHECKS.acquire().await.map_err(|_closed| sqlx::Error::PoolClosed)?;
        let mut conn = scope.store.connection().await?;
        storage::inbox::contains(&mut conn, scope.function, origin.cause).await
    };
    if bounded(seen).await? {
        return Ok(());
    }
    let student = UserId::from_uuid(origin.student);
    let standing = scope.store.keys().standing(student).await?;
    let producer = scope.producer.clone();
    let live = Live::new(scope.function, origin.cause, origin.now, producer, (student, standing));
    let done = handler.call(Received { event, now: origin.now }, &live).await?;
    origin.now = scope.clock.now();
    let action = Action { handler: Arc::clone(handler), done, now: origin.now };
    let recorded = record(scope, origin, arrival, Arc::new(action), incoming);
    tokio::time::timeout(WORK_LIMIT, recorded).await.unwrap_or_else(|_elapsed| Err(silent().into()))
}

fn origin<E: Event>(scope: &Scope, event: &Envelope<E>, arrival: Arrival) -> WorkOrigin {
    WorkOrigin {
        function: scope.function,
        cause: event.id,
        student: event.data.student_id().as_uuid(),
        now: scope.clock.now(),
        arrival: Some(arrival),
    }
}

/// Runs a unit of work that an event causes, once even if the event is redelivered: in a group, otherwise in a
/// transaction of its own.
async fn record(
    scope: &Scope,
    origin: WorkOrigin,
    arrival: Arrival,
    unit: Arc<dyn AnyUnit>,
    incoming: Incoming,
) -> Result<(), Failure> {
    // Foreign events are rare, and must also be stored.
    if !incoming.is_foreign() {
        match scope.store.run_in_group(origin, Arc::clone(&unit)).await {
            UnitOutcome::Committed | UnitOutcome::Duplicate => return Ok(()),
            // Its inbox row shows whether it was done.
            UnitOutcome::Undone | UnitOutcome::Unknown => {}
        }
    }
    let WorkOrigin { function, cause, now, .. } = origin;
    let mut tx = scope.store.begin(function).await?;
    if !storage::inbox::claim(tx.conn(), function, arrival.claim(cause)).await? {
        return Ok(());
    }
    incoming.record(&mut tx, scope.store.keys(), now).await?;
    let outgoing = unit.run(tx.conn()).await?;
    storage::inbox::note_work(tx.conn(), function, arrival.claim(cause)).await?;
    scope.faults.pass(function, FaultPoint::Handled).await;
    Ok(tx.commit(cause, outgoing, now).await?)
}

/// An event with the handler that decides on it.
struct Decision<H: Decide> {
    handler: Arc<H>,
    received: Received<H::In>,
}

impl<H: Decide> AnyUnit for Decision<H> {
    fn run<'a>(
        &'a self,
        conn: &'a mut sqlx::PgConnection,
    ) -> BoxFuture<'a, Result<Outgoing, HandlerError>> {
        Box::pin(self.handler.handle(self.received.clone(), conn))
    }
}

/// The result of a call, with the handler that records it.
struct Action<H: Act> {
    handler: Arc<H>,
    done: H::Done,
    now: DateTime<Utc>,
}

impl<H: Act> AnyUnit for Action<H> {
    fn run<'a>(
        &'a self,
        conn: &'a mut sqlx::PgConnection,
    ) -> BoxFuture<'a, Result<Outgoing, HandlerError>> {
        Box::pin(self.handler.record(&self.done, self.now, conn))
    }
}

/// A function's handlers by event type.
#[derive(Default)]
pub struct Handlers {
    by_type: HashMap<&'static str, Box<dyn AnyHandler>>,
    topics: Vec<Topic>,
    duplicates: Vec<&'static str>,
}

impl std::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handlers").field(&self.by_type.keys()).finish()
    }
}

impl Handlers {
    /// Registers a handler that uses one database transaction.
    pub fn decides<H: Decide>(&mut self, handler: H) {
        self.add::<H::In>(Box::new(Deciding(Arc::new(handler))));
    }

    /// Registers a handler that makes one call to the outside.
    pub fn acts<H: Act>(&mut self, handler: H) {
        self.add::<H::In>(Box::new(Acting(Arc::new(handler))));
    }

    fn add<E: Event>(&mut self, handler: Box<dyn AnyHandler>) {
        if !self.topics.contains(&E::TOPIC) {
            self.topics.push(E::TOPIC);
        }
        if self.by_type.insert(E::TYPE, handler).is_some() {
            self.duplicates.push(E::TYPE);
        }
    }

    /// The topics of all handled events, without duplicates.
    #[must_use]
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// Event types with more than one handler, of which only the last would be used.
    #[must_use]
    pub fn duplicates(&self) -> &[&'static str] {
        &self.duplicates
    }
}

/// Passes messages to a function's handlers.
#[derive(Debug)]
pub struct Processor {
    scope: Scope,
    handlers: Handlers,
}

impl Processor {
    /// A processor with a function's handlers.
    #[must_use]
    pub const fn new(scope: Scope, handlers: Handlers) -> Self {
        Self { scope, handlers }
    }

    /// The function's name.
    #[must_use]
    pub const fn function(&self) -> &'static str {
        self.scope.function
    }

    /// What its attempts need.
    pub(crate) const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Makes one attempt at a message. After `MAX_ATTEMPTS` failures it becomes a dead letter, whichever trigger
    /// delivered it and however often.
    pub async fn process(&self, message: &Message) -> Outcome {
        let started = Instant::now();
        let function = self.scope.function;
        let arrival = Arrival::now(message.record, &self.scope.clock);
        let (span, outcome) = match message.decode() {
            Ok(event) if self.skips(&event) => {
                tracing::debug!(function, event_type = event.event_type, "event skipped");
                counters::event_skipped(function);
                return Outcome::Done;
            }
            Ok(event) => {
                let span = event_span(function, &event, &message.origin);
                let id = event_id(&event);
                let attempted = async {
                    let result = self.attempt(event, arrival).await;
                    self.conclude(message, arrival, id, result).await
                };
                let outcome = attempted.instrument(span.clone()).await;
                (span, outcome)
            }
            Err(error) => {
                let span = tracing::info_span!("undecodable", function);
                let given_up = self.give_up(message, arrival, error.into(), 1);
                let outcome = given_up.instrument(span.clone()).await;
                (span, outcome)
            }
        };
        let (name, took) = (outcome.name(), started.elapsed());
        counters::event_handled(function, name, took);
        span.in_scope(|| {
            tracing::info!(
                origin = message.origin,
                outcome = name,
                duration_ms = took.as_secs_f64() * 1e3,
                "event handled"
            );
        });
        self.scope.faults.pass(function, FaultPoint::Acknowledging).await;
        outcome
    }

    /// Whether an event is for others: of a type that is not handled here, as a later version may add to a topic at any
    /// time, or replayed for another function. An event whose type is not one of ours came here by mistake, and is
    /// given up.
    fn skips(&self, event: &CloudEvent) -> bool {
        let of_others = !self.handlers.by_type.contains_key(event.event_type.as_str());
        (of_others && is_versioned_type(&event.event_type))
            || replay::is_for_another(event, self.scope.function)
    }

    async fn attempt(&self, event: CloudEvent, arrival: Arrival) -> Result<(), Failure> {
        self.scope.faults.pass(self.scope.function, FaultPoint::Received).await;
        let Some(handler) = self.handlers.by_type.get(event.event_type.as_str()) else {
            return Err(Failure::Fail(anyhow!(
                "event type {} is not handled here",
                event.event_type
            )));
        };
        // Before the handler's own filter, which reads the data; a key that is known costs no statement.
        let Some(event) = self.scope.store.keys().open_event(event).await? else {
            tracing::info!("the account that an event is about was erased");
            counters::event_erased();
            return Ok(());
        };
        let attempt = AssertUnwindSafe(handler.attempt(event, arrival, &self.scope)).catch_unwind();
        match tokio::time::timeout(handler.limit(), attempt).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(Failure::Retry(anyhow!("the handler panicked"))),
            Err(elapsed) => Err(Failure::Retry(elapsed.into())),
        }
    }

    async fn conclude(
        &self,
        message: &Message,
        arrival: Arrival,
        id: EventId,
        result: Result<(), Failure>,
    ) -> Outcome {
        match result {
            Ok(()) => Outcome::Done,
            Err(Failure::Unavailable(error)) => unavailable(&error),
            Err(Failure::Fail(error)) => self.give_up(message, arrival, error, 1).await,
            Err(Failure::Retry(error)) => match self.count_attempt(id).await {
                Err(uncounted) => unavailable(&uncounted.into()),
                Ok(attempts) if attempts >= MAX_ATTEMPTS => {
                    self.give_up(message, arrival, error, attempts).await
                }
                Ok(attempt) => {
                    tracing::warn!(attempt, error = %chain(error.as_ref()), "attempt failed");
                    Outcome::Retry
                }
            },
        }
    }

    /// Counts a failed attempt in the database, so that all instances see it. If it cannot be counted, the database is
    /// unavailable, and nothing else could have succeeded.
    async fn count_attempt(&self, id: EventId) -> sqlx::Result<u32> {
        let Scope { function, store, clock, .. } = &self.scope;
        let counted = async {
            let mut conn = store.connection().await?;
            storage::delivery_attempts::count(&mut conn, function, id, clock.now()).await
        };
        bounded(counted).await
    }

    async fn give_up(
        &self,
        message: &Message,
        arrival: Arrival,
        error: anyhow::Error,
        attempts: u32,
    ) -> Outcome {
        let mut reasons: Vec<String> = error.chain().map(ToString::to_string).collect();
        if message.decode().is_ok_and(|event| owner_of(&event).is_some()) {
            reasons = reasons.iter().map(|reason| without_quotes(reason)).collect();
        }
        let recorded =
            dead_letter::record(&self.scope, message, arrival, reasons.clone(), attempts);
        match bounded(recorded).await {
            Ok(()) => {
                tracing::error!(attempts, error = %reasons.join(": "), "event is dead-lettered");
                Outcome::DeadLettered(reasons)
            }
            Err(error) => unavailable(&error.into()),
        }
    }
}

fn unavailable(error: &anyhow::Error) -> Outcome {
    tracing::warn!(error = %chain(error.as_ref()), "the database is not available");
    Outcome::Unavailable
}

/// A reason without what it quotes: of sealed data not even a word must stay in a dead letter, which is not sealed.
fn without_quotes(reason: &str) -> String {
    let is_quote = |c: char| matches!(c, '"' | '`');
    match (reason.find(is_quote), reason.rfind(is_quote)) {
        (Some(first), Some(last)) => format!("{}…{}", &reason[..first], &reason[last + 1..]),
        _ => reason.to_owned(),
    }
}

/// A span for handling an event, a child of the span that emitted it.
fn event_span(function: &'static str, event: &CloudEvent, origin: &str) -> Span {
    let correlation_id = event.extensions.get("correlationid").map(String::as_str);
    let span = tracing::info_span!(
        "event",
        otel.name = format!("{function} {}", event.event_type),
        otel.kind = "consumer",
        function,
        event_id = event.id,
        event_type = event.event_type,
        correlation_id,
        origin,
        trace_id = tracing::field::Empty,
    );
    telemetry::adopt(&span, event.extensions.get("traceparent").map(String::as_str));
    span
}
