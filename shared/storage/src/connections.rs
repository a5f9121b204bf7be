//! Sockets that API Gateway holds.
//!
//! Whoever sends on a connection claims it first: [`claim`], send, [`advance`] after each message, [`release`]. Between
//! these no transaction is open. A claim ends by itself, so that one who died is followed by another, who begins behind
//! the last message that was noted as sent.

use chrono::{DateTime, Utc};
use domain::user::Role;
use ids::{TokenFamilyId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A connection, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// API Gateway's name for it.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// What they may do.
    pub role: Role,
    /// Whether an external identity provider knows the person.
    pub external: bool,
    /// The name of what they get.
    pub channel: String,
    /// The position of the last message that was sent.
    pub position: i64,
    /// When it was last looked for new ones.
    pub looked_at: DateTime<Utc>,
    /// Whether the client has still to be told that its place is unknown.
    pub is_place_unknown: bool,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// The session of the token.
    pub session: Option<TokenFamilyId>,
    /// When the token expires.
    pub ends_at: DateTime<Utc>,
    /// When the client is asked to connect again.
    pub closes_at: DateTime<Utc>,
    /// When something was last sent, in either direction.
    pub active_at: DateTime<Utc>,
}

/// A row as a connection. Each statement has a type of its own for its rows.
macro_rules! connection {
    ($row:ident) => {
        Connection {
            id: $row.id,
            user: UserId::from_uuid($row.user_id),
            role: $row.role.parse().map_err(|unknown| sqlx::Error::Decode(Box::new(unknown)))?,
            external: $row.external,
            channel: $row.channel,
            position: $row.position,
            looked_at: $row.looked_at,
            is_place_unknown: $row.is_place_unknown,
            opened_at: $row.opened_at,
            session: $row.session_id.map(TokenFamilyId::from_uuid),
            ends_at: $row.ends_at,
            closes_at: $row.closes_at,
            active_at: $row.active_at,
        }
    };
}

/// The number of a person's connections that are not over, and were active after `since`.
///
/// # Errors
/// The database's own.
pub async fn count(
    conn: &mut PgConnection,
    user: UserId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM connections
           WHERE user_id = $1 AND active_at > $2 AND LEAST(ends_at, closes_at) > $3"#,
        user.as_uuid(),
        since,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Stores a connection that is looked at by `due_at`; `false` if there is one of this name already.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    new: &Connection,
    due_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO connections (id, user_id, role, external, channel, position, looked_at, is_place_unknown,
                                  opened_at, ends_at, closes_at, active_at, due_at, session_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (id) DO NOTHING",
        new.id,
        new.user.as_uuid(),
        new.role.as_str(),
        new.external,
        new.channel,
        new.position,
        new.looked_at,
        new.is_place_unknown,
        new.opened_at,
        new.ends_at,
        new.closes_at,
        new.active_at,
        due_at,
        new.session.map(TokenFamilyId::as_uuid),
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The names of a person's connections, with what they get.
///
/// # Errors
/// The database's own.
pub async fn of_user(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<(String, String)>> {
    let rows =
        sqlx::query!("SELECT id, channel FROM connections WHERE user_id = $1", user.as_uuid())
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.channel)).collect())
}

/// Notes that a client has sent something; `None` if there is no such connection.
///
/// # Errors
/// The database's own.
pub async fn note_active(
    conn: &mut PgConnection,
    id: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Connection>> {
    let row = sqlx::query!(
        "UPDATE connections SET active_at = GREATEST(active_at, $2) WHERE id = $1
         RETURNING id, user_id, role, external, channel, position, looked_at, is_place_unknown, opened_at, ends_at,
                   closes_at, active_at, session_id",
        id,
        now,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok(connection!(row))).transpose()
}

/// A connection that somebody wants to send on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The connection.
    pub connection: Connection,
    /// Whether the claim is the asker's. Whoever has it looks for messages once more.
    pub is_own: bool,
    /// The occasions to look for messages so far.
    pub wakes: i64,
}

/// Claims a connection until `until`, unless another one has it; that one learns of this occasion to look for messages.
/// `None`: there is no such connection.
///
/// # Errors
/// The database's own.
pub async fn claim(
    conn: &mut PgConnection,
    id: &str,
    claim: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> sqlx::Result<Option<Claimed>> {
    let row = sqlx::query!(
        r#"UPDATE connections
           SET wakes = wakes + 1,
               claim = CASE WHEN claimed_until > $3 THEN claim ELSE $2 END,
               claimed_until = CASE WHEN claimed_until > $3 THEN claimed_until ELSE $4 END,
               -- If its holder dies, somebody looks afterwards.
               due_at = LEAST(due_at, CASE WHEN claimed_until > $3 THEN claimed_until ELSE $4 END)
           WHERE id = $1
           RETURNING id, user_id, role, external, channel, position, looked_at, is_place_unknown, opened_at, ends_at,
                     closes_at, active_at, session_id, wakes, claim = $2 AS "is_own!""#,
        id,
        claim,
        now,
        until,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Claimed { is_own: row.is_own, wakes: row.wakes, connection: connection!(row) })
    })
    .transpose()
}

/// Stores how far a claimed connection has come, and keeps the claim until `until`; returns the occasions to look for
/// messages so far. `None`: the claim is lost.
///
/// # Errors
/// The database's own.
pub async fn advance(
    conn: &mut PgConnection,
    connection: &Connection,
    claim: Uuid,
    until: DateTime<Utc>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "UPDATE connections
         SET position = $3, looked_at = $4, is_place_unknown = $5, active_at = GREATEST(active_at, $6),
             claimed_until = $7, due_at = LEAST(due_at, $7)
         WHERE id = $1 AND claim = $2
         RETURNING wakes",
        connection.id,
        claim,
        connection.position,
        connection.looked_at,
        connection.is_place_unknown,
        connection.active_at,
        until,
    )
    .fetch_optional(conn)
    .await
}

/// Stores how far a claimed connection has come, and gives up the claim; `false` if it is kept, or lost.
///
/// It is kept if there was another occasion to look for messages since `wakes`; for `None`, in no case.
///
/// # Errors
/// The database's own.
pub async fn release(
    conn: &mut PgConnection,
    connection: &Connection,
    claim: Uuid,
    wakes: Option<i64>,
    due_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let released = sqlx::query!(
        "UPDATE connections
         SET claim = NULL, claimed_until = NULL, position = $3, looked_at = $4, is_place_unknown = $5,
             active_at = GREATEST(active_at, $6), due_at = $7
         WHERE id = $1 AND claim = $2 AND ($8::bigint IS NULL OR wakes = $8)",
        connection.id,
        claim,
        connection.position,
        connection.looked_at,
        connection.is_place_unknown,
        connection.active_at,
        due_at,
        wakes,
    )
    .execute(conn)
    .await?;
    Ok(released.rows_affected() == 1)
}

/// Lets a connection live until a new token of this session expires.
///
/// # Errors
/// The database's own.
pub async fn renew(
    conn: &mut PgConnection,
    id: &str,
    ends_at: DateTime<Utc>,
    session: Option<TokenFamilyId>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE connections SET ends_at = $2, session_id = $3 WHERE id = $1",
        id,
        ends_at,
        session.map(TokenFamilyId::as_uuid),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets a connection.
///
/// # Errors
/// The database's own.
pub async fn delete(conn: &mut PgConnection, id: &str) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM connections WHERE id = $1", id).execute(conn).await?;
    Ok(())
}

/// Connections that are due, at most `limit`; they are due again at `again`.
///
/// # Errors
/// The database's own.
pub async fn take_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    again: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<(String, UserId)>> {
    let rows = sqlx::query!(
        "UPDATE connections SET due_at = $2
         WHERE id = ANY(ARRAY(SELECT id FROM connections WHERE due_at <= $1 ORDER BY due_at LIMIT $3))
         RETURNING id, user_id",
        now,
        again,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, UserId::from_uuid(row.user_id))).collect())
}
