//! Storing events that nobody can handle: in the outbox, and so on the `dead.letters` topic.

use environment::telemetry;
use events::{
    Json, Topic,
    dead_letter::{self, DeadLetter},
    envelope::{derived_event_id, event_id},
};
use ids::EventId;
use storage::events::StoredEvent;
use uuid::Uuid;

use crate::{arrival::Arrival, keys::Outbound, message::Message, scope::Scope};

/// Records a dead letter and marks the message as handled in one transaction, so that a redelivered message is not
/// recorded twice.
pub(crate) async fn record(
    scope: &Scope,
    message: &Message,
    arrival: Arrival,
    reasons: Vec<String>,
    attempts: u32,
) -> Result<(), sqlx::Error> {
    let now = scope.clock.now();
    let event = message.decode().ok();
    // Bytes that are not an event are identified by their origin and content.
    let cause = event.as_ref().map_or_else(
        || {
            let name = [message.origin.as_bytes(), b"\n", &message.value].concat();
            EventId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, &name))
        },
        event_id,
    );
    let correlation = event
        .as_ref()
        .and_then(|event| event.extensions.get("correlationid"))
        .and_then(|text| text.parse().ok());
    let letter: DeadLetter = message.to_dead_letter(scope.function, reasons, attempts);
    let stored = StoredEvent {
        id: derived_event_id(cause, scope.function, usize::MAX),
        topic: Topic::DeadLetters.name().to_owned(),
        partition_key: cause.to_string(),
        event_type: dead_letter::TYPE.to_owned(),
        source: format!("learnflow/{}", scope.function),
        subject: event.and_then(|event| event.subject).and_then(|subject| subject.parse().ok()),
        correlation_id: correlation.unwrap_or_else(|| cause.as_uuid()),
        causation_id: Some(cause),
        traceparent: telemetry::current_traceparent(),
        data: Json::of(&letter).map_err(|error| sqlx::Error::Encode(error.into()))?,
        occurred_at: now,
    };
    let mut tx = scope.store.begin(scope.function).await?;
    if storage::inbox::claim(tx.conn(), scope.function, arrival.claim(cause)).await? {
        // What it holds of a sealed event is sealed.
        tx.commit_events(vec![Outbound { event: stored, owner: None }]).await?;
    }
    Ok(())
}
