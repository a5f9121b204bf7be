//! Idempotency keys, and the resources that were made with them.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// A client's promise that equal keys mean the same request.
#[derive(Debug, Clone, Copy)]
pub struct IdempotencyKey<'a> {
    /// The operation, so that one key may serve several.
    pub operation: &'a str,
    /// Whose key it is.
    pub owner: &'a str,
    /// The key as the client sent it.
    pub key: &'a str,
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
}

/// The outcome of claiming a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// New: the caller creates the resource in the same transaction.
    New,
    /// The same request was sent before and created this resource.
    Repeated(Uuid),
    /// The key was used for another request.
    Conflict,
}

/// Claims a key for the resource that the caller is about to create.
///
/// # Errors
/// The database's own.
pub async fn claim(
    conn: &mut PgConnection,
    key: &IdempotencyKey<'_>,
    resource_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Claim> {
    let inserted = sqlx::query!(
        "INSERT INTO idempotency_keys (operation, owner, key, request_hash, resource_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        key.operation,
        key.owner,
        key.key,
        key.request_hash.as_slice(),
        resource_id,
        now,
    )
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Claim::New);
    }
    let first = sqlx::query!(
        "SELECT request_hash, resource_id FROM idempotency_keys
         WHERE operation = $1 AND owner = $2 AND key = $3",
        key.operation,
        key.owner,
        key.key,
    )
    .fetch_one(conn)
    .await?;
    Ok(if first.request_hash == key.request_hash {
        Claim::Repeated(first.resource_id)
    } else {
        Claim::Conflict
    })
}
