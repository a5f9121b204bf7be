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
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// A login that can still be continued: a family of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// The family.
    pub id: TokenFamilyId,
    /// When its oldest token that is still stored was issued.
    pub issued_at: DateTime<Utc>,
    /// When its newest token was issued.
    pub used_at: DateTime<Utc>,
    /// When it ends if it is not continued.
    pub expires_at: DateTime<Utc>,
    /// What the client called itself last.
    pub user_agent: Option<String>,
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
        /// Whose it was.
        user_id: UserId,
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
        "INSERT INTO refresh_tokens (token_hash, family_id, user_id, issued_at, expires_at, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6)",
        token.token_hash.as_slice(),
        token.family_id.as_uuid(),
        token.user_id.as_uuid(),
        token.issued_at,
        token.expires_at,
        token.user_agent,
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
    let Some((user_id, family_id)) = lock_family(conn, token_hash).await? else {
        return Ok(Use::Refused);
    };
    let row = sqlx::query!(
        "SELECT expires_at, used_at, revoked_at FROM refresh_tokens WHERE token_hash = $1",
        token_hash.as_slice(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(Use::Refused) };
    if row.used_at.is_some() {
        revoke_locked(conn, family_id, now).await?;
        return Ok(Use::Reused { user_id, family_id });
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
    Ok(Use::Accepted { user_id, family_id })
}

/// Revokes every token that descends from the same login as this one; returns whose they were.
///
/// An unknown token needs no revocation. The transaction blocks all others of the family until its end.
///
/// # Errors
/// The database's own.
pub async fn revoke_family_of(
    conn: &mut PgConnection,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<Option<UserId>> {
    let Some((user_id, family_id)) = lock_family(conn, token_hash).await? else { return Ok(None) };
    revoke_locked(conn, family_id, now).await?;
    Ok(Some(user_id))
}

/// Locks the family of a token for this transaction; returns whose it is, too.
///
/// Whatever uses, renews or revokes a token of the family waits here until the end of the transaction. So a revocation
/// sees every successor, and none is created after it. Locking the family's rows instead would not suffice: it does not
/// block a row that another transaction is about to insert.
async fn lock_family(
    conn: &mut PgConnection,
    token_hash: &[u8; 32],
) -> sqlx::Result<Option<(UserId, TokenFamilyId)>> {
    // The account's row is locked for its families. Foreign keys to it can still be inserted meanwhile.
    let row = sqlx::query!(
        "SELECT t.user_id, t.family_id FROM refresh_tokens t JOIN users u ON u.id = t.user_id
         WHERE t.token_hash = $1 FOR NO KEY UPDATE OF u",
        token_hash.as_slice(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(row.map(|row| (UserId::from_uuid(row.user_id), TokenFamilyId::from_uuid(row.family_id))))
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

/// The logins of a person that can still be continued, the one used last first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn sessions(
    conn: &mut PgConnection,
    user: UserId,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<LiveSession>> {
    sqlx::query!(
        r#"SELECT family_id, min(issued_at) AS "issued_at!", max(issued_at) AS "used_at!",
                  max(expires_at) AS "expires_at!", (array_agg(user_agent ORDER BY issued_at DESC))[1] AS user_agent
           FROM refresh_tokens WHERE user_id = $1 GROUP BY family_id
           HAVING bool_or(used_at IS NULL AND revoked_at IS NULL AND expires_at > $2)
           ORDER BY max(issued_at) DESC, family_id LIMIT $3"#,
        user.as_uuid(),
        now,
        limit,
    )
    .map(|row| LiveSession {
        id: TokenFamilyId::from_uuid(row.family_id),
        issued_at: row.issued_at,
        used_at: row.used_at,
        expires_at: row.expires_at,
        user_agent: row.user_agent,
    })
    .fetch_all(conn)
    .await
}

/// Ends logins of a person: one, or all but one. Returns how many tokens were revoked.
///
/// Like every revocation it locks the account, so that no successor outlives it.
///
/// # Errors
/// The database's own.
pub async fn end(
    conn: &mut PgConnection,
    user: UserId,
    ended: Ended,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    sqlx::query_scalar!("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", user.as_uuid())
        .fetch_optional(&mut *conn)
        .await?;
    let (only, except) = match ended {
        Ended::One(family) => (Some(family.as_uuid()), None),
        Ended::AllBut(family) => (None, family.map(TokenFamilyId::as_uuid)),
    };
    let revoked = sqlx::query!(
        "UPDATE refresh_tokens SET revoked_at = $4
         WHERE user_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR family_id = $2)
           AND family_id IS DISTINCT FROM $3",
        user.as_uuid(),
        only,
        except,
        now,
    )
    .execute(conn)
    .await?;
    Ok(revoked.rows_affected())
}

/// Which logins are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// This one.
    One(TokenFamilyId),
    /// All others than this one; all without one.
    AllBut(Option<TokenFamilyId>),
}
