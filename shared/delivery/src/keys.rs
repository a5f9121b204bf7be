//! The keys of people, as they are needed: what is stored or sent about a person is sealed, and opened for whoever
//! handles it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};

use events::{CloudEvent, Data, Json, envelope::event_id};
use ids::{EventId, UserId};
use parking_lot::Mutex;
use sqlx::{PgConnection, PgPool};
use storage::{
    data_keys::{self, DataKeyRow},
    event_log::LoggedEvent,
    events::StoredEvent,
};
use uuid::Uuid;

use crate::{
    counters,
    database::bounded,
    remembered::Remembered,
    sealing::{Damaged, DataKey, KEY_BYTES, Sealed},
};

/// What is known of a person's key.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// It is there.
    Open(Arc<DataKey>),
    /// It was destroyed with the account.
    Erased,
    /// There is no account, so there is nothing to erase later.
    Stranger,
}

/// Why data cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database is away.
    #[error("a person's key cannot be read")]
    Database(#[from] sqlx::Error),
    /// The key does not fit.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// An event to be stored, with the person with whose key it is sealed.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) event: StoredEvent,
    /// `None`: it says nothing about a person, or is sealed already.
    pub(crate) owner: Option<UserId>,
}

/// The keys of people. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Keys {
    pool: PgPool,
    kept: Arc<Mutex<Remembered<UserId, Standing>>>,
}

impl Keys {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool, kept: Arc::default() }
    }

    /// Looks again whether this person's key is still there.
    pub(crate) fn forget(&self, person: UserId) {
        self.kept.lock().forget(|other| *other == person);
    }

    /// What is known of a person's key.
    pub(crate) async fn standing(&self, person: UserId) -> sqlx::Result<Standing> {
        let kept = self.kept.lock().get(&person);
        if let Some(standing) = kept {
            return Ok(standing);
        }
        let found = bounded(async {
            let mut conn = self.pool.acquire().await?;
            self.load(&mut conn, &[person]).await
        });
        Ok(found.await?.remove(&person).unwrap_or(Standing::Stranger))
    }

    /// Loads the keys of these people. Strangers are not kept, since they may register at any time.
    async fn load(
        &self,
        conn: &mut PgConnection,
        people: &[UserId],
    ) -> sqlx::Result<HashMap<UserId, Standing>> {
        let ids: Vec<Uuid> = people.iter().map(|person| person.as_uuid()).collect();
        let read_at = Instant::now();
        self.keep(data_keys::find(conn, &ids).await?, read_at)
    }

    /// Keeps what was read of keys, if it lasts.
    pub(crate) fn keep(
        &self,
        rows: impl IntoIterator<Item = DataKeyRow>,
        read_at: Instant,
    ) -> sqlx::Result<HashMap<UserId, Standing>> {
        let mut kept = self.kept.lock();
        let mut found = HashMap::new();
        for row in rows {
            let person = UserId::from_uuid(row.person);
            let standing = match row.key {
                None => Standing::Erased,
                Some(bytes) => {
                    let bytes = <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_length| broken())?;
                    Standing::Open(Arc::new(DataKey::new(&bytes).map_err(|_never| broken())?))
                }
            };
            if !row.is_new {
                kept.insert(person, standing.clone(), read_at);
            }
            found.insert(person, standing);
        }
        Ok(found)
    }

    /// Seals what is about people. What is about somebody whose account was erased is dropped: nobody could read it.
    ///
    /// On the connection of the transaction that stores it, and without a statement if all keys are known.
    pub(crate) async fn seal(
        &self,
        conn: &mut PgConnection,
        events: Vec<Outbound>,
    ) -> sqlx::Result<Vec<StoredEvent>> {
        let mut standings: HashMap<UserId, Standing> = HashMap::new();
        let mut missing = BTreeSet::new();
        for owner in events.iter().filter_map(|outbound| outbound.owner) {
            if standings.contains_key(&owner) {
                continue;
            }
            let kept = self.kept.lock().get(&owner);
            match kept {
                Some(standing) => drop(standings.insert(owner, standing)),
                None => drop(missing.insert(owner)),
            }
        }
        if !missing.is_empty() {
            let missing: Vec<UserId> = missing.into_iter().collect();
            standings.extend(self.load(conn, &missing).await?);
        }
        let mut sealed = Vec::with_capacity(events.len());
        for Outbound { mut event, owner } in events {
            match owner.map(|owner| (owner, standings.get(&owner))) {
                Some((owner, Some(Standing::Open(key)))) => {
                    event.data = key
                        .seal(owner, event.id, &event.event_type, &event.data)
                        .map_err(|error| sqlx::Error::Encode(error.into()))?;
                }
                Some((_, Some(Standing::Erased))) => {
                    tracing::info!(event_id = %event.id, "an event about an erased account is dropped");
                    counters::event_erased();
                    continue;
                }
                Some((_, Some(Standing::Stranger) | None)) | None => {}
            }
            sealed.push(event);
        }
        Ok(sealed)
    }

    /// The data of an event as it was written. `None`: the account that it was about is erased.
    ///
    /// # Errors
    /// The database is away, or the data was changed.
    pub async fn open(
        &self,
        id: EventId,
        event_type: &str,
        data: Json,
    ) -> Result<Option<Json>, OpenError> {
        let Some(sealed) = Sealed::read(&data) else { return Ok(Some(data)) };
        match self.standing(sealed.owner).await? {
            Standing::Open(key) => Ok(Some(key.open(id, event_type, &sealed)?)),
            Standing::Erased | Standing::Stranger => Ok(None),
        }
    }

    /// An event with its data as it was written. `None`: the account that it was about is erased.
    ///
    /// # Errors
    /// As above.
    pub async fn open_event(&self, mut event: CloudEvent) -> Result<Option<CloudEvent>, OpenError> {
        let id = event_id(&event);
        if let Data::Json(data) = event.data {
            let Some(data) = self.open(id, &event.event_type, data).await? else {
                return Ok(None);
            };
            event.data = Data::Json(data);
        }
        Ok(Some(event))
    }

    /// Events of the log with their data as it was written, without those about erased accounts.
    ///
    /// # Errors
    /// As above.
    pub async fn open_logged(
        &self,
        events: Vec<LoggedEvent>,
    ) -> Result<Vec<LoggedEvent>, OpenError> {
        let mut opened = Vec::with_capacity(events.len());
        for mut event in events {
            if let Some(data) = self.open(event.id, &event.event_type, event.data).await? {
                event.data = data;
                opened.push(event);
            }
        }
        Ok(opened)
    }
}

/// Whose data it is, if it is sealed.
pub(crate) fn owner_of(event: &CloudEvent) -> Option<UserId> {
    let Data::Json(data) = &event.data else { return None };
    Sealed::read(data).map(|sealed| sealed.owner)
}

/// A key in the database is not one: somebody has changed it.
fn broken() -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Damaged))
}
