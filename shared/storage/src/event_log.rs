//! The log of events, read again from its beginning.

use chrono::{DateTime, Utc};
use events::Json;
use ids::{EventId, UserId};
use sqlx::PgConnection;

use crate::events::stored_json;

/// How many events one page looks at: a few milliseconds of work. Few of them are of the types that are asked for.
const PAGE: i64 = 2_000;

/// An event in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// The event.
    pub id: EventId,
    /// The CloudEvents type.
    pub event_type: String,
    /// The student that it is about.
    pub student: Option<UserId>,
    /// The payload.
    pub data: Json,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

/// A part of the log.
#[derive(Debug)]
pub struct Page {
    /// The events, oldest first.
    pub events: Vec<LoggedEvent>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<i64>,
}

/// The events of these types after a position, 0 at the beginning.
///
/// # Errors
/// The database's own.
pub async fn page(conn: &mut PgConnection, after: i64, types: &[&str]) -> sqlx::Result<Page> {
    let end = sqlx::query_scalar!(
        r#"SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('events', 'sequence')::regclass), 0)
           AS "end!""#
    )
    .fetch_one(&mut *conn)
    .await?;
    let rows = sqlx::query!(
        r#"SELECT id, type AS event_type, subject, data::text AS "data!", occurred_at FROM events
           WHERE sequence > $1 AND sequence <= $2 AND type = ANY($3::text[]) ORDER BY sequence"#,
        after,
        after + PAGE,
        types as &[&str],
    )
    .fetch_all(conn)
    .await?;
    let events: sqlx::Result<Vec<LoggedEvent>> = rows
        .into_iter()
        .map(|row| {
            Ok(LoggedEvent {
                id: EventId::from_uuid(row.id),
                event_type: row.event_type,
                student: row.subject.map(UserId::from_uuid),
                data: stored_json(row.data)?,
                occurred_at: row.occurred_at,
            })
        })
        .collect();
    let next = after + PAGE;
    Ok(Page { events: events?, next: (next < end).then_some(next) })
}
