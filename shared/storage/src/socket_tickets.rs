//! Tickets that open one socket each.

use chrono::{DateTime, Utc};
use ids::{TokenFamilyId, UserId};
use sqlx::PgConnection;

/// A ticket, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// For whom.
    pub user: UserId,
    /// The name of their role.
    pub role: String,
    /// Whether an external identity provider knows the person.
    pub external: bool,
    /// When the access token expires that it was given for.
    pub ends_at: DateTime<Utc>,
    /// The session of that token.
    pub session: Option<TokenFamilyId>,
}

/// Stores a ticket by its hash.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    hash: [u8; 32],
    ticket: &Ticket,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO socket_tickets (ticket_hash, user_id, role, external, ends_at, expires_at, session_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        hash.as_slice(),
        ticket.user.as_uuid(),
        ticket.role,
        ticket.external,
        ticket.ends_at,
        expires_at,
        ticket.session.map(TokenFamilyId::as_uuid),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a ticket, so that nobody else can use it. `None`: there is none, or no longer.
///
/// # Errors
/// The database's own.
pub async fn take(
    conn: &mut PgConnection,
    hash: [u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Ticket>> {
    let row = sqlx::query!(
        "DELETE FROM socket_tickets WHERE ticket_hash = $1
         RETURNING user_id, role, external, ends_at, expires_at, session_id",
        hash.as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.filter(|row| row.expires_at > now).map(|row| Ticket {
        user: UserId::from_uuid(row.user_id),
        role: row.role,
        external: row.external,
        ends_at: row.ends_at,
        session: row.session_id.map(TokenFamilyId::from_uuid),
    }))
}
