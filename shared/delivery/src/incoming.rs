//! Events from elsewhere, which are stored when they are handled.

use chrono::{DateTime, Utc};
use events::{CloudEvent, Data, Event, envelope::event_id};
use storage::events::StoredEvent;

use crate::{
    keys::{Keys, Outbound},
    transaction::Transaction,
};

/// A foreign event, for the audit trail; our own were stored by the function that emitted them.
pub(crate) struct Incoming(Option<Box<Outbound>>);

impl Incoming {
    /// An event as it came, still without its data.
    pub(crate) fn of<E: Event>(event: &CloudEvent) -> Self {
        if event.source.starts_with("learnflow/") {
            return Self(None);
        }
        let Data::Json(data) = &event.data else { return Self(None) };
        let id = event_id(event);
        let subject = event.subject.as_deref().and_then(|subject| subject.parse().ok());
        let correlation = event.extensions.get("correlationid").and_then(|text| text.parse().ok());
        let event = StoredEvent {
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
        };
        Self(Some(Box::new(Outbound { event, owner: None })))
    }

    /// With the person whom its data turned out to be about.
    pub(crate) fn about<E: Event>(mut self, data: &E) -> Self {
        if let Some(incoming) = &mut self.0 {
            incoming.owner = E::SEALED.then(|| data.owner());
        }
        self
    }

    /// Whether it has to be stored.
    pub(crate) const fn is_foreign(&self) -> bool {
        self.0.is_some()
    }

    /// Stores it, if it has to be.
    pub(crate) async fn record(
        self,
        tx: &mut Transaction<'_>,
        keys: &Keys,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let Some(incoming) = self.0 else { return Ok(()) };
        for event in keys.seal(tx.conn(), vec![*incoming]).await? {
            storage::events::insert_received(tx.conn(), &event, now).await?;
        }
        Ok(())
    }
}
