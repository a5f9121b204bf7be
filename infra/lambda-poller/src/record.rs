//! A Kafka record as a function gets it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;

/// What Kafka writes for "no timestamp".
pub(crate) const NO_TIMESTAMP: i64 = -1;

/// A record as it comes from Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consumed {
    /// The partition.
    pub(crate) partition: i32,
    /// Its place in the partition.
    pub(crate) offset: i64,
    /// Milliseconds since 1970, or [`NO_TIMESTAMP`].
    pub(crate) timestamp_ms: i64,
    /// Whether the broker set the timestamp, not the producer.
    pub(crate) is_log_append_time: bool,
    /// The key.
    pub(crate) key: Option<Vec<u8>>,
    /// The value; none in a tombstone.
    pub(crate) value: Option<Vec<u8>>,
    /// The headers in their order, with duplicates.
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

/// A record that waits for its function: what decisions are based on, and its JSON.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The partition.
    pub(crate) partition: i32,
    /// Its place in the partition.
    pub(crate) offset: i64,
    /// Milliseconds since 1970, or [`NO_TIMESTAMP`].
    pub(crate) timestamp_ms: i64,
    /// The key, for the on-failure topic.
    pub(crate) key: Option<Vec<u8>>,
    /// Its object in the event.
    pub(crate) json: Box<RawValue>,
}

impl Record {
    /// Its bytes in an event, with the comma.
    #[must_use]
    pub(crate) fn size(&self) -> usize {
        self.json.get().len() + 1
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventRecord<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: i64,
    timestamp_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    value: Option<String>,
    headers: Vec<Header<'a>>,
}

/// An object with one member, whose value is an array of Java's signed bytes.
struct Header<'a>(&'a str, Option<&'a [u8]>);

impl Serialize for Header<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signed: Option<Vec<i8>> =
            self.1.map(|bytes| bytes.iter().map(|byte| byte.cast_signed()).collect());
        serializer.collect_map([(self.0, signed)])
    }
}

impl Consumed {
    /// The record in AWS's form.
    ///
    /// # Errors
    /// Never in practice: all of this can be written as JSON.
    pub(crate) fn into_record(self, topic: &str) -> Result<Record, serde_json::Error> {
        let json = serde_json::value::to_raw_value(&EventRecord {
            topic,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp_ms,
            timestamp_type: if self.is_log_append_time { "LOG_APPEND_TIME" } else { "CREATE_TIME" },
            key: self.key.as_ref().map(|key| BASE64_STANDARD.encode(key)),
            value: self.value.as_ref().map(|value| BASE64_STANDARD.encode(value)),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| Header(name, value.as_deref()))
                .collect(),
        })?;
        Ok(Record {
            partition: self.partition,
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key,
            json,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Consumed;

    #[test]
    fn a_record_has_the_form_of_aws() {
        let record = Consumed {
            partition: 0,
            offset: 15,
            timestamp_ms: 1_545_084_650_987,
            is_log_append_time: false,
            key: Some(b"abcDEFghi".to_vec()),
            value: Some(b"Hello, this is a test.".to_vec()),
            headers: vec![
                ("headerKey".to_owned(), Some(b"headerValue".to_vec())),
                ("headerKey".to_owned(), Some(vec![0xff, 0x80, 0x7f])),
                ("absent".to_owned(), None),
            ],
        };
        assert_eq!(
            record.into_record("mytopic").unwrap().json.get(),
            concat!(
                r#"{"topic":"mytopic","partition":0,"offset":15,"timestamp":1545084650987,"#,
                r#""timestampType":"CREATE_TIME","key":"YWJjREVGZ2hp","#,
                r#""value":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==","headers":[{"headerKey":"#,
                r#"[104,101,97,100,101,114,86,97,108,117,101]},{"headerKey":[-1,-128,127]},"#,
                r#"{"absent":null}]}"#
            )
        );
    }

    #[test]
    fn a_tombstone_has_a_null_value_and_a_missing_key_is_absent() {
        let record = Consumed {
            partition: 3,
            offset: 0,
            timestamp_ms: -1,
            is_log_append_time: true,
            key: None,
            value: None,
            headers: vec![],
        };
        assert_eq!(
            record.into_record("my-topic-3").unwrap().json.get(),
            concat!(
                r#"{"topic":"my-topic-3","partition":3,"offset":0,"timestamp":-1,"#,
                r#""timestampType":"LOG_APPEND_TIME","value":null,"headers":[]}"#
            )
        );
    }
}
