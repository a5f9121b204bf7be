//! A student has asked something.

use domain::{
    agent::Agent,
    text::{Code, ErrorText, Question, TopicName},
};
use ids::{QueryId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, lenient};

/// Emitted by the front doors, handled by triage. Since 0.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuestionAsked {
    /// The question's id, under which the answer is found.
    pub query_id: QueryId,
    /// Who asks.
    pub student_id: UserId,
    /// The question in the student's words.
    pub question: Question,
    /// The code that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The error message or traceback that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorText>,
    /// The topic of the page that the student is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicName>,
    /// The agent that the student has chosen; else triage chooses.
    #[serde(
        default,
        deserialize_with = "lenient::optional_name",
        skip_serializing_if = "Option::is_none"
    )]
    pub agent: Option<Agent>,
    /// The rung of the hint ladder to begin with, from 1. Since 0.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint_level: Option<u8>,
    /// The exercise that the student is working on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exercise_id: Option<Uuid>,
}

impl Event for QuestionAsked {
    const TYPE: &'static str = "question.asked.v1";
    const TOPIC: Topic = Topic::LearningRequests;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.query_id.as_uuid()
    }
}
