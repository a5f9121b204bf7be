//! What a program did, step by step, so that a front end can draw its variables.
//!
//! It comes from inside the sandbox, where a program can change it, so nothing in here nests, and anything of another
//! form is rejected.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use utoipa::ToSchema;

/// The steps of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// In the order in which they happened, at most 1,000, and no more than fit into the result.
    pub steps: Vec<TraceStep>,
    /// Whether there were more.
    pub truncated: bool,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceStep {
    /// What happens.
    pub event: TraceEvent,
    /// The program's line, from 1.
    pub line: u32,
    /// The function; `<module>` at the top level.
    pub function: String,
    /// How many characters of output had been written by then.
    pub written: u64,
    /// The active calls, outermost first; of a deep stack the innermost.
    pub frames: Vec<TraceFrame>,
    /// What a `return` gives back.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<TraceValue>,
    /// The class of an `exception`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The objects that names and other objects refer to, by their number.
    pub heap: BTreeMap<String, TraceObject>,
}

/// What happens in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceEvent {
    /// A line is about to run.
    Line,
    /// A function was called.
    Call,
    /// A function, or the program, is about to end.
    Return,
    /// An exception was raised, or passes through.
    Exception,
}

impl TraceEvent {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Call => "call",
            Self::Return => "return",
            Self::Exception => "exception",
        }
    }
}

/// An active call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceFrame {
    /// The function; `<module>` at the top level.
    pub function: String,
    /// The line that it is at, from 1.
    pub line: u32,
    /// Its variables by name.
    pub locals: BTreeMap<String, TraceValue>,
}

/// A value as a variable holds it: `null`, a boolean, a number, a string, `{"ref": 1}` for the object of the heap
/// with this number, or `{"text": "1j"}` for what JSON has no form for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum TraceValue {
    /// Python's `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer that JSON readers represent exactly.
    Integer(i64),
    /// A finite float.
    Float(f64),
    /// A string, cut at 200 characters.
    String(String),
    /// An object, shared by all that refer to the same number.
    Object {
        /// Its number in the heap.
        r#ref: u64,
    },
    /// Anything else, as Python writes it.
    Text {
        /// Python's own form.
        text: String,
    },
}

/// Deserialised in one pass: a derived untagged enum tries each form in turn, which was a fifth of the cost of a traced
/// step.
impl<'de> Deserialize<'de> for TraceValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

/// Reads a [`TraceValue`] in whatever form comes.
struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = TraceValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a variable")
    }

    fn visit_unit<E>(self) -> Result<TraceValue, E> {
        Ok(TraceValue::None)
    }

    fn visit_bool<E>(self, value: bool) -> Result<TraceValue, E> {
        Ok(TraceValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<TraceValue, E> {
        Ok(TraceValue::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<TraceValue, E> {
        Ok(i64::try_from(value).map_or(TraceValue::Float(value as f64), TraceValue::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<TraceValue, E> {
        Ok(TraceValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<TraceValue, E> {
        Ok(TraceValue::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<TraceValue, E> {
        Ok(TraceValue::String(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TraceValue, A::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "lowercase")]
        enum Key {
            Ref,
            Text,
            #[serde(other)]
            Other,
        }
        let mut found = None;
        while let Some(key) = map.next_key()? {
            match key {
                Key::Ref => found = Some(TraceValue::Object { r#ref: map.next_value()? }),
                Key::Text => found = Some(TraceValue::Text { text: map.next_value()? }),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        found.ok_or_else(|| de::Error::custom("neither a reference nor a text"))
    }
}

/// An object on the heap, with what its kind has: at most 50 of its items, entries or attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceObject {
    /// What kind of object it is.
    pub kind: TraceKind,
    /// The name of its class.
    #[serde(rename = "type")]
    pub class: String,
    /// How many items or entries it really has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Of a list, a tuple or a set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<TraceValue>>,
    /// Of a dictionary: keys with their values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<[TraceValue; 2]>>,
    /// Of a function or a class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of a class or an instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, TraceValue>>,
}

/// What kind of object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TraceKind {
    /// A list.
    List,
    /// A tuple.
    Tuple,
    /// A set.
    Set,
    /// A frozen set.
    FrozenSet,
    /// A dictionary.
    Dict,
    /// A function.
    Function,
    /// A class.
    Class,
    /// An instance of a class.
    Instance,
    /// An object beyond the limit, without its content.
    More,
}

impl TraceKind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Tuple => "tuple",
            Self::Set => "set",
            Self::FrozenSet => "frozenset",
            Self::Dict => "dict",
            Self::Function => "function",
            Self::Class => "class",
            Self::Instance => "instance",
            Self::More => "more",
        }
    }
}

/// A function can return `None`, which differs from not returning.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TraceValue>, D::Error> {
    TraceValue::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Trace;

    #[test]
    fn a_trace_is_read_and_written_without_a_difference() {
        let value = json!({
            "steps": [{
                "event": "return", "line": 3, "function": "f", "written": 2, "value": null,
                "frames": [{ "function": "<module>", "line": 7, "locals": {
                    "a": null, "b": true, "c": 1, "d": 1.0, "e": -0.5, "f": "text", "g": { "ref": 1 },
                    "h": { "text": "1j" }, "i": 9_007_199_254_740_991_i64
                } }],
                "heap": {
                    "1": { "type": "dict", "kind": "dict", "length": 60, "entries": [["k", { "ref": 2 }]] },
                    "2": { "type": "frozenset", "kind": "frozenset", "length": 1, "items": [1] },
                    "3": { "type": "Dog", "kind": "instance", "attributes": { "name": "Rex" } },
                    "4": { "type": "list", "kind": "more" }
                }
            }],
            "truncated": true
        });
        let trace: Trace = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(trace).unwrap(), value);
    }

    #[test]
    fn a_trace_of_another_form_is_rejected() {
        for other in [
            json!([]),
            json!("steps"),
            json!({ "steps": [0], "truncated": false }),
            json!({ "steps": [{ "event": "jump", "line": 1, "function": "f", "written": 0, "frames": [], "heap": {} }],
                    "truncated": false }),
            json!({ "steps": [{ "event": "line", "line": 1, "function": "f", "written": 0, "frames": [],
                                "heap": { "1": { "kind": "list", "type": "list", "items": [[1]] } } }],
                    "truncated": false }),
        ] {
            assert!(serde_json::from_value::<Trace>(other.clone()).is_err(), "{other}");
        }
        let deep = (0..60).fold(Value::Null, |inner, _| json!([inner]));
        assert!(serde_json::from_value::<Trace>(deep).is_err());
    }
}
