//! Runs a command with `DATABASE_URL` set to a fresh database to which a folder of migrations was
//! applied: `with_database migrations cargo check -p storage`.

use std::{fs, path::PathBuf, process::Command};

use local_postgres::{Durability, LocalPostgres};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let migrations = PathBuf::from(arguments.next().ok_or("which folder of migrations?")?);
    let program = arguments.next().ok_or("which command?")?;
    let dir = tempfile::TempDir::new()?;
    let postgres = LocalPostgres::start(dir.path(), Durability::Disposable)?;
    let url = postgres.url("postgres");
    let mut files: Vec<PathBuf> = fs::read_dir(migrations)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let mut conn = PgConnection::connect(&url).await?;
    for file in files {
        let sql = fs::read_to_string(file)?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
    }
    conn.close().await?;
    let status = Command::new(program).args(arguments).env("DATABASE_URL", url).status()?;
    drop(postgres);
    if status.success() { Ok(()) } else { Err(format!("the command ended with {status}").into()) }
}
