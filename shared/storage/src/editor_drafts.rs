//! What people are still writing: a draft for each key, its owner's alone. Agents' waiting work is in `drafts`.

use chrono::{DateTime, Utc};
use domain::draft_key::DraftKey;
use ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditorDraft {
    /// Another one for each text.
    pub version: Uuid,
    /// What was written.
    pub text: String,
    /// When it was stored.
    pub updated_at: DateTime<Utc>,
}

/// A person's draft.
///
/// # Errors
/// The database's own.
pub async fn find(
    conn: &mut PgConnection,
    owner: UserId,
    key: DraftKey,
) -> sqlx::Result<Option<EditorDraft>> {
    sqlx::query_as!(
        EditorDraft,
        "SELECT version, text, updated_at FROM editor_drafts WHERE user_id = $1 AND key = $2",
        owner.as_uuid(),
        key.to_string(),
    )
    .fetch_optional(conn)
    .await
}

/// A person's draft, which nobody else changes before the end of the transaction.
///
/// # Errors
/// The database's own.
pub async fn lock(
    tx: &mut PgConnection,
    owner: UserId,
    key: DraftKey,
) -> sqlx::Result<Option<EditorDraft>> {
    sqlx::query_as!(
        EditorDraft,
        "SELECT version, text, updated_at FROM editor_drafts WHERE user_id = $1 AND key = $2 FOR UPDATE",
        owner.as_uuid(),
        key.to_string(),
    )
    .fetch_optional(tx)
    .await
}

/// Stores a new draft; `false` if another device was quicker.
///
/// # Errors
/// The database's own; a person without an account breaks `editor_drafts_user_id_fkey`.
pub async fn insert(
    conn: &mut PgConnection,
    owner: UserId,
    key: DraftKey,
    draft: &EditorDraft,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO editor_drafts (user_id, key, text, version, updated_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        owner.as_uuid(),
        key.to_string(),
        draft.text,
        draft.version,
        draft.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Replaces a locked draft.
///
/// # Errors
/// The database's own.
pub async fn replace(
    tx: &mut PgConnection,
    owner: UserId,
    key: DraftKey,
    draft: &EditorDraft,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE editor_drafts SET text = $3, version = $4, updated_at = $5 WHERE user_id = $1 AND key = $2",
        owner.as_uuid(),
        key.to_string(),
        draft.text,
        draft.version,
        draft.updated_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes a locked draft.
///
/// # Errors
/// The database's own.
pub async fn delete(tx: &mut PgConnection, owner: UserId, key: DraftKey) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM editor_drafts WHERE user_id = $1 AND key = $2",
        owner.as_uuid(),
        key.to_string(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps a person's `most` newest drafts.
///
/// # Errors
/// The database's own.
pub async fn drop_oldest(conn: &mut PgConnection, owner: UserId, most: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM editor_drafts WHERE user_id = $1 AND key = ANY(ARRAY(
             SELECT key FROM editor_drafts WHERE user_id = $1 ORDER BY updated_at DESC, version DESC OFFSET $2))",
        owner.as_uuid(),
        most,
    )
    .execute(conn)
    .await?;
    Ok(())
}
