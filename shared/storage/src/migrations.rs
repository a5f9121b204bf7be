//! Bringing a database up to date.

use sqlx::{Connection, PgPool, migrate::MigrateError};

/// Applies what is missing, under an advisory lock: several instances may call it at once.
///
/// # Errors
/// The database cannot be reached, a statement fails, or an applied file was edited.
pub async fn run(pool: &PgPool) -> Result<(), MigrateError> {
    // Out of the pool, since it goes without the limits of a student's request: a large table takes minutes to
    // rewrite, and so does the wait for another instance that does it.
    let mut conn = pool.acquire().await?.detach();
    sqlx::query("SET statement_timeout = 0").execute(&mut conn).await?;
    sqlx::migrate!("../../migrations").run(&mut conn).await?;
    Ok(conn.close().await?)
}
