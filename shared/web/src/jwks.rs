//! The keys of an external identity provider, fetched when a token names an unknown one, and once an hour.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use environment::Clock;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use parking_lot::RwLock;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

/// The least time between two fetches for unknown keys.
const REFRESH_SECONDS: i64 = 60;
/// The same after a failed fetch: soon, since clients are waiting, and not at once, since the provider is in trouble.
const RETRY_SECONDS: i64 = 2;
/// How long keys are trusted before the provider is asked again: it may have withdrawn one. While it cannot be reached,
/// they stay.
const TRUST_SECONDS: i64 = 3_600;
/// The longest that a fetch may take; requests with an unknown key wait as long.
const FETCH_LIMIT: Duration = Duration::from_secs(5);
/// Most bytes of a key set: a provider has a handful of keys of some 2 KB.
const SET_LIMIT: usize = 256 * 1024;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The provider was asked recently, and has no such key.
    #[error("the token is signed with a key that is not accepted here")]
    Unknown,
    /// The provider was asked recently, without an answer.
    #[error("the identity provider cannot be reached; try again")]
    Away,
    /// The provider's response is an error.
    #[error("the identity provider cannot be reached; try again")]
    Fetch(#[source] reqwest::Error),
    /// Its response is not a key set.
    #[error("the identity provider's keys cannot be read; try again")]
    Malformed(#[source] serde_json::Error),
    /// Its response is too large.
    #[error("the identity provider's keys are more than {SET_LIMIT} bytes")]
    TooLarge,
}

/// The provider's keys as far as they are known.
pub(crate) struct Jwks {
    url: String,
    client: reqwest::Client,
    clock: Clock,
    keys: RwLock<Keys>,
    /// Held during a fetch. Requests that find their key do not wait for it.
    fetching: Mutex<()>,
}

/// What a provider sends. A key of a kind that is not known here makes the others no worse.
#[derive(Deserialize)]
struct FoundKeys {
    keys: Vec<Value>,
}

#[derive(Default)]
struct Keys {
    /// Kept when a later fetch fails.
    set: Option<JwkSet>,
    next_fetch: Option<DateTime<Utc>>,
    /// When the known ones are asked for again.
    renew_at: Option<DateTime<Utc>>,
    /// Whether the last fetch failed, or was abandoned by its caller.
    failed: bool,
}

impl Jwks {
    pub(crate) fn new(url: String, client: reqwest::Client, clock: Clock) -> Self {
        Self { url, client, clock, keys: RwLock::default(), fetching: Mutex::default() }
    }

    /// The key with this id.
    pub(crate) async fn find(&self, kid: &str) -> Result<Jwk, KeyError> {
        if let Some(key) = self.known(kid) {
            if !self.is_to_renew() {
                return Ok(key);
            }
            // A failure is logged there, and the keys are those of before.
            return match self.renew().await {
                Ok(()) => self.known(kid).ok_or(KeyError::Unknown),
                Err(_) => Ok(key),
            };
        }
        let turn = tokio::time::timeout(FETCH_LIMIT, self.fetching.lock()).await;
        let _turn = turn.map_err(|_elapsed| KeyError::Away)?;
        // Another request may have fetched it meanwhile.
        if let Some(key) = self.known(kid) {
            return Ok(key);
        }
        {
            let mut keys = self.keys.write();
            if keys.next_fetch.is_some_and(|at| self.clock.now() < at) {
                return Err(if keys.failed { KeyError::Away } else { KeyError::Unknown });
            }
            // Until it succeeds, since the caller may go away in the middle.
            keys.note(self.clock.now(), true);
        }
        self.renew().await?;
        self.known(kid).ok_or(KeyError::Unknown)
    }

    /// Whether the known keys are old. `true` for one caller in a while, who is to renew them.
    fn is_to_renew(&self) -> bool {
        let now = self.clock.now();
        let is_old = |keys: &Keys| keys.renew_at.is_some_and(|at| at <= now);
        if !is_old(&self.keys.read()) {
            return false;
        }
        let mut keys = self.keys.write();
        let is_first = is_old(&keys);
        keys.renew_at = Some(now + TimeDelta::seconds(REFRESH_SECONDS));
        is_first
    }

    async fn renew(&self) -> Result<(), KeyError> {
        let fetched = self.fetch().await;
        let now = self.clock.now();
        let mut keys = self.keys.write();
        keys.note(now, fetched.is_err());
        keys.set = Some(fetched.inspect_err(|error| {
            tracing::warn!(error = %environment::chain(error), "no keys from the identity provider");
        })?);
        keys.renew_at = Some(now + TimeDelta::seconds(TRUST_SECONDS));
        Ok(())
    }

    fn known(&self, kid: &str) -> Option<Jwk> {
        self.keys.read().set.as_ref()?.find(kid).cloned()
    }

    async fn fetch(&self) -> Result<JwkSet, KeyError> {
        let request = self.client.get(&self.url).timeout(FETCH_LIMIT);
        let response = request.send().await.map_err(KeyError::Fetch)?;
        let mut response = response.error_for_status().map_err(KeyError::Fetch)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(KeyError::Fetch)? {
            if body.len() + chunk.len() > SET_LIMIT {
                return Err(KeyError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let found: FoundKeys = serde_json::from_slice(&body).map_err(KeyError::Malformed)?;
        let keys = found.keys.into_iter().filter_map(|key| {
            serde_json::from_value(key)
                .inspect_err(|error| tracing::debug!(%error, "a key of the identity provider is of an unknown kind"))
                .ok()
        });
        Ok(JwkSet { keys: keys.collect() })
    }
}

impl Keys {
    fn note(&mut self, now: DateTime<Utc>, failed: bool) {
        let pause = if failed { RETRY_SECONDS } else { REFRESH_SECONDS };
        self.next_fetch = Some(now + TimeDelta::seconds(pause));
        self.failed = failed;
    }
}
