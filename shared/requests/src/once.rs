//! Requests that create something: sent again with the same `Idempotency-Key`, they are carried out once.

use chrono::{DateTime, Utc};
use http::HeaderMap;
use ids::UserId;
use runtime::web::Problem;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use storage::idempotency::{self, Claim, IdempotencyKey};
use uuid::Uuid;

use crate::accept::{KEY_LIMIT, is_key, reused_key};

/// Something that is about to be created.
#[derive(Debug, Clone, Copy)]
pub struct Creation<'a> {
    /// Separates the keys of different kinds of requests.
    pub operation: &'static str,
    /// Who creates it.
    pub owner: UserId,
    /// The request's key, if it has one.
    pub key: Option<&'a str>,
    /// The id that it will have.
    pub id: Uuid,
    /// The time.
    pub now: DateTime<Utc>,
}

impl Creation<'_> {
    /// What the same request created when it was sent before; `None` if it is new, and its key is claimed now.
    ///
    /// # Errors
    /// 422 if the key belongs to another request.
    pub async fn earlier(
        &self,
        conn: &mut PgConnection,
        request: &(impl Serialize + Sync),
    ) -> Result<Option<Uuid>, Problem> {
        let Some(key) = self.key else { return Ok(None) };
        let request = serde_json::to_vec(request).map_err(|error| Problem::internal(&error))?;
        let owner = self.owner.to_string();
        let request_hash = Sha256::digest(request).into();
        let key = IdempotencyKey { operation: self.operation, owner: &owner, key, request_hash };
        match idempotency::claim(conn, &key, self.id, self.now).await? {
            Claim::New => Ok(None),
            Claim::Repeated(first) => Ok(Some(first)),
            Claim::Conflict => Err(reused_key()),
        }
    }
}

/// The request's `Idempotency-Key`: the client's promise that equal keys mean the same request.
///
/// # Errors
/// 422 if it is no key.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if is_key(key) => Ok(Some(key.to_owned())),
        _ => Err(Problem::field(
            "Idempotency-Key",
            format!("1 to {KEY_LIMIT} visible ASCII characters"),
        )),
    }
}
