//! Live events, sent while a handler still works: never stored, sent once, and lost without harm.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, Utc};
use events::{CloudEvent, Data, Event, Json, envelope::derived_event_id};
use ids::{EventId, UserId};

use crate::{kafka::Producer, keys::Standing};

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
    /// The student, and what is known of their key.
    student: (UserId, Standing),
    next: AtomicUsize,
}

impl Live {
    pub(crate) const fn new(
        function: &'static str,
        cause: EventId,
        now: DateTime<Utc>,
        producer: Producer,
        student: (UserId, Standing),
    ) -> Self {
        Self { function, cause, now, producer, student, next: AtomicUsize::new(FIRST_POSITION) }
    }

    /// Whether an event was sent live: nobody finds it in the database.
    #[must_use]
    pub fn is_live(event: &CloudEvent) -> bool {
        event.extensions.contains_key(EPHEMERAL)
    }

    /// Sends an event. If the broker is unavailable, the event is lost; listeners get the answer later.
    pub fn send<E: Event>(&self, event: &E) {
        let position = self.next.fetch_add(1, Ordering::Relaxed);
        let id = derived_event_id(self.cause, self.function, position);
        let Some(data) = self.sealed(id, event) else { return };
        let key = event.student_id().to_string();
        let extensions = [
            ("correlationid", event.correlation_id().to_string()),
            ("causationid", self.cause.to_string()),
            ("partitionkey", key.clone()),
            (EPHEMERAL, "true".to_owned()),
        ];
        let event = CloudEvent {
            id: id.to_string(),
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

    /// The data of an event as it is sent; `None` if it must not be sent.
    fn sealed<E: Event>(&self, id: EventId, event: &E) -> Option<Json> {
        let data = Json::of(event).ok()?;
        let (student, standing) = &self.student;
        match standing {
            Standing::Open(key) if E::SEALED && event.owner() == *student => {
                key.seal(*student, id, E::TYPE, &data).ok()
            }
            Standing::Erased => None,
            Standing::Open(_) | Standing::Stranger => Some(data),
        }
    }
}
