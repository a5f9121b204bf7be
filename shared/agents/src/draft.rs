//! Waiting work as it is stored: the agent's state with its version, and the fallback answer.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Author;
use events::{
    Event, envelope::derived_event_id, question_answered::Answer, question_routed::QuestionRouted,
};
use ids::{EventId, QueryId, UserId};
use runtime::{HandlerError, Received};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use storage::drafts::{self, NewDraft};
use uuid::Uuid;

use crate::step::Reply;

/// When a draft counts as lost. A run takes 10 s at most and a model 25 s; the rest is for queues and restarts.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// The origin of an agent's work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// The event that is handled.
    pub(crate) cause: EventId,
    /// The agent that does the work.
    pub(crate) agent: Author,
    /// The question, or the solution that is graded.
    pub(crate) query: QueryId,
    /// Who asked it.
    pub(crate) student: UserId,
    /// Now.
    pub(crate) now: DateTime<Utc>,
}

impl Origin {
    /// The origin of work that an event belongs to.
    pub(crate) fn of<E: Event>(received: &Received<E>, agent: Author) -> Self {
        let event = &received.event;
        Self {
            cause: event.id,
            agent,
            query: QueryId::from_uuid(event.data.correlation_id()),
            student: event.data.student_id(),
            now: received.now,
        }
    }

    /// The id of the run or call that this work waits for: the same on every rerun.
    pub(crate) fn id(&self, waits_for: WaitsFor) -> Uuid {
        derived_event_id(self.cause, self.agent.as_str(), waits_for as usize).as_uuid()
    }
}

/// What work waits for; distinguishes the ids that derive from one event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WaitsFor {
    Run = 0,
    Model = 1,
    SharedAnswer = 2,
}

/// Waiting work, as stored.
#[derive(Debug, Serialize)]
pub(crate) struct Draft<'a, S> {
    /// The version of the state.
    pub(crate) version: u32,
    pub(crate) query_id: QueryId,
    pub(crate) student_id: UserId,
    pub(crate) agent: Author,
    /// The answer if the work cannot be continued.
    pub(crate) fallback: Option<&'a Reply>,
    /// The key of a shared answer: all questions that wait for it are answered together.
    pub(crate) shares: Option<&'a [u8]>,
    pub(crate) state: &'a S,
}

/// What every version can read of a draft. Fields are only ever added to it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Header {
    /// Absent in drafts from before there were versions.
    pub(crate) version: Option<u32>,
    pub(crate) query_id: Option<QueryId>,
    pub(crate) student_id: Option<UserId>,
    pub(crate) agent: Option<Author>,
    pub(crate) fallback: Option<Reply>,
    pub(crate) shares: Option<Vec<u8>>,
}

/// A draft of the concepts agent from before there were versions; only these had shared answers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Unversioned {
    Asking(UnversionedQuestion),
    Verifying { waiting: UnversionedQuestion },
}

#[derive(Debug, Deserialize)]
struct UnversionedQuestion {
    request: QuestionRouted,
    offline: Answer,
    key: Option<Vec<u8>>,
}

#[derive(Debug, Deserialize)]
struct Stated<S> {
    state: S,
}

/// A draft that was taken.
#[derive(Debug)]
pub(crate) enum Taken<S> {
    /// The work can be continued.
    Known { state: S, shares: Option<Vec<u8>> },
    /// Another version of the agent stored it.
    Unknown(Box<Header>),
}

/// A draft cannot be continued, and has no fallback.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DraftError {
    #[error("the draft has the unknown version {0} and no fallback answer")]
    UnknownVersion(u32),
    #[error("the draft is malformed")]
    Malformed(#[source] serde_json::Error),
    #[error("the state has no JSON form")]
    Unserializable(#[source] serde_json::Error),
}

impl Header {
    /// Reads what every version can read.
    pub(crate) fn read(body: &str) -> Result<Self, DraftError> {
        let header: Self = serde_json::from_str(body).map_err(DraftError::Malformed)?;
        if header.version.is_some() {
            return Ok(header);
        }
        let UnversionedQuestion { request, offline, key } = match serde_json::from_str(body) {
            Ok(Unversioned::Asking(question) | Unversioned::Verifying { waiting: question }) => {
                question
            }
            // Of another agent.
            Err(_) => return Ok(header),
        };
        Ok(Self {
            version: None,
            query_id: Some(request.asked.query_id),
            student_id: Some(request.asked.student_id),
            agent: Some(Author::Concepts),
            fallback: Some(Reply::offline(request.routing, offline)),
            shares: key,
        })
    }
}

/// Reads a draft's state, if it is of this version of the agent or from before there were versions.
pub(crate) fn read<S: DeserializeOwned>(body: &str, version: u32) -> Result<Taken<S>, DraftError> {
    let header = Header::read(body)?;
    match header.version {
        None => {
            let state = serde_json::from_str(body).map_err(DraftError::Malformed)?;
            Ok(Taken::Known { state, shares: header.shares })
        }
        Some(found) if found == version => {
            let Stated { state } = serde_json::from_str(body).map_err(DraftError::Malformed)?;
            Ok(Taken::Known { state, shares: header.shares })
        }
        Some(_) => Ok(Taken::Unknown(Box::new(header))),
    }
}

/// Where work waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot<'a> {
    /// The id that it is stored under.
    pub(crate) id: Uuid,
    /// The key of the shared answer that it waits for, if any.
    pub(crate) shared_key: Option<&'a [u8]>,
}

/// Stores waiting work.
pub(crate) async fn store<S: Serialize + Sync>(
    conn: &mut PgConnection,
    origin: Origin,
    slot: Slot<'_>,
    draft: &Draft<'_, S>,
) -> Result<(), HandlerError> {
    let body = serde_json::to_string(draft)
        .map_err(|error| HandlerError::fail(DraftError::Unserializable(error)))?;
    let draft = NewDraft {
        id: slot.id,
        query: origin.query,
        student: origin.student,
        agent: origin.agent,
        body: &body,
        waits_for: slot.shared_key,
        deadline_at: origin.now + PATIENCE,
    };
    drafts::insert(conn, draft, origin.now).await.map_err(HandlerError::retry)
}

#[cfg(test)]
mod tests {
    use domain::agent::{AnsweredBy, Author};
    use serde_json::{Value, json};

    use super::{DraftError, Header, Taken, read};

    const ID: &str = "00000000-0000-0000-0000-000000000007";

    fn request() -> Value {
        json!({ "query_id": ID, "student_id": ID, "question": "x", "level": "beginner", "routing": routing() })
    }

    fn routing() -> Value {
        json!({ "agent": "concepts", "confidence": 1.0, "reasons": [] })
    }

    fn draft(version: u32) -> String {
        let fallback = json!({ "answered_by": "offline", "routing": routing(), "answer": { "content": "at least" } });
        let draft = json!({ "version": version, "query_id": ID, "student_id": ID, "agent": "debug",
            "fallback": fallback, "shares": [1, 2], "state": { "step": 3 } });
        draft.to_string()
    }

    #[test]
    fn a_draft_of_this_version_is_continued() {
        let Ok(Taken::Known { state, shares }) = read::<Value>(&draft(2), 2) else {
            panic!("known")
        };
        assert_eq!((state, shares), (json!({ "step": 3 }), Some(vec![1, 2])));
    }

    #[test]
    fn a_draft_of_another_version_still_has_its_fallback() {
        for version in [1, 3] {
            let Ok(Taken::Unknown(header)) = read::<Value>(&draft(version), 2) else {
                panic!("{version}")
            };
            let reply = header.fallback.unwrap();
            assert_eq!(
                (&*reply.answer.content, reply.answered_by),
                ("at least", AnsweredBy::Offline)
            );
            assert_eq!((header.version, header.shares), (Some(version), Some(vec![1, 2])));
        }
    }

    #[test]
    fn an_unversioned_draft_is_read_as_its_state() {
        let Ok(Taken::Known { state, shares }) = read::<Value>(&request().to_string(), 1) else {
            panic!("known")
        };
        assert_eq!((state, shares), (request(), None));
    }

    #[test]
    fn an_unversioned_draft_keeps_its_shared_answer() {
        let asking = json!({ "request": request(), "offline": { "content": "at least" }, "idea": "i", "key": [1] });
        let verifying = json!({ "waiting": asking, "explanation": {}, "outputs": [] });
        for body in [asking, verifying] {
            let header = Header::read(&body.to_string()).unwrap();
            assert_eq!(header.fallback.unwrap().answer.content, "at least");
            assert_eq!((header.agent, header.shares), (Some(Author::Concepts), Some(vec![1])));
        }
    }

    #[test]
    fn an_invalid_draft_is_malformed() {
        for body in ["", "[]", r#"{"version": 2}"#] {
            assert!(matches!(read::<Value>(body, 2), Err(DraftError::Malformed(_))), "{body}");
        }
    }
}
