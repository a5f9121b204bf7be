//! Stored text and JSON, read as the types of the API. What cannot be read is a server error.

use domain::versioned::Unreadable;
use runtime::web::Problem;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// JSON that was stored.
///
/// # Errors
/// 500 if it has another shape.
pub(crate) fn read<T: DeserializeOwned>(stored: Value) -> Result<T, Problem> {
    serde_json::from_value(stored).map_err(|error| Problem::internal(&error))
}

/// A value of a closed set by its name, such as an agent.
///
/// # Errors
/// 500 if nothing has this name.
pub(crate) fn name<T: DeserializeOwned>(stored: String) -> Result<T, Problem> {
    read(Value::String(stored))
}

/// A stored text, if this version can read it: one unreadable text must not hide the others.
pub(crate) fn legible<T>(stored: Result<T, Unreadable>) -> Option<T> {
    stored.inspect_err(|error| tracing::error!(%error, "a stored text cannot be read")).ok()
}
