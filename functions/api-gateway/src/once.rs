//! Requests that create something: sent again with the same `Idempotency-Key`, they are carried out once.

use chrono::{DateTime, Utc};
use ids::UserId;
use requests::reused_key;
use runtime::web::Problem;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use storage::idempotency::{self, Claim, IdempotencyKey};
use uuid::Uuid;

/// Something that is about to be created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Creation<'a> {
    /// Separates the keys of different kinds of requests.
    pub(crate) operation: &'static str,
    /// Who creates it.
    pub(crate) owner: UserId,
    /// The request's key, if it has one.
    pub(crate) key: Option<&'a str>,
    /// The id that it will have.
    pub(crate) id: Uuid,
    /// The time.
    pub(crate) now: DateTime<Utc>,
}

impl Creation<'_> {
    /// What the same request created when it was sent before; `None` if it is new, and its key is claimed now.
    ///
    /// # Errors
    /// 422 if the key belongs to another request.
    pub(crate) async fn earlier(
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
