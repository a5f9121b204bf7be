//! Mastery by student and topic.

use domain::level::Level;
use ids::UserId;
use sqlx::PgConnection;

/// The band of a student's mean score over the topics that have one; the lowest where none has.
///
/// # Errors
/// The database's own.
pub async fn overall_level(conn: &mut PgConnection, student_id: UserId) -> sqlx::Result<Level> {
    let score = sqlx::query_scalar!(
        "SELECT round(avg(score))::smallint FROM progress WHERE student_id = $1",
        student_id.as_uuid(),
    )
    .fetch_one(conn)
    .await?;
    Ok(score.and_then(|score| u8::try_from(score).ok()).map_or(Level::Beginner, Level::of_score))
}
