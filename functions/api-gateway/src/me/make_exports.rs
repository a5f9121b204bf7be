//! Periodic work: making the exports that were asked for.

use std::{
    io::{Cursor, Write},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use ids::UserId;
use runtime::{HandlerError, Outgoing, Periodic, Round, Schedule, compute};
use sqlx::PgConnection;
use storage::{
    exports,
    personal_data::{self, TABLES},
};
use zip::{ZipWriter, result::ZipError, write::SimpleFileOptions};

/// Most bytes of JSON in an export, all files together: years of work of an eager student have a tenth of it.
const BYTES_LIMIT: usize = 64 << 20;
/// How long an export may wait before it is given up, so that one that cannot be made does not hold up others.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// What is in the file, for whoever opens it.
const README: &str = include_str!("export_readme.md");

/// Makes the exports that were asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MakeExports;

impl Periodic for MakeExports {
    const SCHEDULE: Schedule = Schedule {
        name: "make-exports",
        // People wait for it; looking for one costs an index entry.
        every: Duration::from_secs(5),
    };

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        let has_more = make_next(conn, now).await?;
        Ok(Round { outgoing: Outgoing::none(), has_more })
    }
}

/// Makes the export that waits longest; `true` if there may be more.
async fn make_next(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<bool, HandlerError> {
    let waiting = exports::next_waiting(conn).await.map_err(HandlerError::retry)?;
    let Some((id, user)) = waiting else { return Ok(false) };
    let export = exports::find(conn, id).await.map_err(HandlerError::retry)?;
    let is_late = export.is_some_and(|export| now - export.requested_at > PATIENCE);
    let made = if is_late {
        Err("it could not be made in time; ask again")
    } else {
        match collect(conn, user).await.map_err(HandlerError::retry)? {
            None => Err("there is more than an export can hold; ask whoever runs this service"),
            Some(files) => {
                let packed = compute::run(move || pack(&files)).await;
                Ok(packed.map_err(HandlerError::retry)?.map_err(HandlerError::fail)?)
            }
        }
    };
    exports::finish(conn, id, made, now).await.map_err(HandlerError::retry)?;
    Ok(true)
}

/// A file in an export.
type File = (&'static str, String);

/// The content of all tables that have something of the person for them; `None` if it is too much.
async fn collect(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Option<Vec<File>>> {
    let (mut files, mut left) = (Vec::new(), BYTES_LIMIT);
    for table in &TABLES {
        let Some(sql) = table.exported else { continue };
        let Some(json) = personal_data::export(conn, sql, user, left).await? else {
            return Ok(None);
        };
        left -= json.len();
        files.push((table.name, json));
    }
    Ok(Some(files))
}

/// Packs files, with the word that says what they are.
fn pack(files: &[File]) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.start_file("README.md", options)?;
    zip.write_all(README.as_bytes())?;
    for (name, json) in files {
        zip.start_file(format!("{name}.json"), options)?;
        zip.write_all(json.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
