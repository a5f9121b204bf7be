//! Reading what a later version may say.
//!
//! Versions run beside each other during every upgrade, so a reader of today gets names of tomorrow. A text that is no
//! known name is read as what today's code can do with it; anything but a text is malformed, as before. Elsewhere (what
//! clients send, the course's files) the same types are strict: a name that nobody knows is a mistake there.
//!
//! What a name of tomorrow becomes is decided for each type by what is done with it:
//! - kept as «unknown» where nothing is decided by it, or where whoever decides must know. Types that only events have
//!   say so themselves (`#[serde(other)]`: [`crate::question_routed::Sign`], [`crate::execution_requested::Purpose`], …);
//!   those that clients and files name, too, are strict, and read leniently here ([`Agent`], [`Author`], [`AnsweredBy`],
//!   [`TestVerdict`]);
//! - taken as the most careful of the known ones where something must be made of it: an unknown [`Level`] as that of a
//!   student of whom nothing is known, an unknown [`Difficulty`] as the one in the middle;
//! - left out where it can be done without (the [`Agent`] that is wished for), or must be (a
//!   [`crate::model_call::Task`] that is not known is not given to a model);
//! - kept word for word where it has fields of its own that others may know ([`crate::question_answered::Details`],
//!   [`crate::activity_recorded::Activity`], [`domain::execution::FileContent`]).
//!
//! A field that a later version adds is passed over everywhere, also where clients may not send it ([`Program`]).

use domain::{
    agent::{Agent, AnsweredBy, Author},
    difficulty::Difficulty,
    execution::{Program, TestCase, TestVerdict},
    level::Level,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value};

/// A closed set of names that may grow.
pub(crate) trait Grows: DeserializeOwned {
    /// What a name of tomorrow is read as.
    const UNKNOWN: Self;
}

impl Grows for Agent {
    const UNKNOWN: Self = Self::Unknown;
}
impl Grows for Author {
    const UNKNOWN: Self = Self::Unknown;
}
impl Grows for AnsweredBy {
    const UNKNOWN: Self = Self::Unknown;
}
impl Grows for TestVerdict {
    const UNKNOWN: Self = Self::Unknown;
}
impl Grows for Level {
    // Nothing is expected of a beginner.
    const UNKNOWN: Self = Self::Beginner;
}
impl Grows for Difficulty {
    // Whatever is made of it is least wrong in the middle.
    const UNKNOWN: Self = Self::Medium;
}

fn known<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(Value::String(name.to_owned())).ok()
}

/// A name, known or not.
pub(crate) fn name<'de, D: Deserializer<'de>, T: Grows>(deserializer: D) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    Ok(known(&name).unwrap_or(T::UNKNOWN))
}

/// A name that may be absent; one that is not known is.
pub(crate) fn optional_name<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    Ok(name.as_deref().and_then(known))
}

/// A tagged value: of a known kind, of which a faulty one is malformed, or its fields as they are.
pub(crate) fn tagged<T: DeserializeOwned, E: Error>(
    fields: Map<String, Value>,
    tag: &'static str,
    kinds: &[&str],
    unknown: fn(Map<String, Value>) -> T,
) -> Result<T, E> {
    let kind = fields.get(tag).ok_or_else(|| E::missing_field(tag))?;
    let kind = kind.as_str().ok_or_else(|| E::custom(format_args!("{tag} is not a text")))?;
    if kinds.contains(&kind) {
        serde_json::from_value(Value::Object(fields)).map_err(E::custom)
    } else {
        Ok(unknown(fields))
    }
}

/// A program, from whoever knows more fields than we do.
pub(crate) fn program<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Program, D::Error> {
    let mut fields = Map::<String, Value>::deserialize(deserializer)?;
    fields.retain(|name, _| Program::FIELDS.contains(&name.as_str()));
    let tests = fields.get_mut("tests").and_then(Value::as_array_mut);
    for test in tests.into_iter().flatten().filter_map(Value::as_object_mut) {
        test.retain(|name, _| TestCase::FIELDS.contains(&name.as_str()));
    }
    serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)
}
