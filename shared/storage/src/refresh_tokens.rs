//! Refresh tokens: each works once, and a second use revokes all that descend from the same login.

use chrono::{DateTime, Utc};
use ids::{TokenFamilyId, UserId};
use sqlx::PgConnection;

/// A token as stored: only its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// The login that it descends from.
    pub family_id: TokenFamilyId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// The outcome of presenting a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Valid: it is used up now, and a successor of the same family may be issued in this transaction.
    Accepted {
        /// Whose it was.
        user_id: UserId,
        /// The family for its successor.
        family_id: TokenFamilyId,
    },
    /// It was used before: someone has a copy. Its family is revoked now.
    Reused {
        /// The family.
        family_id: TokenFamilyId,
    },
    /// Unknown, expired or revoked.
    Refused,
}

/// Stores a new token.
///
/// # Errors
/// The database's own.
pub async fn insert(conn: &mut PgConnection, token: &RefreshToken) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO refresh_tokens (token_hash, family_id, user_id, issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
        token.token_hash.as_slice(),
        token.family_id.as_uuid(),
        token.user_id.as_uuid(),
        token.issued_at,
        token.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses a token up, or revokes its family if it was used before.
///
/// Of two transactions that present the same token, exactly one is accepted. In a transaction, which holds back
/// all others of the family until its end.
///
/// # Errors
/// The database's own.
pub async fn use_up(
    conn: &mut PgConnection,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<Use> {
    let Some(family_id) = lock_family(conn, token_hash).await? else { return Ok(Use::Refused) };
    let row = sqlx::query!(
        "SELECT user_id, expires_at, used_at, revoked_at FROM refresh_tokens WHERE token_hash = $1",
        token_hash.as_slice(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(Use::Refused) };
    if row.used_at.is_some() {
        revoke_locked(conn, family_id, now).await?;
        return Ok(Use::Reused { family_id });
    }
    if row.revoked_at.is_some() || row.expires_at <= now {
        return Ok(Use::Refused);
    }
    sqlx::query!(
        "UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1",
        token_hash.as_slice(),
        now,
    )
    .execute(&mut *conn)
    .await?;
    Ok(Use::Accepted { user_id: UserId::from_uuid(row.user_id), family_id })
}

/// Revokes every token that descends from the same login as this one.
///
/// An unknown token needs no revocation. The transaction blocks all others of the family until its end.
///
/// # Errors
/// The database's own.
pub async fn revoke_family_of(
    conn: &mut PgConnection,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if let Some(family_id) = lock_family(conn, token_hash).await? {
        revoke_locked(conn, family_id, now).await?;
    }
    Ok(())
}

/// Locks the family of a token for this transaction.
///
/// Whatever uses, renews or revokes a token of the family waits here until the end of the transaction. So a revocation
/// sees every successor, and none is created after it. Locking the family's rows instead would not suffice: it does not
/// block a row that another transaction is about to insert.
async fn lock_family(
    conn: &mut PgConnection,
    token_hash: &[u8; 32],
) -> sqlx::Result<Option<TokenFamilyId>> {
    // The account's row is locked for its families. Foreign keys to it can still be inserted meanwhile.
    let family_id = sqlx::query_scalar!(
        "SELECT t.family_id FROM refresh_tokens t JOIN users u ON u.id = t.user_id
         WHERE t.token_hash = $1 FOR NO KEY UPDATE OF u",
        token_hash.as_slice(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(family_id.map(TokenFamilyId::from_uuid))
}

async fn revoke_locked(
    conn: &mut PgConnection,
    family_id: TokenFamilyId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refresh_tokens SET revoked_at = $2 WHERE family_id = $1 AND revoked_at IS NULL",
        family_id.as_uuid(),
        now,
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}
