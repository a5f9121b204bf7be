//! A model's answers that are shared by everybody of a level.

use chrono::{DateTime, Utc};
use domain::versioned::Versioned;
use sqlx::PgConnection;

use crate::{from_json, to_json};

/// The state of a shared answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Cached<T> {
    /// It is stored.
    Hit(T),
    /// Another question has asked for it and will store it.
    Asked,
    /// It is not stored: the caller asks for it now.
    Claimed,
}

/// Looks for an answer, and claims it until `claim_until` if there is none.
///
/// # Errors
/// The database's own.
pub async fn find_or_claim<T: Versioned>(
    conn: &mut PgConnection,
    key: &[u8],
    now: DateTime<Utc>,
    claim_until: DateTime<Utc>,
) -> sqlx::Result<Cached<T>> {
    let claimed = sqlx::query_scalar!(
        r#"INSERT INTO model_answers (key, valid_until) VALUES ($1, $3)
           ON CONFLICT (key) DO UPDATE SET body = NULL, valid_until = $3
           WHERE model_answers.valid_until <= $2
           RETURNING true AS "claimed!""#,
        key,
        now,
        claim_until,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if claimed.is_some() {
        return Ok(Cached::Claimed);
    }
    let body = sqlx::query_scalar!("SELECT body::text FROM model_answers WHERE key = $1", key)
        .fetch_optional(conn)
        .await?;
    match body.flatten() {
        Some(body) => Ok(Cached::Hit(from_json(&body)?)),
        None => Ok(Cached::Asked),
    }
}

/// Stores a shared answer.
///
/// # Errors
/// The database's own.
pub async fn store<T: Versioned + Sync>(
    conn: &mut PgConnection,
    key: &[u8],
    answer: &T,
    valid_until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO model_answers (key, body, valid_until) VALUES ($1, $2::text::json, $3)
         ON CONFLICT (key) DO UPDATE SET body = excluded.body, valid_until = $3",
        key,
        to_json(answer)?,
        valid_until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Releases a claim, so that the next question asks again.
///
/// # Errors
/// The database's own.
pub async fn release(conn: &mut PgConnection, key: &[u8]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM model_answers WHERE key = $1 AND body IS NULL", key)
        .execute(conn)
        .await?;
    Ok(())
}
