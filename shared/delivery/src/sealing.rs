//! Data of events, encrypted with the key of the person whom it is about.
//!
//! AES-256-GCM with a random nonce. The event's id and type are authenticated with it, so that nobody can pass off one
//! event's data as another's.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    error::Unspecified,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use events::Json;
use ids::{EventId, UserId};
use serde::{Deserialize, Serialize};

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes that sealing adds before base64: nonce and tag.
const ADDED: usize = NONCE_LEN + 16;
/// Bytes of the JSON around the text of sealed data.
const AROUND: usize = 80;

/// The size of data of `bytes` once it is sealed, at most.
pub(crate) const fn sealed_size(bytes: usize) -> usize {
    (bytes + ADDED).div_ceil(3) * 4 + AROUND
}

/// Sealed data as JSON. No type of event has these members.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    /// Nonce, data and tag, in base64.
    sealed: String,
    /// Whose key opens it.
    #[serde(rename = "for")]
    pub(crate) owner: UserId,
}

/// Data that cannot be opened with the key of its owner: it was changed, or belongs to another event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed data is damaged, or belongs to another event")]
pub struct Damaged;

impl From<Unspecified> for Damaged {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// A person's key.
pub(crate) struct DataKey(RandomizedNonceKey);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

impl DataKey {
    pub(crate) fn new(bytes: &[u8; KEY_BYTES]) -> Result<Self, Damaged> {
        Ok(Self(RandomizedNonceKey::new(&AES_256_GCM, bytes)?))
    }

    /// Seals the data of an event.
    pub(crate) fn seal(
        &self,
        owner: UserId,
        id: EventId,
        event_type: &str,
        data: &Json,
    ) -> Result<Json, Damaged> {
        let text = data.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(text.len() + ADDED);
        bytes.extend([0; NONCE_LEN]);
        bytes.extend(text);
        let (nonce, tag) =
            self.0.seal_in_place_separate_tag(bound_to(id, event_type), &mut bytes[NONCE_LEN..])?;
        bytes[..NONCE_LEN].copy_from_slice(nonce.as_ref());
        bytes.extend(tag.as_ref());
        Json::of(&Sealed { sealed: STANDARD.encode(bytes), owner }).map_err(|_never| Damaged)
    }

    /// Opens the data of an event.
    pub(crate) fn open(
        &self,
        id: EventId,
        event_type: &str,
        data: &Sealed,
    ) -> Result<Json, Damaged> {
        let mut bytes = STANDARD.decode(&data.sealed).map_err(|_no_base64| Damaged)?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let text = self.0.open_in_place(nonce, bound_to(id, event_type), text)?;
        let text = str::from_utf8(text).map_err(|_no_text| Damaged)?;
        Json::from_text(text.to_owned()).map_err(|_no_json| Damaged)
    }
}

/// What is authenticated with the data.
fn bound_to(id: EventId, event_type: &str) -> Aad<Vec<u8>> {
    Aad::from([id.as_uuid().as_bytes(), event_type.as_bytes()].concat())
}

impl Sealed {
    /// Sealed data; `None` if it is as it was written.
    pub(crate) fn read(data: &Json) -> Option<Self> {
        data.read().ok()
    }
}

#[cfg(test)]
mod tests {
    use events::Json;
    use ids::{EventId, UserId};
    use serde_json::json;
    use uuid::Uuid;

    use super::{Damaged, DataKey, Sealed, sealed_size};

    fn id(number: u128) -> EventId {
        EventId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn what_is_sealed_is_opened_only_by_its_key_and_as_the_event_that_it_is() {
        let (key, other) = (DataKey::new(&[1; 32]).unwrap(), DataKey::new(&[2; 32]).unwrap());
        let ada = UserId::from_uuid(Uuid::from_u128(7));
        for text in ["", "Why?", "\0 \u{1F600} \"sealed\"", &"x".repeat(100_000)] {
            let data = Json::from(json!({ "question": text }));
            let sealed = key.seal(ada, id(1), "a.v1", &data).unwrap();
            assert!(sealed.as_str().len() <= sealed_size(data.as_str().len()));
            assert!(text.is_empty() || !sealed.as_str().contains(text));
            assert_ne!(key.seal(ada, id(1), "a.v1", &data).unwrap(), sealed, "another nonce");
            let read = Sealed::read(&sealed).unwrap();
            assert_eq!(read.owner, ada);
            assert_eq!(key.open(id(1), "a.v1", &read), Ok(data.clone()));
            assert_eq!(key.open(id(2), "a.v1", &read), Err(Damaged), "of another event");
            assert_eq!(key.open(id(1), "b.v1", &read), Err(Damaged), "of another type");
            assert_eq!(other.open(id(1), "a.v1", &read), Err(Damaged), "another key");
            assert!(Sealed::read(&data).is_none());
        }
    }

    #[test]
    fn what_was_changed_is_not_opened() {
        let key = DataKey::new(&[1; 32]).unwrap();
        let owner = UserId::from_uuid(Uuid::nil());
        for sealed in ["", "AAAA", "no base64", &"A".repeat(200)] {
            let sealed = Sealed { sealed: sealed.to_owned(), owner };
            assert_eq!(key.open(id(1), "a.v1", &sealed), Err(Damaged));
        }
    }
}
