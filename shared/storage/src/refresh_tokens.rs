//! Refresh tokens: each is exchanged once for its successor. A second use revokes all that descend from the same login,
//! unless the answer to the first one may have been lost.
//!
//! The tokens of a login are counted in generations: a token's successors are of the next one. All of a generation are
//! as good as copies of one token, so the first use of one uses them all.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{TokenFamilyId, UserId};
use sqlx::PgConnection;

/// How long a used token may be presented again, as long as no successor was used.
///
/// The answer with the successor may have been lost, as when a page is reloaded twice, and several pages of a browser may
/// have sent the same cookie. It is longer than the 8 s that a request is given, so that whoever waited in vain may ask
/// again. A thief who is as quick gains no more than by being first: when both go on, one of them presents a token that
/// was used before (RFC 9700, section 4.14.2).
pub const LEEWAY: TimeDelta = TimeDelta::seconds(15);

/// Successors of one generation, as long as none is used: more than a browser restores pages at once.
const MAX_SUCCESSORS: i64 = 32;

/// Where a token stands among those of its login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descent {
    /// The login.
    pub family_id: TokenFamilyId,
    /// How many times the login was continued before.
    pub generation: i32,
}

impl Descent {
    /// That of the token which a login returns.
    #[must_use]
    pub const fn of_login(family_id: TokenFamilyId) -> Self {
        Self { family_id, generation: 0 }
    }

    const fn successor(self) -> Self {
        Self { generation: self.generation.saturating_add(1), ..self }
    }
}

/// A token as stored: only its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// The login that it descends from.
    pub descent: Descent,
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
        /// That of its successor.
        successor: Descent,
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
        "INSERT INTO refresh_tokens (token_hash, family_id, user_id, issued_at, expires_at, user_agent, generation)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        token.token_hash.as_slice(),
        token.descent.family_id.as_uuid(),
        token.user_id.as_uuid(),
        token.issued_at,
        token.expires_at,
        token.user_agent,
        token.descent.generation,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is known of a token that is presented.
#[derive(Debug, Clone, Copy)]
struct Presented {
    generation: i32,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    /// Tokens of the next generation.
    successors: i64,
    /// Whether one of a later generation was used.
    is_outlived: bool,
}

/// What a presented token is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    First,
    AnswerLost,
    Theft,
    Invalid,
}

/// Judges a token. One that was revoked before anybody used it shows no theft: its login was ended.
fn judge(token: &Presented, now: DateTime<Utc>) -> Verdict {
    let is_valid = token.revoked_at.is_none() && token.expires_at > now;
    match token.used_at {
        None if !is_valid => Verdict::Invalid,
        // Earlier versions, which may run beside this one, issue successors as generation 0.
        None if token.is_outlived && token.generation > 0 => Verdict::Theft,
        None => Verdict::First,
        Some(used_at) => {
            let is_recent = now - used_at <= LEEWAY && token.successors < MAX_SUCCESSORS;
            if is_valid && is_recent && !token.is_outlived {
                Verdict::AnswerLost
            } else {
                Verdict::Theft
            }
        }
    }
}

/// Uses a token up, or revokes its family if somebody has a copy.
///
/// Transactions that present the same token are judged one after the other: in a transaction, which holds back all
/// others of the family until its end.
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
    let token = sqlx::query_as!(
        Presented,
        r#"SELECT generation, expires_at, used_at, revoked_at,
                  (SELECT count(*) FROM refresh_tokens later
                   WHERE later.family_id = token.family_id AND later.generation = token.generation + 1) AS "successors!",
                  EXISTS (SELECT FROM refresh_tokens later
                          WHERE later.family_id = token.family_id AND later.generation > token.generation
                            AND later.used_at IS NOT NULL) AS "is_outlived!"
           FROM refresh_tokens token WHERE token_hash = $1"#,
        token_hash.as_slice(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(token) = token else { return Ok(Use::Refused) };
    let descent = Descent { family_id, generation: token.generation };
    match judge(&token, now) {
        Verdict::Invalid => Ok(Use::Refused),
        Verdict::Theft => {
            revoke_locked(conn, family_id, now).await?;
            Ok(Use::Reused { user_id, family_id })
        }
        Verdict::AnswerLost => Ok(Use::Accepted { user_id, successor: descent.successor() }),
        Verdict::First => {
            use_generation(conn, descent, now).await?;
            Ok(Use::Accepted { user_id, successor: descent.successor() })
        }
    }
}

async fn use_generation(
    conn: &mut PgConnection,
    descent: Descent,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refresh_tokens SET used_at = $3 WHERE family_id = $1 AND generation = $2 AND used_at IS NULL",
        descent.family_id.as_uuid(),
        descent.generation,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{LEEWAY, MAX_SUCCESSORS, Presented, Verdict, judge};

    /// A token that was used so many seconds ago, and has one successor.
    fn used(seconds: i64) -> (Presented, DateTime<Utc>) {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let token = Presented {
            generation: 3,
            expires_at: now + TimeDelta::days(7),
            used_at: Some(now - TimeDelta::seconds(seconds)),
            revoked_at: None,
            successors: 1,
            is_outlived: false,
        };
        (token, now)
    }

    #[test]
    fn a_lost_answer_is_believed_for_a_while_and_until_a_successor_is_used() {
        let (token, now) = used(LEEWAY.num_seconds());
        assert_eq!(judge(&token, now), Verdict::AnswerLost);
        assert_eq!(judge(&token, now + TimeDelta::microseconds(1)), Verdict::Theft);
        assert_eq!(judge(&Presented { is_outlived: true, ..token }, now), Verdict::Theft);
        let many = Presented { successors: MAX_SUCCESSORS, ..token };
        assert_eq!(judge(&many, now), Verdict::Theft);
        assert_eq!(judge(&Presented { revoked_at: Some(now), ..token }, now), Verdict::Theft);
        assert_eq!(judge(&Presented { expires_at: now, ..token }, now), Verdict::Theft);
    }

    #[test]
    fn a_token_that_nobody_used_works_until_it_ends() {
        let (token, now) = used(0);
        let token = Presented { used_at: None, ..token };
        assert_eq!(judge(&token, now), Verdict::First);
        assert_eq!(judge(&Presented { expires_at: now, ..token }, now), Verdict::Invalid);
        assert_eq!(judge(&Presented { revoked_at: Some(now), ..token }, now), Verdict::Invalid);
        let outlived = Presented { is_outlived: true, ..token };
        assert_eq!(judge(&outlived, now), Verdict::Theft);
        assert_eq!(judge(&Presented { generation: 0, ..outlived }, now), Verdict::First);
    }
}
