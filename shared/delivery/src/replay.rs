//! Sending again what could not be handled, once the reason is gone.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use environment::Clock;
use events::{
    CloudEvent, Data, DecodeError, HeaderStyle, Json,
    dead_letter::DeadLetter,
    envelope::{MAX_DATA_BYTES, event_id},
};
use ids::EventId;
use storage::{
    dead_letters::{self, DeadLetterRow},
    events::StoredEvent,
};
use uuid::Uuid;

use crate::{message::Message, store::Store};

/// The source of what is sent again, before the name of the function that it is for: other functions on the topic may
/// have handled the original, so they pass it over.
const SOURCE: &str = "learnflow/replay/";
/// The origin of a letter that came by HTTP.
const BY_HTTP: &str = "http";

/// Whether an event is sent again for another function than this.
pub(crate) fn is_for_another(event: &CloudEvent, function: &str) -> bool {
    event.source.strip_prefix(SOURCE).is_some_and(|only| only != function)
}

/// Why a dead letter cannot be sent again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its request was erased, or it is none of ours.
    #[error("its content cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// Only the beginning is kept.
    #[error("only its beginning is kept; all of it is at {0}, as long as the topic keeps it")]
    Truncated(String),
    /// Its bytes are damaged.
    #[error("its bytes are not base64")]
    Base64(#[source] base64::DecodeError),
    /// It is no event, and will never be one.
    #[error("it is no event that anything could handle")]
    Decode(#[source] DecodeError),
    /// It has no JSON data, or too much.
    #[error("it has no JSON data of at most {MAX_DATA_BYTES} bytes")]
    Data,
    /// It came by HTTP, and no event of its id is kept.
    #[error("it came by HTTP, and the topic that it belongs on is not known")]
    Topic,
    /// The database's own.
    #[error("the database does not take it")]
    Database(#[from] sqlx::Error),
}

/// What is sent again of a dead letter.
#[derive(Debug, Clone)]
pub struct Replay {
    letter: EventId,
    event: StoredEvent,
}

impl Replay {
    /// The event that is sent.
    #[must_use]
    pub const fn event(&self) -> &StoredEvent {
        &self.event
    }

    /// Prepares a dead letter to be sent again, with an id and a trace of its own, to the function that has given it up.
    ///
    /// # Errors
    /// It cannot be sent again as it is.
    pub async fn prepare(
        store: &Store,
        clock: &Clock,
        row: &DeadLetterRow,
    ) -> Result<Self, ReplayError> {
        let letter = read(row)?;
        if letter.truncated {
            return Err(ReplayError::Truncated(letter.origin));
        }
        let event = to_message(&letter)?.decode().map_err(ReplayError::Decode)?;
        let topic = match letter.origin.rsplit_once('-') {
            Some((topic, _)) if letter.origin != BY_HTTP => Some(topic.to_owned()),
            _ => {
                let mut conn = store.connection().await?;
                dead_letters::topic_of(&mut conn, event_id(&event)).await?
            }
        };
        let topic = topic.ok_or(ReplayError::Topic)?;
        let (id, trace) = (EventId::from_uuid(clock.new_id()), clock.new_id());
        let event = to_stored(event, &letter, topic, id, trace, clock.now());
        Ok(Self { letter: row.id, event: event.ok_or(ReplayError::Data)? })
    }

    /// Leaves it to the relay, and notes that it was sent again.
    ///
    /// # Errors
    /// The database's own.
    pub async fn send(self, store: &Store, clock: &Clock) -> sqlx::Result<()> {
        let mut tx = store.begin("replay").await?;
        dead_letters::note_replay(tx.conn(), self.letter, self.event.id, clock.now()).await?;
        Ok(tx.commit_events(vec![self.event]).await?)
    }
}

/// The letter of a row.
///
/// # Errors
/// Nothing is kept of it.
pub fn read(row: &DeadLetterRow) -> Result<DeadLetter, ReplayError> {
    serde_json::from_value(row.data.clone()).map_err(ReplayError::Unreadable)
}

/// The message as it came.
///
/// # Errors
/// The letter is damaged.
pub fn to_message(letter: &DeadLetter) -> Result<Message, ReplayError> {
    let bytes = |text: &str| STANDARD.decode(text).map(Bytes::from).map_err(ReplayError::Base64);
    let headers = letter.headers.iter().map(|(name, value)| Ok((name.clone(), bytes(value)?)));
    Ok(Message {
        origin: letter.origin.clone(),
        style: if letter.origin == BY_HTTP { HeaderStyle::Http } else { HeaderStyle::Kafka },
        key: letter.key_base64.as_deref().map(bytes).transpose()?,
        headers: headers.collect::<Result<_, ReplayError>>()?,
        value: bytes(&letter.value_base64)?,
    })
}

/// The event as it is kept and sent again; `None` if its data cannot travel.
fn to_stored(
    event: CloudEvent,
    letter: &DeadLetter,
    topic: String,
    id: EventId,
    trace: Uuid,
    now: DateTime<Utc>,
) -> Option<StoredEvent> {
    let cause = event_id(&event);
    let data = match event.data {
        Data::Json(data) => data,
        Data::Bytes(bytes) => Json::from_text(String::from_utf8(bytes).ok()?).ok()?,
        Data::None => return None,
    };
    let attribute = |name: &str| event.extensions.get(name).cloned();
    let subject: Option<Uuid> = event.subject.as_deref().and_then(|subject| subject.parse().ok());
    let key = attribute("partitionkey").or_else(|| event.subject.clone()).unwrap_or_default();
    (data.as_str().len() <= MAX_DATA_BYTES).then(|| StoredEvent {
        id,
        topic,
        partition_key: key,
        event_type: event.event_type.clone(),
        source: format!("{SOURCE}{}", letter.function),
        subject,
        correlation_id: attribute("correlationid")
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| cause.as_uuid()),
        causation_id: Some(cause),
        // Its own trace: what failed then is long over.
        traceparent: Some(format!("00-{}-{:016x}-01", trace.simple(), trace.as_u64_pair().1)),
        data,
        occurred_at: now,
    })
}
