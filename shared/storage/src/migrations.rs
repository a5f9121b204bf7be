//! Migrating a database, and checking its version.

use sqlx::{
    Connection, PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
};

/// The version of the schema that this code needs: the number of its newest migration. An older database is waited for,
/// a newer one is used, since migrations are safe under the code before them.
pub const MINIMUM_VERSION: i64 = 36;

/// A table that does not exist (PostgreSQL, appendix A).
const UNDEFINED_TABLE: &str = "42P01";

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations");
    migrator.set_ignore_missing(true);
    migrator
}

/// Applies what is missing, under an advisory lock: several instances may call it at once. Migrations of a later
/// version that the database has are left alone.
///
/// # Errors
/// The database cannot be reached, a statement fails, or an applied file was edited.
pub async fn run(pool: &PgPool) -> Result<(), MigrateError> {
    // Outside of the pool, without the limits of a student's request: rewriting a large table takes minutes, and so
    // does waiting for another instance that does it.
    let mut conn = pool.acquire().await?.detach();
    sqlx::query("SET statement_timeout = 0").execute(&mut conn).await?;
    // Like `run`, whose bounds are too narrow for a future that may move between threads.
    migrator().run_direct(None, &mut conn, false).await?;
    Ok(conn.close().await?)
}

/// The number of the newest migration that the database has; `None` if it has none.
///
/// # Errors
/// The database's own.
pub async fn version(conn: &mut PgConnection) -> sqlx::Result<Option<i64>> {
    // The table belongs to the migrator, so the checked queries do not know it.
    let version = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success");
    match version.fetch_one(conn).await {
        Err(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| code == UNDEFINED_TABLE) =>
        {
            Ok(None)
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::{MINIMUM_VERSION, migrator};

    #[test]
    fn this_code_needs_its_newest_migration() {
        let newest = migrator().iter().map(|migration| migration.version).max();
        assert_eq!(newest, Some(MINIMUM_VERSION), "raise MINIMUM_VERSION with each migration");
    }
}
