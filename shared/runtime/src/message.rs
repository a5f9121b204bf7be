//! A message as a trigger received it, before anything is known about its content.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use events::{CloudEvent, DecodeError, HeaderStyle, dead_letter::DeadLetter};

/// The bytes of one message and where they came from.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where it came from: `topic-partition@offset`, or `http`.
    pub origin: String,
    /// How its transport spells attributes.
    pub style: HeaderStyle,
    /// The Kafka key.
    pub key: Option<Bytes>,
    /// Headers in their order, duplicates kept.
    pub headers: Vec<(String, Bytes)>,
    /// The body; empty for a tombstone.
    pub value: Bytes,
}

impl Message {
    /// Reads the message as one CloudEvent.
    ///
    /// # Errors
    /// It is not one.
    pub fn decode(&self) -> Result<CloudEvent, DecodeError> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_ref()));
        CloudEvent::decode(self.style, headers, &self.value)
    }

    /// What is kept of a message that nobody can handle.
    #[must_use]
    pub fn to_dead_letter(
        &self,
        function: &str,
        reasons: Vec<String>,
        attempts: u32,
    ) -> DeadLetter {
        DeadLetter {
            function: function.to_owned(),
            origin: self.origin.clone(),
            reasons,
            attempts,
            key_base64: self.key.as_ref().map(|key| STANDARD.encode(key)),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), STANDARD.encode(value)))
                .collect(),
            value_base64: STANDARD.encode(&self.value),
        }
    }
}
