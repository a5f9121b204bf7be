//! Notifications: reading them, and saying where and when they are wanted.

pub(crate) mod deliveries;
pub(crate) mod inbox;
pub(crate) mod settings;
pub(crate) mod subscriptions;

use chrono::{DateTime, Utc};
use runtime::web::Problem;
use uuid::Uuid;

/// A place in a list that is sorted by time, the latest first.
type Place = (DateTime<Utc>, Uuid);

/// The first page begins here: nothing is later.
const BEGINNING: Place = (DateTime::<Utc>::MAX_UTC, Uuid::max());

fn write_cursor((at, id): Place) -> String {
    format!("{}.{id}", at.timestamp_micros())
}

/// The place that a cursor stands for; the beginning without one.
fn read_cursor(cursor: Option<&str>) -> Result<Place, Problem> {
    let Some(text) = cursor else { return Ok(BEGINNING) };
    let read = |text: &str| {
        let (micros, id) = text.split_once('.')?;
        Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
    };
    read(text).ok_or_else(|| Problem::field("cursor", "what `next_cursor` of the last page was"))
}

/// The last place of a page, if there may be more after it.
fn next<T>(items: &[T], limit: i64, place: impl Fn(&T) -> Place) -> Option<String> {
    let is_full = i64::try_from(items.len()).is_ok_and(|count| count == limit);
    items.last().filter(|_| is_full).map(|last| write_cursor(place(last)))
}
