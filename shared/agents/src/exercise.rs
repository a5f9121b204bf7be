//! The exercise that a question is about.

use curriculum::Exercise;
use ids::ExerciseId;
use runtime::HandlerError;
use sqlx::PgConnection;

/// An exercise that can be set, with its topic's slug; `None` if there is none of this id.
///
/// # Errors
/// The database is away.
pub async fn exercise(
    conn: &mut PgConnection,
    id: Option<ExerciseId>,
) -> Result<Option<(String, Exercise)>, HandlerError> {
    let Some(id) = id else { return Ok(None) };
    let found = storage::exercises::find(conn, id).await.map_err(HandlerError::retry)?;
    let Some(found) = found else { return Ok(None) };
    let exercise = serde_json::from_value(found.body).map_err(HandlerError::fail)?;
    Ok(Some((found.topic, exercise)))
}
