//! The order in which a person gets messages.
//!
//! [`find_new`] gives each event a position when it is first found, under a lock on the person's counter, which is held
//! until the commit. So positions become visible in their order, although events do not: nothing can appear before a
//! position that a client has.

use chrono::{DateTime, Utc};
use ids::{EventId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::events::stored_json;

/// An event for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its place in the order of this person's messages.
    pub position: i64,
    /// The event.
    pub id: EventId,
    /// Its CloudEvents type.
    pub event_type: String,
    /// The request that it belongs to.
    pub request: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Its payload.
    pub data: events::Json,
}

/// Gives positions to the events of a person that happened after `since` and have none.
///
/// # Errors
/// The database's own.
pub async fn find_new(
    conn: &mut PgConnection,
    user: UserId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query_file!("src/socket_messages/find_new.sql", user.as_uuid(), since, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The messages after a position, in their order, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn after(
    conn: &mut PgConnection,
    user: UserId,
    position: i64,
    limit: i64,
) -> sqlx::Result<Vec<Message>> {
    let rows = sqlx::query!(
        r#"SELECT position, event_id, type AS event_type, correlation_id, occurred_at,
                  data::text AS "data!"
           FROM socket_messages JOIN events ON id = event_id
           WHERE user_id = $1 AND position > $2 ORDER BY position LIMIT $3"#,
        user.as_uuid(),
        position,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let messages = rows.into_iter().map(|row| {
        Ok(Message {
            position: row.position,
            id: EventId::from_uuid(row.event_id),
            event_type: row.event_type,
            request: row.correlation_id,
            at: row.occurred_at,
            data: stored_json(row.data)?,
        })
    });
    messages.collect()
}

/// The position of a message.
///
/// # Errors
/// The database's own.
pub async fn position_of(
    conn: &mut PgConnection,
    user: UserId,
    message: Uuid,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "SELECT position FROM socket_messages WHERE user_id = $1 AND event_id = $2",
        user.as_uuid(),
        message,
    )
    .fetch_optional(conn)
    .await
}

/// The position of the last message; 0 if there is none.
///
/// # Errors
/// The database's own.
pub async fn last_position(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    let last =
        sqlx::query_scalar!("SELECT last FROM socket_positions WHERE user_id = $1", user.as_uuid())
            .fetch_optional(conn)
            .await?;
    Ok(last.unwrap_or_default())
}

/// Whether a question has its answer.
///
/// # Errors
/// The database's own.
pub async fn is_answered(conn: &mut PgConnection, question: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM events WHERE correlation_id = $1 AND type = 'question.answered.v1') AS "is_answered!""#,
        question,
    )
    .fetch_one(conn)
    .await
}
