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
    dead_letters::{self, DeadLetterRow, ReplayRow},
    events::StoredEvent,
};
use uuid::Uuid;

use crate::{
    OpenError,
    changed_data::{self, Change, ChangeError, Original},
    keys::{Outbound, Standing, owner_of},
    message::Message,
    store::Store,
    transaction::Transaction,
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
    /// What its data was changed to cannot be sent.
    #[error(transparent)]
    Change(#[from] ChangeError),
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
    changed: Vec<String>,
}

impl Replay {
    /// The event to be sent.
    #[must_use]
    pub const fn event(&self) -> &StoredEvent {
        &self.event
    }

    /// The members of its data that are not as they were given up.
    #[must_use]
    pub fn changed(&self) -> &[String] {
        &self.changed
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
        let (letter, event) = given_up(row)?;
        let owner = owner_of(&event);
        let event = store.keys().open_event(event).await?.ok_or(ReplayError::Erased)?;
        Self::of(store, clock, row.id, (letter, event), owner).await
    }

    /// Prepares the replay of a dead letter with other data: also of one whose own data nobody can read.
    ///
    /// # Errors
    /// It cannot be replayed, or not with this data.
    pub async fn prepare_changed(
        store: &Store,
        clock: &Clock,
        row: &DeadLetterRow,
        data: Json,
    ) -> Result<Self, ReplayError> {
        let (letter, mut event) = given_up(row)?;
        let owner = owner_of(&event);
        let opened = match store.keys().open_event(event.clone()).await {
            Ok(opened) => Some(opened.ok_or(ReplayError::Erased)?),
            // The key is there, so the account is, too.
            Err(OpenError::Damaged(_)) => None,
            Err(error @ OpenError::Database(_)) => return Err(error.into()),
        };
        let before = match opened.as_ref().map(|event| &event.data) {
            Some(Data::Json(data)) => Some(data),
            Some(Data::Bytes(_) | Data::None) | None => None,
        };
        let original = Original { event: &event, data: before, owner };
        let Change { owner, student, correlation, members } = changed_data::check(original, &data)?;
        // A foreign event came as it was, also if it is about somebody who is gone by now.
        if let Some(owner) = owner
            && let Standing::Erased = store.keys().standing(owner).await?
        {
            return Err(ReplayError::Erased);
        }
        event.data = Data::Json(data);
        event.subject.get_or_insert_with(|| student.to_string());
        let attribute = event.extensions.entry("correlationid".to_owned());
        attribute.or_insert_with(|| correlation.to_string());
        let replay = Self::of(store, clock, row.id, (letter, event), owner).await?;
        Ok(Self { changed: members, ..replay })
    }

    async fn of(
        store: &Store,
        clock: &Clock,
        row: EventId,
        (letter, event): (DeadLetter, CloudEvent),
        owner: Option<UserId>,
    ) -> Result<Self, ReplayError> {
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
        let event = event.ok_or(ReplayError::Data)?;
        Ok(Self { letter: row, event, owner, changed: Vec::new() })
    }

    /// Sends the event, and records the replay as that of a command. An operator's tool leaves the event to the relay.
    ///
    /// # Errors
    /// The database's own.
    pub async fn send(self, store: &Store, clock: &Clock) -> sqlx::Result<()> {
        self.send_in(store.begin("replay").await?, None, clock.now()).await
    }

    /// Sends the event at the end of a transaction, and records who did it.
    ///
    /// # Errors
    /// The database's own.
    pub async fn send_in(
        self,
        mut tx: Transaction<'_>,
        by: Option<UserId>,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let Self { letter, event, owner, changed } = self;
        let replay = ReplayRow { event: event.id, replayed_at: now, replayed_by: by, changed };
        dead_letters::note_replay(tx.conn(), letter, &replay).await?;
        Ok(tx.commit_events(vec![Outbound { event, owner }]).await?)
    }
}

/// The dead letter of a row, and the event in it, as it was sent.
fn given_up(row: &DeadLetterRow) -> Result<(DeadLetter, CloudEvent), ReplayError> {
    let letter = read(row)?;
    if letter.truncated {
        return Err(ReplayError::Truncated(letter.origin));
    }
    let event = to_message(&letter)?.decode().map_err(ReplayError::Decode)?;
    Ok((letter, event))
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
