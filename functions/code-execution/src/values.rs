//! Python values outside of Python, and whether two of them are equal.

use serde::{Deserialize, Serialize};

/// How far two floating-point results may be apart, relative to the larger: as `math.isclose`.
const RELATIVE_TOLERANCE: f64 = 1e-9;
/// What counts as zero next to zero, where nothing is relatively close.
const ABSOLUTE_TOLERANCE: f64 = 1e-12;

/// A value with its type, as the guest's `values.py` writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// In hexadecimal.
    Int(String),
    /// As Python writes it: `1.5`, `inf`, `nan`.
    Float(String),
    /// As Python writes it.
    Complex(String),
    /// Text.
    Str(String),
    /// In hexadecimal.
    Bytes(String),
    /// A list.
    List(Vec<Self>),
    /// A tuple.
    Tuple(Vec<Self>),
    /// A set or frozen set, in no order.
    Set(Vec<Self>),
    /// Keys and values, in no order.
    Dict(Vec<(Self, Self)>),
    /// Anything else, by its text.
    Other {
        /// The name of its class.
        kind: String,
        /// As Python writes it.
        text: String,
    },
}

impl Value {
    /// Whether Python would call both equal; but a number is never a boolean, and floating-point
    /// results that differ in the last digits are the same answer.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(_), Self::Float(_) | Self::Int(_)) | (Self::Int(_), Self::Float(_)) => {
                match (self.number(), other.number()) {
                    (Some(one), Some(two)) => close(one, two),
                    _ => false,
                }
            }
            (Self::List(one), Self::List(two)) | (Self::Tuple(one), Self::Tuple(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(a, b)| a.equals(b))
            }
            (Self::Set(one), Self::Set(two)) => same_items(one, two, Self::equals),
            (Self::Dict(one), Self::Dict(two)) => {
                same_items(one, two, |a, b| a.0.equals(&b.0) && a.1.equals(&b.1))
            }
            _ => self == other,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Float(text) => text.parse().ok(),
            Self::Int(text) => {
                let (sign, digits) = match text.strip_prefix('-') {
                    Some(digits) => (-1.0, digits),
                    None => (1.0, text.as_str()),
                };
                let digit = |value: f64, c: char| Some(value * 16.0 + f64::from(c.to_digit(16)?));
                digits.chars().try_fold(0.0, digit).map(|value| sign * value)
            }
            _ => None,
        }
    }
}

/// A value as a text that holds its JSON.
pub(crate) mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de, ser};

    use super::Value;

    pub(crate) fn serialize<S: Serializer>(value: &Value, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(value).map_err(ser::Error::custom)?)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

fn close(one: f64, two: f64) -> bool {
    if one == two || (one.is_nan() && two.is_nan()) {
        return true;
    }
    let scale = one.abs().max(two.abs());
    scale.is_finite() && (one - two).abs() <= (RELATIVE_TOLERANCE * scale).max(ABSOLUTE_TOLERANCE)
}

/// Whether each item of one has its own equal in the other.
fn same_items<T>(one: &[T], two: &[T], equals: impl Fn(&T, &T) -> bool) -> bool {
    let mut left: Vec<&T> = two.iter().collect();
    one.len() == two.len()
        && one.iter().all(|item| {
            let found = left.iter().position(|candidate| equals(item, candidate));
            found.map(|position| left.swap_remove(position)).is_some()
        })
}

#[cfg(test)]
mod tests {
    use super::Value;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).expect("a value")
    }

    #[test]
    fn values_are_compared_as_python_would_and_types_as_a_teacher_would() {
        let equal = [
            (r#"{"int":"2"}"#, r#"{"float":"2.0"}"#),
            (r#"{"float":"0.30000000000000004"}"#, r#"{"float":"0.3"}"#),
            (r#"{"float":"nan"}"#, r#"{"float":"nan"}"#),
            (r#"{"set":[{"int":"1"},{"int":"2"}]}"#, r#"{"set":[{"int":"2"},{"int":"1"}]}"#),
            (
                r#"{"dict":[[{"str":"a"},"none"],[{"str":"b"},{"bool":true}]]}"#,
                r#"{"dict":[[{"str":"b"},{"bool":true}],[{"str":"a"},"none"]]}"#,
            ),
            (r#"{"int":"-ff"}"#, r#"{"float":"-255.0"}"#),
        ];
        for (one, two) in equal {
            assert!(value(one).equals(&value(two)), "{one} = {two}");
        }
        let different = [
            (r#"{"int":"1"}"#, r#"{"bool":true}"#),
            (r#"{"int":"5"}"#, r#"{"str":"5"}"#),
            (r#"{"list":[{"int":"1"}]}"#, r#"{"tuple":[{"int":"1"}]}"#),
            (r#"{"list":[{"int":"1"}]}"#, r#"{"list":[{"int":"1"},{"int":"1"}]}"#),
            (r#"{"float":"0.31"}"#, r#"{"float":"0.3"}"#),
            (r#"{"float":"inf"}"#, r#"{"float":"1e308"}"#),
            (r#"{"set":[{"int":"1"},{"int":"2"}]}"#, r#"{"set":[{"int":"1"},{"int":"3"}]}"#),
        ];
        for (one, two) in different {
            assert!(!value(one).equals(&value(two)), "{one} ≠ {two}");
        }
    }
}
