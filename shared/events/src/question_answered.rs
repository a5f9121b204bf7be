//! An agent has answered a question.

use domain::agent::{AnsweredBy, Author};
use ids::{QueryId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Event, Topic, question_routed::Routing};

/// A program and exactly what it prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// One sentence on what it shows.
    pub title: String,
    /// A complete program.
    pub code: String,
    /// Everything that it writes to standard output.
    pub output: String,
}

/// An answer, in text and in parts that a front end can lay out itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The whole answer as Markdown, examples included.
    pub content: String,
    /// The examples on their own.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// Slugs of the topics that the answer is about, nearest first.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Slugs of topics worth reading next.
    #[serde(default)]
    pub related: Vec<String>,
}

/// Emitted by every agent, handled by the front doors. Since 0.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuestionAnswered {
    /// The question that is answered.
    pub query_id: QueryId,
    /// Who asked it.
    pub student_id: UserId,
    /// Who answers.
    pub agent: Author,
    /// What the answer was made with.
    pub answered_by: AnsweredBy,
    /// How the question got there.
    pub routing: Routing,
    /// The answer.
    pub answer: Answer,
}

impl Event for QuestionAnswered {
    const TYPE: &'static str = "question.answered.v1";
    const TOPIC: Topic = Topic::LearningResponses;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.query_id.as_uuid()
    }
}
