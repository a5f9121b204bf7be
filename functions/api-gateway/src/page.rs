//! Pages of what is listed newest first.

use chrono::{DateTime, Utc};
use runtime::web::Problem;
use uuid::Uuid;

/// Things on a page.
pub(crate) const PAGE: i64 = 20;
/// The end of the year 9999, before which everything is.
const LAST_SECOND: i64 = 253_402_300_799;

/// The time and the id of the last thing of the page before; without a cursor, the end of time.
///
/// # Errors
/// 422: this was no `next_cursor`.
pub(crate) fn read_cursor(cursor: Option<&str>) -> Result<(DateTime<Utc>, Uuid), Problem> {
    // PostgreSQL knows fewer years than a number of microseconds can name. Nothing is older than 1970.
    let end = DateTime::from_timestamp(LAST_SECOND, 0).unwrap_or_default();
    let Some(cursor) = cursor else { return Ok((end, Uuid::max())) };
    let read = || {
        let (time, id) = cursor.split_once('.')?;
        let time = DateTime::from_timestamp_micros(time.parse().ok()?);
        let time = time.filter(|time| (DateTime::UNIX_EPOCH..=end).contains(time))?;
        Some((time, id.parse().ok()?))
    };
    read().ok_or_else(|| Problem::field("cursor", "what `next_cursor` of the last page was"))
}

/// The cursor of the page after `last`, if the page is full.
pub(crate) fn next_cursor(count: usize, last: Option<(DateTime<Utc>, Uuid)>) -> Option<String> {
    let is_full = i64::try_from(count).is_ok_and(|count| count == PAGE);
    let (time, id) = last.filter(|_| is_full)?;
    Some(format!("{}.{id}", time.timestamp_micros()))
}
