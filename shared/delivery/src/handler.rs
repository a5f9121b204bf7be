//! What a function is to the runtime: an event in, events out.

use std::future::Future;

use chrono::{DateTime, Utc};
use events::{Envelope, Event, Json, envelope::MAX_DATA_BYTES};
use ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{live::Live, sealing::sealed_size};

/// An event with the time at which it is handled.
#[derive(Debug, Clone)]
pub struct Received<E> {
    /// The event.
    pub event: Envelope<E>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Handles an event by reading and writing the database, without calls to the outside. Its changes are rolled back if
/// it fails, and committed once even if the event is redelivered.
pub trait Decide: Send + Sync + 'static {
    /// The events it handles.
    type In: Event;

    /// Whether this event is for this handler. Checked before a transaction is opened: events for other functions cost
    /// nothing and leave no trace.
    fn wants(&self, event: &Self::In) -> bool {
        let _ = event;
        true
    }

    /// Handles an event.
    fn handle(
        &self,
        received: Received<Self::In>,
        conn: &mut PgConnection,
    ) -> impl Future<Output = Result<Outgoing, HandlerError>> + Send;
}

/// Handles an event by one call to the outside, with no transaction open, and then records the result.
pub trait Act: Send + Sync + 'static {
    /// The events it handles.
    type In: Event;
    /// The result of the call.
    type Done: Send + Sync + 'static;

    /// Makes the call; `live` sends progress to listeners meanwhile.
    ///
    /// It may be called again for the same event, so it passes the event's id to the outside system as an idempotency
    /// key.
    fn call(
        &self,
        received: Received<Self::In>,
        live: &Live,
    ) -> impl Future<Output = Result<Self::Done, HandlerError>> + Send;

    /// Records the result, once even if the event is redelivered, in the transaction that also stores the emitted
    /// events. It may run again after a rollback.
    fn record(
        &self,
        done: &Self::Done,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> impl Future<Output = Result<Outgoing, HandlerError>> + Send;
}

/// Why an event was not handled, chosen where the error arises.
#[derive(Debug)]
pub enum HandlerError {
    /// A retry can help.
    Retry(anyhow::Error),
    /// No retry can ever succeed.
    Fail(anyhow::Error),
}

impl HandlerError {
    /// A retry can help.
    pub fn retry(error: impl Into<anyhow::Error>) -> Self {
        Self::Retry(error.into())
    }

    /// No retry can ever succeed.
    pub fn fail(error: impl Into<anyhow::Error>) -> Self {
        Self::Fail(error.into())
    }
}

/// An event has too much data to be sent, as large as it is when it is sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event_type} has {bytes} bytes of data, at most {MAX_DATA_BYTES} can be sent")]
pub struct EventTooLarge {
    /// The event's type.
    event_type: &'static str,
    /// The size of its data.
    bytes: usize,
}

/// The events that a handler emits, in order.
#[derive(Debug, Clone, Default)]
pub struct Outgoing(Vec<Draft>);

/// An event before the runtime gives it an envelope.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) topic: &'static str,
    pub(crate) event_type: &'static str,
    pub(crate) subject: UserId,
    pub(crate) correlation_id: Uuid,
    pub(crate) data: Json,
    /// With whose key it is sealed.
    pub(crate) owner: Option<UserId>,
}

impl Outgoing {
    /// No events.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds an event.
    ///
    /// # Errors
    /// [`HandlerError::Fail`] if it has over [`MAX_DATA_BYTES`], which brokers refuse, or cannot be serialized.
    pub fn with<E: Event>(mut self, event: &E) -> Result<Self, HandlerError> {
        let data = Json::of(event).map_err(HandlerError::fail)?;
        let bytes = data.as_str().len();
        let bytes = if E::SEALED { sealed_size(bytes) } else { bytes };
        if bytes > MAX_DATA_BYTES {
            return Err(HandlerError::fail(EventTooLarge { event_type: E::TYPE, bytes }));
        }
        self.0.push(Draft {
            topic: E::TOPIC.name(),
            event_type: E::TYPE,
            subject: event.student_id(),
            correlation_id: event.correlation_id(),
            data,
            owner: E::SEALED.then(|| event.owner()),
        });
        Ok(self)
    }

    /// The events of type `E`, in order: a handler's decisions, for inspection.
    ///
    /// # Errors
    /// An event cannot be deserialized, which is a bug of its type.
    pub fn events<E: Event>(&self) -> Result<Vec<E>, serde_json::Error> {
        let of_type = self.0.iter().filter(|draft| draft.event_type == E::TYPE);
        of_type.map(|draft| draft.data.read()).collect()
    }

    /// The types of all events, in order.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|draft| draft.event_type)
    }

    pub(crate) fn into_drafts(self) -> Vec<Draft> {
        self.0
    }
}
