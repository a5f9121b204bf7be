//! A message as a trigger received it, before its content is read.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use events::{CloudEvent, DecodeError, HeaderStyle, dead_letter::DeadLetter};

/// Most bytes of a body that a dead letter holds: every body that comes by HTTP fits. In base64 they are two thirds of
/// an event's limit.
const LETTER_VALUE_BYTES: usize = 512 << 10;
/// Most bytes of a key or a header's value in a dead letter; ours have a tenth of it.
const LETTER_PART_BYTES: usize = 1 << 10;
/// Most characters of a name or a reason in a dead letter: a JSON escape takes six bytes.
const LETTER_NAME_CHARS: usize = 200;
/// Most headers, and most reasons, in a dead letter.
const LETTER_PARTS: usize = 32;

/// Where Kafka has a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The partition of its topic.
    pub partition: i32,
    /// The offset in that partition.
    pub offset: i64,
    /// Its time there: when it was sent, by its sender's clock. Not every trigger tells it.
    pub at: Option<DateTime<Utc>>,
}

impl Record {
    /// A record with its time in milliseconds since 1970; negative if it has none.
    #[must_use]
    pub fn at_millis(partition: i32, offset: i64, millis: Option<i64>) -> Self {
        let at = millis.filter(|millis| *millis >= 0).and_then(DateTime::from_timestamp_millis);
        Self { partition, offset, at }
    }
}

/// The bytes of one message and their origin.
#[derive(Debug, Clone)]
pub struct Message {
    /// The origin: `topic-partition@offset`, or `http`.
    pub origin: String,
    /// Where Kafka has it, if the trigger tells.
    pub record: Option<Record>,
    /// How its transport spells attributes.
    pub style: HeaderStyle,
    /// The Kafka key.
    pub key: Option<Bytes>,
    /// The headers in order, with duplicates.
    pub headers: Vec<(String, Bytes)>,
    /// The body; empty for a tombstone.
    pub value: Bytes,
}

impl Message {
    /// Decodes the message as a CloudEvent.
    ///
    /// # Errors
    /// It is not a CloudEvent.
    pub fn decode(&self) -> Result<CloudEvent, DecodeError> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_ref()));
        CloudEvent::decode(self.style, headers, &self.value)
    }

    /// Its approximate size in bytes.
    #[must_use]
    pub(crate) fn size(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.value.len() + self.key.as_ref().map_or(0, Bytes::len) + headers
    }

    /// The dead letter of a message that nobody can handle.
    #[must_use]
    pub fn to_dead_letter(
        &self,
        function: &str,
        reasons: Vec<String>,
        attempts: u32,
    ) -> DeadLetter {
        let mut truncated = self.headers.len() > LETTER_PARTS;
        let mut encoded = |bytes: &[u8], most: usize| {
            truncated |= bytes.len() > most;
            STANDARD.encode(bytes.get(..most).unwrap_or(bytes))
        };
        let name = |text: &str| text.chars().take(LETTER_NAME_CHARS).collect::<String>();
        DeadLetter {
            function: function.to_owned(),
            origin: name(&self.origin),
            reasons: reasons.iter().take(LETTER_PARTS).map(|reason| name(reason)).collect(),
            attempts,
            key_base64: self.key.as_ref().map(|key| encoded(key, LETTER_PART_BYTES)),
            headers: self
                .headers
                .iter()
                .take(LETTER_PARTS)
                .map(|(header, value)| (name(header), encoded(value, LETTER_PART_BYTES)))
                .collect(),
            value_base64: encoded(&self.value, LETTER_VALUE_BYTES),
            truncated,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use events::{HeaderStyle, envelope::MAX_DATA_BYTES};
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{LETTER_PARTS, LETTER_VALUE_BYTES, Message};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        /// The dead letter of any record can be sent, and states whether something was left out.
        #[test]
        fn a_dead_letter_of_any_record_can_be_sent(
            sizes in prop::collection::vec(prop::sample::select(vec![0, 1, 100, 5_000, 700_000, 2_000_000]), 3),
            headers in prop::sample::select(vec![0_usize, 1, LETTER_PARTS, 5_000]),
            character in any::<char>(),
        ) {
            let text = |length: usize| character.to_string().repeat(length);
            let header = (text(sizes[1].min(5_000)), Bytes::from(text(sizes[1].min(5_000))));
            let message = Message {
                origin: text(sizes[2].min(5_000)),
                record: None,
                style: HeaderStyle::Kafka,
                key: Some(Bytes::from(text(sizes[2]))),
                headers: vec![header; headers],
                value: Bytes::from(text(sizes[0])),
            };
            let letter = message.to_dead_letter("triage", vec![text(sizes[1].min(5_000)); headers], 8);
            let json = serde_json::to_string(&letter).unwrap();
            prop_assert!(json.len() <= MAX_DATA_BYTES, "{} bytes", json.len());
            if sizes[0] <= 100 && headers <= 1 && sizes[1] <= 100 && sizes[2] <= 100 {
                prop_assert!(!letter.truncated);
            }
            if message.value.len() > LETTER_VALUE_BYTES {
                prop_assert_eq!(letter.truncated, true);
            }
        }
    }
}
