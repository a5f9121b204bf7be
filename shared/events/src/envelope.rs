//! One of our events: a typed payload and what is needed to follow and deduplicate it.

use chrono::{DateTime, Utc};
use ids::{EventId, UserId};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{CloudEvent, Data, DecodeError, Topic};

/// Most bytes of an event's data as JSON. With its attributes and headers the event stays below the million bytes that
/// Kafka's clients and brokers take by default (`message.max.bytes`).
pub const MAX_DATA_BYTES: usize = 900_000;

/// A payload type with a fixed name on the wire.
pub trait Event: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The CloudEvents type, with its version.
    const TYPE: &'static str;
    /// The topic on which every event of this type travels.
    const TOPIC: Topic;
    /// Whether its data is encrypted with the key of its owner wherever it is stored or sent, so that nobody can read
    /// it once the owner's account is erased. Only what says nothing about a person is not.
    const SEALED: bool = true;

    /// Whom the event is about: the CloudEvents subject and the partition key.
    fn student_id(&self) -> UserId;
    /// The student's request that this event belongs to.
    fn correlation_id(&self) -> Uuid;
    /// The person whom its data is about.
    fn owner(&self) -> UserId {
        self.student_id()
    }
}

/// A received event of a known type.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope<E> {
    /// The event's identity: equal for every delivery of the same event.
    pub id: EventId,
    /// When it happened; absent only in foreign events.
    pub time: Option<DateTime<Utc>>,
    /// W3C trace context of the work that emitted it.
    pub traceparent: Option<String>,
    /// The payload.
    pub data: E,
}

impl<E: Event> Envelope<E> {
    /// Reads an event whose type must be `E`'s.
    ///
    /// # Errors
    /// Another type, or a payload that does not have `E`'s shape.
    pub fn read(event: CloudEvent) -> Result<Self, DecodeError> {
        if event.event_type != E::TYPE {
            return Err(DecodeError::Type { actual: event.event_type, expected: E::TYPE });
        }
        let id = event_id(&event);
        let text = match &event.data {
            Data::Json(json) => json.as_str().as_bytes(),
            Data::Bytes(bytes) => bytes,
            Data::None => return Err(DecodeError::NoData),
        };
        let data = payload(text)?;
        let traceparent = event.extensions.get("traceparent").cloned();
        Ok(Self { id, time: event.time, traceparent, data })
    }
}

/// Reads a payload, as whoever handles the event does.
pub(crate) fn payload<E: Event>(text: &[u8]) -> Result<E, DecodeError> {
    serde_json::from_slice(text).map_err(|error| malformed::<E>(text, error))
}

/// Why a payload cannot be read. Finding the position of the error costs more, so it is done only now.
fn malformed<E: Event>(text: &[u8], error: serde_json::Error) -> DecodeError {
    if !error.is_data() {
        return DecodeError::Json(error);
    }
    let json = &mut serde_json::Deserializer::from_slice(text);
    let (path, source) = match serde_path_to_error::deserialize::<_, E>(json) {
        Ok(_) => (String::new(), error),
        Err(error) => (error.path().to_string(), error.into_inner()),
    };
    DecodeError::Payload { event_type: E::TYPE, path, source }
}

/// Whether a type has the form of ours: lower-case words with dots between them, and a version, such as
/// `question.asked.v1`. Such an event may be of a later version; any other is not one of ours.
#[must_use]
pub fn is_versioned_type(event_type: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    event_type.rsplit_once(".v").is_some_and(|(name, version)| {
        name.split('.').all(is_word)
            && !version.is_empty()
            && version.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The identity of an event for deduplication. Our own ids are UUIDs; a foreign event is unique only
/// together with its source (CloudEvents 1.0, 3.1.1), so both are hashed into one.
#[must_use]
pub fn event_id(event: &CloudEvent) -> EventId {
    EventId::from_uuid(event.id.parse().unwrap_or_else(|_| {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}\n{}", event.source, event.id).as_bytes())
    }))
}

/// The id of the event that `function` emits at `position` (from 0) when it handles `cause`: the same on every rerun,
/// so that receivers recognise duplicates.
#[must_use]
pub fn derived_event_id(cause: EventId, function: &str, position: usize) -> EventId {
    EventId::from_uuid(Uuid::new_v5(&cause.as_uuid(), format!("{function}/{position}").as_bytes()))
}
