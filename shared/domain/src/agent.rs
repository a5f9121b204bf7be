//! Who can answer a student.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The agent that a question is meant for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    /// Explains an idea.
    Concepts,
    /// Finds why code fails, by hints.
    Debug,
    /// Reviews code that works.
    CodeReview,
    /// Assigns exercises.
    Exercise,
    /// Reports the student's progress.
    Progress,
    /// None: the question is not about learning Python.
    OffTopic,
    /// A name of a later version; it is only read, never written.
    #[serde(skip_deserializing)]
    Unknown,
}

impl Agent {
    /// All agents, in the order in which ties are broken.
    pub const ALL: [Self; 6] = [
        Self::Concepts,
        Self::Debug,
        Self::CodeReview,
        Self::Exercise,
        Self::Progress,
        Self::OffTopic,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concepts => "concepts",
            Self::Debug => "debug",
            Self::CodeReview => "code_review",
            Self::Exercise => "exercise",
            Self::Progress => "progress",
            Self::OffTopic => "off_topic",
            Self::Unknown => "unknown",
        }
    }
}

/// The author of an answer: an agent, or triage itself if no agent was needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// Triage answered at once, for instance because the question was off topic.
    Triage,
    /// The concepts agent.
    Concepts,
    /// The debug agent.
    Debug,
    /// The code-review agent.
    CodeReview,
    /// The exercise agent.
    Exercise,
    /// The progress agent.
    Progress,
    /// One of a later version; it is only read, never written.
    #[serde(skip_deserializing)]
    Unknown,
}

impl Author {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Concepts => "concepts",
            Self::Debug => "debug",
            Self::CodeReview => "code_review",
            Self::Exercise => "exercise",
            Self::Progress => "progress",
            Self::Unknown => "unknown",
        }
    }
}

/// What an answer was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// A language model.
    Model,
    /// The curriculum and rules alone.
    Offline,
    /// One of a later version; it is only read, never written.
    #[serde(skip_deserializing)]
    Unknown,
}

impl AnsweredBy {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }
}
