//! Live events, sent while a handler still works: never stored, sent once, and lost without harm.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, Utc};
use events::{CloudEvent, Data, Event, Json, envelope::derived_event_id};
use ids::EventId;

use crate::kafka::Producer;

/// Marks events that are not stored: nobody has to handle them, and none is a reply.
pub(crate) const EPHEMERAL: &str = "ephemeral";
/// The first position of live events, far from those of committed events.
const FIRST_POSITION: usize = 1 << 20;

/// Sends events at once, without storing or retrying them.
#[derive(Debug)]
pub struct Live {
    function: &'static str,
    cause: EventId,
    now: DateTime<Utc>,
    producer: Producer,
    next: AtomicUsize,
}

impl Live {
    pub(crate) const fn new(
        function: &'static str,
        cause: EventId,
        now: DateTime<Utc>,
        producer: Producer,
    ) -> Self {
        Self { function, cause, now, producer, next: AtomicUsize::new(FIRST_POSITION) }
    }

    /// Whether an event was sent live: nobody finds it in the database.
    #[must_use]
    pub fn is_live(event: &CloudEvent) -> bool {
        event.extensions.contains_key(EPHEMERAL)
    }

    /// Sends an event. If the broker is unavailable, the event is lost; listeners get the answer later.
    pub fn send<E: Event>(&self, event: &E) {
        let Ok(data) = Json::of(event) else { return };
        let position = self.next.fetch_add(1, Ordering::Relaxed);
        let key = event.student_id().to_string();
        let extensions = [
            ("correlationid", event.correlation_id().to_string()),
            ("causationid", self.cause.to_string()),
            ("partitionkey", key.clone()),
            (EPHEMERAL, "true".to_owned()),
        ];
        let event = CloudEvent {
            id: derived_event_id(self.cause, self.function, position).to_string(),
            source: format!("learnflow/{}", self.function),
            event_type: E::TYPE.to_owned(),
            subject: Some(key.clone()),
            time: Some(self.now),
            extensions: extensions
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<BTreeMap<_, _>>(),
            data: Data::Json(data),
        };
        if let Err(error) = self.producer.send(E::TOPIC.name(), &key, &event.to_structured()) {
            tracing::debug!(%error, "a live event is lost");
        }
    }
}
