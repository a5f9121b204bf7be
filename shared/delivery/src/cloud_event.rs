//! Stored events as CloudEvents.

use std::collections::BTreeMap;

use events::{CloudEvent, Data};
use storage::events::StoredEvent;

/// The event as a CloudEvent.
pub(crate) fn to_cloud_event(event: &StoredEvent) -> CloudEvent {
    let mut extensions = BTreeMap::from([
        ("correlationid".to_owned(), event.correlation_id.to_string()),
        ("partitionkey".to_owned(), event.partition_key.clone()),
    ]);
    if let Some(cause) = event.causation_id {
        extensions.insert("causationid".to_owned(), cause.to_string());
    }
    if let Some(traceparent) = &event.traceparent {
        extensions.insert("traceparent".to_owned(), traceparent.clone());
    }
    CloudEvent {
        id: event.id.to_string(),
        source: event.source.clone(),
        event_type: event.event_type.clone(),
        subject: event.subject.map(|subject| subject.to_string()),
        time: Some(event.occurred_at),
        extensions,
        data: Data::Json(event.data.clone()),
    }
}
