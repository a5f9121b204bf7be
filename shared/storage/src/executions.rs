//! Runs of student code.

use chrono::{DateTime, Utc};
use domain::execution::ExecutionResult;
use ids::{ExecutionId, UserId};
use serde::Deserialize;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

/// A run, with its result once there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Who asked for it; `None` if it was another service.
    pub student_id: Option<UserId>,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// The result.
    pub result: Option<ExecutionResult>,
    /// Whether the function has given up on it.
    pub failed: bool,
    /// What was run.
    pub code: String,
}

/// What is read of a stored request.
#[derive(Debug, Deserialize)]
struct Request {
    code: String,
}

/// Stores a new request.
///
/// # Errors
/// The database's own; a student without an account breaks `executions_student_id_fkey`.
pub async fn insert(
    conn: &mut PgConnection,
    id: ExecutionId,
    student_id: Option<UserId>,
    request: &Value,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO executions (id, student_id, request, created_at) VALUES ($1, $2, $3::text::json, $4)",
        id.as_uuid(),
        student_id.map(UserId::as_uuid),
        request.to_string(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores the result of a run that has none yet; the first one stays. `false`: there was one, or
/// there is no such run.
///
/// # Errors
/// The database's own.
pub async fn record_result(
    conn: &mut PgConnection,
    id: ExecutionId,
    result: &ExecutionResult,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    // As text: sqlx would send jsonb, which cannot represent every character that a program prints.
    let json = serde_json::to_string(result).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let updated = sqlx::query!(
        "UPDATE executions
         SET verdict = $2, error_type = $3, result = $4::text::json, duration_ms = $5, finished_at = $6
         WHERE id = $1 AND finished_at IS NULL",
        id.as_uuid(),
        result.verdict.as_str(),
        // A machine that was busy is no mistake of the student's.
        result.error.as_ref().filter(|_| result.verdict.is_final()).map(|error| error.kind.as_str()),
        json,
        i32::try_from(result.duration_ms).unwrap_or(i32::MAX),
        now,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// A run.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: ExecutionId) -> sqlx::Result<Option<Execution>> {
    let row = sqlx::query!(
        r#"SELECT student_id, created_at, result AS "result: Json<ExecutionResult>", request AS "request: Json<Request>",
                  EXISTS (SELECT 1 FROM events
                          WHERE correlation_id = executions.id AND topic = 'dead.letters') AS "failed!"
           FROM executions WHERE id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Execution {
        student_id: row.student_id.map(UserId::from_uuid),
        created_at: row.created_at,
        result: row.result.map(|Json(result)| result),
        failed: row.failed,
        code: row.request.0.code,
    }))
}

/// The error types of a student's latest failed runs, newest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn recent_error_types(
    conn: &mut PgConnection,
    student_id: UserId,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT error_type AS "error_type!" FROM executions
           WHERE student_id = $1 AND error_type IS NOT NULL
           ORDER BY created_at DESC LIMIT $2"#,
        student_id.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await
}
