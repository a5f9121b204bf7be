//! Stored JSON with the version of its shape: older shapes can be read, and newer ones are detected.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version of everything that was stored before there were versions.
const FIRST: u32 = 1;

/// A shape of stored JSON. What is stored without a version has version 1.
pub trait Versioned: Serialize + DeserializeOwned {
    /// What it is, for messages.
    const NAME: &'static str;
    /// Counted up when the old shape cannot be read as the new one.
    const VERSION: u32;
}

/// Stored JSON cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A newer version of this program wrote it.
    #[error("the stored {name} has version {version}, but this program knows {known}")]
    Version {
        /// What it is.
        name: &'static str,
        /// The version that it has.
        version: u32,
        /// The version that is known here.
        known: u32,
    },
    /// It does not have the shape of its version.
    #[error("the stored {name} is malformed")]
    Shape {
        /// What it is.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

#[derive(Serialize)]
struct Written<'a, T> {
    version: u32,
    #[serde(flatten)]
    value: &'a T,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default = "first")]
    version: u32,
}

const fn first() -> u32 {
    FIRST
}

/// The JSON to store.
///
/// # Errors
/// The value has no JSON form.
pub fn write<T: Versioned>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(&Written { version: T::VERSION, value })
}

/// Reads stored JSON.
///
/// # Errors
/// Another version's, or malformed.
pub fn read<T: Versioned>(json: &str) -> Result<T, Unreadable> {
    let malformed = |source| Unreadable::Shape { name: T::NAME, source };
    let Version { version } = serde_json::from_str(json).map_err(malformed)?;
    if version != T::VERSION {
        return Err(Unreadable::Version { name: T::NAME, version, known: T::VERSION });
    }
    serde_json::from_str(json).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::{Unreadable, Versioned, read, write};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    impl Versioned for Note {
        const NAME: &'static str = "note";
        const VERSION: u32 = 1;
    }

    #[test]
    fn what_is_written_names_its_version_and_is_read_again() {
        let note = Note { text: "hi\u{0}".to_owned() };
        let json = write(&note).unwrap();
        assert_eq!(json, r#"{"version":1,"text":"hi\u0000"}"#);
        assert_eq!(read::<Note>(&json).unwrap(), note);
    }

    #[test]
    fn what_has_no_version_is_the_first_and_a_newer_one_is_named() {
        assert_eq!(read::<Note>(r#"{"text":"old"}"#).unwrap().text, "old");
        let newer = read::<Note>(r#"{"version":2,"words":[]}"#).unwrap_err();
        assert!(matches!(newer, Unreadable::Version { version: 2, .. }), "{newer}");
        let broken = read::<Note>(r#"{"version":1}"#).unwrap_err();
        assert!(matches!(broken, Unreadable::Shape { .. }), "{broken}");
    }
}
