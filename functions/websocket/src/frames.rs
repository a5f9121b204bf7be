//! What is sent to clients: events as frames.

use chrono::{DateTime, Utc};
use domain::{
    agent::{AnsweredBy, Author},
    execution::ExecutionResult,
    user::Role,
};
use events::{
    Envelope, Event,
    execution_finished::ExecutionFinished,
    execution_requested::Requester,
    model_call::AnswerDelta,
    notification_made::{Notification, NotificationMade},
    progress_updated::{Mastery, NudgeGiven, ProgressUpdated},
    question_answered::{Answer, QuestionAnswered},
    question_routed::Routing,
    submission_graded::{Feedback, SubmissionGraded},
};
use ids::{EventId, ExecutionId, ExerciseId, QueryId, SubmissionId, UserId};
use runtime::web::{FieldError, Problem, sockets::MESSAGE_LIMIT};
use serde::{Serialize, de::DeserializeOwned};
use storage::socket_messages::Message;
use uuid::Uuid;

/// Which of the two paths a client has opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// `/ws/chat/{student_id}`: what belongs to a student.
    Chat,
    /// `/ws/alerts`: what a teacher is notified of.
    Alerts,
}

impl Channel {
    /// The name under which it is stored.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Alerts => "alerts",
        }
    }

    /// The channel of this name; the database has no others.
    pub(crate) fn named(name: &str) -> Self {
        if name == Self::Alerts.name() { Self::Alerts } else { Self::Chat }
    }
}

/// Who is behind a socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipient {
    pub(crate) id: UserId,
    pub(crate) role: Role,
    pub(crate) channel: Channel,
}

impl Recipient {
    /// Teachers get notifications on their own path; students have only the one.
    fn gets_notifications(self) -> bool {
        self.channel == Channel::Alerts || self.role == Role::Student
    }
}

/// A frame to a client.
#[derive(Debug, Serialize)]
struct Frame {
    #[serde(flatten)]
    body: Body,
    /// The event's id, with which a client says what it has.
    message_id: Uuid,
    /// The student that it is about.
    student_id: UserId,
    timestamp: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body {
    /// An answer; without its parts, and with an address instead, if it is too large for a frame.
    AiResponse {
        query_id: QueryId,
        #[serde(skip_serializing_if = "Option::is_none")]
        agent: Option<Author>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        answered_by: Option<AnsweredBy>,
        #[serde(skip_serializing_if = "Option::is_none")]
        routing: Option<Box<Routing>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<Box<Answer>>,
        url: String,
    },
    /// A piece of an answer, or the word that a question was accepted: that has no sequence and no content.
    AiDelta {
        query_id: QueryId,
        #[serde(skip_serializing_if = "Option::is_none")]
        agent: Option<Author>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sequence: Option<u32>,
        content: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>,
    },
    Execution {
        execution_id: ExecutionId,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<Box<ExecutionResult>>,
        url: String,
    },
    Progress(Progress),
    Alert(Alert),
    Error {
        code: String,
        content: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Vec<FieldError>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>,
    },
}

/// What a student has reached.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Progress {
    Mastery {
        topic: String,
        mastery: Mastery,
        overall: Mastery,
    },
    Grade {
        submission_id: SubmissionId,
        #[serde(skip_serializing_if = "Option::is_none")]
        exercise_id: Option<ExerciseId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        feedback: Option<Box<Feedback>>,
        url: String,
    },
}

/// What somebody should look at.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Alert {
    Nudge {
        content: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        exercise_id: Option<Uuid>,
    },
    Notification {
        content: String,
        notification: Box<Notification>,
    },
}

/// The frame of a stored event. `None`: it is nothing for this recipient, its text was erased, or a later version made
/// it.
pub(crate) fn stored_frame(message: &Message, to: Recipient) -> Option<StoredFrame> {
    let Message { id, event_type, at, data, .. } = message;
    let (body, about) = match event_type.as_str() {
        NotificationMade::TYPE => {
            let made: NotificationMade =
                of(data.read(), |made: &NotificationMade| made.user_id, to)?;
            let about = made.notification.student_id.unwrap_or(to.id);
            let notification = Box::new(made.notification);
            let alert = Alert::Notification { content: notification.text.clone(), notification };
            (to.gets_notifications().then_some(Body::Alert(alert))?, about)
        }
        _ if to.channel != Channel::Chat => return None,
        QuestionAnswered::TYPE => (answer(of(data.read(), Event::student_id, to)?), to.id),
        ExecutionFinished::TYPE => (execution(of(data.read(), Event::student_id, to)?)?, to.id),
        SubmissionGraded::TYPE => (grade(of(data.read(), Event::student_id, to)?), to.id),
        ProgressUpdated::TYPE => {
            let ProgressUpdated { topic, mastery, overall, .. } =
                of(data.read(), Event::student_id, to)?;
            (Body::Progress(Progress::Mastery { topic, mastery, overall }), to.id)
        }
        NudgeGiven::TYPE => {
            let NudgeGiven { text, topic, exercise_id, .. } =
                of(data.read(), Event::student_id, to)?;
            let nudge = Alert::Nudge { content: text, topic, exercise_id };
            (Body::Alert(nudge), to.id)
        }
        _ => return None,
    };
    let frame = Frame { body, message_id: id.as_uuid(), student_id: about, timestamp: *at };
    let text = write(&frame);
    let mut stored = StoredFrame { frame, text };
    if stored.text.len() > MESSAGE_LIMIT {
        stored.shorten();
    }
    Some(stored)
}

/// The frame of a stored event.
#[derive(Debug)]
pub(crate) struct StoredFrame {
    frame: Frame,
    /// What is sent.
    pub(crate) text: String,
}

impl StoredFrame {
    /// Leaves out what is found at the frame's address.
    pub(crate) fn shorten(&mut self) {
        self.frame.body.shorten();
        self.text = write(&self.frame);
    }
}

/// The payload, if it can be read and is about the recipient.
fn of<E: DeserializeOwned>(
    read: serde_json::Result<E>,
    owner: impl Fn(&E) -> UserId,
    to: Recipient,
) -> Option<E> {
    read.ok().filter(|event| owner(event) == to.id)
}

fn answer(event: QuestionAnswered) -> Body {
    let QuestionAnswered { query_id, agent, answered_by, routing, answer, .. } = event;
    Body::AiResponse {
        query_id,
        agent: Some(agent),
        content: Some(answer.content.clone()),
        answered_by: Some(answered_by),
        routing: Some(Box::new(routing)),
        answer: Some(Box::new(answer)),
        url: format!("/api/v1/queries/{query_id}"),
    }
}

/// A run that the student has asked for; those of agents are theirs.
fn execution(event: ExecutionFinished) -> Option<Body> {
    let execution_id = event.execution_id;
    let url = format!("/api/v1/executions/{execution_id}");
    event.may_be_for(Requester::Gateway).then(|| Body::Execution {
        execution_id,
        result: Some(Box::new(event.result)),
        url,
    })
}

fn grade(event: SubmissionGraded) -> Body {
    let SubmissionGraded { submission_id, exercise_id, feedback, .. } = event;
    Body::Progress(Progress::Grade {
        submission_id,
        exercise_id: Some(exercise_id),
        content: Some(feedback.message.clone()),
        feedback: Some(Box::new(feedback)),
        url: format!("/api/v1/submissions/{submission_id}"),
    })
}

impl Body {
    /// Leaves out what may be too large for a frame; it is found at the address.
    fn shorten(&mut self) {
        match self {
            Self::AiResponse { content, answer, routing, .. } => {
                (*content, *answer, *routing) = (None, None, None);
            }
            Self::Execution { result, .. } => *result = None,
            Self::Progress(Progress::Grade { content, feedback, .. }) => {
                (*content, *feedback) = (None, None);
            }
            Self::Progress(Progress::Mastery { .. })
            | Self::AiDelta { .. }
            | Self::Alert(_)
            | Self::Error { .. } => {}
        }
    }
}

/// The frame of a piece of an answer.
pub(crate) fn live_frame(event: Envelope<AnswerDelta>) -> String {
    let Envelope { id, time, data, .. } = event;
    let AnswerDelta { query_id, student_id, agent, sequence, text } = data;
    let (agent, sequence) = (Some(agent), Some(sequence));
    let body = Body::AiDelta { query_id, agent, sequence, content: text, reply_to: None };
    let timestamp = time.unwrap_or_default();
    write(&Frame { body, message_id: id.as_uuid(), student_id, timestamp })
}

/// What is the same for all frames that answer a client's own.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// A fresh id.
    pub(crate) id: EventId,
    /// Whose frame it answers.
    pub(crate) student: UserId,
    /// Now.
    pub(crate) at: DateTime<Utc>,
    /// The client's own id of its frame.
    pub(crate) to: Option<String>,
}

impl Reply {
    /// The question was accepted.
    pub(crate) fn accepted(self, query: QueryId) -> String {
        let content = String::new();
        let reply_to = self.to.clone();
        let (agent, sequence) = (None, None);
        self.frame(Body::AiDelta { query_id: query, agent, sequence, content, reply_to })
    }

    /// The frame was refused.
    pub(crate) fn refused(self, problem: &Problem) -> String {
        let reply_to = self.to.clone();
        let body = Body::Error {
            code: problem.code().to_owned(),
            content: problem.detail().to_owned(),
            errors: problem.errors().to_vec(),
            retry_after: problem.retry_after_seconds(),
            reply_to,
        };
        self.frame(body)
    }

    fn frame(self, body: Body) -> String {
        let Self { id, student, at, .. } = self;
        write(&Frame { body, message_id: id.as_uuid(), student_id: student, timestamp: at })
    }
}

fn write(frame: &Frame) -> String {
    // All of it are strings, numbers and structs, which can always be written.
    serde_json::to_string(frame).unwrap_or_default()
}
