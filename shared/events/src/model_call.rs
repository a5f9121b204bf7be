//! A language model is to be asked, has answered, or is writing.
//!
//! Each agent has its own topic for this, so that only its own function sees the events.

use domain::agent::Author;
use ids::{QueryId, UserId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient};

/// What a model is asked to do; each has its own prompt.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Explain an idea.
    Explain,
    /// Rephrase a hint for the student.
    Hint,
    /// Say what can be improved in a program.
    Review,
    /// Write an exercise.
    Exercise,
    /// Solve an exercise from its task alone.
    Solve,
    /// Say which agent a question is for.
    Classify,
}

impl Task {
    /// The name on the wire and in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explain => "explain",
            Self::Hint => "hint",
            Self::Review => "review",
            Self::Exercise => "exercise",
            Self::Solve => "solve",
            Self::Classify => "classify",
        }
    }
}

/// One piece of what the student said or what we know: data to the model, never instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Field {
    /// What it is, such as `question`.
    pub name: String,
    /// The text, without anything that identifies the student.
    pub text: String,
}

/// A request to a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelRequested {
    /// The work that continues with the answer.
    pub draft_id: Uuid,
    /// The question that it belongs to.
    pub query_id: QueryId,
    /// Who asked it.
    pub student_id: UserId,
    /// The agent that asks.
    #[serde(deserialize_with = "lenient::name")]
    pub agent: Author,
    /// The task; `None` for one of a later version.
    #[serde(deserialize_with = "lenient::optional_name")]
    pub task: Option<Task>,
    /// The input of the task.
    pub fields: Vec<Field>,
}

/// The outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ModelOutcome {
    /// It answered; the answer is not checked yet.
    Answered {
        /// The answer, which should be JSON of the task's schema.
        text: String,
    },
    /// There is no answer.
    Unavailable {
        /// Why, in words for an operator.
        reason: String,
    },
}

/// The outcome of a call, and its cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelFinished {
    /// The work that continues with the answer.
    pub draft_id: Uuid,
    /// The question that it belongs to.
    pub query_id: QueryId,
    /// Who asked it.
    pub student_id: UserId,
    /// The outcome.
    #[serde(flatten, deserialize_with = "outcome")]
    pub outcome: ModelOutcome,
    /// The model's name; empty if none was asked.
    pub model: String,
    /// Tokens that were sent.
    pub tokens_in: u32,
    /// Tokens that came back.
    pub tokens_out: u32,
    /// How long it took, retries included.
    pub latency_ms: u32,
}

/// A piece of an answer that is still being made. It is not stored, may be missing, and is replaced by the answer.
/// Since 0.4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerDelta {
    /// The question that is being answered.
    pub query_id: QueryId,
    /// Who asked it.
    pub student_id: UserId,
    /// Who is answering.
    #[serde(deserialize_with = "lenient::name")]
    pub agent: Author,
    /// From 0; the pieces in this order make the text.
    pub sequence: u32,
    /// The piece, Markdown.
    pub text: String,
}

impl Event for AnswerDelta {
    const TYPE: &'static str = "answer.delta.v1";
    const TOPIC: Topic = Topic::LearningResponses;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.query_id.as_uuid()
    }
}

macro_rules! on_topic {
    ($($(#[$doc:meta])+ $name:ident($inner:ident) = $type:literal on $topic:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl Event for $name {
            const TYPE: &'static str = $type;
            const TOPIC: Topic = Topic::$topic;

            fn student_id(&self) -> UserId {
                self.0.student_id
            }

            fn correlation_id(&self) -> Uuid {
                self.0.query_id.as_uuid()
            }
        }

        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                Self(inner)
            }
        }

        impl From<$name> for $inner {
            fn from(outer: $name) -> Self {
                outer.0
            }
        }
    )+};
}

on_topic! {
    /// The concepts agent asks. Since 0.4.
    ConceptsModelRequested(ModelRequested) = "model.requested.v1" on ConceptsRequests;
    /// The concepts agent gets the answer. Since 0.4.
    ConceptsModelFinished(ModelFinished) = "model.finished.v1" on ConceptsRequests;
    /// The debug agent asks. Since 0.4.
    DebugModelRequested(ModelRequested) = "model.requested.v1" on DebugRequests;
    /// The debug agent gets the answer. Since 0.4.
    DebugModelFinished(ModelFinished) = "model.finished.v1" on DebugRequests;
    /// The code-review agent asks. Since 0.4.
    ReviewModelRequested(ModelRequested) = "model.requested.v1" on CodeSubmissions;
    /// The code-review agent gets the answer. Since 0.4.
    ReviewModelFinished(ModelFinished) = "model.finished.v1" on CodeSubmissions;
    /// The exercise agent asks. Since 0.4.
    ExerciseModelRequested(ModelRequested) = "model.requested.v1" on ExerciseRequests;
    /// The exercise agent gets the answer. Since 0.4.
    ExerciseModelFinished(ModelFinished) = "model.finished.v1" on ExerciseRequests;
    /// Triage asks. Since 0.4.
    TriageModelRequested(ModelRequested) = "model.requested.v1" on LearningRequests;
    /// Triage gets the answer. Since 0.4.
    TriageModelFinished(ModelFinished) = "model.finished.v1" on LearningRequests;
}

/// Outcomes that are known: a faulty one of these is malformed.
const OUTCOMES: [&str; 2] = ["answered", "unavailable"];

/// The outcome of a call; an unknown one cannot be used.
fn outcome<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ModelOutcome, D::Error> {
    let unknown = |fields: Map<String, Value>| ModelOutcome::Unavailable {
        reason: format!("unknown outcome: {}", fields["outcome"]),
    };
    lenient::tagged(Map::deserialize(deserializer)?, "outcome", &OUTCOMES, unknown)
}
