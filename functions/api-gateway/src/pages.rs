//! Query strings, and lists that are read page by page.

use axum::extract::{Query, rejection::QueryRejection};
use chrono::{DateTime, Utc};
use runtime::web::Problem;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageOf {
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// A query string, read as its type.
///
/// # Errors
/// 422 if it has another shape.
pub(crate) fn read<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    let Query(query) =
        query.map_err(|rejection| Problem::field("query string", rejection.body_text()))?;
    Ok(query)
}

/// 422: the cursor is not one of ours.
pub(crate) fn bad_cursor() -> Problem {
    Problem::field("cursor", "what `next_cursor` of the last page was")
}

/// The cursor of the next page; none if this page is not full, and so the last.
pub(crate) fn next_cursor<T>(
    page: &[T],
    size: i64,
    cursor: impl FnOnce(&T) -> String,
) -> Option<String> {
    let is_full = i64::try_from(page.len()).is_ok_and(|length| length >= size);
    page.last().filter(|_| is_full).map(cursor)
}

/// The place in a list that is ordered by ids, newest first.
///
/// # Errors
/// 422 if the cursor is not one of ours.
pub(crate) fn before_id(cursor: Option<&str>) -> Result<Uuid, Problem> {
    let Some(cursor) = cursor else { return Ok(Uuid::max()) };
    cursor.parse().map_err(|_not_an_id| bad_cursor())
}

/// A place in a list that is ordered by time, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The time.
    pub(crate) at: DateTime<Utc>,
    /// Orders what happened at the same time.
    pub(crate) id: Uuid,
}

impl Moment {
    /// The place before which the page lies; without a cursor it is the end of time.
    ///
    /// # Errors
    /// 422 if the cursor is not one of ours.
    pub(crate) fn before(cursor: Option<&str>) -> Result<Self, Problem> {
        // The database's own last time lies after chrono's, whose last one it cannot store. Nothing is older than 1970.
        let end = DateTime::from_timestamp(LAST_SECOND, 0).unwrap_or_default();
        let Some(cursor) = cursor else { return Ok(Self { at: end, id: Uuid::max() }) };
        let moment = cursor.split_once('.').and_then(|(at, id)| {
            let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
            (DateTime::UNIX_EPOCH..=end).contains(&at).then_some(Self { at, id: id.parse().ok()? })
        });
        moment.ok_or_else(bad_cursor)
    }

    /// The cursor of the page that begins after this place.
    pub(crate) fn cursor(self) -> String {
        format!("{}.{}", self.at.timestamp_micros(), self.id)
    }
}

/// The end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::{Moment, next_cursor};
    use uuid::Uuid;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let end = Moment::before(None).unwrap();
        assert_eq!(Moment::before(Some(&end.cursor())).unwrap(), end);
        let id = Uuid::max();
        for wrong in [
            "",
            "x",
            "1",
            "1.x",
            &format!("x.{id}"),
            &format!("{}.{id}", i64::MAX),
            &format!("-1.{id}"),
        ] {
            assert_eq!(Moment::before(Some(wrong)).unwrap_err().status(), 422, "{wrong}");
        }
    }

    #[test]
    fn only_a_full_page_has_a_next_one() {
        let cursor = |items: &[u8]| next_cursor(items, 2, u8::to_string);
        assert_eq!(cursor(&[]), None);
        assert_eq!(cursor(&[1]), None);
        assert_eq!(cursor(&[1, 2]), Some("2".to_owned()));
    }
}
