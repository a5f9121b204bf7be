//! What clients send: a question, or a new token.

use domain::text::{Code, ErrorText, Question, TopicName};
use requests::{KEY_LIMIT, QueryRequest, is_key};
use runtime::web::{Problem, read_json};
use serde::Deserialize;
use uuid::Uuid;

/// A frame of a client.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A question.
    Question {
        /// The client's own id: a frame that is sent again with the same one is carried out once.
        id: Option<String>,
        /// The question.
        request: QueryRequest,
    },
    /// A token that extends the socket's life.
    Token(String),
    /// A sign of life.
    Ping,
}

/// A frame that cannot be read, with the client's own id of it if that can.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) id: Option<String>,
    pub(crate) problem: Box<Problem>,
}

/// What every frame may have.
#[derive(Deserialize)]
struct Any {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default, rename = "type")]
    _kind: Option<String>,
    #[serde(default)]
    id: Option<String>,
    content: Question,
    code: Option<Code>,
    error: Option<ErrorText>,
    #[serde(default)]
    context: Context,
    #[serde(default)]
    new_conversation: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Context {
    topic_id: Option<TopicName>,
    exercise_id: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authenticated {
    #[serde(default, rename = "type")]
    _kind: Option<String>,
    #[serde(default, rename = "id")]
    _id: Option<String>,
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ping {
    #[serde(default, rename = "type")]
    _kind: Option<String>,
    #[serde(default, rename = "id")]
    _id: Option<String>,
}

/// Reads a frame.
///
/// # Errors
/// It is not JSON, or a field is missing, unknown or out of bounds.
pub(crate) fn read(text: &[u8]) -> Result<Incoming, Unreadable> {
    let any: Any =
        read_json(text).map_err(|problem| Unreadable { id: None, problem: Box::new(problem) })?;
    let id = any.id.filter(|id| is_key(id));
    let refuse = |problem| Unreadable { id: id.clone(), problem: Box::new(problem) };
    match any.kind.as_deref() {
        None | Some("message") => {
            let asked: Asked = read_json(text).map_err(refuse)?;
            if asked.id.is_some() && id.is_none() {
                let detail = format!("1 to {KEY_LIMIT} visible ASCII characters");
                return Err(refuse(Problem::field("id", detail)));
            }
            let Asked { content: question, code, error, context, new_conversation, .. } = asked;
            let Context { topic_id: topic, exercise_id } = context;
            let request = QueryRequest {
                question,
                code,
                error,
                topic,
                exercise_id,
                conversation_id: None,
                new_conversation,
            };
            Ok(Incoming::Question { id, request })
        }
        Some("auth") => {
            let Authenticated { token, .. } = read_json(text).map_err(refuse)?;
            Ok(Incoming::Token(token))
        }
        Some("ping") => {
            let Ping { .. } = read_json(text).map_err(refuse)?;
            Ok(Incoming::Ping)
        }
        Some(_) => Err(refuse(Problem::field("type", "message, auth, ping, or nothing"))),
    }
}
