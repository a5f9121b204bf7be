//! Exports: everything that is stored about a person, packed for them.

use chrono::{DateTime, Utc};
use ids::{ExportId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// An export, without its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its id.
    pub id: ExportId,
    /// Whose.
    pub user_id: UserId,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it was made, or given up.
    pub finished_at: Option<DateTime<Utc>>,
    /// The size of the file, if there is one.
    pub bytes: Option<i32>,
    /// Why there is none.
    pub failure: Option<String>,
}

/// Asks for an export, unless one of the person's is unfinished; returns the unfinished one.
///
/// # Errors
/// The database's own.
pub async fn request(
    conn: &mut PgConnection,
    id: ExportId,
    user: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<ExportId> {
    sqlx::query!(
        "INSERT INTO exports (id, user_id, requested_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) WHERE finished_at IS NULL DO NOTHING",
        id.as_uuid(),
        user.as_uuid(),
        now,
    )
    .execute(&mut *conn)
    .await?;
    let unfinished = sqlx::query_scalar!(
        "SELECT id FROM exports WHERE user_id = $1 AND finished_at IS NULL",
        user.as_uuid(),
    );
    let unfinished = unfinished.fetch_optional(conn).await?;
    // If it was finished in between, it is the one that was asked for.
    Ok(unfinished.map_or(id, ExportId::from_uuid))
}

struct ExportRow {
    id: Uuid,
    user_id: Uuid,
    requested_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    bytes: Option<i32>,
    failure: Option<String>,
}

impl From<ExportRow> for Export {
    fn from(row: ExportRow) -> Self {
        Self {
            id: ExportId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            requested_at: row.requested_at,
            finished_at: row.finished_at,
            bytes: row.bytes,
            failure: row.failure,
        }
    }
}

/// An export.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: ExportId) -> sqlx::Result<Option<Export>> {
    let row = sqlx::query_as!(
        ExportRow,
        "SELECT id, user_id, requested_at, finished_at, length(archive) AS bytes, failure FROM exports WHERE id = $1",
        id.as_uuid(),
    );
    Ok(row.fetch_optional(conn).await?.map(Export::from))
}

/// A person's exports, the latest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn of_user(
    conn: &mut PgConnection,
    user: UserId,
    limit: i64,
) -> sqlx::Result<Vec<Export>> {
    let rows = sqlx::query_as!(
        ExportRow,
        "SELECT id, user_id, requested_at, finished_at, length(archive) AS bytes, failure FROM exports
         WHERE user_id = $1 ORDER BY requested_at DESC, id DESC LIMIT $2",
        user.as_uuid(),
        limit,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Export::from).collect())
}

/// The file of an export.
///
/// # Errors
/// The database's own.
pub async fn archive(conn: &mut PgConnection, id: ExportId) -> sqlx::Result<Option<Vec<u8>>> {
    let archive = sqlx::query_scalar!("SELECT archive FROM exports WHERE id = $1", id.as_uuid());
    Ok(archive.fetch_optional(conn).await?.flatten())
}

/// The export that waits longest, and whose it is.
///
/// # Errors
/// The database's own.
pub async fn next_waiting(conn: &mut PgConnection) -> sqlx::Result<Option<(ExportId, UserId)>> {
    sqlx::query!(
        "SELECT id, user_id FROM exports WHERE finished_at IS NULL
         ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .map(|row| (ExportId::from_uuid(row.id), UserId::from_uuid(row.user_id)))
    .fetch_optional(conn)
    .await
}

/// Finishes an export with its file, or with the reason why there is none.
///
/// # Errors
/// The database's own.
pub async fn finish(
    conn: &mut PgConnection,
    id: ExportId,
    made: Result<Vec<u8>, &str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE exports SET archive = $2, failure = $3, finished_at = $4 WHERE id = $1",
        id.as_uuid(),
        made.as_ref().ok(),
        made.as_ref().err().copied(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
