//! Reading values of later versions.
//!
//! Versions run side by side during every upgrade, so a reader gets names that a later version added. A string that is
//! no known name is read as something that today's code can handle; anything but a string is malformed, as before.
//! Elsewhere (requests of clients, the course's files) the same types are strict: an unknown name is a mistake there.
//!
//! What an unknown name becomes is decided for each type by its use:
//! - kept as "unknown" where nothing depends on it, or where the reader must know. Types that occur only in events say
//!   so themselves (`#[serde(other)]`: [`crate::question_routed::Sign`], [`crate::execution_requested::Purpose`], …);
//!   those that also occur in requests and files are strict, and read leniently here ([`Agent`], [`Author`],
//!   [`AnsweredBy`], [`TestVerdict`]);
//! - read as the most cautious known name where one is needed: an unknown [`Level`] as that of a student about whom
//!   nothing is known, an unknown [`Difficulty`] as the one in the middle;
//! - dropped where it is optional (the requested [`Agent`]), or where it must be (an unknown
//!   [`crate::model_call::Task`] is not given to a model);
//! - kept verbatim where it has fields of its own that others may know ([`crate::question_answered::Details`],
//!   [`crate::activity_recorded::Activity`], [`domain::execution::FileContent`]).
//!
//! A field that a later version adds is ignored everywhere, also where clients may not send it ([`Program`]).

use domain::{
    agent::{Agent, AnsweredBy, Author},
    difficulty::Difficulty,
    execution::{Program, TestCase, TestVerdict},
    level::Level,
    struggle::{Severity, Trigger},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value};

/// A closed set of names that may grow.
pub(crate) trait Grows: DeserializeOwned {
    /// What an unknown name is read as.
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
    // A beginner is expected to know nothing.
    const UNKNOWN: Self = Self::Beginner;
}
impl Grows for Difficulty {
    // The middle is the least wrong guess.
    const UNKNOWN: Self = Self::Medium;
}

impl Grows for Severity {
    // A later version may distinguish more; what is not known to be urgent is not.
    const UNKNOWN: Self = Self::Low;
}
impl Grows for Trigger {
    // The student's own words need no explanation.
    const UNKNOWN: Self = Self::SaysSo;
}

/// The default of a field that is `true` where a version before it says nothing.
pub(crate) const fn yes() -> bool {
    true
}

/// Whether that field need not be written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(crate) const fn is_yes(value: &bool) -> bool {
    *value
}

fn known<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(Value::String(name.to_owned())).ok()
}

/// A name, known or not.
pub(crate) fn name<'de, D: Deserializer<'de>, T: Grows>(deserializer: D) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    Ok(known(&name).unwrap_or(T::UNKNOWN))
}

/// An optional name; an unknown one is `None`.
pub(crate) fn optional_name<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    Ok(name.as_deref().and_then(known))
}

/// A tagged value: of a known kind, where a fault is an error, or of an unknown kind, with its fields verbatim.
pub(crate) fn tagged<T: DeserializeOwned, E: Error>(
    fields: Map<String, Value>,
    tag: &'static str,
    kinds: &[&str],
    unknown: fn(Map<String, Value>) -> T,
) -> Result<T, E> {
    let kind = fields.get(tag).ok_or_else(|| E::missing_field(tag))?;
    let kind = kind.as_str().ok_or_else(|| E::custom(format_args!("{tag} is not a string")))?;
    if kinds.contains(&kind) {
        serde_json::from_value(Value::Object(fields)).map_err(E::custom)
    } else {
        Ok(unknown(fields))
    }
}

/// A program, possibly with fields of a later version.
pub(crate) fn program<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Program, D::Error> {
    let mut fields = Map::<String, Value>::deserialize(deserializer)?;
    fields.retain(|name, _| Program::FIELDS.contains(&name.as_str()));
    let tests = fields.get_mut("tests").and_then(Value::as_array_mut);
    for test in tests.into_iter().flatten().filter_map(Value::as_object_mut) {
        test.retain(|name, _| TestCase::FIELDS.contains(&name.as_str()));
    }
    serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)
}
