//! Runs of student code.

use ids::UserId;
use sqlx::PgConnection;

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
