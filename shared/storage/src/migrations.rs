//! Bringing a database up to date.

use sqlx::{PgPool, migrate::MigrateError};

/// Applies what is missing, under an advisory lock: several instances may call it at once.
///
/// # Errors
/// The database cannot be reached, a statement fails, or an applied file was edited.
pub async fn run(pool: &PgPool) -> Result<(), MigrateError> {
    sqlx::migrate!("../../migrations").run(pool).await
}
