//! JSON as text: serialised once by the emitter of an event, and parsed once by its handler.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// A well-formed JSON value as text. Two of them are equal if their texts are.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The JSON of a value.
    ///
    /// # Errors
    /// It has none.
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// JSON that was stored.
    ///
    /// # Errors
    /// The text is not well-formed.
    pub fn from_text(text: String) -> serde_json::Result<Self> {
        RawValue::from_string(text).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads it.
    ///
    /// # Errors
    /// It has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.as_str())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl From<&RawValue> for Json {
    fn from(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        // Its text is well-formed: this cannot fail.
        Self(RawValue::from_string(value.to_string()).unwrap_or_default())
    }
}
