//! A question, as students ask it at every door.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    agent::Agent,
    text::{Code, ErrorText, Question, TopicName},
};
use events::{question_answered::QuestionAnswered, question_asked::QuestionAsked};
use ids::{ConversationId, QueryId, UserId};
use runtime::web::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use storage::queries::{self, NewQuestion, Place, QuestionBody};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accept::StudentRequest;

/// After this long without a question, the next one begins a new conversation.
const IDLE: TimeDelta = TimeDelta::minutes(30);

/// A question and its context.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// The question.
    #[schema(example = "What is the difference between a list and a tuple?")]
    pub question: Question,
    /// The code that it is about.
    pub code: Option<Code>,
    /// The error message or traceback.
    pub error: Option<ErrorText>,
    /// The topic of the page that the student is on.
    #[schema(example = "lists")]
    pub topic: Option<TopicName>,
    /// The exercise that the student is working on.
    pub exercise_id: Option<Uuid>,
    /// The conversation that it continues; by default the last one, unless that has been idle for half an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Whether it begins a new conversation, however lately the last one was used; not together with `conversation_id`.
    // Left out if it is false, so that a request has the same hash as before it had this field.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_conversation: bool,
}

impl StudentRequest for QueryRequest {
    type Event = QuestionAsked;
    type Answer = QuestionAnswered;
    type Stored = ConversationId;

    const OPERATION: &'static str = "query";

    async fn store(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        student: UserId,
        _: &Value,
        now: DateTime<Utc>,
    ) -> sqlx::Result<ConversationId> {
        self.insert(conn, QueryId::from_uuid(id), student, None, now).await
    }

    fn event(&self, id: Uuid, student: UserId) -> QuestionAsked {
        QuestionAsked {
            query_id: QueryId::from_uuid(id),
            student_id: student,
            question: self.question.clone(),
            code: self.code.clone(),
            error: self.error.clone(),
            topic: self.topic.clone(),
            agent: None,
            hint_level: None,
            exercise_id: self.exercise_id,
        }
    }
}

impl QueryRequest {
    /// Checks what no field shows alone.
    ///
    /// # Errors
    /// 422 if it goes on with a conversation and begins a new one.
    pub fn check(&self) -> Result<(), Problem> {
        if self.new_conversation && self.conversation_id.is_some() {
            let detail = "leave it out, or leave conversation_id out: a question does not go on with a conversation \
                          and begin a new one";
            return Err(Problem::field("new_conversation", detail));
        }
        Ok(())
    }

    /// The conversation that it gets into. A named one counts first.
    fn place(&self, now: DateTime<Utc>) -> Place {
        match self.conversation_id {
            Some(named) => Place::Named(named),
            None if self.new_conversation => Place::New,
            None => Place::Last { idle_since: now - IDLE },
        }
    }

    /// Stores the question, with the agent that the student has chosen, in its conversation.
    ///
    /// # Errors
    /// The database's own.
    pub async fn insert(
        &self,
        conn: &mut PgConnection,
        id: QueryId,
        student: UserId,
        agent: Option<Agent>,
        now: DateTime<Utc>,
    ) -> sqlx::Result<ConversationId> {
        let body = QuestionBody {
            question: self.question.clone(),
            code: self.code.clone(),
            error: self.error.clone(),
            topic: self.topic.clone(),
            exercise_id: self.exercise_id,
            agent,
        };
        let question = NewQuestion { id, student, place: self.place(now), body: &body };
        queries::insert(conn, question, now).await
    }
}
