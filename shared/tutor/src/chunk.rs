//! The parts of a streamed chunk that are used. Servers differ in the rest, and in what they leave out.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Chunk {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) choices: Vec<Choice>,
    pub(crate) usage: Option<Usage>,
    /// What some servers send instead of a status, which they have sent already.
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) delta: Delta,
    pub(crate) finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delta {
    content: Option<Content>,
    refusal: Option<String>,
    /// What the model thinks, under both names that there are.
    reasoning: Option<Value>,
    reasoning_content: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part of an answer; of those that are no text nothing is read.
#[derive(Debug, Deserialize)]
struct Part {
    text: Option<String>,
}

/// Some servers send zeros before the end, or know only one of them.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: Option<u32>,
    pub(crate) completion_tokens: Option<u32>,
}

impl Chunk {
    /// What the server calls its error. Its message may repeat what a student wrote, so it is not taken.
    pub(crate) fn error(&self) -> Option<Said> {
        let error = self.error.as_ref()?;
        let named = ["code", "type"].into_iter().filter_map(|name| match error.get(name)? {
            Value::String(text) => Some(text.chars().take(60).collect()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let status =
            error.get("code").and_then(Value::as_u64).and_then(|code| code.try_into().ok());
        Some(Said { status, names: named.collect::<Vec<String>>().join(" ") })
    }
}

/// What a server says of an error.
#[derive(Debug)]
pub(crate) struct Said {
    /// The status that it would have been, if its code is one.
    pub(crate) status: Option<u16>,
    /// Its code and type.
    pub(crate) names: String,
}

impl Delta {
    /// The next piece of the answer.
    pub(crate) fn text(&mut self) -> String {
        match self.content.take() {
            Some(Content::Text(text)) => text,
            Some(Content::Parts(parts)) => parts.into_iter().filter_map(|part| part.text).collect(),
            None => String::new(),
        }
    }

    /// The words with which the model declines.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref().filter(|words| !words.is_empty())
    }

    /// Bytes of what it thinks, which are paid for.
    pub(crate) fn thought(&self) -> usize {
        let thoughts = [&self.reasoning, &self.reasoning_content].into_iter().flatten();
        thoughts.filter_map(Value::as_str).map(str::len).sum()
    }
}

/// A value that may be null.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
