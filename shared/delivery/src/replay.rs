//! Replaying dead letters, once the reason of the failure is gone.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use environment::Clock;
use events::{
    CloudEvent, Data, DecodeError, HeaderStyle, Json,
    dead_letter::DeadLetter,
    envelope::{MAX_DATA_BYTES, event_id},
};
use ids::{EventId, UserId};
use storage::{
    dead_letters::{self, DeadLetterRow},
    events::StoredEvent,
};
use uuid::Uuid;

use crate::{
    OpenError,
    keys::{Outbound, owner_of},
    message::Message,
    store::Store,
};

/// The source of a replayed event, followed by the name of the function that it is for: other functions on the topic
/// may have handled the original, so they skip it.
const SOURCE: &str = "learnflow/replay/";
/// The origin of a dead letter that came by HTTP.
const BY_HTTP: &str = "http";

/// Whether an event is replayed for another function than this one.
pub(crate) fn is_for_another(event: &CloudEvent, function: &str) -> bool {
    event.source.strip_prefix(SOURCE).is_some_and(|only| only != function)
}

/// Why a dead letter cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its request was erased, or it is not one of ours.
    #[error("its content cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// Only the beginning is stored.
    #[error("only its beginning is kept; all of it is at {0}, as long as the topic keeps it")]
    Truncated(String),
    /// Its bytes are damaged.
    #[error("its bytes are not base64")]
    Base64(#[source] base64::DecodeError),
    /// It is not an event, and will never be one.
    #[error("it is no event that anything could handle")]
    Decode(#[source] DecodeError),
    /// It has no JSON data, or too much.
    #[error("it has no JSON data of at most {MAX_DATA_BYTES} bytes")]
    Data,
    /// It came by HTTP, and no event with its id is stored.
    #[error("it came by HTTP, and the topic that it belongs on is not known")]
    Topic,
    /// Nobody can read it any more.
    #[error("the account that it is about was erased")]
    Erased,
    /// Its data cannot be opened.
    #[error("its data cannot be opened")]
    Open(#[from] OpenError),
    /// The database's own.
    #[error("the database does not take it")]
    Database(#[from] sqlx::Error),
}

/// A dead letter's event, to be sent again.
#[derive(Debug, Clone)]
pub struct Replay {
    letter: EventId,
    event: StoredEvent,
    /// With whose key it was sealed, and is again: its new id belongs to what is sealed.
    owner: Option<UserId>,
}

impl Replay {
    /// The event to be sent.
    #[must_use]
    pub const fn event(&self) -> &StoredEvent {
        &self.event
    }

    /// Prepares the replay of a dead letter, with a new id and a new trace, to the function that gave it up.
    ///
    /// # Errors
    /// It cannot be replayed as it is.
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
        let owner = owner_of(&event);
        let event = store.keys().open_event(event).await?.ok_or(ReplayError::Erased)?;
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
        Ok(Self { letter: row.id, event: event.ok_or(ReplayError::Data)?, owner })
    }

    /// Leaves the event to the relay, and records the replay.
    ///
    /// # Errors
    /// The database's own.
    pub async fn send(self, store: &Store, clock: &Clock) -> sqlx::Result<()> {
        let mut tx = store.begin("replay").await?;
        dead_letters::note_replay(tx.conn(), self.letter, self.event.id, clock.now()).await?;
        let Self { event, owner, .. } = self;
        Ok(tx.commit_events(vec![Outbound { event, owner }]).await?)
    }
}

/// The dead letter of a row.
///
/// # Errors
/// Its content is not stored.
pub fn read(row: &DeadLetterRow) -> Result<DeadLetter, ReplayError> {
    serde_json::from_value(row.data.clone()).map_err(ReplayError::Unreadable)
}

/// The original message.
///
/// # Errors
/// The dead letter is damaged.
pub fn to_message(letter: &DeadLetter) -> Result<Message, ReplayError> {
    let bytes = |text: &str| STANDARD.decode(text).map(Bytes::from).map_err(ReplayError::Base64);
    let headers = letter.headers.iter().map(|(name, value)| Ok((name.clone(), bytes(value)?)));
    Ok(Message {
        record: None,
        origin: letter.origin.clone(),
        style: if letter.origin == BY_HTTP { HeaderStyle::Http } else { HeaderStyle::Kafka },
        key: letter.key_base64.as_deref().map(bytes).transpose()?,
        headers: headers.collect::<Result<_, ReplayError>>()?,
        value: bytes(&letter.value_base64)?,
    })
}

/// The event to be stored and sent; `None` if its data is not valid or too large.
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
        // A new trace: the failed one is long over.
        traceparent: Some(format!("00-{}-{:016x}-01", trace.simple(), trace.as_u64_pair().1)),
        data,
        occurred_at: now,
    })
}
