//! Of what a person keeps a draft: a text that they are still writing.

use std::{fmt, str::FromStr};

use ids::ExerciseId;

/// What the key of an exercise's draft begins with.
const EXERCISE: &str = "exercise:";
/// The key of the program in the workspace.
const WORKSPACE: &str = "workspace";

/// Of what a draft is. A person has at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DraftKey {
    /// The program in the workspace: `workspace`.
    Workspace,
    /// The solution of an exercise: `exercise:` and its id. Nobody looks whether there is such an exercise, since a draft
    /// is its owner's own, and their number is bounded.
    Exercise(ExerciseId),
}

/// No key of a draft. The message says what is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `workspace`, or `exercise:` and the id of an exercise")]
pub struct NoDraftKey;

impl fmt::Display for DraftKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace => f.write_str(WORKSPACE),
            Self::Exercise(id) => write!(f, "{EXERCISE}{id}"),
        }
    }
}

impl FromStr for DraftKey {
    type Err = NoDraftKey;

    fn from_str(text: &str) -> Result<Self, NoDraftKey> {
        if text == WORKSPACE {
            return Ok(Self::Workspace);
        }
        let id = text.strip_prefix(EXERCISE).ok_or(NoDraftKey)?;
        id.parse().map(Self::Exercise).map_err(|_not_an_id| NoDraftKey)
    }
}

#[cfg(test)]
mod tests {
    use super::{DraftKey, NoDraftKey};

    #[test]
    fn a_key_is_written_in_one_way_only() {
        for (text, written) in [
            ("workspace", "workspace"),
            (
                "exercise:0190B2E4-6A5C-7D3E-8F10-0123456789AB",
                "exercise:0190b2e4-6a5c-7d3e-8f10-0123456789ab",
            ),
        ] {
            assert_eq!(text.parse().map(|key: DraftKey| key.to_string()), Ok(written.to_owned()));
        }
        for text in ["", "Workspace", "workspace ", "exercise:", "exercise:x", "quiz:1", "\0"] {
            assert_eq!(text.parse::<DraftKey>(), Err(NoDraftKey), "{text}");
        }
    }
}
