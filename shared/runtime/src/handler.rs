//! What a function is to the runtime: an event in, events out.

use std::future::Future;

use chrono::{DateTime, Utc};
use events::{Envelope, Event};
use ids::UserId;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Live;

/// An event with the time at which it is handled.
#[derive(Debug, Clone)]
pub struct Received<E> {
    /// The event.
    pub event: Envelope<E>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Handles an event by reading and writing the database, and calls nothing outside. All it does is
/// undone if it fails, and done once however often the event is delivered.
pub trait Decide: Send + Sync + 'static {
    /// The events it handles.
    type In: Event;

    /// Decides.
    fn handle(
        &self,
        received: Received<Self::In>,
        conn: &mut PgConnection,
    ) -> impl Future<Output = Result<Outgoing, HandlerError>> + Send;
}

/// Handles an event by one call to the outside, with no transaction open, and reports what happened.
///
/// It may be called again for the same event, so it gives the event's id to the outside system as
/// idempotency key.
pub trait Act: Send + Sync + 'static {
    /// The events it handles.
    type In: Event;

    /// Acts; `live` tells whoever listens what is going on meanwhile.
    fn handle(
        &self,
        received: Received<Self::In>,
        live: &Live,
    ) -> impl Future<Output = Result<Outgoing, HandlerError>> + Send;
}

/// Why an event was not handled, chosen where the error arises.
#[derive(Debug)]
pub enum HandlerError {
    /// Another attempt can help.
    Retry(anyhow::Error),
    /// No attempt can ever succeed.
    Fail(anyhow::Error),
}

impl HandlerError {
    /// Another attempt can help.
    pub fn retry(error: impl Into<anyhow::Error>) -> Self {
        Self::Retry(error.into())
    }

    /// No attempt can ever succeed.
    pub fn fail(error: impl Into<anyhow::Error>) -> Self {
        Self::Fail(error.into())
    }
}

/// The events that a handler wants emitted, in order.
#[derive(Debug, Default)]
pub struct Outgoing(Vec<Draft>);

/// An event before the runtime gives it an envelope.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) topic: &'static str,
    pub(crate) event_type: &'static str,
    pub(crate) subject: UserId,
    pub(crate) correlation_id: Uuid,
    pub(crate) data: Value,
}

impl Outgoing {
    /// Nothing to emit.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds an event.
    ///
    /// # Errors
    /// Never for our event types: their fields all have a JSON form. [`HandlerError::Fail`] if one is
    /// added that has none.
    pub fn with<E: Event>(mut self, event: &E) -> Result<Self, HandlerError> {
        self.0.push(Draft {
            topic: E::TOPIC.name(),
            event_type: E::TYPE,
            subject: event.student_id(),
            correlation_id: event.correlation_id(),
            data: serde_json::to_value(event).map_err(HandlerError::fail)?,
        });
        Ok(self)
    }

    pub(crate) fn into_drafts(self) -> Vec<Draft> {
        self.0
    }
}
