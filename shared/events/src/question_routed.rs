//! Triage has decided which agent a question is for.

use domain::{agent::Agent, level::Level};
use ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient, question_asked::QuestionAsked};

/// A further sign in a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Its author is stuck.
    Struggle,
    /// It asks for a solution.
    SolutionRequest,
    /// Its author may need a human being.
    Distress,
    /// It asks for something that harms others.
    Unsafe,
    /// It tells the tutor to take another role.
    Injection,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What triage decided, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Routing {
    /// The agent that the question is for.
    #[serde(deserialize_with = "lenient::name")]
    pub agent: Agent,
    /// How sure triage is, from 0 to 1, rounded to two digits.
    pub confidence: f64,
    /// The evidence, strongest first, in words that a teacher can read.
    pub reasons: Vec<String>,
    /// Further signs. Since 0.4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<Sign>,
    /// A clarifying question, if the student's was unclear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clarification: Option<String>,
    /// A friendly sentence in the student's language, if that is not English: answers are. Since 0.8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
}

/// What a follow-up wants of the previous answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpKind {
    /// The reason.
    Why,
    /// Another example.
    Example,
    /// The same in simpler words.
    Simpler,
    /// More of it.
    More,
    /// Something else about the same thing.
    Same,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The exchange that a follow-up refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FollowUp {
    /// What it wants.
    pub kind: FollowUpKind,
    /// The previous question.
    pub question: String,
    /// Slugs of the topics of the previous answer.
    #[serde(default)]
    pub topics: Vec<String>,
    /// How often the same was asked for since the subject came up, this time included.
    pub times: u32,
}

/// Emitted by triage, handled by the concepts agent. Since 0.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuestionRouted {
    /// The question as it was asked.
    #[serde(flatten)]
    pub asked: QuestionAsked,
    /// Where it goes, and why.
    pub routing: Routing,
    /// The student's overall level.
    #[serde(deserialize_with = "lenient::name")]
    pub level: Level,
    /// The types of the student's latest errors, newest first.
    #[serde(default)]
    pub recent_errors: Vec<String>,
    /// The previous exchange, if it is a follow-up. Since 0.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
}

impl Event for QuestionRouted {
    const TYPE: &'static str = "question.routed.v1";
    const TOPIC: Topic = Topic::ConceptsRequests;

    fn student_id(&self) -> UserId {
        self.asked.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.asked.query_id.as_uuid()
    }
}
