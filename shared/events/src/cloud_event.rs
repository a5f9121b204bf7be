//! A CloudEvents 1.0 message, read from and written to its wire forms.
//!
//! Our own type, because the SDK brings 73 crates and two versions of `http`; it serves as the oracle in this file's
//! tests.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::Json;

/// The content type of a structured-mode message.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// Most attributes of an event: ours have twelve.
const MAX_ATTRIBUTES: usize = 64;
/// Most bytes of an attribute's name or value; a trace context with its state has half of that.
const MAX_ATTRIBUTE_BYTES: usize = 1_024;

/// About what the attributes of an event of ours take: memory that is reserved at once.
const ATTRIBUTES_BYTES: usize = 700;

/// Why bytes are not an event. The message names the attribute and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The body is not JSON, or not the JSON that was declared.
    #[error("body is not valid JSON")]
    Json(#[source] serde_json::Error),
    /// A JSON value other than an object.
    #[error("body is not a JSON object")]
    NotAnObject,
    /// Neither a structured body nor binary-mode headers.
    #[error("not a CloudEvent: no specversion in the headers or the body")]
    NotACloudEvent,
    /// A batch of events where one is expected.
    #[error("batched CloudEvents are not accepted: send one event a message")]
    Batch,
    /// A required attribute is absent.
    #[error("attribute {0} is missing")]
    Missing(&'static str),
    /// An attribute has a value that cannot be used.
    #[error("attribute {attribute} is not {expected}")]
    Attribute {
        /// The attribute's name.
        attribute: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// More attributes than any event has.
    #[error("an event may have at most {max} attributes")]
    TooManyAttributes {
        /// The bound.
        max: usize,
    },
    /// `data_base64` does not hold base64.
    #[error("data_base64 is not base64")]
    Base64(#[source] base64::DecodeError),
    /// The event is of another type than the function handles.
    #[error("event type {actual} is not handled here, expected {expected}")]
    Type {
        /// The type received.
        actual: String,
        /// The type that is handled.
        expected: &'static str,
    },
    /// The event carries no JSON payload.
    #[error("event has no JSON data")]
    NoData,
    /// The payload does not have the event type's shape.
    #[error("data does not match {event_type} at {path}")]
    Payload {
        /// The type whose shape was expected.
        event_type: &'static str,
        /// Where in the payload, as a dotted path.
        path: String,
        /// What was wrong there.
        #[source]
        source: serde_json::Error,
    },
}

/// An event's payload, as received.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// No payload, for instance a Kafka tombstone.
    None,
    /// A JSON payload.
    Json(Json),
    /// Anything else.
    Bytes(Vec<u8>),
}

/// How a transport spells attribute headers in binary mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderStyle {
    /// `ce-id`, values percent-encoded (HTTP protocol binding 3.1.3.2).
    Http,
    /// `ce_id`, values UTF-8 (Kafka protocol binding 3.2.3).
    Kafka,
}

impl HeaderStyle {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Http => "ce-",
            Self::Kafka => "ce_",
        }
    }
}

/// One event with its context attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudEvent {
    /// Identifies the event within its source.
    pub id: String,
    /// Who emitted it.
    pub source: String,
    /// What happened, with its version: `question.asked.v1`.
    pub event_type: String,
    /// Whom it is about.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<DateTime<Utc>>,
    /// Extension attributes by name.
    pub extensions: BTreeMap<String, String>,
    /// The payload.
    pub data: Data,
}

impl CloudEvent {
    /// Reads a message of either mode, distinguished by its headers; a bare JSON body that carries `specversion` is
    /// taken as structured, as command-line producers send it.
    ///
    /// # Errors
    /// The message is not one CloudEvent of version 1.0.
    pub fn decode<'a>(
        style: HeaderStyle,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        body: &[u8],
    ) -> Result<Self, DecodeError> {
        let mut attributes = BTreeMap::new();
        let mut content_type = None;
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            let text = String::from_utf8_lossy(value);
            if name == "content-type" {
                content_type = Some(text.into_owned());
            } else if let Some(attribute) = name.strip_prefix(style.prefix()) {
                let value = match style {
                    HeaderStyle::Http => percent_decode(&text),
                    HeaderStyle::Kafka => text.into_owned(),
                };
                attributes.insert(attribute.to_owned(), value);
            }
        }
        let media_type = content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
        if media_type.starts_with("application/cloudevents-batch") {
            Err(DecodeError::Batch)
        } else if media_type.starts_with("application/cloudevents")
            || !attributes.contains_key("specversion")
        {
            Self::from_structured(body)
        } else {
            Self::from_binary(attributes, &media_type, body)
        }
    }

    fn from_structured(body: &[u8]) -> Result<Self, DecodeError> {
        let object: serde_json::Result<BTreeMap<String, &RawValue>> = serde_json::from_slice(body);
        let mut object = object.map_err(|error| {
            let is_json = serde_json::from_slice::<&RawValue>(body).is_ok();
            if is_json { DecodeError::NotAnObject } else { DecodeError::Json(error) }
        })?;
        if !object.contains_key("specversion") {
            return Err(DecodeError::NotACloudEvent);
        }
        let data = match (object.remove("data"), object.remove("data_base64")) {
            (_, Some(text)) => {
                let text: String = serde_json::from_str(text.get()).map_err(|_not_a_string| {
                    let attribute = "data_base64".to_owned();
                    DecodeError::Attribute { attribute, expected: "a string" }
                })?;
                Data::Bytes(STANDARD.decode(text).map_err(DecodeError::Base64)?)
            }
            (Some(json), None) if json.get() != "null" => Data::Json(json.into()),
            (_, None) => Data::None,
        };
        let mut attributes = BTreeMap::new();
        for (name, value) in object {
            let text = match value.get() {
                "null" => continue,
                text if text.starts_with('"') => {
                    serde_json::from_str(text).map_err(DecodeError::Json)?
                }
                json if json.starts_with(['[', '{']) => {
                    let expected = "a string, a number or a boolean";
                    return Err(DecodeError::Attribute { attribute: name, expected });
                }
                number_or_boolean => number_or_boolean.to_owned(),
            };
            attributes.insert(name, text);
        }
        Self::from_attributes(attributes, data)
    }

    fn from_binary(
        attributes: BTreeMap<String, String>,
        media_type: &str,
        body: &[u8],
    ) -> Result<Self, DecodeError> {
        let is_json = media_type.split(';').next().is_some_and(|essence| {
            let essence = essence.trim();
            essence.ends_with("/json") || essence.ends_with("+json")
        });
        let data = if body.is_empty() {
            Data::None
        } else if is_json {
            let json: &RawValue = serde_json::from_slice(body).map_err(DecodeError::Json)?;
            Data::Json(json.into())
        } else {
            Data::Bytes(body.to_vec())
        };
        Self::from_attributes(attributes, data)
    }

    fn from_attributes(
        mut attributes: BTreeMap<String, String>,
        data: Data,
    ) -> Result<Self, DecodeError> {
        check_attributes(&attributes)?;
        if attributes.remove("specversion").as_deref() != Some("1.0") {
            return Err(DecodeError::Attribute {
                attribute: "specversion".to_owned(),
                expected: "1.0",
            });
        }
        let mut required = |name: &'static str| {
            attributes
                .remove(name)
                .filter(|text| !text.is_empty())
                .ok_or(DecodeError::Missing(name))
        };
        let (id, source, event_type) = (required("id")?, required("source")?, required("type")?);
        let time = match attributes.remove("time") {
            None => None,
            Some(text) => match DateTime::parse_from_rfc3339(&text) {
                Ok(time) => Some(time.to_utc()),
                Err(_) => {
                    return Err(DecodeError::Attribute {
                        attribute: "time".to_owned(),
                        expected: "an RFC 3339 time such as 2026-01-31T09:30:00Z",
                    });
                }
            },
        };
        let subject = attributes.remove("subject");
        attributes.remove("datacontenttype");
        attributes.remove("dataschema");
        Ok(Self { id, source, event_type, subject, time, extensions: attributes, data })
    }

    /// Writes the event in structured mode; its content type is [`STRUCTURED`].
    #[must_use]
    pub fn to_structured(&self) -> Vec<u8> {
        let payload = if let Data::Json(json) = &self.data { json.as_str().len() } else { 0 };
        let mut body = Vec::with_capacity(payload + ATTRIBUTES_BYTES);
        // Strings and well-formed JSON, into memory: this cannot fail.
        self.write(&mut serde_json::Serializer::new(&mut body)).map(drop).unwrap_or_default();
        body
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("type", &self.event_type)?;
        if let Some(subject) = &self.subject {
            map.serialize_entry("subject", subject)?;
        }
        if let Some(time) = self.time {
            map.serialize_entry("time", &time.to_rfc3339_opts(SecondsFormat::Micros, true))?;
        }
        for (name, text) in &self.extensions {
            map.serialize_entry(name, text)?;
        }
        match &self.data {
            Data::None => {}
            Data::Json(json) => {
                map.serialize_entry("datacontenttype", "application/json")?;
                map.serialize_entry("data", json)?;
            }
            Data::Bytes(bytes) => {
                map.serialize_entry("data_base64", &STANDARD.encode(bytes))?;
            }
        }
        map.end()
    }
}

/// Attributes are stored and logged: they are short, and have no control characters (CloudEvents 1.0, 3.1).
fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), DecodeError> {
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(DecodeError::TooManyAttributes { max: MAX_ATTRIBUTES });
    }
    for (name, value) in attributes {
        let fits =
            |text: &str| text.len() <= MAX_ATTRIBUTE_BYTES && !text.contains(char::is_control);
        if !fits(name) || !fits(value) {
            return Err(DecodeError::Attribute {
                attribute: name.chars().filter(|c| !c.is_control()).take(40).collect(),
                expected: "text without control characters, at most 1,024 bytes",
            });
        }
    }
    Ok(())
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
